//! Shards: the entries of a period, kept apart from those of others (`specs/log.md`, "Shards"). One
//! tree stands over all of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use symbolon_codec::utc_date;

use crate::LogError;
use crate::checkpoint::decimal;
use crate::record::{CHECK_BYTES, Chain, HEADER};
use crate::storage::Storage;
use crate::tile::TILE_WIDTH;

/// How long a shard is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// A calendar month, in UTC.
    Month,
    /// Three of them.
    Quarter,
    /// A calendar year, in UTC.
    Year,
    /// For good: no shard begins by itself.
    #[default]
    Never,
}

impl Every {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Month, Self::Quarter, Self::Year, Self::Never];

    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
            Self::Never => "never",
        }
    }

    /// The period that a moment (Unix milliseconds) is in, by its name.
    fn period(self, now_ms: u64) -> String {
        let (year, month, _) = utc_date(now_ms);
        match self {
            Self::Quarter => format!("{year:04}-q{}", (month - 1) / 3 + 1),
            Self::Year => format!("{year:04}"),
            Self::Month | Self::Never => format!("{year:04}-{month:02}"),
        }
    }

    /// The first day of that period; nothing where there are none.
    fn begins(self, now_ms: u64) -> Option<Day> {
        let (year, month, _) = utc_date(now_ms);
        match self {
            Self::Month => Some(Day(year, month, 1)),
            Self::Quarter => Some(Day(year, (month - 1) / 3 * 3 + 1, 1)),
            Self::Year => Some(Day(year, 1, 1)),
            Self::Never => None,
        }
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Every {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|every| every.as_str() == text).ok_or(())
    }
}

/// A day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Day(u16, u8, u8);

impl Day {
    fn of(now_ms: u64) -> Self {
        let (year, month, day) = utc_date(now_ms);
        Self(year, month, day)
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = |at: std::ops::Range<usize>| {
            let part = text.get(at).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|part| part.parse::<u16>().ok())
        };
        let (year, month, day) = (digits(0..4)?, digits(5..7)? as u8, digits(8..10)? as u8);
        let day = Self(year, month, day);
        ((1..=12).contains(&month) && (1..=31).contains(&day.2) && day.to_string() == text)
            .then_some(day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(year, month, day) = self;
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Where a shard begins. It ends where the next one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// The period in which it began: `2026-11`, `2026-q4` or `2026`.
    pub period: String,
    /// Place of its first entry.
    pub first: u64,
    /// Where the record of that entry begins, in the one sequence of records.
    pub offset: u64,
    /// The day on which it began, in UTC.
    began: Day,
}

impl Shard {
    /// Its name: no two have the same.
    pub fn name(&self) -> String {
        format!("{}.{}", self.period, self.first)
    }

    /// The day on which it began, such as `2026-11-23`.
    pub fn began(&self) -> String {
        self.began.to_string()
    }
}

/// From where on a log has its entries: what was before was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The first entry that is there: a multiple of 256, so that no bundle is there in part.
    pub first: u64,
    /// Where its record begins, in the one sequence of records.
    pub offset: u64,
}

impl Kept {
    /// Where the bytes begin that stay: with the check that its record continues.
    pub fn stays_from(&self) -> u64 {
        self.offset.saturating_sub(CHECK_BYTES)
    }
}

/// The shards of a log, the oldest first; the last one is written to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shards {
    every: Every,
    all: Vec<Shard>,
    kept: Option<Kept>,
}

/// Name of the file that lists them.
pub const SHARDS: &str = "shards";
const MAGIC: &str = "symbolon/log-shards/v1";
/// More are not kept: three hundred years of months.
const SHARDS_MAX: usize = 4096;
/// Bytes of the longest list.
pub const SHARDS_BYTES_MAX: u64 = 512 << 10;

impl Shards {
    /// How long each is written to.
    pub fn every(&self) -> Every {
        self.every
    }

    /// All of them. None where the log was never divided.
    pub fn all(&self) -> &[Shard] {
        &self.all
    }

    /// From where on entries are there; nothing where all are.
    pub fn kept(&self) -> Option<Kept> {
        self.kept
    }

    /// The first entry that is there, or will be.
    pub fn first(&self) -> u64 {
        self.kept.map_or(0, |kept| kept.first)
    }

