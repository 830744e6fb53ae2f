//! Where a connection's requests go: fixed when the connection is made.

use std::fmt;

use super::{Authority, AuthorityError, CanonicalPath, PathError, Scheme};

/// A connection's origin and the path that all its requests begin with.
///
/// Text form: `https://host[:port][/path]`, host in its usual spelling, canonical path without a
/// slash at the end. A caller cannot choose it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    authority: Authority,
    path: Box<str>,
}

impl BaseUrl {
    /// Parses an `https` base URL. Errs for all that could make two parsers see two hosts or two
    /// paths.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let url = Self::read(text)?;
        match url.authority.scheme() {
            Scheme::Https => Ok(url),
            Scheme::Http => Err(BaseUrlError::NotHttps),
        }
    }

    /// Parses as [`BaseUrl::parse`], and takes `http` where the host is this machine's loopback: a
    /// credential would travel in the clear, which only a test or a local service can bear.
    pub fn insecure_parse_loopback(text: &str) -> Result<Self, BaseUrlError> {
        let url = Self::read(text)?;
        match url.authority.scheme() {
            Scheme::Http if !url.authority.host().is_loopback() => Err(BaseUrlError::NotLoopback),
            Scheme::Http | Scheme::Https => Ok(url),
        }
    }

    /// The origin.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The path before every operation's: empty, or `/api/v4` without a slash at the end.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The request target for an operation's path and query (which begin with `/`).
    pub fn target(&self, path_and_query: &str) -> String {
        [&self.path, path_and_query].concat()
    }

    /// The operation's part of a whole path, beginning with `/`; `None` where it is not below this
    /// URL's.
    pub fn strip<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(&*self.path).filter(|rest| rest.starts_with('/'))
    }

    fn read(text: &str) -> Result<Self, BaseUrlError> {
        if text.len() > URL_BYTES_MAX {
            return Err(BaseUrlError::TooLong);
        }
        if text.bytes().any(|b| b <= b' ' || b == 0x7f || b == b'\\') {
            return Err(BaseUrlError::Character);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            _ => return Err(BaseUrlError::NotHttps),
        };
        if rest.contains('#') {
            return Err(BaseUrlError::Fragment);
        }
        if rest.contains('?') {
            return Err(BaseUrlError::Query);
        }
        let (named, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = Authority::parse(scheme, named)?;
        if !named.starts_with(authority.host().as_str()) {
            return Err(BaseUrlError::Spelling { usual: authority.host().as_str().into() });
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        check_path(path)?;
        Ok(Self { authority, path: path.into() })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.authority, self.path)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({self})")
    }
}

/// Why a base URL is refused. The fault is that of whoever made the connection or the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// More than 512 bytes.
    #[error("a base URL must have at most {URL_BYTES_MAX} bytes")]
    TooLong,
    /// White space, a control character or a backslash.
    #[error("the base URL has white space, a control character or a backslash")]
    Character,
    /// Another scheme, or none.
    #[error("a base URL must begin with https://")]
    NotHttps,
    /// `http` to another machine.
    #[error("plain http is only for 127.0.0.0/8, [::1] and localhost; use https")]
    NotLoopback,
    /// A query.
    #[error("the base URL has a query")]
    Query,
    /// A fragment.
    #[error("the base URL has a fragment")]
    Fragment,
    /// Capitals in the host, or an IPv6 address that is not in its shortest form.
    #[error("the host of a base URL has one spelling; write {usual}")]
    Spelling {
        /// How it is written.
        usual: Box<str>,
    },
    /// Host and port.
    #[error("the base URL: {0}")]
    Authority(#[from] AuthorityError),
    /// The path.
    #[error("the path of the base URL: {0}")]
    Path(#[from] PathError),
}

/// Canonical, and without escapes that some server decodes before it splits: they are for values,
/// and a base URL has none.
fn check_path(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Ok(());
    }
    CanonicalPath::try_from(path)?;
    if path.ends_with('/') {
        return Err(PathError::EmptySegment);
    }
    if path.contains("%2F") {
        return Err(PathError::EncodedSlash);
    }
    if path.contains("%25") {
        return Err(PathError::DoubleEscape);
    }
    Ok(())
}

