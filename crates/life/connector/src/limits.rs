//! How much of a response is taken, and which of its headers a caller sees.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a response may cost. Each is counted before redaction and after decoding, so a compressed
/// body counts at its full size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct ResponseLimits {
    header_bytes_max: u32,
    header_count_max: u32,
    body_bytes_max: u64,
    total_ms_max: u64,
}

/// The limits as they are written in a connection's settings; what is left out is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Unchecked {
    /// All header lines together: 1 KiB to 256 KiB, 32 KiB unless said.
    pub header_bytes_max: u32,
    /// Header lines: 8 to 1,000, 100 unless said.
    pub header_count_max: u32,
    /// Decoded body: 1 KiB to 1 GiB, 8 MiB unless said.
    pub body_bytes_max: u64,
    /// From the first byte of the request to the last of the response: 100 ms to 10 min, 30 s
    /// unless said.
    pub total_ms_max: u64,
}

impl Default for Unchecked {
    fn default() -> Self {
        Self {
            header_bytes_max: 32 * 1024,
            header_count_max: 100,
            body_bytes_max: 8 * 1024 * 1024,
            total_ms_max: 30_000,
        }
    }
}

impl Default for ResponseLimits {
    fn default() -> Self {
        Self::of(Unchecked::default())
    }
}

impl TryFrom<Unchecked> for ResponseLimits {
    type Error = LimitsError;

    fn try_from(limits: Unchecked) -> Result<Self, LimitsError> {
        let fits = [
            ("header_bytes_max", u64::from(limits.header_bytes_max), 1 << 10, 1 << 18),
            ("header_count_max", u64::from(limits.header_count_max), 8, 1_000),
            ("body_bytes_max", limits.body_bytes_max, 1 << 10, 1 << 30),
            ("total_ms_max", limits.total_ms_max, 100, 600_000),
        ];
        for (name, value, least, most) in fits {
            if !(least..=most).contains(&value) {
                return Err(LimitsError { name, value, least, most });
            }
        }
        Ok(Self::of(limits))
    }
}

impl From<ResponseLimits> for Unchecked {
    fn from(limits: ResponseLimits) -> Self {
        let ResponseLimits { header_bytes_max, header_count_max, body_bytes_max, total_ms_max } =
            limits;
        Self { header_bytes_max, header_count_max, body_bytes_max, total_ms_max }
    }
}

impl ResponseLimits {
    fn of(limits: Unchecked) -> Self {
        let Unchecked { header_bytes_max, header_count_max, body_bytes_max, total_ms_max } = limits;
        Self { header_bytes_max, header_count_max, body_bytes_max, total_ms_max }
    }

    /// Bytes of all header lines.
    pub fn header_bytes_max(&self) -> usize {
        self.header_bytes_max as usize
    }

    /// Header lines.
    pub fn header_count_max(&self) -> usize {
        self.header_count_max as usize
    }

    /// Bytes of the decoded body.
    pub fn body_bytes_max(&self) -> u64 {
        self.body_bytes_max
    }

    /// From the first byte sent to the last received.
    pub fn total(&self) -> Duration {
        Duration::from_millis(self.total_ms_max)
    }
}

/// A limit out of its bounds. The fault is that of whoever wrote the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}; it must be from {least} to {most}")]
pub struct LimitsError {
    /// Which.
    pub name: &'static str,
    /// As found.
    pub value: u64,
    /// The smallest allowed.
    pub least: u64,
    /// The largest allowed.
    pub most: u64,
}

