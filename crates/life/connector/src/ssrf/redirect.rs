//! What to do when an upstream points elsewhere.

use serde::{Deserialize, Serialize};

use symbolon_capability::url::{Authority, AuthorityError, BaseUrl, Scheme};

/// What a connection does with redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectPolicy {
    /// Redirects followed for one call, 0 to 3; 0 hands each to the caller as a response.
    hops_max: u8,
}

impl RedirectPolicy {
    /// Follows none.
    pub const NEVER: Self = Self { hops_max: 0 };

    /// Follows up to `hops_max`, and never more than 3.
    pub fn new(hops_max: u8) -> Self {
        Self { hops_max: hops_max.min(HOPS_MAX) }
    }

    /// How many are followed.
    pub fn hops_max(&self) -> u8 {
        self.hops_max.min(HOPS_MAX)
    }
}

impl Default for RedirectPolicy {
    fn default() -> Self {
        Self { hops_max: HOPS_MAX }
    }
}

/// The request that was answered with a redirect.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    /// The connection's: the only host there is.
    pub base: &'a BaseUrl,
    /// Where this request went; `base.authority()` for the first.
    pub authority: &'a Authority,
    /// Its target: path and query.
    pub target: &'a str,
    /// Its method, upper case.
    pub method: &'a str,
    /// Redirects followed before it in this call.
    pub taken: u8,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The same method goes to `target` at `authority`, whose host is the connection's. Addresses
    /// are checked again where the port differs.
    Follow {
        /// Where to.
        authority: Authority,
        /// Path and query.
        target: String,
        /// Whether the credential goes along: same origin, below the base URL's path.
        credential: bool,
    },
    /// The redirect is the response; the caller sees its status and redacted Location.
    Stop(Stop),
    /// The call fails; the receipt says why.
    Refuse(RedirectError),
}

/// Why a redirect is handed over as a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Stop {
    /// Not 301, 302, 303, 307 or 308, or without a Location.
    #[error("the response is not a redirect")]
    NotARedirect,
    /// The connection follows none.
    #[error("the connection follows no redirects")]
    Policy,
    /// Neither GET nor HEAD: a second call might do the thing twice.
    #[error("only GET and HEAD are redirected")]
    Method,
}

/// Why a redirect fails the call. The fault is the upstream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// More hops than the policy's.
    #[error("the upstream redirects too often")]
    TooMany,
    /// Another host than the connection's; also every metadata address.
    #[error("the upstream redirects to another host")]
    OtherHost,
    /// From https to http.
    #[error("the upstream redirects from https to http")]
    Downgrade,
    /// Not a URL, or one that two parsers could read in two ways.
    #[error("the upstream's redirect has a malformed Location")]
    Location,
}

/// Decides on a response with `status` and this `Location` header.
pub fn redirect(
    policy: RedirectPolicy,
    from: &Hop<'_>,
    status: u16,
    location: Option<&[u8]>,
) -> Decision {
    let Some(location) = location.filter(|_| matches!(status, 301..=303 | 307 | 308)) else {
        return Decision::Stop(Stop::NotARedirect);
    };
    if policy.hops_max() == 0 {
        return Decision::Stop(Stop::Policy);
    }
    if !matches!(from.method, "GET" | "HEAD") {
        return Decision::Stop(Stop::Method);
    }
    match follow(policy, from, location) {
        Ok(follow) => follow,
        Err(error) => Decision::Refuse(error),
    }
}

fn follow(
    policy: RedirectPolicy,
    from: &Hop<'_>,
    location: &[u8],
) -> Result<Decision, RedirectError> {
    let (authority, target) = resolve(from, location)?;
    if authority.host() != from.base.authority().host() {
        return Err(RedirectError::OtherHost);
    }
    if authority.scheme() == Scheme::Http && from.authority.scheme() == Scheme::Https {
        return Err(RedirectError::Downgrade);
    }
    if from.taken >= policy.hops_max() {
        return Err(RedirectError::TooMany);
    }
    let path = target.split('?').next().unwrap_or_default();
    let credential = &authority == from.base.authority()
        && (path == from.base.path() || from.base.strip(path).is_some());
    Ok(Decision::Follow { authority, target, credential })
}

