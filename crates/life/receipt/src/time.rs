//! A moment in a statement.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use symbolon_codec::time::{rfc3339, write_rfc3339};

/// Milliseconds since 1970, written as `2026-11-20T10:06:00.000Z` and read in that form alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(u64);

impl Time {
    /// From Unix milliseconds; what lies past the year 9999 is its last millisecond.
    pub fn from_unix_ms(ms: u64) -> Self {
        Self(ms.min(253_402_300_799_999))
    }

    /// Unix milliseconds.
    pub fn unix_ms(self) -> u64 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
        let form = b"0000-00-00T00:00:00.000Z";
        let fits = |(b, f): (&u8, &u8)| if *f == b'0' { b.is_ascii_digit() } else { b == f };
        if !bytes.iter().zip(form).all(fits) {
            return None;
        }
        let number = |from: usize, to: usize| text[from..to].parse::<u64>().ok();
        let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
        let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
        let time = Self(days * 86_400_000 + seconds * 1000 + number(20, 23)?);
        // Days and hours that do not exist come out as another text.
        (rfc3339(time.0) == text).then_some(time)
    }
}

/// Days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms",
/// days_from_civil), for years from 1970 on.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&rfc3339(self.0))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(24);
        write_rfc3339(self.0, &mut text);
        s.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a time as 2026-11-20T10:06:00.000Z"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_one_form_is_read() {
        for bad in [
            "2026-11-20T10:06:00Z",
            "2026-11-20T10:06:00.000+00:00",
            "2026-02-29T10:06:00.000Z",
            "2026-13-01T10:06:00.000Z",
            "2026-00-01T10:06:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
            "1969-12-31T00:00:00.000Z",
            "2026-11-20t10:06:00.000Z",
            "+026-11-20T10:06:00.000Z",
        ] {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
        assert_eq!(Time::parse("2000-02-29T00:00:00.000Z"), Some(Time(951_782_400_000)));
    }

    proptest! {
        #[test]
        fn every_time_round_trips(ms in 0u64..=253_402_300_799_999) {
            prop_assert_eq!(Time::parse(&Time(ms).to_string()), Some(Time(ms)));
        }

        #[test]
        fn any_text(text in "\\PC{0,30}") {
            let _ = Time::parse(&text);
        }
    }
}