    /// The shard of this name, or the only one of this period, by its place in [`Shards::all`].
    pub fn find(&self, name: &str) -> Option<usize> {
        if let Some(at) = self.all.iter().position(|shard| shard.name() == name) {
            return Some(at);
        }
        let mut of_period = (0..self.all.len()).filter(|at| self.all[*at].period == name);
        of_period.next().filter(|_| of_period.next().is_none())
    }

    /// The place of the entry after a shard's last one; nothing for the one that is written to.
    pub fn end(&self, at: usize) -> Option<u64> {
        self.all.get(at + 1).map(|next| next.first)
    }

    /// The list with another length of its periods. A log that was never divided begins its first
    /// shard at its first entry.
    #[must_use]
    pub fn with_every(&self, every: Every, now_ms: u64) -> Self {
        let mut new = Self { every, ..self.clone() };
        if new.all.is_empty() {
            let offset = HEADER.len() as u64;
            let (period, began) = (every.period(now_ms), Day::of(now_ms));
            new.all.push(Shard { period, first: 0, offset, began });
        }
        new
    }

    /// Whether a period has begun since the last shard did. A clock that went back begins nothing.
    pub fn is_due(&self, now_ms: u64) -> bool {
        let began = self.all.last().map(|last| last.began);
        began.is_some_and(|began| self.every.begins(now_ms).is_some_and(|day| day > began))
    }

    /// The list with one more shard, which begins before the entry `first`. One that has no entry
    /// yet gets the new period instead.
    ///
    /// # Errors
    /// [`LogError::Shards`] where there are too many.
    pub fn with_next(&self, now_ms: u64, first: u64, offset: u64) -> Result<Self, LogError> {
        let mut new = self.with_every(self.every, now_ms);
        new.all.pop_if(|last| last.first == first);
        if new.all.len() >= SHARDS_MAX {
            return Err(LogError::Shards("more than 4096 shards"));
        }
        let began = new.all.last().map_or(Day::of(now_ms), |last| last.began.max(Day::of(now_ms)));
        new.all.push(Shard { period: self.every.period(now_ms), first, offset, began });
        Ok(new)
    }

    /// The list as it was while the entry `next` was the next one.
    #[must_use]
    pub fn until(&self, next: u64) -> Self {
        let all = self.all.iter().filter(|shard| shard.first <= next).cloned().collect();
        Self { all, ..self.clone() }
    }

    /// The list where entries before `kept` are gone.
    #[must_use]
    pub fn with_kept(&self, kept: Kept) -> Self {
        Self { kept: Some(kept), ..self.clone() }
    }

    /// As it is written down.
    pub fn encode(&self) -> String {
        let mut text = format!("{MAGIC}\nevery {}\n", self.every);
        for Shard { period, first, offset, began } in &self.all {
            text.push_str(&format!("shard {period} {first} {offset} {began}\n"));
        }
        if let Some(Kept { first, offset }) = self.kept {
            text.push_str(&format!("kept {first} {offset}\n"));
        }
        text
    }

