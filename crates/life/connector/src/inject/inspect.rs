//! The last look at a request head before a credential is put into it.

use memchr::{memchr, memmem};

use super::slot::is_token;
use super::{FormPlan, Framing, InjectError, Placeholder, Slot};
use crate::ssrf::Authority;

/// The longest head, placeholder included. With the longest credential it makes one TLS record.
pub const HEAD_BYTES_MAX: usize = 12 * 1024;

/// What the next head on a connection must carry.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// What stands for the credential.
    pub placeholder: &'a Placeholder,
    /// Where it stands.
    pub slot: &'a Slot,
    /// To whom the request goes: the connection's, never the caller's.
    pub authority: &'a Authority,
}

/// What to do with a head that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where the placeholder begins, counted from the head's start; [`Placeholder::LEN`] bytes are
    /// replaced. `None` where the slot is [`Slot::Nowhere`]: the head goes out as it is.
    pub at: Option<usize>,
    /// How the body that follows is framed, as the HTTP stack writes it.
    pub framing: Framing,
    /// For a form, which is checked and measured anew when its first bytes are there.
    pub form: Option<FormPlan>,
}

/// Checks a complete head, with its last empty line, against what it must carry.
///
/// The bytes given are the bytes that go out: there is no second parse. Pure, without allocation,
/// under 1 µs for 400 bytes. Errs with the first check of `specs/injection.md` that fails.
pub fn inspect_head(head: &[u8], expected: &Expected<'_>) -> Result<Plan, InjectError> {
    inspect(head, expected, false)
}

/// As [`inspect_head`], of a head that asks for WebSocket (RFC 6455, section 4.1): one Upgrade, which
/// is `websocket` and which Connection names, and no body.
pub fn inspect_upgrade_head(head: &[u8], expected: &Expected<'_>) -> Result<Plan, InjectError> {
    inspect(head, expected, true)
}

fn inspect(head: &[u8], expected: &Expected<'_>, upgrades: bool) -> Result<Plan, InjectError> {
    if head.len() > HEAD_BYTES_MAX {
        return Err(InjectError::HeadTooLong);
    }
    if !head.ends_with(b"\r\n\r\n") {
        return Err(InjectError::Unterminated);
    }
    // A form has it in the body, and what is signed nowhere.
    let at = if expected.slot.is_nowhere() || matches!(expected.slot, Slot::Form { .. }) {
        match memmem::find(head, expected.placeholder.as_bytes()) {
            None => head.len(),
            Some(_) => return Err(InjectError::PlaceholderElsewhere),
        }
    } else {
        find_once(head, expected.placeholder)?
    };
    let mut lines = Lines { head, next: 0 };
    let (start, request_line) = lines.next().ok_or(InjectError::Unterminated)??;
    let placed = request(request_line, start, at, expected)?;
    let mut fields = Fields::new(expected, at, placed);
    fields.upgrade = upgrades.then_some(Upgrade::default());
    for line in lines {
        let (start, line) = line?;
        if line.is_empty() {
            let is_last = start + 2 == head.len();
            return if is_last { fields.finish(head.len()) } else { Err(InjectError::SecondHead) };
        }
        fields.line(start, line)?;
    }
    Err(InjectError::Unterminated)
}

/// The lines of a head with their offsets, without CR LF, each checked for stray bytes.
struct Lines<'a> {
    head: &'a [u8],
    next: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<(usize, &'a [u8]), InjectError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.next;
        let rest = &self.head[start..];
        let end = memchr(b'\n', rest)?;
        self.next = start + end + 1;
        let Some(line) = rest[..end].strip_suffix(b"\r") else {
            return Some(Err(InjectError::BareLineFeed));
        };
        Some(stray(line).map_or(Ok((start, line)), Err))
    }
}

/// The first control character of a line that is not HTAB, as an error.
fn stray(line: &[u8]) -> Option<InjectError> {
    let is_stray = |b: u8| (b < 0x20 && b != b'\t') || b == 0x7f;
    // A fold without an early exit is compiled to vector instructions.
    if !line.iter().fold(false, |found, b| found | is_stray(*b)) {
        return None;
    }
    line.iter().find(|b| is_stray(**b)).map(|b| match b {
        b'\r' => InjectError::BareCarriageReturn,
        0 => InjectError::Nul,
        _ => InjectError::Control,
    })
}

fn find_once(head: &[u8], placeholder: &Placeholder) -> Result<usize, InjectError> {
    let finder = memmem::Finder::new(placeholder.as_bytes());
    let at = finder.find(head).ok_or(InjectError::PlaceholderMissing)?;
    match finder.find(&head[at + 1..]) {
        None => Ok(at),
        Some(_) => Err(InjectError::PlaceholderTwice),
    }
}

