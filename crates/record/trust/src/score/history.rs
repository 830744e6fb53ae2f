//! What is known of one operator: sums of evidence in buckets of time.

use std::collections::BTreeMap;

use super::evidence::Kind;
use super::reason::{self, Reason, Score, Why};

/// Milliseconds of a bucket of good evidence: a day.
pub(super) const DAY_MS: u64 = 24 * 3600 * 1000;
/// Milliseconds of a bucket of bad evidence: sixteen days.
pub(super) const SPAN_MS: u64 = 16 * DAY_MS;
/// Days that good evidence lasts.
pub(super) const DAYS: u64 = 64;
/// Spans that bad evidence lasts.
pub(super) const SPANS: u64 = 16;

/// Of three kinds, how often each was seen in a bucket.
pub(super) type Counts = [u8; 3];

/// Sums of three kinds of evidence by bucket. Those that lasted their time are dropped.
pub(super) type Buckets = BTreeMap<u64, Counts>;

/// What is known of one operator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct History {
    /// When the first good thing was seen of it.
    pub first_ms: Option<u64>,
    /// Good evidence by day.
    pub days: Buckets,
    /// Bad evidence by span.
    pub spans: Buckets,
    /// Which proofs there are: a bit for each kind.
    pub proofs: u8,
    /// Whether the user distrusts it.
    pub distrusted: bool,
}

impl History {
    /// Adds one thing.
    pub fn add(&mut self, kind: Kind, at_ms: u64) {
        let place = kind.place();
        if kind.is_proof() {
            self.proofs |= 1 << place;
        } else if kind.is_good() {
            self.first_ms = Some(self.first_ms.map_or(at_ms, |first| first.min(at_ms)));
            count(&mut self.days, at_ms / DAY_MS, place, GOOD[place].each_max, DAYS);
        } else {
            count(&mut self.spans, at_ms / SPAN_MS, place, BAD[place].each_max, SPANS);
        }
    }

    /// Whether a proof convicts it, or the user.
    pub fn is_out(&self) -> bool {
        self.proofs != 0 || self.distrusted
    }

    /// Days with a cosigned checkpoint.
    pub fn witnessed_days(&self, now_ms: u64) -> u32 {
        let today = now_ms / DAY_MS;
        let seen = |(day, counts): &(&u64, &Counts)| {
            today.saturating_sub(**day) < DAYS && counts[Kind::Checkpoint.place()] > 0
        };
        // There are no more buckets than days.
        self.days.iter().filter(seen).count() as u32
    }

    /// Whether its node sent garbage, or too much, in this span or the one before.
    pub fn is_bad_now(&self, now_ms: u64) -> bool {
        let span = now_ms / SPAN_MS;
        self.spans.iter().any(|(at, counts)| {
            span.saturating_sub(*at) < 2
                && counts[Kind::Invalid.place()].max(counts[Kind::Flood.place()]) > 0
        })
    }

    /// Its score at a moment.
    pub fn score(&self, now_ms: u64) -> Score {
        let mut reasons = vec![Reason::new(Why::Start, reason::START)];
        let good = sums(&self.days, now_ms / DAY_MS, DAYS, &GOOD);
        let bad = sums(&self.spans, now_ms / SPAN_MS, SPANS, &BAD);
        for (source, sum) in GOOD.iter().zip(good) {
            reasons.push(Reason::new(source.why, sum));
        }
        let sum: i32 = good.iter().sum();
        let young = sum.min(self.age_allows(now_ms));
        reasons.push(Reason::new(Why::Young, young - sum));
        let witnessed = young.min(self.witnesses_allow(now_ms));
        reasons.push(Reason::new(Why::Unwitnessed, witnessed - young));
        for (source, sum) in BAD.iter().zip(bad) {
            reasons.push(Reason::new(source.why, -sum));
        }
        for (place, why) in PROOFS.into_iter().enumerate() {
            let shown = i32::from(self.proofs >> place & 1);
            reasons.push(Reason::new(why, -reason::PROOF * shown));
        }
        let distrusted = i32::from(self.distrusted);
        reasons.push(Reason::new(Why::Distrusted, -reason::PROOF * distrusted));
        Score::of(reasons)
    }

    /// What an operator of its age may win.
    fn age_allows(&self, now_ms: u64) -> i32 {
        let age = self.first_ms.map_or(0, |first| now_ms.saturating_sub(first) / DAY_MS);
        // At most the bound, which is far below 2^31.
        (age.min(AGE_DAYS_MAX) * AGE_EACH) as i32
    }

    /// What an operator may win whose history was witnessed on so many days.
    fn witnesses_allow(&self, now_ms: u64) -> i32 {
        WITNESSED_START + WITNESSED_EACH * self.witnessed_days(now_ms) as i32
    }
}

fn count(buckets: &mut Buckets, at: u64, place: usize, max: u8, last: u64) {
    let counts = buckets.entry(at).or_default();
    counts[place] = counts[place].saturating_add(1).min(max);
    let newest = buckets.last_key_value().map_or(at, |(newest, _)| *newest);
    buckets.retain(|it, _| newest - it < last);
}

/// What each kind is worth now. What is of the future counts as of now.
fn sums(buckets: &Buckets, now: u64, last: u64, sources: &[Source; 3]) -> [i32; 3] {
    let mut sums = [0i64; 3];
    for (at, counts) in buckets {
        let left = last.saturating_sub(now.saturating_sub(*at));
        for (place, source) in sources.iter().enumerate() {
            sums[place] += i64::from(counts[place]) * i64::from(source.each) * left as i64;
        }
    }
    let mut out = [0; 3];
    for (place, source) in sources.iter().enumerate() {
        // At most the source's bound, which is an `i32`.
        out[place] = (sums[place] / last as i64).min(i64::from(source.max)) as i32;
    }
    out
}

/// A kind of evidence, in thousandths of a point.
pub(super) struct Source {
    why: Why,
    /// What one is worth on its day.
    each: i32,
    /// How many count in one bucket.
    pub each_max: u8,
    /// What all of them are worth at most.
    max: i32,
}

const fn source(why: Why, each: i32, each_max: u8, max: i32) -> Source {
    Source { why, each, each_max, max }
}

pub(super) const GOOD: [Source; 3] = [
    source(Why::Receipts, 200, 10, 15_000),
    source(Why::Checkpoints, 1_000, 2, 30_000),
    source(Why::Answers, 100, 10, 5_000),
];
pub(super) const BAD: [Source; 3] = [
    source(Why::Invalid, 2_000, 100, 40_000),
    source(Why::Floods, 5_000, 100, 40_000),
    source(Why::Silence, 200, 100, 5_000),
];
const PROOFS: [Why; 3] = [Why::Fork, Why::Equivocation, Why::Contradiction];
/// After so many days age bounds nothing.
const AGE_DAYS_MAX: u64 = 100;
const AGE_EACH: u64 = 500;
const WITNESSED_START: i32 = 5_000;
const WITNESSED_EACH: i32 = 1_500;
