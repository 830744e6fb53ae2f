//! Moments of RFC 3339 in UTC, as `codec` writes them.

use symbolon_codec::time::rfc3339;

/// Milliseconds since 1970 of `2026-11-22T09:05:00.000Z`; seconds and what is behind them may be
/// missing. `None` for what is none, and for moments before 1970.
pub(super) fn parse(text: &str) -> Option<u64> {
    let text = text.trim().strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':');
    let (hour, minute) = (number(time.next()?)?, number(time.next()?)?);
    let (second, milli) = match time.next() {
        None => (0, 0),
        Some(rest) => match rest.split_once('.') {
            Some((second, part)) if part.len() == 3 => (number(second)?, number(part)?),
            Some(_) => return None,
            None => (number(rest)?, 0),
        },
    };
    if !(1970..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let day_ms = days(year, month, day)? * 86_400_000;
    let ms = day_ms + ((hour * 60 + minute) * 60 + second) * 1000 + milli;
    // What is no day of the calendar is written otherwise.
    let is_day = rfc3339(ms).starts_with(&format!("{year:04}-{month:02}-{day:02}"));
    is_day.then_some(ms)
}

/// Days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms",
/// days_from_civil).
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let y = if month <= 2 { year - 1 } else { year };
    let (era, yoe) = (y / 400, y % 400);
    let doy =
        (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day.checked_sub(1)?;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    (era * 146_097 + doe).checked_sub(719_468)
}

fn number(text: &str) -> Option<u64> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_back() {
        for ms in [0, 951_782_400_000, 1_795_169_161_042, 253_402_300_799_999] {
            assert_eq!(parse(&rfc3339(ms)), Some(ms));
        }
        assert_eq!(parse("2000-02-29T00:00Z"), Some(951_782_400_000));
        for bad in [
            "",
            "2023-02-29T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-01-00T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01",
            "2023-01-01T00:00:00+01:00",
            "+023-01-01T00:00:00Z",
            "2023-01-01T00:00:00.1Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