/// Checks the request line; whether the placeholder is in its slot there.
fn request(
    line: &[u8],
    start: usize,
    at: usize,
    expected: &Expected<'_>,
) -> Result<bool, InjectError> {
    let (method, rest) = split_at_byte(line, b' ').ok_or(InjectError::RequestLine)?;
    let (target, version) = split_at_byte(rest, b' ').ok_or(InjectError::RequestLine)?;
    if method.is_empty() || target.is_empty() || version.contains(&b' ') {
        return Err(InjectError::RequestLine);
    }
    if !method.iter().all(|b| is_token(*b)) || method == b"CONNECT" {
        return Err(InjectError::Method);
    }
    if version != b"HTTP/1.1" {
        return Err(InjectError::Version);
    }
    let is_target = |b: u8| (0x21..0x7f).contains(&b) && b != b'#';
    if !target.iter().fold(true, |fits, b| fits & is_target(*b)) {
        return Err(InjectError::Target);
    }
    let target_start = start + method.len() + 1;
    let path = local_part(target, expected.authority)?;
    let path_start = target_start + target.len() - path.len();
    if let Slot::Query { name } = expected.slot {
        return query(path, path_start, at, name.as_str());
    }
    if at < start + line.len() { Err(InjectError::PlaceholderElsewhere) } else { Ok(false) }
}

/// The path and query of a target, after the origin of absolute-form has been checked.
fn local_part<'a>(target: &'a [u8], authority: &Authority) -> Result<&'a [u8], InjectError> {
    if target[0] == b'/' {
        return Ok(target);
    }
    let scheme_end = memmem::find(target, b"://").ok_or(InjectError::Target)?;
    let (scheme, rest) = (&target[..scheme_end], &target[scheme_end + 3..]);
    let named_end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    let (named, path) = rest.split_at(named_end);
    let is_ours = scheme.eq_ignore_ascii_case(authority.scheme().as_str().as_bytes())
        && authority.is_named_by(named);
    if is_ours { Ok(path) } else { Err(InjectError::TargetOrigin) }
}

/// Whether the placeholder is the whole value of the one parameter `name`.
fn query(path: &[u8], start: usize, at: usize, name: &str) -> Result<bool, InjectError> {
    let Some(mark) = memchr(b'?', path) else {
        return Err(InjectError::PlaceholderElsewhere);
    };
    let mut placed = false;
    let mut named = false;
    let mut pair_start = start + mark + 1;
    for pair in path[mark + 1..].split(|b| *b == b'&') {
        let pair_end = pair_start + pair.len();
        let equals = memchr(b'=', pair).unwrap_or(pair.len());
        if decodes_to(&pair[..equals], name.as_bytes()) {
            if named {
                return Err(InjectError::SlotTwice);
            }
            named = true;
            if (pair_start..pair_end).contains(&at) {
                in_slot(&pair[..at - pair_start], &pair[..equals], b"=")?;
                placed = ends_at(pair_end, at)?;
            }
        }
        pair_start = pair_end + 1;
    }
    if placed { Ok(true) } else { Err(InjectError::PlaceholderElsewhere) }
}

/// Errs unless `before`, the bytes in front of the placeholder, is `name` and then `prefix`.
fn in_slot(before: &[u8], name: &[u8], prefix: &[u8]) -> Result<(), InjectError> {
    let fits = before.strip_prefix(name) == Some(prefix);
    if fits { Ok(()) } else { Err(InjectError::SlotPrefix) }
}

fn ends_at(end: usize, at: usize) -> Result<bool, InjectError> {
    if at + Placeholder::LEN == end { Ok(true) } else { Err(InjectError::SlotSuffix) }
}

