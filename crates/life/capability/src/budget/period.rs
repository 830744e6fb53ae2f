//! Over which time a budget counts.

use std::fmt;

use symbolon_codec::parse_duration_seconds;

/// Words are calendar periods in UTC and begin anew at their border; a length of time rolls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From the full hour.
    Hour,
    /// From midnight UTC.
    Day,
    /// From Monday, midnight UTC.
    Week,
    /// For as long as the grant lives.
    Total,
    /// The last so many seconds, such as `24h`.
    Rolling {
        /// From a minute to a year.
        seconds: u64,
    },
}

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// 1970-01-01 was a Thursday: weeks begin four days later.
const WEEK_SHIFT_MS: u64 = 3 * DAY_MS;
/// Parts of a rolling period: what was spent in one part leaves together, at the end of the last.
const PARTS: u64 = 60;

impl Period {
    /// Reads `hour`, `day`, `week`, `total`, or a length such as `90m`, `24h`, `7d`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "hour" => Some(Self::Hour),
            "day" => Some(Self::Day),
            "week" => Some(Self::Week),
            "total" => Some(Self::Total),
            _ => {
                let seconds = parse_duration_seconds(text).ok()?;
                (60..=31_536_000).contains(&seconds).then_some(Self::Rolling { seconds })
            }
        }
    }

    /// The part of time that this moment falls into, by number.
    pub fn slot(self, unix_ms: u64) -> u64 {
        match self {
            Self::Total => 0,
            Self::Week => (unix_ms + WEEK_SHIFT_MS) / self.slot_ms(),
            _ => unix_ms / self.slot_ms(),
        }
    }

    /// Whether what was spent in this slot still counts. A slot of the future does: a calendar that
    /// was set back gives nothing.
    pub fn counts(self, slot: u64, unix_ms: u64) -> bool {
        match self {
            Self::Rolling { .. } => self.leaves_at(slot).is_some_and(|t| unix_ms < t),
            _ => slot >= self.slot(unix_ms),
        }
    }

    /// When what was spent in this slot counts no longer, in Unix milliseconds; `None` for never.
    pub fn leaves_at(self, slot: u64) -> Option<u64> {
        let end = slot.checked_add(1)?.checked_mul(self.slot_ms())?;
        match self {
            Self::Total => None,
            Self::Week => end.checked_sub(WEEK_SHIFT_MS),
            Self::Rolling { seconds } => end.checked_add(seconds * 1000),
            _ => Some(end),
        }
    }

    fn slot_ms(self) -> u64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
            Self::Week => 7 * DAY_MS,
            Self::Total => u64::MAX,
            Self::Rolling { seconds } => seconds * 1000 / PARTS,
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hour => f.write_str("this hour (UTC)"),
            Self::Day => f.write_str("today (UTC)"),
            Self::Week => f.write_str("this week (from Monday, UTC)"),
            Self::Total => f.write_str("in all"),
            Self::Rolling { seconds } => {
                let (n, unit) = match seconds {
                    s if s % 86_400 == 0 => (s / 86_400, "d"),
                    s if s % 3600 == 0 => (s / 3600, "h"),
                    s if s % 60 == 0 => (s / 60, "m"),
                    s => (*s, "s"),
                };
                write!(f, "in the last {n}{unit}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use symbolon_codec::time::rfc3339;

    use super::*;

    /// Saturday, 2026-11-21 10:06:01.042 UTC.
    const NOW: u64 = 1_795_169_161_042 + DAY_MS;

    fn renews(text: &str) -> Option<String> {
        let p = Period::parse(text).unwrap();
        p.leaves_at(p.slot(NOW)).map(rfc3339)
    }

    #[test]
    fn calendar_periods_end_at_their_border() {
        assert_eq!(renews("hour").unwrap(), "2026-11-21T11:00:00.000Z");
        assert_eq!(renews("day").unwrap(), "2026-11-22T00:00:00.000Z");
        assert_eq!(renews("week").unwrap(), "2026-11-23T00:00:00.000Z", "a Monday");
        assert_eq!(renews("total"), None);
        let day = Period::Day;
        assert!(day.counts(day.slot(NOW), NOW) && !day.counts(day.slot(NOW), NOW + DAY_MS));
        assert!(day.counts(day.slot(NOW), NOW - DAY_MS), "a calendar set back gives nothing");
    }

    #[test]
    fn a_rolling_period_lets_nothing_go_early() {
        let p = Period::parse("24h").unwrap();
        for spent_at in [NOW, NOW + 1, NOW + 12_345_678] {
            let slot = p.slot(spent_at);
            assert!(p.counts(slot, spent_at + DAY_MS - 1));
            assert!(p.leaves_at(slot).unwrap() <= spent_at + DAY_MS + DAY_MS / PARTS);
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for bad in ["", "days", "59s", "366d", "0h", "month", "1y", "Day"] {
            assert_eq!(Period::parse(bad), None, "{bad}");
        }
        assert_eq!(Period::parse("60m").unwrap().to_string(), "in the last 1h");
    }
}
