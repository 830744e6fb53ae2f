//! Time windows: on which days, and from when to when, a grant is good.

use std::fmt;

/// A window, written as `mon-fri 09:00-17:00 Europe/Berlin`, `22:00-06:00 +02:00` or
/// `sat,sun 10:00-12:00`. Without days every day; without a zone UTC. One that ends before it
/// begins goes over midnight and belongs to the day on which it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    text: String,
    /// Monday lowest.
    days: u8,
    /// Minutes of the day.
    from: u16,
    /// The first minute that is not in it.
    to: u16,
    zone: ZoneName,
}

/// Where a window's clock hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneName {
    /// Seconds east of UTC.
    Offset(i32),
    /// A name of the IANA time zone database.
    Named(String),
}

/// What is wrong with a window's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a time window is written as \"mon-fri 09:00-17:00 +02:00\"; days and zone can be left away, a zone is UTC, +HH:MM or a name such as Europe/Berlin"
)]
pub struct HoursError;

impl Hours {
    /// Reads a window.
    ///
    /// # Errors
    /// [`HoursError`].
    pub fn parse(text: &str) -> Result<Self, HoursError> {
        Self::read(text).ok_or(HoursError)
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > 128 {
            return None;
        }
        let mut words = text.split_ascii_whitespace().peekable();
        let first = words.next()?;
        let (days, times) = match days(first) {
            Some(days) => (days, words.next()?),
            None => (EVERY_DAY, first),
        };
        let (from, to) = times.split_once('-')?;
        let (from, to) = (minute(from)?, minute(to)?);
        if from == to || from >= DAY_MIN {
            return None;
        }
        let zone = match words.next() {
            Some(zone) => ZoneName::parse(zone)?,
            None => ZoneName::Offset(0),
        };
        words.next().is_none().then(|| Self { text: text.to_owned(), days, from, to, zone })
    }

    /// Where its clock hangs.
    pub fn zone(&self) -> &ZoneName {
        &self.zone
    }

    /// Whether a moment lies in it.
    pub fn admits(&self, unix_ms: u64, zone: &Zone) -> bool {
        let minutes = (unix_ms / 1000)
            .cast_signed()
            .saturating_add(zone.offset(unix_ms).into())
            .div_euclid(60);
        let (day, minute) =
            (minutes.div_euclid(DAY_MIN.into()), minutes.rem_euclid(DAY_MIN.into()));
        // 1970-01-01 was a Thursday.
        let is_on = |day: i64| self.days & (1 << (day + 3).rem_euclid(7)) != 0;
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        if from < to {
            is_on(day) && (from..to).contains(&minute)
        } else {
            (is_on(day) && minute >= from) || (is_on(day - 1) && minute < to)
        }
    }