/// The absolute form of a Location (RFC 3986, section 5.2), stricter: dot segments, empty segments
/// and encoded separators are refused, not resolved.
fn resolve(from: &Hop<'_>, location: &[u8]) -> Result<(Authority, String), RedirectError> {
    let text = std::str::from_utf8(location).map_err(|_| RedirectError::Location)?;
    let is_plain = |b: u8| (0x21..0x7f).contains(&b) && b != b'\\';
    if text.is_empty() || text.len() > LOCATION_BYTES_MAX || !text.bytes().all(is_plain) {
        return Err(RedirectError::Location);
    }
    let text = text.split('#').next().unwrap_or_default();
    let (authority, local) = match absolute(text) {
        Some((scheme, rest)) => split_origin(scheme.ok_or(RedirectError::Location)?, rest)?,
        None => match text.strip_prefix("//") {
            Some(rest) => split_origin(from.authority.scheme(), rest)?,
            None => (from.authority.clone(), text.to_owned()),
        },
    };
    let base = from.target.split('?').next().unwrap_or_default();
    let target = match local.as_bytes().first() {
        None => base.to_owned(),
        Some(b'/') => local,
        Some(b'?') => [base, &local].concat(),
        Some(_) => [&base[..=base.rfind('/').unwrap_or(0)], &local].concat(),
    };
    let path = target.split('?').next().unwrap_or_default();
    let has_one_reading = path == "/" || is_plain_path(path.strip_suffix('/').unwrap_or(path));
    if has_one_reading { Ok((authority, target)) } else { Err(RedirectError::Location) }
}

/// What follows `scheme://`; the scheme is `None` where it is not one of ours.
fn absolute(text: &str) -> Option<(Option<Scheme>, &str)> {
    let colon = text.find(':')?;
    let is_scheme = text[..colon].bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if !is_scheme {
        return None;
    }
    let rest = &text[colon + 1..];
    let scheme = match (&text[..colon], rest.strip_prefix("//")) {
        (name, Some(_)) if name.eq_ignore_ascii_case("https") => Some(Scheme::Https),
        (name, Some(_)) if name.eq_ignore_ascii_case("http") => Some(Scheme::Http),
        _ => None,
    };
    Some((scheme, rest.strip_prefix("//").unwrap_or(rest)))
}

fn split_origin(scheme: Scheme, rest: &str) -> Result<(Authority, String), RedirectError> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (named, local) = rest.split_at(end);
    let authority = Authority::parse(scheme, named).map_err(|error| match error {
        AuthorityError::Host(_) => RedirectError::OtherHost,
        _ => RedirectError::Location,
    })?;
    let local = if local.starts_with('/') { local.to_owned() } else { format!("/{local}") };
    Ok((authority, local))
}

/// Whether every parser sees the same segments: no dot segments in any spelling, no empty ones, no
/// encoded slashes, no characters outside RFC 3986's `pchar`.
///
/// An upstream need not know `CanonicalPath`, which is stricter about spelling: what it says that is
/// plain and not canonical is given to the caller as a response, not refused.
fn is_plain_path(path: &str) -> bool {
    path.is_empty() || path.strip_prefix('/').is_some_and(|p| p.split('/').all(is_plain_segment))
}

fn is_plain_segment(segment: &str) -> bool {
    let lower = segment.to_ascii_lowercase().replace("%2e", ".");
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@%".contains(&b);
    let has_bad_escape = lower.match_indices('%').any(|(at, _)| {
        let digits = lower.get(at + 1..at + 3).unwrap_or_default();
        let value = u8::from_str_radix(digits, 16).unwrap_or_default();
        // NUL and controls, slash, backslash, percent (a second decoding).
        digits.len() != 2 || digits.starts_with('+') || value < 0x20 || b"/\\%\x7f".contains(&value)
    });
    !lower.is_empty()
        && lower != "."
        && lower != ".."
        && !has_bad_escape
        && segment.bytes().all(allowed)
}