    /// Reads what [`Shards::encode`] wrote, and nothing else.
    ///
    /// # Errors
    /// [`LogError::Shards`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        const FORM: LogError = LogError::Shards("not the list that was written");
        let text = std::str::from_utf8(bytes).map_err(|_| FORM)?;
        let mut lines = text.strip_suffix('\n').ok_or(FORM)?.split('\n');
        if lines.next() != Some(MAGIC) {
            return Err(LogError::Shards("it does not begin with symbolon/log-shards/v1"));
        }
        let every = lines.next().and_then(|line| line.strip_prefix("every "));
        let every = every.and_then(|every| every.parse().ok()).ok_or(FORM)?;
        let mut shards = Self { every, ..Self::default() };
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["shard", period, first, offset, began] if shards.kept.is_none() => {
                    let (first, offset) =
                        (decimal(first).ok_or(FORM)?, decimal(offset).ok_or(FORM)?);
                    let began = Day::parse(began).ok_or(FORM)?;
                    if !is_period(period) || shards.all.len() >= SHARDS_MAX {
                        return Err(FORM);
                    }
                    shards.all.push(Shard { period: period.to_owned(), first, offset, began });
                }
                ["kept", first, offset] if shards.kept.is_none() => {
                    let (first, offset) =
                        (decimal(first).ok_or(FORM)?, decimal(offset).ok_or(FORM)?);
                    shards.kept = Some(Kept { first, offset });
                }
                _ => return Err(FORM),
            }
        }
        if shards.is_sound() { Ok(shards) } else { Err(FORM) }
    }

    /// Shards follow one another from the first entry on, and what is gone is whole bundles.
    fn is_sound(&self) -> bool {
        let starts =
            self.all.first().is_none_or(|s| s.first == 0 && s.offset == HEADER.len() as u64);
        let rise = self.all.windows(2).all(|pair| {
            pair[0].first < pair[1].first
                && pair[0].offset < pair[1].offset
                && pair[0].began <= pair[1].began
        });
        let kept = self.kept.is_none_or(|kept| {
            let is_bundle = kept.first > 0 && kept.first.is_multiple_of(TILE_WIDTH);
            let least = HEADER.len() as u64 + CHECK_BYTES;
            let fits = |s: &Shard| kept.first.cmp(&s.first) == kept.offset.cmp(&s.offset);
            is_bundle && kept.offset > least && !self.all.is_empty() && self.all.iter().all(fits)
        });
        starts && rise && kept
    }

    /// The list of a log's, as its storage has it.
    ///
    /// # Errors
    /// [`LogError::Shards`] or [`LogError::Storage`].
    pub fn read<S: Storage>(storage: &S) -> Result<Self, LogError> {
        let bytes = storage.get(SHARDS, SHARDS_BYTES_MAX + 1);
        match bytes.map_err(LogError::storage("read the list of shards"))? {
            None => Ok(Self::default()),
            Some(bytes) if bytes.len() as u64 > SHARDS_BYTES_MAX => {
                Err(LogError::Shards("longer than 512 KiB"))
            }
            Some(bytes) => Self::parse(&bytes),
        }
    }

    /// Refuses an entry that was taken away.
    pub(crate) fn check_kept(&self, index: u64) -> Result<(), LogError> {
        match self.kept {
            Some(kept) if index < kept.first => {
                let of = self.all.iter().rfind(|shard| shard.first <= index);
                let shard = of.map(Shard::name).unwrap_or_default();
                Err(LogError::TakenAway { index, first: kept.first, shard })
            }
            _ => Ok(()),
        }
    }

    /// The first record that is there: its place, where it begins, and what it continues.
    pub(crate) fn beginning<S: Storage>(
        &self,
        storage: &S,
        origin: &str,
    ) -> Result<(u64, u64, Chain), LogError> {
        let Some(Kept { first, offset }) = self.kept else {
            return Ok((0, HEADER.len() as u64, Chain::start(origin)));
        };
        let chain = Chain::read(storage, offset).map_err(LogError::storage("read a record"))?;
        let chain = chain.ok_or(LogError::Truncated { found: first, covered: first })?;
        Ok((first, offset, chain))
    }
}