/// Whether a caller sees a response header of this name (its value redacted first).
///
/// An allow-list: a header nobody thought of can carry a session, a fresh token or the secret in
/// its name. Framing headers (Content-Length, Transfer-Encoding) are the shell's to make anew,
/// because redaction changes the length.
pub fn is_shown(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SHOWN.contains(&name.as_str()) || SHOWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

const SHOWN: [&str; 39] = [
    "accept-ranges",
    "age",
    "allow",
    "api-version",
    "cache-control",
    "cf-ray",
    "content-disposition",
    "content-language",
    "content-range",
    "content-type",
    "date",
    "deprecation",
    "etag",
    "expires",
    "idempotency-key",
    "idempotent-replayed",
    "last-modified",
    "link",
    "location",
    "notion-version",
    "npm-notice",
    "openai-processing-ms",
    "openai-version",
    "request-id",
    "retry-after",
    "stripe-should-retry",
    "stripe-version",
    "sunset",
    "vary",
    "warning",
    "x-correlation-id",
    "x-github-media-type",
    "x-next-page",
    "x-page",
    "x-per-page",
    "x-prev-page",
    "x-request-id",
    "x-total",
    "x-total-pages",
];

/// Families that each service spells in its own way.
const SHOWN_PREFIXES: [&str; 6] = [
    "anthropic-ratelimit-",
    "ratelimit",
    "x-complexity",
    "x-github-request-",
    "x-rate-limit-",
    "x-ratelimit-",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_at_both_ends() {
        let usual = Unchecked::default();
        assert_eq!(ResponseLimits::try_from(usual), Ok(ResponseLimits::default()));
        let cases = [
            (Unchecked { header_bytes_max: 1 << 10, ..usual }, true),
            (Unchecked { header_bytes_max: (1 << 10) - 1, ..usual }, false),
            (Unchecked { header_bytes_max: (1 << 18) + 1, ..usual }, false),
            (Unchecked { header_count_max: 8, ..usual }, true),
            (Unchecked { header_count_max: 7, ..usual }, false),
            (Unchecked { header_count_max: 1_001, ..usual }, false),
            (Unchecked { body_bytes_max: 1 << 30, ..usual }, true),
            (Unchecked { body_bytes_max: (1 << 30) + 1, ..usual }, false),
            (Unchecked { body_bytes_max: 1, ..usual }, false),
            (Unchecked { total_ms_max: 99, ..usual }, false),
            (Unchecked { total_ms_max: 600_000, ..usual }, true),
            (Unchecked { total_ms_max: 600_001, ..usual }, false),
        ];
        for (limits, fits) in cases {
            assert_eq!(ResponseLimits::try_from(limits).is_ok(), fits, "{limits:?}");
        }
    }

    #[test]
    fn settings_are_checked_when_read() {
        let read = |text| serde_json::from_str::<ResponseLimits>(text);
        assert_eq!(read("{}").unwrap(), ResponseLimits::default());
        assert_eq!(read(r#"{"body_bytes_max":2048}"#).unwrap().body_bytes_max(), 2048);
        assert!(read(r#"{"body_bytes_max":1}"#).unwrap_err().to_string().contains("1073741824"));
        assert!(read(r#"{"body_max":2048}"#).is_err());
    }

    #[test]
    fn what_may_carry_a_session_is_not_shown() {
        for name in [
            "set-cookie",
            "Set-Cookie2",
            "authorization",
            "proxy-authorization",
            "proxy-authenticate",
            "www-authenticate",
            "authentication-info",
            "x-auth-token",
            "x-subject-token",
            "x-amz-security-token",
            "x-csrf-token",
            "x-api-key",
            "cookie",
            "connection",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "content-length",
            "content-encoding",
            "refresh",
            "alt-svc",
            "x-unheard-of",
            "",
        ] {
            assert!(!is_shown(name), "{name}");
        }
    }

    #[test]
    fn what_helps_a_caller_is_shown() {
        for name in [
            "Content-Type",
            "link",
            "Location",
            "retry-after",
            "x-ratelimit-remaining",
            "etag",
            "RateLimit-Policy",
            "anthropic-ratelimit-tokens-reset",
            "x-next-page",
            "request-id",
        ] {
            assert!(is_shown(name), "{name}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_lower_case() {
        assert!(SHOWN.is_sorted() && SHOWN.iter().all(|name| *name == name.to_ascii_lowercase()));
    }
}