/// Whether `text` is `name` after percent-decoding; `name` has unreserved characters only.
pub(super) fn decodes_to(text: &[u8], name: &[u8]) -> bool {
    let mut rest = text;
    for expected in name {
        let (byte, used) = match rest {
            [b'%', high, low, ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => return false,
            },
            [byte, ..] => (*byte, 1),
            [] => return false,
        };
        if byte != *expected {
            return false;
        }
        rest = &rest[used..];
    }
    rest.is_empty()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

fn split_at_byte(bytes: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr(byte, bytes)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// What the header lines have said so far.
struct Fields<'a> {
    expected: &'a Expected<'a>,
    at: usize,
    placed: bool,
    slot_seen: bool,
    host_seen: bool,
    length: Option<u64>,
    /// Where the digits of Content-Length stand.
    digits: (usize, usize),
    is_chunked: bool,
    /// Whether a Content-Type of a form was seen, for a form alone.
    form_type: bool,
    /// What was seen of an upgrade; `None` where none may be asked for.
    upgrade: Option<Upgrade>,
}

#[derive(Clone, Copy, Default)]
struct Upgrade {
    asked: bool,
    named: bool,
}

impl<'a> Fields<'a> {
    fn new(expected: &'a Expected<'a>, at: usize, placed: bool) -> Self {
        Self {
            expected,
            at,
            placed,
            slot_seen: false,
            host_seen: false,
            length: None,
            digits: (0, 0),
            is_chunked: false,
            form_type: false,
            upgrade: None,
        }
    }

    fn line(&mut self, start: usize, line: &[u8]) -> Result<(), InjectError> {
        if matches!(line[0], b' ' | b'\t') {
            return Err(InjectError::Folded);
        }
        let (name, value) = split_at_byte(line, b':').ok_or(InjectError::HeaderName)?;
        if name.is_empty() || !name.iter().all(|b| is_token(*b)) {
            return Err(InjectError::HeaderName);
        }
        let holds_placeholder = (start..start + line.len()).contains(&self.at);
        if let Some((slot, prefix)) = self.expected.slot.carrier()
            && is_spelling_of(name, slot.as_bytes())
        {
            return self.slot(start, line, name.len() + 1, prefix, holds_placeholder);
        }
        match self.expected.slot {
            Slot::Cookie { name: cookie } if is_spelling_of(name, b"cookie") => {
                let at = self.at.wrapping_sub(start + name.len() + 1);
                return self.cookies(value, cookie.as_str(), holds_placeholder.then_some(at));
            }
            Slot::Form { .. } => self.form(name, value.trim_ascii())?,
            _ => {}
        }
        if holds_placeholder {
            return Err(InjectError::PlaceholderElsewhere);
        }
        self.framing(name, value.trim_ascii(), start + line.len())
    }

    /// One header with all cookies; the placeholder is the whole value of the one that is named.
    fn cookies(
        &mut self,
        value: &[u8],
        cookie: &str,
        at: Option<usize>,
    ) -> Result<(), InjectError> {
        if std::mem::replace(&mut self.slot_seen, true) {
            return Err(InjectError::SlotTwice);
        }
        let (mut start, mut named) = (0, false);
        for pair in value.split(|b| *b == b';') {
            let end = start + pair.len();
            let equals = memchr(b'=', pair).unwrap_or(pair.len());
            if is_cookie(pair[..equals].trim_ascii(), cookie) {
                if std::mem::replace(&mut named, true) {
                    return Err(InjectError::SlotTwice);
                }
                if let Some(at) = at.filter(|at| (start..end).contains(at)) {
                    let before = pair[..at - start].trim_ascii_start();
                    in_slot(before, cookie.as_bytes(), b"=")?;
                    // A blank before the next `;` is no part of the value, and none is written.
                    self.placed = ends_at(end, at)?;
                }
            }
            start = end + 1;
        }
        if at.is_some() && !self.placed { Err(InjectError::PlaceholderElsewhere) } else { Ok(()) }
    }

    /// What makes a body something else than a plain form.
    fn form(&mut self, name: &[u8], value: &[u8]) -> Result<(), InjectError> {
        if is_spelling_of(name, b"content-encoding") {
            return Err(InjectError::FormFraming);
        }
        if is_spelling_of(name, b"content-type") {
            let (kind, parameters) = split_at_byte(value, b';').unwrap_or((value, b""));
            let is_form =
                kind.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded");
            let parameters = parameters.trim_ascii();
            let is_utf8 =
                parameters.is_empty() || parameters.eq_ignore_ascii_case(b"charset=utf-8");
            if !is_form || !is_utf8 || std::mem::replace(&mut self.form_type, true) {
                return Err(InjectError::FormType);
            }
        }
        Ok(())
    }

    fn slot(
        &mut self,
        start: usize,
        line: &[u8],
        value: usize,
        prefix: &str,
        holds_placeholder: bool,
    ) -> Result<(), InjectError> {
        if self.slot_seen {
            return Err(InjectError::SlotTwice);
        }
        self.slot_seen = true;
        if holds_placeholder {
            let before = line[value..self.at - start].trim_ascii_start();
            // White space after the prefix is the prefix's own, so only the front is trimmed.
            let fits = before == prefix.as_bytes();
            if !fits {
                return Err(InjectError::SlotPrefix);
            }
            self.placed = ends_at(start + line.len(), self.at)?;
        }
        Ok(())
    }

    /// The headers that say where the message goes and where it ends.
    fn framing(&mut self, name: &[u8], value: &[u8], end: usize) -> Result<(), InjectError> {
        // The length tells nearly all other headers apart without a comparison.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                if self.host_seen {
                    return Err(InjectError::HostTwice);
                }
                self.host_seen = true;
                if !self.expected.authority.is_named_by(value) {
                    return Err(InjectError::HostMismatch);
                }
            }
            7 if name.eq_ignore_ascii_case(b"upgrade") => match &mut self.upgrade {
                Some(u) if !u.asked && value.eq_ignore_ascii_case(b"websocket") => u.asked = true,
                _ => return Err(InjectError::Upgrade),
            },
            10 if name.eq_ignore_ascii_case(b"connection") => self.connection(value)?,
            14 if is_spelling_of(name, b"content-length") => {
                if name.contains(&b'_') {
                    return Err(InjectError::ContentLength);
                }
                if self.length.is_some() {
                    return Err(InjectError::ContentLengthTwice);
                }
                self.length = Some(decimal(value).ok_or(InjectError::ContentLength)?);
                self.digits = (end - value.len(), end);
            }
            17 if is_spelling_of(name, b"transfer-encoding") => {
                if self.is_chunked {
                    return Err(InjectError::TransferEncodingTwice);
                }
                if name.contains(&b'_') || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(InjectError::TransferEncoding);
                }
                self.is_chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) -> Result<(), InjectError> {
        for option in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
            let carrier = self.expected.slot.header_name();
            if carrier.is_some_and(|slot| is_spelling_of(option, slot.as_bytes())) {
                return Err(InjectError::ConnectionNamesSlot);
            }
            match &mut self.upgrade {
                Some(u) if option.eq_ignore_ascii_case(b"upgrade") => u.named = true,
                _ if option.eq_ignore_ascii_case(b"keep-alive") => {}
                _ if option.eq_ignore_ascii_case(b"close") => {}
                _ => return Err(InjectError::ConnectionOption),
            }
        }
        Ok(())
    }

    fn finish(self, head_len: usize) -> Result<Plan, InjectError> {
        if !self.host_seen {
            return Err(InjectError::HostMissing);
        }
        if let Slot::Form { name } = self.expected.slot
            && self.upgrade.is_none()
        {
            return self.finish_form(head_len, name.as_str().len());
        }
        let is_nowhere = self.expected.slot.is_nowhere();
        if !self.placed && !is_nowhere {
            return Err(InjectError::PlaceholderElsewhere);
        }
        let framing = match (self.length, self.is_chunked) {
            (Some(_), true) => return Err(InjectError::TwoFramings),
            (Some(length), false) => Framing::length(length),
            (None, true) => Framing::chunked(),
            (None, false) => Framing::none(),
        };
        if self.upgrade.is_some_and(|u| !u.asked || !u.named || !framing.is_done()) {
            return Err(InjectError::Upgrade);
        }
        Ok(Plan { at: (!is_nowhere).then_some(self.at), framing, form: None })
    }

    /// The field comes first in the body, so its place is known before the body is.
    fn finish_form(self, head_len: usize, name_len: usize) -> Result<Plan, InjectError> {
        if !self.form_type {
            return Err(InjectError::FormType);
        }
        let length = self.length.filter(|_| !self.is_chunked).ok_or(InjectError::FormFraming)?;
        // A blank after the number would stand between the digits and the line's end.
        let form = FormPlan { head_len, length, digits: self.digits };
        let at = head_len + name_len + 1;
        Ok(Plan { at: Some(at), framing: Framing::length(length), form: Some(form) })
    }
}

/// Whether some server takes `name` for the cookie `cookie`: any case, percent-encoded or not.
pub(super) fn is_cookie(name: &[u8], cookie: &str) -> bool {
    let plain = name.to_ascii_lowercase();
    decodes_to(&plain, cookie.to_ascii_lowercase().as_bytes())
        || name.eq_ignore_ascii_case(cookie.as_bytes())
}

/// Whether `name` is `header` to some server: any case, and `_` for `-` as CGI and WSGI have it.
fn is_spelling_of(name: &[u8], header: &[u8]) -> bool {
    let fold = |b: u8| if b == b'_' { b'-' } else { b.to_ascii_lowercase() };
    name.len() == header.len() && name.iter().zip(header).all(|(a, b)| fold(*a) == fold(*b))
}

/// A number of 1 to 18 digits and nothing else.
fn decimal(value: &[u8]) -> Option<u64> {
    let fits = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    fits.then(|| value.iter().fold(0, |number, b| number * 10 + u64::from(b - b'0')))
}
