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
