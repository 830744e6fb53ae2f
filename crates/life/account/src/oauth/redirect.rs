//! Where an answer goes: `https`, or this machine by `http` (OAuth 2.1, section 2.3; RFC 8252, section 7.3).

use std::fmt;

/// Bytes of the longest.
pub const REDIRECT_URI_BYTES_MAX: usize = 1024;

/// A redirect URI in a form that every reader takes apart alike: scheme, host, port, path, query; no user, no
/// fragment, no backslash, no dot segments, ASCII alone.
#[derive(Clone, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    is_loopback: bool,
    /// The host with its port, as it stands in the text.
    authority: std::ops::Range<usize>,
}

impl RedirectUri {
    /// Reads one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > REDIRECT_URI_BYTES_MAX || !text.bytes().all(is_plain) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        let (host, port) = split_port(authority)?;
        let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let is_taken = match scheme {
            "https" => is_name(host) || is_loopback,
            "http" => is_loopback,
            _ => false,
        };
        let path = behind.split('?').next().unwrap_or_default();
        let has_dots = path.split('/').any(is_dots);
        if !is_taken || has_dots || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return None;
        }
        let from = scheme.len() + 3;
        let authority = from..from + end;
        Some(Self { text: text.to_owned(), is_loopback, authority })
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port, for a person to read.
    pub fn authority(&self) -> &str {
        &self.text[self.authority.clone()]
    }

    /// Whether it is a program on the person's own machine.
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Whether an answer may go to `asked` where this one is registered: the same text; on loopback by `http`
    /// the port may differ, as a program takes whichever is free.
    pub fn admits(&self, asked: &Self) -> bool {
        self.text == asked.text
            || self.is_loopback
                && asked.is_loopback
                && self.text.starts_with("http:")
                && self.without_port() == asked.without_port()
    }

    /// The address with parameters behind it.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut text = self.text.clone();
        let mut before = if text.contains('?') { '&' } else { '?' };
        for (name, value) in parameters {
            text.push(before);
            text.push_str(name);
            text.push('=');
            super::form::encode(value, &mut text);
            before = '&';
        }
        text
    }

    fn without_port(&self) -> (&str, &str, &str) {
        let authority = self.authority();
        let host = split_port(authority).map_or(authority, |(host, _)| host);
        (&self.text[..self.authority.start], host, &self.text[self.authority.end..])
    }
}

impl fmt::Debug for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What stands in a URI (RFC 3986), without what begins a fragment or a user.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?[]!$&'()*+,;=%".contains(&byte)
}

/// `host` and `port`; an address in brackets keeps them.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let host_end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(host_end);
    match rest.strip_prefix(':') {
        // No sign, no empty port, no zeros before it: one spelling.
        Some(port) => {
            let is_number = !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
            (is_number && !port.is_empty()).then_some((host, Some(port)))
        }
        None => rest.is_empty().then_some((host, None)),
    }
}

/// A DNS name in lower case with a dot in it; no address, whose last part would be a number.
pub(super) fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let mut labels = host.split('.');
    let last = labels.next_back().unwrap_or_default();
    let is_number = last.starts_with(|c: char| c.is_ascii_digit());
    host.len() <= 253 && host.contains('.') && is_label(last) && !is_number && labels.all(is_label)
}

/// `.` and `..`, in any spelling of the dots.
fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}