/// A year, a month or a quarter, as [`Every`] names them.
pub(crate) fn is_period(text: &str) -> bool {
    let (year, part) = text.split_once('-').unwrap_or((text, "01"));
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let is_part = match part.strip_prefix('q') {
        Some(quarter) => matches!(quarter, "1" | "2" | "3" | "4"),
        None => digits(part, 2) && ("01"..="12").contains(&part),
    };
    digits(year, 4) && is_part
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-23T00:00:00Z, and days from it.
    fn day(plus: i64) -> u64 {
        (1_795_392_000_000 + plus * 86_400_000).unsigned_abs()
    }

    fn divided() -> Shards {
        let shards = Shards::default().with_every(Every::Month, day(0));
        let shards = shards.with_next(day(10), 700, 40_000).unwrap();
        shards.with_next(day(40), 900, 60_000).unwrap()
    }

    #[test]
    fn a_shard_begins_with_each_period_and_never_by_a_clock_that_went_back() {
        let shards = Shards::default();
        assert!(!shards.is_due(day(4000)), "nobody asked for shards");
        let shards = shards.with_every(Every::Month, day(0));
        assert_eq!(shards.all()[0].name(), "2026-11.0");
        for (when, due) in [(0, false), (7, false), (8, true), (400, true), (-30, false)] {
            assert_eq!(shards.is_due(day(when)), due, "{when}");
        }
        let next = shards.with_next(day(8), 5, 300).unwrap();
        assert_eq!(next.all()[1].name(), "2026-12.5");
        assert!(!next.is_due(day(0)), "the clock went back");
        assert!(next.is_due(day(39)), "January");
        for (every, when, period) in [
            (Every::Quarter, 38, "2026-q4"),
            (Every::Quarter, 39, "2027-q1"),
            (Every::Year, 0, "2026"),
        ] {
            assert_eq!(every.period(day(when)), period);
        }
        let yearly = next.with_every(Every::Year, day(9));
        assert!(!yearly.is_due(day(38)) && yearly.is_due(day(39)));
        assert!(!next.with_every(Every::Never, day(9)).is_due(day(4000)));
    }

    #[test]
    fn a_shard_without_an_entry_gets_the_new_period() {
        let shards = divided().with_next(day(70), 900, 60_000).unwrap();
        let names: Vec<_> = shards.all().iter().map(Shard::name).collect();
        assert_eq!(names, ["2026-11.0", "2026-12.700", "2027-02.900"]);
        // Where the clock went back meanwhile, it is not as if days had never been.
        let back = shards.with_next(day(0), 950, 61_000).unwrap();
        assert_eq!(back.all()[3].began(), "2027-02-01");
    }

    #[test]
    fn names_are_found_and_periods_where_there_is_one() {
        let shards = divided();
        assert_eq!((shards.find("2026-12"), shards.find("2026-12.700")), (Some(1), Some(1)));
        assert_eq!((shards.end(0), shards.end(1), shards.end(2)), (Some(700), Some(900), None));
        let twice = shards.with_next(day(45), 950, 61_000).unwrap();
        assert_eq!((twice.find("2027-01"), twice.find("2027-01.950")), (None, Some(3)));
        assert_eq!(twice.find("2025-01"), None);
    }

    #[test]
    fn the_list_is_read_as_it_was_written_and_in_no_other_form() {
        let shards = divided().with_kept(Kept { first: 512, offset: 30_000 });
        let text = shards.encode();
        assert_eq!(
            text,
            "symbolon/log-shards/v1\nevery month\nshard 2026-11 0 16 2026-11-23\n\
             shard 2026-12 700 40000 2026-12-03\nshard 2027-01 900 60000 2027-01-02\nkept 512 30000\n"
        );
        assert_eq!(Shards::parse(text.as_bytes()).unwrap(), shards);
        for (old, new) in [
            ("v1", "v2"),
            ("every month", "every day"),
            ("2026-12 700", "2026-13 700"),
            ("2026-12 700", "2026-q5 700"),
            ("2026-12 700", "../2026 700"),
            ("2026-11 0 16", "2026-11 1 16"),
            ("2026-11 0 16", "2026-11 0 17"),
            ("700 40000", "0 40000"),
            ("700 40000", "0700 40000"),
            ("700 40000", "700 60000"),
            ("2026-12-03", "2026-11-22"),
            ("2026-12-03", "2026-12-3"),
            ("2026-12-03", "2026-12-32"),
            ("kept 512", "kept 513"),
            ("kept 512", "kept 0"),
            ("kept 512", "kept 1024"),
            ("kept 512 30000", "kept 512 60001"),
            ("kept 512 30000", "kept 512 16"),
            ("kept 512 30000\n", "kept 512 30000\nkept 512 30000\n"),
            ("kept 512 30000\n", "kept 512 30000"),
            ("kept 512 30000\n", "kept 512 30000 \n"),
            ("kept 512 30000\n", "kept 512 30000\n\n"),
        ] {
            let changed = text.replacen(old, new, 1);
            assert_ne!(changed, text, "{old}");
            assert!(matches!(Shards::parse(changed.as_bytes()), Err(LogError::Shards(_))), "{new}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_again(text in "symbolon/log-shards/v1\nevery (month|never)\n(shard 20[0-9]{2}-(0|q)[1-4] [0-9]{1,3} [0-9]{1,4} 2026-1[0-3]-[0-9]{2}\n){0,3}(kept [0-9]{1,4} [0-9]{1,4}\n)?") {
            if let Ok(shards) = Shards::parse(text.as_bytes()) {
                prop_assert_eq!(shards.encode(), text);
            }
        }
    }
}
