//! Origins: scheme, host and port.

use std::fmt;

use super::{Host, HostError};

/// `https` or `http`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// TLS.
    Https,
    /// Without TLS: to this machine only.
    Http,
}

impl Scheme {
    /// As in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Https => "https",
            Scheme::Http => "http",
        }
    }

    /// The port where none is written.
    pub const fn default_port(self) -> u16 {
        match self {
            Scheme::Https => 443,
            Scheme::Http => 80,
        }
    }
}

/// Scheme, host and port: the origin that a credential belongs to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    scheme: Scheme,
    host: Host,
    port: u16,
    /// `host:port`.
    full: Box<str>,
}

impl Authority {
    /// Parses `host[:port]` as it stands between `//` and the path of a URL. Capitals are lowered.
    ///
    /// Errs for user information, an empty port, and a port with a sign or a leading zero.
    pub fn parse(scheme: Scheme, text: &str) -> Result<Self, AuthorityError> {
        if text.contains('@') {
            return Err(AuthorityError::Userinfo);
        }
        let host_end = match text.strip_prefix('[') {
            Some(_) => text.find(']').map_or(text.len(), |bracket| bracket + 1),
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, rest) = text.split_at(host_end);
        let host = Host::parse(host)?;
        let port = match rest.strip_prefix(':') {
            Some(digits) => parse_port(digits).ok_or(AuthorityError::Port)?,
            None if rest.is_empty() => scheme.default_port(),
            None => return Err(HostError::Ipv6.into()),
        };
        let full = format!("{host}:{port}").into();
        Ok(Self { scheme, host, port, full })
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, also where it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As in a Host header: without the scheme's own port.
    pub fn as_str(&self) -> &str {
        if self.port == self.scheme.default_port() { self.host.as_str() } else { &self.full }
    }

    /// Whether `text`, a Host header or the authority of a target, names this host and port.
    pub fn is_named_by(&self, text: &[u8]) -> bool {
        text.eq_ignore_ascii_case(self.as_str().as_bytes())
            || text.eq_ignore_ascii_case(self.full.as_bytes())
    }
}

/// The origin: `https://api.github.com`.
impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.as_str())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({self})")
    }
}

/// Why a text is no `host[:port]`. The fault is that of whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// `user@host`.
    #[error("there is a user name or password before the host")]
    Userinfo,
    /// Not 1 to 65535 in plain digits.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// The host.
    #[error(transparent)]
    Host(#[from] HostError),
}

fn parse_port(digits: &str) -> Option<u16> {
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if is_plain { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_parsers_could_read_in_two_ways_is_refused() {
        use AuthorityError::*;
        for (text, error) in [
            ("user@api.github.com", Userinfo),
            ("api.github.com@evil.example", Userinfo),
            ("user:pass@api.github.com", Userinfo),
            ("api.github.com:", Port),
            ("api.github.com:0", Port),
            ("api.github.com:0443", Port),
            ("api.github.com:+443", Port),
            ("api.github.com:65536", Port),
            ("api.github.com:443:443", Port),
            ("", Host(HostError::Empty)),
            (":443", Host(HostError::Empty)),
            ("[::1", Host(HostError::Ipv6)),
            ("[2606:4700::1111]x", Host(HostError::Ipv6)),
            ("0x7f.1", Host(HostError::Ipv4)),
        ] {
            assert_eq!(Authority::parse(Scheme::Https, text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_host_header_names_the_port_or_leaves_out_the_usual_one() {
        let parse = |text| Authority::parse(Scheme::Https, text).unwrap();
        let authority = parse("api.github.com");
        for (text, ours) in [
            ("api.github.com", true),
            ("API.github.com:443", true),
            ("api.github.com:80", false),
            ("api.github.com:", false),
            ("api.github.com.", false),
            ("api.github.comx", false),
            ("x@api.github.com", false),
            ("", false),
        ] {
            assert_eq!(authority.is_named_by(text.as_bytes()), ours, "{text}");
        }
        let authority = parse("api.github.com:8443");
        assert_eq!(authority.as_str(), "api.github.com:8443");
        assert!(!authority.is_named_by(b"api.github.com"));
    }
}