const HOPS_MAX: u8 = 3;
const LOCATION_BYTES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> BaseUrl {
        BaseUrl::parse("https://gitlab.example.com/api/v4").unwrap()
    }

    fn decide(location: &str) -> Decision {
        from_base(&base(), "GET", 0, location)
    }

    fn from_base(base: &BaseUrl, method: &str, taken: u8, location: &str) -> Decision {
        let target = "/api/v4/a/b?c=d";
        let hop = Hop { base, authority: base.authority(), target, method, taken };
        redirect(RedirectPolicy::default(), &hop, 302, Some(location.as_bytes()))
    }

    fn followed(location: &str) -> (String, bool) {
        match decide(location) {
            Decision::Follow { authority, target, credential } => {
                (format!("{authority}{target}"), credential)
            }
            other => panic!("{location}: {other:?}"),
        }
    }

    #[test]
    fn the_same_host_is_followed() {
        let ours = "https://gitlab.example.com";
        for (location, url, credential) in [
            ("/api/v4/x", "/api/v4/x", true),
            ("/api/v4", "/api/v4", true),
            ("x?y=z", "/api/v4/a/x?y=z", true),
            ("?y", "/api/v4/a/b?y", true),
            ("#y", "/api/v4/a/b", true),
            ("x/", "/api/v4/a/x/", true),
            ("https://GITLAB.example.com:443/api/v4/x#y", "/api/v4/x", true),
            ("//gitlab.example.com/api/v4/x", "/api/v4/x", true),
            ("https://gitlab.example.com", "/", false),
            ("/", "/", false),
            ("/api/v44", "/api/v44", false),
            ("/login", "/login", false),
        ] {
            assert_eq!(followed(location), (format!("{ours}{url}"), credential), "{location}");
        }
    }

    #[test]
    fn another_port_gets_no_credential() {
        let (url, credential) = followed("https://gitlab.example.com:8443/api/v4/x");
        assert_eq!((url.as_str(), credential), ("https://gitlab.example.com:8443/api/v4/x", false));
    }

    #[test]
    fn elsewhere_is_refused() {
        use RedirectError::*;
        for (location, error) in [
            ("https://evil.example/api/v4/x", OtherHost),
            ("//evil.example/", OtherHost),
            ("https://gitlab.example.com.evil.example/", OtherHost),
            ("https://169.254.169.254/latest/meta-data/", OtherHost),
            ("http://169.254.169.254/latest/meta-data/", OtherHost),
            ("https://0xa9fea9fe/", OtherHost),
            ("https:///x", OtherHost),
            ("http://gitlab.example.com/api/v4/x", Downgrade),
            ("https://gitlab.example.com@evil.example/", Location),
            ("https://u:p@gitlab.example.com/", Location),
            ("https://gitlab.example.com:0/", Location),
            ("ftp://gitlab.example.com/", Location),
            ("javascript:alert(1)", Location),
            ("https:x", Location),
            ("", Location),
            ("/api/v4/../x", Location),
            ("/api/v4/%2e%2E/x", Location),
            ("../x", Location),
            ("/a//b", Location),
            ("/\\evil.example/", Location),
            ("/a b", Location),
            ("/a\r\nb", Location),
            ("/\u{e9}", Location),
            ("/./b", Location),
            ("/b%2fc", Location),
            ("/b%5Cc", Location),
            ("/b%252ec", Location),
            ("/b%00", Location),
            ("/b%", Location),
            ("/b%+1", Location),
            ("/b;c", Location),
            ("/\u{2024}\u{2024}", Location),
        ] {
            assert_eq!(decide(location), Decision::Refuse(error), "{location:?}");
        }
    }

    #[test]
    fn three_hops_at_most() {
        let base = base();
        assert!(matches!(from_base(&base, "GET", 2, "/api/v4/x"), Decision::Follow { .. }));
        let fourth = from_base(&base, "GET", 3, "/api/v4/x");
        assert_eq!(fourth, Decision::Refuse(RedirectError::TooMany));
        assert_eq!(RedirectPolicy::new(200).hops_max(), 3);
    }

    #[test]
    fn what_is_not_repeated_is_the_response() {
        let base = base();
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let stopped = from_base(&base, method, 0, "https://evil.example/");
            assert_eq!(stopped, Decision::Stop(Stop::Method));
        }
        assert!(matches!(from_base(&base, "HEAD", 0, "x"), Decision::Follow { .. }));
        let target = "/api/v4/a";
        let hop = Hop { base: &base, authority: base.authority(), target, method: "GET", taken: 0 };
        let policy = RedirectPolicy::default();
        for (status, location) in [(200, Some(&b"/x"[..])), (304, Some(b"/x")), (302, None)] {
            let stopped = redirect(policy, &hop, status, location);
            assert_eq!(stopped, Decision::Stop(Stop::NotARedirect));
        }
        let stopped = redirect(RedirectPolicy::NEVER, &hop, 302, Some(b"/x"));
        assert_eq!(stopped, Decision::Stop(Stop::Policy));
    }
}