const URL_BYTES_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::super::HostError;
    use super::*;

    #[test]
    fn a_base_url_has_one_text_form() {
        for (text, shown) in [
            ("https://api.github.com", "https://api.github.com"),
            ("https://api.github.com:443", "https://api.github.com"),
            ("https://api.github.com:443/", "https://api.github.com"),
            ("https://api.cloudflare.com/client/v4/", "https://api.cloudflare.com/client/v4"),
            ("https://gitlab.example.com:8443/api/v4/", "https://gitlab.example.com:8443/api/v4"),
            ("https://[2606:4700::1111]/x", "https://[2606:4700::1111]/x"),
            ("https://[::1]:8443/a", "https://[::1]:8443/a"),
            ("https://10.0.0.1:444", "https://10.0.0.1:444"),
        ] {
            let url = BaseUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(BaseUrl::parse(shown).as_ref(), Ok(&url));
        }
    }

    #[test]
    fn what_two_parsers_could_read_in_two_ways_is_refused() {
        use BaseUrlError::*;
        let host = |error: HostError| Authority(AuthorityError::Host(error));
        let spelling = |usual: &str| Spelling { usual: usual.into() };
        let long = format!("https://a.example/{}", "a".repeat(512));
        for (text, error) in [
            ("", NotHttps),
            ("api.github.com", NotHttps),
            ("//api.github.com", NotHttps),
            ("ftp://api.github.com", NotHttps),
            ("https:/api.github.com", NotHttps),
            ("http://api.github.com", NotHttps),
            ("HTTPS://a.example", NotHttps),
            ("https://API.GitHub.com/", spelling("api.github.com")),
            ("https://A.example:8443/a", spelling("a.example")),
            ("https://[2606:4700:0::1111]", spelling("[2606:4700::1111]")),
            ("https://[2606:4700::111A]:1", spelling("[2606:4700::111a]")),
            ("https://user@api.github.com", Authority(AuthorityError::Userinfo)),
            ("https://api.github.com@evil.example", Authority(AuthorityError::Userinfo)),
            ("https://user:pass@api.github.com", Authority(AuthorityError::Userinfo)),
            ("https://api.github.com?x", Query),
            ("https://api.github.com#x", Fragment),
            ("https://api.github.com/#", Fragment),
            ("https://api.github.com\\@evil.example", Character),
            (" https://api.github.com", Character),
            ("https://a b", Character),
            ("https://api.github.com\n", Character),
            ("https://api.github\0.com", Character),
            ("https://api.github.com:", Authority(AuthorityError::Port)),
            ("https://api.github.com:0", Authority(AuthorityError::Port)),
            ("https://api.github.com:08", Authority(AuthorityError::Port)),
            ("https://api.github.com:0443", Authority(AuthorityError::Port)),
            ("https://api.github.com:+443", Authority(AuthorityError::Port)),
            ("https://api.github.com:65536", Authority(AuthorityError::Port)),
            ("https://api.github.com:99999", Authority(AuthorityError::Port)),
            ("https://api.github.com:443:443", Authority(AuthorityError::Port)),
            ("https://", host(HostError::Empty)),
            ("https:///a", host(HostError::Empty)),
            ("https://:443", host(HostError::Empty)),
            ("https://[::1", host(HostError::Ipv6)),
            ("https://[2606:4700::1111]x", host(HostError::Ipv6)),
            ("https://2130706433", host(HostError::Ipv4)),
            ("https://0x7f.1", host(HostError::Ipv4)),
            ("https://127.1", host(HostError::Ipv4)),
            ("https://a..b", host(HostError::Name)),
            ("https://a_b.example", host(HostError::Name)),
            ("https://\u{e9}a.example", host(HostError::NotAscii)),
            ("https://a.example/..", Path(PathError::DotSegment)),
            ("https://a.example/...", Path(PathError::DotSegment)),
            ("https://a.example/./b", Path(PathError::DotSegment)),
            ("https://a.example/b/%2E%2e/c", Path(PathError::EncodedDot)),
            ("https://a.example/%2e", Path(PathError::EncodedDot)),
            ("https://a.example//b", Path(PathError::EmptySegment)),
            ("https://a.example//", Path(PathError::EmptySegment)),
            ("https://a.example/b//", Path(PathError::EmptySegment)),
            ("https://a.example/b%2fc", Path(PathError::LowercaseEscape)),
            ("https://a.example/b%2Fc", Path(PathError::EncodedSlash)),
            ("https://a.example/b%5Cc", Path(PathError::Backslash)),
            ("https://a.example/b%252ec", Path(PathError::DoubleEscape)),
            ("https://a.example/b%25", Path(PathError::DoubleEscape)),
            ("https://a.example/b%41", Path(PathError::NeedlessEscape)),
            ("https://a.example/b%00", Path(PathError::Control)),
            ("https://a.example/b%7F", Path(PathError::Control)),
            ("https://a.example/b%", Path(PathError::BadEscape)),
            ("https://a.example/b%+1", Path(PathError::BadEscape)),
            ("https://a.example/b%C0%AF", Path(PathError::NotUtf8)),
            ("https://a.example/b;c", Path(PathError::PathParameter)),
            ("https://a.example/\u{2024}\u{2024}", Path(PathError::NotAscii)),
            (&long, TooLong),
        ] {
            assert_eq!(BaseUrl::parse(text).as_ref(), Err(&error), "{text:?}");
            if error != NotHttps {
                assert_eq!(BaseUrl::insecure_parse_loopback(text), Err(error), "{text:?}");
            }
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_and_asked_for_by_name() {
        for text in [
            "http://localhost:8080",
            "http://localhost:4873/npm",
            "http://127.0.0.1:1",
            "http://127.0.0.1:4873",
            "http://[::1]:1",
        ] {
            assert!(BaseUrl::insecure_parse_loopback(text).is_ok(), "{text}");
            assert_eq!(BaseUrl::parse(text), Err(BaseUrlError::NotHttps), "{text}");
        }
        for text in [
            "http://10.0.0.1",
            "http://api.github.com",
            "http://router",
            "http://a.localhost",
            "http://127.0.0.1.evil.example",
        ] {
            let refused = Err(BaseUrlError::NotLoopback);
            assert_eq!(BaseUrl::insecure_parse_loopback(text), refused, "{text}");
        }
        assert!(BaseUrl::insecure_parse_loopback("https://api.github.com").is_ok());
        assert!(BaseUrl::insecure_parse_loopback("HTTP://localhost").is_err());
    }

    #[test]
    fn the_path_joins_and_strips() {
        let url = BaseUrl::parse("https://a.example/client/v4").unwrap();
        assert_eq!(url.path(), "/client/v4");
        assert_eq!(url.target("/zones?x=1"), "/client/v4/zones?x=1");
        assert_eq!(url.strip("/client/v4/zones"), Some("/zones"));
        for path in ["/client/v4zones", "/zones", "/client/v4", ""] {
            assert_eq!(url.strip(path), None, "{path}");
        }
        let url = BaseUrl::parse("https://a.example").unwrap();
        assert_eq!(url.strip("/zones"), Some("/zones"));
    }
}
