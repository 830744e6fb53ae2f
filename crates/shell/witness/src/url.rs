//! Where a log or a witness is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `https://NAME[:PORT][/PATH]`, or the same with `http`: all that passes is public and signed, so nothing is lost in
/// the clear but who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PeerUrl {
    is_tls: bool,
    host: String,
    port: u16,
    /// Empty, or `/` and words, without one at its end.
    path: String,
}

/// An address that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address is https://NAME[:PORT][/PATH] or http://NAME[:PORT][/PATH]")]
pub struct UrlError;

impl PeerUrl {
    /// Whether connections are TLS.
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Its name or IPv4 address; an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// As `Host` has it: without the scheme's own port.
    pub fn authority(&self) -> String {
        let own = if self.is_tls { 443 } else { 80 };
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        if self.port == own { host } else { format!("{host}:{}", self.port) }
    }

    /// The target of a request for what is under this address.
    pub fn target(&self, below: &str) -> String {
        format!("{}/{below}", self.path)
    }
}

impl FromStr for PeerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        if text.len() > BYTES_MAX {
            return Err(UrlError);
        }
        let (is_tls, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(UrlError),
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, path.trim_end_matches('/')),
            None => (rest, ""),
        };
        let is_path = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        if !path.chars().all(is_path) || path.split('/').any(|word| word == ".." || word == ".") {
            return Err(UrlError);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(UrlError)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| UrlError)?;
                let port = match port {
                    "" => None,
                    port => Some(port.strip_prefix(':').ok_or(UrlError)?),
                };
                (host, port)
            }
            None => match authority.split_once(':') {
                None => (authority, None),
                Some((host, port)) => (host, Some(port)),
            },
        };
        let port = match port {
            None if is_tls => 443,
            None => 80,
            Some(port) => {
                let is_plain = port.bytes().all(|b| b.is_ascii_digit());
                port.parse().ok().filter(|port| is_plain && *port > 0).ok_or(UrlError)?
            }
        };
        let is_label = |label: &str| {
            let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            inner && (1..=63).contains(&label.len()) && !label.starts_with('-')
        };
        let host = host.to_ascii_lowercase();
        if host.len() > 253 || !(host.contains(':') || host.split('.').all(is_label)) {
            return Err(UrlError);
        }
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(Self { is_tls, host, port, path })
    }
}

impl fmt::Display for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

impl TryFrom<String> for PeerUrl {
    type Error = UrlError;
    fn try_from(text: String) -> Result<Self, UrlError> {
        text.parse()
    }
}

impl From<PeerUrl> for String {
    fn from(url: PeerUrl) -> Self {
        url.to_string()
    }
}

const BYTES_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_again() {
        for text in [
            "https://log.example",
            "http://127.0.0.1:7171",
            "https://a.example/logs/2026",
            "http://[::1]:80/x",
            "https://[2001:db8::1]",
        ] {
            let url: PeerUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), text.replace(":80/", "/"), "{text}");
        }
        let url: PeerUrl = "https://A.example:443/p/".parse().unwrap();
        assert_eq!(
            (url.to_string().as_str(), url.target("tile/0/000").as_str()),
            ("https://a.example/p", "/p/tile/0/000")
        );
    }

    #[test]
    fn others_are_none() {
        for text in [
            "",
            "log.example",
            "ftp://a",
            "https://",
            "https://a b",
            "https://a:0",
            "https://a:99999",
            "https://u@a",
            "https://a/?q",
            "https://a/#f",
            "https://a/../b",
            "https://[::1",
            "https://[a]",
            "https://a/\u{e9}",
            "http://[::1]x",
            "https://-a",
        ] {
            assert_eq!(text.parse::<PeerUrl>(), Err(UrlError), "{text}");
        }
    }
}
