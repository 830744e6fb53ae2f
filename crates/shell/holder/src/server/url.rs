//! Where a server is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use symbolon_custody::{Origin, OriginError};

/// `https://NAME[:PORT]`, or `http://localhost[:PORT]`: the origin that the server was started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerUrl {
    is_tls: bool,
    host: String,
    port: u16,
}

/// An address that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// No address of this form.
    #[error("a server is https://NAME or https://NAME:PORT, without a path")]
    Form,
    /// In the clear over a network.
    #[error("http:// is for localhost alone; over a network a server has https://")]
    Clear,
}

impl ServerUrl {
    /// Whether connections are TLS.
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Its name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where a wallet is asked: the same text.
    ///
    /// # Errors
    /// [`OriginError`] for a name that no browser takes.
    pub fn origin(&self) -> Result<Origin, OriginError> {
        self.to_string().parse()
    }

    /// `http` or `https`.
    pub const fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// As `Host` has it: without the scheme's own port.
    pub fn authority(&self) -> String {
        let own = if self.is_tls { 443 } else { 80 };
        if self.port == own { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl FromStr for ServerUrl {
    type Err = UrlError;
    fn from_str(text: &str) -> Result<Self, UrlError> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (is_tls, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(UrlError::Form),
        };
        let (host, port) = match rest.split_once(':') {
            None => (rest, if is_tls { 443 } else { 80 }),
            Some((host, port)) => {
                let plain = port.bytes().all(|b| b.is_ascii_digit());
                let port = port.parse().ok().filter(|port| plain && *port > 0);
                (host, port.ok_or(UrlError::Form)?)
            }
        };
        let host = host.to_ascii_lowercase();
        let is_label = |label: &str| {
            let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            inner && (1..=63).contains(&label.len()) && !label.starts_with('-')
        };
        if host.len() > 253 || !host.split('.').all(is_label) {
            return Err(UrlError::Form);
        }
        if !is_tls && host != "localhost" {
            return Err(UrlError::Clear);
        }
        Ok(Self { is_tls, host, port })
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = UrlError;
    fn try_from(text: String) -> Result<Self, UrlError> {
        text.parse()
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> Self {
        url.to_string()
    }
}

/// The origin (RFC 6454).
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_origin() {
        for (text, shown) in [
            ("https://Vault.Example", "https://vault.example"),
            ("https://vault.example:443/", "https://vault.example"),
            ("https://vault.example:8443", "https://vault.example:8443"),
            ("http://localhost:7070", "http://localhost:7070"),
            ("http://localhost", "http://localhost"),
        ] {
            assert_eq!(text.parse::<ServerUrl>().map(|u| u.to_string()), Ok(shown.to_owned()));
        }
        for (text, error) in [
            ("vault.example", UrlError::Form),
            ("ftp://vault.example", UrlError::Form),
            ("https://", UrlError::Form),
            ("https://a b", UrlError::Form),
            ("https://user@vault.example", UrlError::Form),
            ("https://vault.example/path", UrlError::Form),
            ("https://vault.example?x", UrlError::Form),
            ("https://vault.example:0", UrlError::Form),
            ("https://vault.example:+1", UrlError::Form),
            ("https://vault.example:65536", UrlError::Form),
            ("https://vault..example", UrlError::Form),
            ("http://vault.example", UrlError::Clear),
            ("http://127.0.0.1:7070", UrlError::Clear),
        ] {
            assert_eq!(text.parse::<ServerUrl>(), Err(error), "{text}");
        }
    }
}
