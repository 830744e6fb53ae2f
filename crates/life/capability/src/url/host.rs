//! Host names and literal addresses, in one spelling.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host: a lower-case ASCII name (punycode for others) or an address in its usual notation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    text: Box<str>,
    ip: Option<IpAddr>,
}

impl Host {
    /// Parses a host as it stands in a URL: `api.github.com`, `192.0.2.1`, `[2001:db8::1]`.
    ///
    /// Capitals are lowered. Errs for all that another parser could read as another host: octal,
    /// hexadecimal, short or whole-number IPv4, zones, percent-encoding, a dot at the end.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        if !text.is_ascii() {
            return Err(HostError::NotAscii);
        }
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(HostError::Ipv6)?;
            let ip: Ipv6Addr = inner.parse().map_err(|_| HostError::Ipv6)?;
            return Ok(Self { text: format!("[{ip}]").into(), ip: Some(ip.into()) });
        }
        let text = text.to_ascii_lowercase();
        if text.len() > NAME_BYTES_MAX || !text.split('.').all(is_label) {
            return Err(HostError::Name);
        }
        if !ends_in_number(&text) {
            return Ok(Self { text: text.into(), ip: None });
        }
        let ip: Ipv4Addr = text.parse().map_err(|_| HostError::Ipv4)?;
        if ip.to_string() != text {
            return Err(HostError::Ipv4);
        }
        Ok(Self { text: text.into(), ip: Some(ip.into()) })
    }

    /// As in a URL and a Host header, without a port.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address, where the host is one; a name has to be resolved and each answer checked.
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// Whether it is this machine by its name or notation: `localhost`, 127.0.0.0/8, `[::1]`. Names
    /// below `localhost` are what a resolver makes of them.
    pub fn is_loopback(&self) -> bool {
        match self.ip {
            Some(ip) => ip.is_loopback(),
            None => &*self.text == "localhost",
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is no host. The fault is that of whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// No host.
    #[error("the host is empty")]
    Empty,
    /// Characters outside ASCII: two names can look the same.
    #[error("the host has characters outside ASCII; write it in punycode (xn--…)")]
    NotAscii,
    /// Not labels of 1 to 63 letters, digits and inner hyphens, 253 bytes in all.
    #[error("the host is not a valid DNS name")]
    Name,
    /// Octal, hexadecimal, short or whole-number notation, or out of range.
    #[error("the host is not an IPv4 address in dotted decimal notation")]
    Ipv4,
    /// Not an IPv6 address in brackets, or one with a zone.
    #[error("the host is not an IPv6 address in brackets")]
    Ipv6,
}

/// One label of a name, in lower case.
pub(crate) fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether some parser could take the name for an IPv4 address (WHATWG URL, "ends in a number", and
/// whatever else begins with `0x`).
fn ends_in_number(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x")
}

const NAME_BYTES_MAX: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_each_host() {
        for (text, host) in [
            ("API.GitHub.com", "api.github.com"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("8.8.8.8", "8.8.8.8"),
            ("[2001:DB8:0::1]", "[2001:db8::1]"),
            ("1e100.net", "1e100.net"),
            ("0x.example", "0x.example"),
        ] {
            assert_eq!(Host::parse(text).unwrap().as_str(), host);
        }
    }

    #[test]
    fn odd_notations_are_refused() {
        use HostError::*;
        for (text, error) in [
            ("", Empty),
            ("b\u{fc}cher.example", NotAscii),
            ("api\u{3002}github.com", NotAscii),
            ("127.1", Ipv4),
            ("127.0.1", Ipv4),
            ("2130706433", Ipv4),
            ("0x7f000001", Ipv4),
            ("0x7f.0.0.1", Ipv4),
            ("0x7f.1", Ipv4),
            ("127.0.0.0x1", Ipv4),
            ("0177.0.0.1", Ipv4),
            ("127.0.0.01", Ipv4),
            ("256.0.0.1", Ipv4),
            ("1.2.3.4.5", Ipv4),
            ("example.0x", Ipv4),
            ("example.0X7F", Ipv4),
            ("example.0xyz", Ipv4),
            ("example.1", Ipv4),
            ("[::1", Ipv6),
            ("[fe80::1%eth0]", Ipv6),
            ("[127.0.0.1]", Ipv6),
            ("[::1]x", Ipv6),
            ("::1", Name),
            ("a..b", Name),
            (".a", Name),
            ("a.", Name),
            ("-a.b", Name),
            ("a-.b", Name),
            ("a_b.c", Name),
            ("a b", Name),
            ("a%2eb", Name),
            ("a\0b", Name),
            ("a/b", Name),
            ("a@b", Name),
            (&"a".repeat(64), Name),
            (&"a.".repeat(127), Name),
        ] {
            assert_eq!(Host::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_own_names_alone() {
        for text in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(Host::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in [
            "a.localhost",
            "localhost.localdomain",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "[::]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(!Host::parse(text).unwrap().is_loopback(), "{text}");
        }
    }
}
