//! A score, and its reasons.

/// One hundred points.
pub const THOUSANDTHS_MAX: u32 = 100_000;
/// What an operator has of whom nothing is known.
pub(super) const START: i32 = 50_000;
/// What a proof costs: more than can be won.
pub(super) const PROOF: i32 = 100_000;

/// What an amount is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Everybody begins with it.
    Start,
    /// Receipts that verified.
    Receipts,
    /// Cosigned checkpoints.
    Checkpoints,
    /// Answers that proved themselves.
    Answers,
    /// What cannot be won yet at this age.
    Young,
    /// What cannot be won without more days that witnesses cosigned.
    Unwitnessed,
    /// Messages that do not verify.
    Invalid,
    /// Too many messages.
    Floods,
    /// Requests without an answer.
    Silence,
    /// A fork, proven.
    Fork,
    /// Two entries for one place, proven.
    Equivocation,
    /// An entry that its own log contradicts, proven.
    Contradiction,
    /// The user's word.
    Distrusted,
    /// A score is between 0 and 100.
    Bounds,
}

impl Why {
    /// The word that JSON has.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Receipts => "receipts",
            Self::Checkpoints => "checkpoints",
            Self::Answers => "answers",
            Self::Young => "young",
            Self::Unwitnessed => "unwitnessed",
            Self::Invalid => "invalid",
            Self::Floods => "floods",
            Self::Silence => "silence",
            Self::Fork => "fork",
            Self::Equivocation => "equivocation",
            Self::Contradiction => "contradiction",
            Self::Distrusted => "distrusted",
            Self::Bounds => "bounds",
        }
    }

    /// For people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Start => "everybody begins here",
            Self::Receipts => "receipts that verified",
            Self::Checkpoints => "checkpoints that your witnesses cosigned",
            Self::Answers => "answers that proved themselves",
            Self::Young => "known too short a time to count for more",
            Self::Unwitnessed => "too few days that your witnesses cosigned to count for more",
            Self::Invalid => "messages that do not verify",
            Self::Floods => "more messages than anybody may send",
            Self::Silence => "requests that were not answered",
            Self::Fork => "two histories of its log, proven",
            Self::Equivocation => "two entries signed for one place, proven",
            Self::Contradiction => "an entry that its own log contradicts, proven",
            Self::Distrusted => "you distrust it",
            Self::Bounds => "a score is between 0 and 100",
        }
    }
}

/// An amount, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// What for.
    pub why: Why,
    /// Thousandths of a point.
    pub thousandths: i32,
}

impl Reason {
    pub(super) const fn new(why: Why, thousandths: i32) -> Self {
        Self { why, thousandths }
    }
}

/// How far an operator is believed. Its reasons add up to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    thousandths: u32,
    reasons: Vec<Reason>,
}

impl Score {
    pub(super) fn of(mut reasons: Vec<Reason>) -> Self {
        let sum: i32 = reasons.iter().map(|it| it.thousandths).sum();
        let value = sum.clamp(0, THOUSANDTHS_MAX as i32);
        reasons.push(Reason::new(Why::Bounds, value - sum));
        reasons.retain(|it| it.thousandths != 0);
        Self { thousandths: value.unsigned_abs(), reasons }
    }

    /// Whole points, 0 to 100, rounded down.
    pub const fn points(&self) -> u8 {
        // At most 100.
        (self.thousandths / 1000) as u8
    }

    /// Thousandths of a point, 0 to 100,000.
    pub const fn thousandths(&self) -> u32 {
        self.thousandths
    }

    /// Why it is this: the amounts add up to [`Score::thousandths`]. None is zero.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }
}
