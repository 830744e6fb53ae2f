//! `Retry-After` (RFC 9110, section 10.2.3).

use std::time::{Duration, UNIX_EPOCH};

use http::header::{HeaderMap, RETRY_AFTER};

/// How long a server wants to be left alone from now on; nothing where it does not say, says it
/// twice or says what cannot be read.
pub(super) fn retry_after(headers: &HeaderMap, now_unix_ms: u64) -> Duration {
    let mut values = headers.get_all(RETRY_AFTER).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Duration::ZERO };
    let Ok(text) = value.to_str() else { return Duration::ZERO };
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number holds are longer than anybody waits.
        return text.parse().map_or(Duration::MAX, Duration::from_secs);
    }
    let Ok(date) = httpdate::parse_http_date(text) else { return Duration::ZERO };
    let date = date.duration_since(UNIX_EPOCH).unwrap_or_default();
    date.saturating_sub(Duration::from_millis(now_unix_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110's own example.
    const DATE_MS: u64 = 784_111_777_000;

    fn of(values: &[&str], now_unix_ms: u64) -> Duration {
        let values = values.iter().map(|v| (RETRY_AFTER, v.parse().expect("a value")));
        retry_after(&HeaderMap::from_iter(values), now_unix_ms)
    }

    #[test]
    fn seconds_and_all_three_forms_of_a_date_are_read() {
        assert_eq!(of(&["120"], DATE_MS), Duration::from_secs(120));
        assert_eq!(of(&["0"], DATE_MS), Duration::ZERO);
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(of(&[date], DATE_MS - 2500), Duration::from_millis(2500), "{date}");
            assert_eq!(of(&[date], DATE_MS + 1), Duration::ZERO, "{date} is over");
        }
    }

    #[test]
    fn what_cannot_be_read_counts_as_none_and_what_is_huge_as_long() {
        for text in ["", "-1", "1.5", "soon", "0x10", "Sun, 06 Nov 1994 08:49:37 CET"] {
            assert_eq!(of(&[text], 0), Duration::ZERO, "{text}");
        }
        assert_eq!(of(&["1", "1"], 0), Duration::ZERO, "said twice");
        assert_eq!(of(&["99999999999999999999999"], 0), Duration::MAX);
        assert_eq!(of(&[], 0), Duration::ZERO);
    }
}
