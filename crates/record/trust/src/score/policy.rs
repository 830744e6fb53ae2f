//! From which score on an operator is let in, and believed.

use std::fmt;
use std::str::FromStr;

use super::reason::Score;

/// How careful a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Whoever has not misbehaved.
    Open,
    /// Newcomers are let in; the bar rises while many misbehave.
    #[default]
    Adaptive,
    /// Without blemish, and believed on a long history alone.
    Strict,
}

/// A word that is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no policy: open, adaptive or strict")]
pub struct UnknownPolicy(String);

/// How many operators misbehaved lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alarm(pub(super) usize);

/// The two scores that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// From here on an operator is let in, in thousandths of a point.
    pub admits: u32,
    /// From here on its word counts towards a quorum.
    pub believes: u32,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Adaptive, Self::Strict];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Adaptive => "adaptive",
            Self::Strict => "strict",
        }
    }

    /// Whether operators are let in whose logs this node does not follow.
    pub const fn takes_strangers(self) -> bool {
        matches!(self, Self::Open)
    }

    /// The bar at this alarm.
    pub fn bar(self, alarm: Alarm) -> Bar {
        // At most the bound, 15.
        let raised = 1_000 * alarm.0.min(ALARM_POINTS_MAX) as u32;
        match self {
            Self::Open => Bar { admits: 20_000, believes: 50_000 },
            Self::Adaptive => Bar { admits: 35_000 + raised, believes: 50_000 + raised },
            Self::Strict => Bar { admits: 50_000, believes: 75_000 },
        }
    }
}

impl Bar {
    /// Whether an operator is let in.
    pub const fn admits(&self, score: &Score) -> bool {
        score.thousandths() >= self.admits
    }

    /// Whether its word counts towards a quorum.
    pub const fn believes(&self, score: &Score) -> bool {
        score.thousandths() >= self.believes
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| UnknownPolicy(text.to_owned()))
    }
}

const ALARM_POINTS_MAX: usize = 15;
