//! Points and lengths of time as text.

use crate::CodecError;

/// Unix milliseconds as RFC 3339 in UTC with milliseconds, such as `2026-11-20T10:06:00.000Z`.
/// Years past 9999 are written as 9999.
pub fn rfc3339(unix_ms: u64) -> String {
    let mut out = String::with_capacity(24);
    write_rfc3339(unix_ms, &mut out);
    out
}

/// As [`rfc3339`], appended to `out` without an allocation where it has room.
pub fn write_rfc3339(unix_ms: u64, out: &mut String) {
    let ms = unix_ms.min(253_402_300_799_999);
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = civil(days);
    let (h, m, s, milli) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    let mut digits = |value: u64, width: u32, end: char| {
        for place in (0..width).rev() {
            out.push((b'0' + (value / 10u64.pow(place) % 10) as u8) as char);
        }
        out.push(end);
    };
    digits(year, 4, '-');
    digits(month, 2, '-');
    digits(day, 2, 'T');
    digits(h, 2, ':');
    digits(m, 2, ':');
    digits(s, 2, '.');
    digits(milli, 3, 'Z');
}

/// The day of a Unix time in UTC: year, month, day. Years past 9999 are 9999.
pub fn utc_date(unix_ms: u64) -> (u16, u8, u8) {
    let (year, month, day) = civil(unix_ms.min(253_402_300_799_999) / 86_400_000);
    (year as u16, month as u8, day as u8)
}

/// RFC 3339, with any offset and fraction, as Unix milliseconds (what is finer is cut off).
///
/// # Errors
/// [`CodecError::Encoding`]; also for moments before 1970, and for seconds that leap.
pub fn parse_rfc3339(text: &str) -> Result<u64, CodecError> {
    read_rfc3339(text.as_bytes()).ok_or(CodecError::Encoding("an RFC 3339 time"))
}

fn read_rfc3339(text: &[u8]) -> Option<u64> {
    let (stamp, rest) = text.split_first_chunk::<19>()?;
    let borders = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if borders.iter().any(|(at, border)| stamp[*at] != *border) {
        return None;
    }
    let (year, month, day) = (number(&stamp[..4])?, number(&stamp[5..7])?, number(&stamp[8..10])?);
    let (h, m, s) = (number(&stamp[11..13])?, number(&stamp[14..16])?, number(&stamp[17..])?);
    if year < 1970 || h > 23 || m > 59 || s > 59 {
        return None;
    }
    let days = days(year, month, day)?;
    let (milli, zone) = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            let place = |at: usize| fraction[..digits].get(at).map_or(0, |b| u64::from(b - b'0'));
            if !(1..=9).contains(&digits) {
                return None;
            }
            (place(0) * 100 + place(1) * 10 + place(2), &fraction[digits..])
        }
        None => (0, rest),
    };
    let local = ((days * 24 + h) * 60 + m) * 60 + s;
    let seconds = match zone {
        b"Z" => local,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (h, m) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            if h > 23 || m > 59 {
                return None;
            }
            let offset = (h * 60 + m) * 60;
            if *sign == b'+' { local.checked_sub(offset)? } else { local + offset }
        }
        _ => return None,
    };
    Some(seconds * 1000 + milli)
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0')))
}

/// Days since 1970-01-01 of a date of 1970 or later; `None` for a date that there is not. The
/// reverse of [`civil`], which judges it.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, yoe) = (y / 400, y % 400);
    let doy = (153 * m + 2) / 5 + day.checked_sub(1)?;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    let days = (era * 146_097 + doe).checked_sub(719_468)?;
    (civil(days) == (year, month, day)).then_some(days)
}

/// A length of time such as `90s`, `15m`, `8h` or `30d`, in seconds; ten years at most.
///
/// # Errors
/// [`CodecError::Duration`].
pub fn parse_duration_seconds(text: &str) -> Result<u64, CodecError> {
    let (number, unit) =
        text.split_at_checked(text.len().wrapping_sub(1)).ok_or(CodecError::Duration)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(CodecError::Duration),
    };
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CodecError::Duration);
    }
    let seconds = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
    seconds.filter(|s| (1..=315_360_000).contains(s)).ok_or(CodecError::Duration)
}

/// Days since 1970-01-01 as year, month, day (Howard Hinnant, "chrono-compatible low-level date
/// algorithms", civil_from_days).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + u64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_unix_times() {
        assert_eq!(utc_date(0), (1970, 1, 1));
        assert_eq!(utc_date(951_782_400_000), (2000, 2, 29));
        assert_eq!(utc_date(951_868_799_999), (2000, 2, 29));
        assert_eq!(utc_date(u64::MAX), (9999, 12, 31));
    }

    #[test]
    fn rfc_3339_is_read_with_offsets_and_fractions() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2021-09-30T16:25:24.000Z", 1_633_019_124_000),
            ("2021-09-30T16:25:24.5Z", 1_633_019_124_500),
            ("2021-09-30T16:25:24.123999Z", 1_633_019_124_123),
            ("2021-09-30T16:25:24-02:00", 1_633_026_324_000),
            ("2021-09-30T16:25:24+05:30", 1_632_999_324_000),
            ("2024-02-29T23:59:59Z", 1_709_251_199_000),
        ] {
            assert_eq!(parse_rfc3339(text), Ok(ms), "{text}");
        }
        for ms in (0..4_102_444_800_000).step_by(86_399_999_983) {
            assert_eq!(parse_rfc3339(&rfc3339(ms)), Ok(ms));
        }
        for text in [
            "",
            "2021-09-30",
            "2021-09-30 16:25:24Z",
            "2021-09-30T16:25:24",
            "2021-09-30T16:25:24.Z",
            "2021-09-30T16:25:24.0000000000Z",
            "2021-09-31T16:25:24Z",
            "2023-02-29T16:25:24Z",
            "2021-13-01T16:25:24Z",
            "2021-00-01T16:25:24Z",
            "2021-01-00T16:25:24Z",
            "2021-09-30T24:25:24Z",
            "2021-09-30T16:60:24Z",
            "2021-09-30T16:25:60Z",
            "2021-09-30T16:25:24+24:00",
            "2021-09-30T16:25:24+0200",
            "2021-09-30T16:25:24Zz",
            "+021-09-30T16:25:24Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
        ] {
            assert!(parse_rfc3339(text).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_with_known_answers() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_169_161_042), "2026-11-20T10:06:01.042Z");
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration_seconds("15m"), Ok(900));
        assert_eq!(parse_duration_seconds("30d"), Ok(2_592_000));
        for bad in ["", "m", "15", "-1m", "1.5h", "15 m", "0s", "99999999d", "1é", "é"] {
            assert_eq!(parse_duration_seconds(bad), Err(CodecError::Duration), "{bad}");
        }
    }
}