    /// When it is next open after a moment at which it is not, in Unix milliseconds.
    pub fn opens_at(&self, unix_ms: u64, zone: &Zone) -> Option<u64> {
        let minute = unix_ms / 60_000;
        // Minute by minute, so that no change of the zone's clock needs a rule of its own.
        (1..=8 * u64::from(DAY_MIN)).map(|m| (minute + m) * 60_000).find(|t| self.admits(*t, zone))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl ZoneName {
    /// Reads `UTC`, `+02:00`, `Europe/Berlin`.
    pub fn parse(text: &str) -> Option<Self> {
        if matches!(text, "UTC" | "Z") {
            return Some(Self::Offset(0));
        }
        let sign = match text.as_bytes().first()? {
            b'+' => Some(1),
            b'-' => Some(-1),
            _ => None,
        };
        if let Some(sign) = sign {
            let minutes = minute(&text[1..]).filter(|m| *m <= 14 * 60)?;
            return Some(Self::Offset(sign * i32::from(minutes) * 60));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+');
        let part = |p: &str| !p.is_empty() && p.bytes().all(plain);
        (text.len() <= 64 && text.split('/').all(part)).then(|| Self::Named(text.to_owned()))
    }
}

/// A zone's clock, ready to be read.
#[derive(Debug, Clone)]
pub enum Zone {
    /// Seconds east of UTC.
    Offset(i32),
    /// By the rules of its file.
    Rules(jiff::tz::TimeZone),
}

impl Zone {
    /// Reads a zone's file (TZif, RFC 9636); `None` where it is damaged.
    pub fn from_tzif(name: &str, bytes: &[u8]) -> Option<Self> {
        jiff::tz::TimeZone::tzif(name, bytes).ok().map(Self::Rules)
    }

    /// Seconds east of UTC at a moment.
    pub fn offset(&self, unix_ms: u64) -> i32 {
        match self {
            Self::Offset(seconds) => *seconds,
            Self::Rules(zone) => i64::try_from(unix_ms)
                .ok()
                .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
                .map_or(0, |t| zone.to_offset(t).seconds()),
        }
    }
}

fn days(text: &str) -> Option<u8> {
    match text {
        "weekdays" => return Some(0b001_1111),
        "weekends" => return Some(0b110_0000),
        "daily" => return Some(EVERY_DAY),
        _ => {}
    }
    let day = |s: &str| DAYS.iter().position(|d| *d == s);
    text.split(',').try_fold(0, |all, part| {
        let (from, to) = match part.split_once('-') {
            Some((from, to)) => (day(from)?, day(to)?),
            None => (day(part)?, day(part)?),
        };
        // `sat-mon` goes over the end of the week.
        let count = (to + 7 - from) % 7;
        Some((0..=count).fold(all, |all, i| all | 1 << ((from + i) % 7)))
    })
}

/// `HH:MM`, to 24:00.
fn minute(text: &str) -> Option<u16> {
    let (h, m) = text.split_once(':')?;
    let two = |s: &str| {
        (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok())?
    };
    let (h, m): (u16, u16) = (two(h)?, two(m)?);
    (m < 60 && h * 60 + m <= DAY_MIN).then_some(h * 60 + m)
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const EVERY_DAY: u8 = 0b111_1111;
const DAY_MIN: u16 = 1440;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Saturday, 2026-11-21 00:00 UTC.
    const SATURDAY: u64 = 1_795_219_200_000;
    const HOUR: u64 = 3_600_000;
    const DAY: u64 = 24 * HOUR;

    fn admits(text: &str, unix_ms: u64) -> bool {
        let hours = Hours::parse(text).unwrap();
        let ZoneName::Offset(seconds) = hours.zone else { panic!("a fixed zone") };
        hours.admits(unix_ms, &Zone::Offset(seconds))
    }

    #[test]
    fn a_window_is_open_from_its_first_minute_to_before_its_last() {
        let monday = SATURDAY + 2 * DAY;
        assert!(admits("mon-fri 09:00-17:00", monday + 9 * HOUR));
        assert!(!admits("mon-fri 09:00-17:00", monday + 9 * HOUR - 1));
        assert!(!admits("mon-fri 09:00-17:00", monday + 17 * HOUR));
        assert!(!admits("mon-fri 09:00-17:00", SATURDAY + 12 * HOUR));
        assert!(admits("weekends 00:00-24:00", SATURDAY));
        assert!(admits("sat 09:00-17:00 +02:00", SATURDAY + 7 * HOUR));
        assert!(!admits("sat 09:00-17:00 -02:00", SATURDAY + 7 * HOUR));
        assert!(
            admits("fri-mon 00:00-24:00", SATURDAY) && !admits("mon-fri 00:00-24:00", SATURDAY)
        );
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_began() {
        let friday_night = "fri 22:00-06:00";
        assert!(admits(friday_night, SATURDAY - HOUR));
        assert!(admits(friday_night, SATURDAY + 5 * HOUR));
        assert!(!admits(friday_night, SATURDAY + 6 * HOUR));
        assert!(!admits(friday_night, SATURDAY - DAY + HOUR), "Thursday's night is not in it");
    }

    #[test]
    fn it_says_when_it_opens() {
        let hours = Hours::parse("mon-fri 09:00-17:00").unwrap();
        let opens = hours.opens_at(SATURDAY + HOUR / 7, &Zone::Offset(0));
        assert_eq!(opens, Some(SATURDAY + 2 * DAY + 9 * HOUR));
    }

    #[test]
    fn a_named_zone_follows_its_summer_time() {
        let Ok(file) = std::fs::read("/usr/share/zoneinfo/Europe/Berlin") else { return };
        let zone = Zone::from_tzif("Europe/Berlin", &file).unwrap();
        let hours = Hours::parse("09:00-17:00 Europe/Berlin").unwrap();
        assert!(hours.admits(SATURDAY + 8 * HOUR, &zone), "winter: 09:00 is 08:00 UTC");
        assert!(!hours.admits(SATURDAY + 7 * HOUR, &zone));
        let summer = SATURDAY - 120 * DAY;
        assert!(hours.admits(summer + 7 * HOUR, &zone) && !hours.admits(summer + 15 * HOUR, &zone));
        assert!(Zone::from_tzif("x", b"TZif and no more").is_none());
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for bad in [
            "",
            "mon",
            "09:00",
            "9:00-17:00",
            "09:00-09:00",
            "24:00-06:00",
            "25:00-26:00",
            "09:60-10:00",
            "mon-fri 09:00-17:00 UTC extra",
            "lundi 09:00-17:00",
            "09:00-17:00 ../../etc/passwd",
            "09:00-17:00 +15:00",
            "09:00-17:00 Europe//Berlin",
            "09:00-17:00 /Berlin",
            "mon- 09:00-17:00",
        ] {
            assert_eq!(Hours::parse(bad), Err(HoursError), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,60}", ms in any::<u64>()) {
            if let Ok(hours) = Hours::parse(&text) {
                hours.admits(ms, &Zone::Offset(50_400));
            }
        }
    }
}
