//! Days of the calendar, as circuits compare them.

use std::fmt;
use std::str::FromStr;

use crate::Fr;

/// Bits of a packed date.
pub(crate) const DATE_BITS: u32 = 23;
/// What a year adds to a packed date.
pub(crate) const YEAR: u64 = 512;

/// A day of the Gregorian calendar from 0001-01-01 to 9999-12-31.
///
/// Packed it is `year * 512 + month * 32 + day`: dates in order are numbers in order, and the same
/// day N years later is the number and `N * 512`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(u32);

/// Not a day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day between 0001-01-01 and 9999-12-31")]
pub struct NoSuchDay;

impl Date {
    /// A day; February has a 29th in leap years alone.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, NoSuchDay> {
        if year == 0 || year > 9999 || day == 0 || day > days(year, month) {
            return Err(NoSuchDay);
        }
        Ok(Self((u32::from(year) << 9) | (u32::from(month) << 5) | u32::from(day)))
    }

    /// The year, 1 to 9999.
    pub fn year(self) -> u16 {
        u16::try_from(self.0 >> 9).unwrap_or_default()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u8 {
        ((self.0 >> 5) & 15) as u8
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        (self.0 & 31) as u8
    }

    /// The packed number.
    pub fn packed(self) -> u32 {
        self.0
    }

    /// Back from the packed number.
    pub fn from_packed(packed: u32) -> Result<Self, NoSuchDay> {
        let one = Self(packed);
        let year = u16::try_from(packed >> 9).map_err(|_| NoSuchDay)?;
        Self::new(year, one.month(), one.day())
    }

    pub(crate) fn element(self) -> Fr {
        Fr::from(u64::from(self.0))
    }
}

/// `2026-11-22` (RFC 3339 `full-date`), and nothing else.
impl FromStr for Date {
    type Err = NoSuchDay;

    fn from_str(text: &str) -> Result<Self, NoSuchDay> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(NoSuchDay);
        }
        let number = |at: std::ops::Range<usize>| {
            let digits = &bytes[at];
            let good = digits.iter().all(u8::is_ascii_digit);
            good.then(|| digits.iter().fold(0u16, |n, d| n * 10 + u16::from(d - b'0')))
                .ok_or(NoSuchDay)
        };
        let small = |n: u16| u8::try_from(n).map_err(|_| NoSuchDay);
        Self::new(number(0..4)?, small(number(5..7)?)?, small(number(8..10)?)?)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn days(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "2023-02-29",
            "1900-02-29",
            "2024-02-30",
            "2024-04-31",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-01-32",
            "0000-01-01",
            "2024-1-01",
            "2024-01-1",
            "2024/01/01",
            "+024-01-01",
            "2024-01-01 ",
            "",
            "２024-01",
        ] {
            assert_eq!(text.parse::<Date>(), Err(NoSuchDay), "{text}");
        }
        assert_eq!(day("2000-02-29").to_string(), "2000-02-29");
        assert_eq!(Date::from_packed(day("2024-02-29").packed()), Ok(day("2024-02-29")));
        assert_eq!(Date::from_packed(day("2024-02-29").packed() - 512), Err(NoSuchDay));
        assert_eq!(Date::from_packed(u32::MAX), Err(NoSuchDay));
    }

    #[test]
    fn packed_numbers_are_in_the_order_of_days_and_fit() {
        let days: Vec<Date> =
            ["0001-01-01", "1999-12-31", "2000-01-01", "2000-02-29", "2000-03-01", "9999-12-31"]
                .map(day)
                .into();
        assert!(days.is_sorted_by(|a, b| a.packed() < b.packed()));
        assert!(days[5].packed() < 1 << DATE_BITS);
        assert_eq!(day("2006-11-22").packed() + 20 * 512, day("2026-11-22").packed());
    }
}
