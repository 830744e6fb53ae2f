//! Addresses of an authorization server.

use std::fmt;

use crate::url::{Authority, BaseUrl, BaseUrlError};

/// Where the broker posts to: `https`, or `http` to this machine's loopback; canonical path, no
/// query, no fragment. A slash at the end stays, because some servers want it.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    text: Box<str>,
    url: BaseUrl,
}

/// Why an address is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an endpoint is an https address with a plain path: {0}")]
pub struct EndpointError(#[from] BaseUrlError);

impl Endpoint {
    /// # Errors
    /// [`EndpointError`].
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let url = BaseUrl::insecure_parse_loopback(text)?;
        let bare = text.strip_suffix('/').unwrap_or(text);
        // The path of a base URL is canonical already; this keeps the whole text so too.
        if url.to_string() != bare {
            return Err(EndpointError(BaseUrlError::Character));
        }
        Ok(Self { text: text.into(), url })
    }

    /// The origin.
    pub fn authority(&self) -> &Authority {
        self.url.authority()
    }

    /// The path that is asked for.
    pub fn target(&self) -> &str {
        let path = self.text.get(self.authority_len()..).unwrap_or_default();
        if path.is_empty() { "/" } else { path }
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn authority_len(&self) -> usize {
        self.url.to_string().len() - self.url.path().len()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// Where a person's browser goes to agree: as [`Endpoint`], and a query may be in it (RFC 6749,
/// section 3.1). The broker shows it and never asks there itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationEndpoint(Box<str>);

impl AuthorizationEndpoint {
    /// # Errors
    /// [`EndpointError`].
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (page, query) = text.split_once('?').unwrap_or((text, ""));
        Endpoint::parse(page)?;
        let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'#' | b'"' | b'\'' | b'\\');
        let fits = query.len() <= 512 && query.bytes().all(is_plain);
        fits.then(|| Self(text.into())).ok_or(EndpointError(BaseUrlError::Query))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With these parameters behind its own.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut url = self.0.to_string();
        for (name, value) in parameters {
            let value = percent_encoding::utf8_percent_encode(value, super::VALUE);
            let mark = if url.contains('?') { '&' } else { '?' };
            url.push_str(&format!("{mark}{name}={value}"));
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_what_stands_behind_the_host() {
        for (text, target) in [
            ("https://id.example", "/"),
            ("https://id.example/", "/"),
            ("https://id.example/o/token/", "/o/token/"),
            ("http://127.0.0.1:9/token", "/token"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().target(), target, "{text}");
        }
        for bad in [
            "http://id.example/token",
            "https://id.example/token?x=1",
            "https://id.example/a/../b",
            "https://id.example/token//",
            "https://user@id.example/token",
            "https://id.example:443/token",
            "ftp://id.example/",
            "",
        ] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_keeps_its_own_query() {
        let page = AuthorizationEndpoint::parse("https://id.example/auth?prompt=consent").unwrap();
        let url = page.with(&[("scope", "a b"), ("state", "x&y=#")]);
        assert_eq!(url, "https://id.example/auth?prompt=consent&scope=a%20b&state=x%26y%3D%23");
        for bad in
            ["https://id.example/auth#x", "https://id.example/auth?a b", "http://id.example/auth?a"]
        {
            assert!(AuthorizationEndpoint::parse(bad).is_err(), "{bad}");
        }
    }
}
