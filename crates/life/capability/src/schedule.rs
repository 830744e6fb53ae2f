//! When something recurs: a cron expression in a time zone.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::hours::{Zone, ZoneName};

/// A cron expression of five fields, and where its clock hangs.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    zone: ZoneName,
    text: String,
}

/// What is wrong with a schedule's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a schedule is five cron fields (minute, hour, day, month, weekday) and a zone, such as \"0 9 * * mon-fri Europe/Berlin\"; a zone is UTC, +HH:MM or a name{0}"
)]
pub struct ScheduleError(String);

/// What is to be done about the times that came since a schedule was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The last of them is near enough: it is done now.
    pub is_now: bool,
    /// The others: nobody was there when they came.
    pub missed: u64,
    /// The time that comes next, in Unix milliseconds; `None` where none does.
    pub next_unix_ms: Option<u64>,
}

impl Schedule {
    /// Reads five fields and a zone.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let wrong = |why: &str| ScheduleError(why.to_owned());
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        if text.len() > TEXT_BYTES_MAX || words.len() != 6 {
            return Err(wrong(""));
        }
        let zone = ZoneName::parse(words[5]).ok_or_else(|| wrong(" of the zone database"))?;
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(&words[..5].join(" ")).map_err(|e| wrong(&format!(": {e}")))?;
        Ok(Self { cron, zone, text: words.join(" ") })
    }

    /// Where its clock hangs.
    #[must_use]
    pub fn zone(&self) -> &ZoneName {
        &self.zone
    }

    /// As it was written, with single spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first time after a moment, in Unix milliseconds.
    #[must_use]
    pub fn next_after(&self, unix_ms: u64, zone: &Zone) -> Option<u64> {
        let at = Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()?;
        let zone = match zone {
            Zone::Offset(seconds) => TimeZone::fixed(Offset::from_seconds(*seconds).ok()?),
            Zone::Rules(rules) => rules.clone(),
        };
        let next = self.cron.find_next_occurrence(&at.to_zoned(zone), false).ok()?;
        u64::try_from(next.timestamp().as_millisecond()).ok().filter(|next| *next > unix_ms)
    }

    /// What came after `watched` up to `now`. A time is done where it is at most `late_ms` ago, and
    /// only the last one; the others are missed.
    #[must_use]
    pub fn due(&self, zone: &Zone, watched_unix_ms: u64, now_unix_ms: u64, late_ms: u64) -> Due {
        let (mut last, mut came, mut at) = (None, 0, watched_unix_ms);
        while let Some(next) = self.next_after(at, zone).filter(|_| came < COUNTED_MAX) {
            if next > now_unix_ms {
                break;
            }
            (last, at) = (Some(next), next);
            came += 1;
        }
        if came == COUNTED_MAX {
            // Looked at so long ago that they are not counted one by one.
            last = None;
        }
        let is_now = last.is_some_and(|last| now_unix_ms - last <= late_ms);
        let next_unix_ms = self.next_after(now_unix_ms, zone);
        Due { is_now, missed: came - u64::from(is_now), next_unix_ms }
    }
}

const TEXT_BYTES_MAX: usize = 192;
const COUNTED_MAX: u64 = 1000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: u64 = 60_000;
    /// 2026-03-28 00:00 UTC, a Saturday; Berlin's clocks go forward on the 29th.
    const SATURDAY: u64 = 1_774_656_000_000;

    fn berlin() -> Zone {
        let file = std::fs::read("/usr/share/zoneinfo/Europe/Berlin").unwrap();
        Zone::from_tzif("Europe/Berlin", &file).unwrap()
    }

    #[test]
    fn times_follow_the_zone() {
        let utc = Zone::Offset(0);
        let daily = Schedule::parse("30 9 * * * UTC").unwrap();
        assert_eq!(daily.next_after(SATURDAY, &utc), Some(SATURDAY + 570 * MINUTE));
        let east = Zone::Offset(2 * 3600);
        assert_eq!(daily.next_after(SATURDAY, &east), Some(SATURDAY + 450 * MINUTE));
        let mondays = Schedule::parse("0 9 * * mon Europe/Berlin").unwrap();
        // 09:00 in summer is 07:00 UTC.
        assert_eq!(
            mondays.next_after(SATURDAY, &berlin()),
            Some(SATURDAY + (48 + 7) * 60 * MINUTE)
        );
        let never = Schedule::parse("0 9 30 2 * UTC").unwrap();
        assert_eq!(never.next_after(SATURDAY, &utc), None);
    }

    #[test]
    fn a_time_is_done_once_and_those_of_before_are_missed() {
        let (utc, every) = (Zone::Offset(0), Schedule::parse("*/10 * * * * UTC").unwrap());
        let due = |watched: u64, now: u64| {
            let at = |minute: u64| SATURDAY + minute * MINUTE;
            every.due(&utc, at(watched), at(now), MINUTE)
        };
        let next = |minute: u64| Some(SATURDAY + minute * MINUTE);
        assert_eq!(due(1, 9), Due { is_now: false, missed: 0, next_unix_ms: next(10) });
        assert_eq!(due(9, 10), Due { is_now: true, missed: 0, next_unix_ms: next(20) });
        assert_eq!(due(10, 11), Due { is_now: false, missed: 0, next_unix_ms: next(20) }, "done");
        assert_eq!(due(9, 31), Due { is_now: true, missed: 2, next_unix_ms: next(40) });
        assert_eq!(
            due(9, 35),
            Due { is_now: false, missed: 3, next_unix_ms: next(40) },
            "too late"
        );
        let long_ago = every.due(&utc, 0, SATURDAY, MINUTE);
        assert_eq!((long_ago.is_now, long_ago.missed), (false, 1000));
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "",
            "0 9 * * *",
            "0 9 * * * Europe/../etc",
            "60 9 * * * UTC",
            "0 0 9 * * * UTC",
            "@daily UTC",
            "a b c d e UTC",
        ] {
            assert!(Schedule::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_fields_are_read_or_refused(
            fields in prop::collection::vec("[0-9*/,LW#?a-z-]{1,6}", 5),
            at in 0..4_000_000_000_000_u64,
        ) {
            if let Ok(schedule) = Schedule::parse(&format!("{} UTC", fields.join(" "))) {
                let next = schedule.next_after(at, &Zone::Offset(0));
                prop_assert!(next.is_none_or(|next| next > at && next % MINUTE == 0));
            }
        }
    }
}
