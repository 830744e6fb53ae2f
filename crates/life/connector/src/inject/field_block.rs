//! The header block of an HTTP/2 request, in which every field stands as it is.

use memchr::memmem;

use super::inspect::inspect_head;
use super::{Expected, InjectError, Placeholder, Slot};

/// The field block of one request (RFC 9113, section 8.3.1): inspected as a head of HTTP/1.1 is, then
/// written without Huffman code and without the dynamic table (RFC 7541), so that the credential's
/// bytes stand in it as they are and nobody's table keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldBlock {
    bytes: Vec<u8>,
    at: Option<usize>,
}

/// What the pseudo-fields say.
#[derive(Clone, Copy, Debug)]
pub struct RequestLine<'a> {
    /// `:method`
    pub method: &'a str,
    /// `:path`, with the query.
    pub path: &'a str,
}

impl FieldBlock {
    /// Checks a request by the rules of `specs/injection.md` and writes its block. The placeholder
    /// becomes `wire_len` bytes later; the lengths in front of it say so already.
    ///
    /// # Errors
    /// [`InjectError`]: the first check that fails, as [`inspect_head`] gives it.
    pub fn write(
        line: RequestLine<'_>,
        fields: &[(&str, &[u8])],
        expected: &Expected<'_>,
        wire_len: usize,
    ) -> Result<Self, InjectError> {
        // A form has its credential in the body, which is not seen here.
        if matches!(expected.slot, Slot::Form { .. }) {
            return Err(InjectError::PlaceholderMissing);
        }
        inspect_head(&head(line, fields, expected)?, expected)?;
        let mut block = Self { bytes: Vec::with_capacity(512), at: None };
        // The dynamic table is not used: its size is nothing, whatever the peer would allow.
        block.bytes.push(TABLE_OF_NOTHING);
        let own = [
            (":method", line.method.as_bytes()),
            (":scheme", expected.authority.scheme().as_str().as_bytes()),
            (":authority", expected.authority.as_str().as_bytes()),
            (":path", line.path.as_bytes()),
        ];
        for (name, value) in own.iter().chain(fields) {
            block.field(name, value, expected.placeholder, wire_len);
        }
        block.field("te", b"trailers", expected.placeholder, wire_len);
        Ok(block)
    }

    /// The block, with the placeholder.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the placeholder begins; `None` where there is none.
    pub fn at(&self) -> Option<usize> {
        self.at
    }

    /// A literal with a new name (RFC 7541, sections 6.2.2 and 6.2.3).
    fn field(&mut self, name: &str, value: &[u8], placeholder: &Placeholder, wire_len: usize) {
        let found = memmem::find(value, placeholder.as_bytes());
        self.bytes.push(if found.is_some() { NEVER_INDEXED } else { NOT_INDEXED });
        self.length(name.len());
        self.bytes.extend_from_slice(name.as_bytes());
        match found {
            None => self.length(value.len()),
            Some(at) => {
                self.length(value.len() - Placeholder::LEN + wire_len);
                self.at = Some(self.bytes.len() + at);
            }
        }
        self.bytes.extend_from_slice(value);
    }

    /// A string's length with a prefix of seven bits, its Huffman flag off (RFC 7541, section 5.1).
    fn length(&mut self, length: usize) {
        if length < PREFIX_MAX {
            return self.bytes.push(length as u8);
        }
        self.bytes.push(PREFIX_MAX as u8);
        let mut rest = length - PREFIX_MAX;
        while rest >= 0x80 {
            self.bytes.push(0x80 | (rest & 0x7F) as u8);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }
}

/// The same request as HTTP/1.1 writes it: one set of rules for both.
fn head(
    line: RequestLine<'_>,
    fields: &[(&str, &[u8])],
    expected: &Expected<'_>,
) -> Result<Vec<u8>, InjectError> {
    let mut head = Vec::with_capacity(512);
    for part in [line.method, " ", line.path, " HTTP/1.1\r\nhost: ", expected.authority.as_str()] {
        head.extend_from_slice(part.as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    for (name, value) in fields {
        // What ends a line of HTTP/1.1 would be two fields there and one here.
        if name.bytes().chain(value.iter().copied()).any(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return Err(InjectError::Control);
        }
        if name.is_empty() || name.starts_with(':') || name.bytes().any(|b| b.is_ascii_uppercase())
        {
            return Err(InjectError::HeaderName);
        }
        if CONNECTION_SPECIFIC.contains(name) {
            return Err(InjectError::ConnectionOption);
        }
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    Ok(head)
}

/// A dynamic table size update to nothing (RFC 7541, section 6.3). At the start of every block, so
/// also of the first one after a peer made its table smaller (RFC 9113, section 4.3.1).
const TABLE_OF_NOTHING: u8 = 0x20;
/// Fields that HTTP/2 does not have (RFC 9113, section 8.2.2), and those written here.
const CONNECTION_SPECIFIC: [&str; 7] =
    ["connection", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];
const NOT_INDEXED: u8 = 0x00;
const NEVER_INDEXED: u8 = 0x10;
const PREFIX_MAX: usize = 0x7F;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssrf::{Allow, base_url};

    const WIRE_LEN: usize = 300;

    /// Reads literals without Huffman code: all that a block of ours may hold.
    fn read(mut block: &[u8]) -> Vec<(u8, String, Vec<u8>)> {
        fn string(block: &mut &[u8]) -> Vec<u8> {
            let mut length = usize::from(block[0]);
            assert!(length < 0x80, "Huffman code");
            *block = &block[1..];
            if length == 0x7F {
                let mut shift = 0;
                loop {
                    let byte = block[0];
                    *block = &block[1..];
                    length += usize::from(byte & 0x7F) << shift;
                    shift += 7;
                    if byte < 0x80 {
                        break;
                    }
                }
            }
            let (text, rest) = block.split_at(length);
            *block = rest;
            text.to_vec()
        }
        assert_eq!(block[0], 0x20);
        block = &block[1..];
        let mut fields = Vec::new();
        while !block.is_empty() {
            let kind = block[0];
            block = &block[1..];
            let name = String::from_utf8(string(&mut block)).expect("a name");
            fields.push((kind, name, string(&mut block)));
        }
        fields
    }

    fn write(fields: &[(&str, &[u8])], slot: &Slot) -> Result<FieldBlock, InjectError> {
        let base = base_url("https://api.example.com:8443", Allow::default()).expect("a URL");
        let placeholder = Placeholder::from_entropy([7; 16]);
        let expected = Expected { placeholder: &placeholder, slot, authority: base.authority() };
        let line = RequestLine { method: "POST", path: "/a.B/C" };
        FieldBlock::write(line, fields, &expected, WIRE_LEN)
    }

    #[test]
    fn every_field_stands_as_it_is_and_the_length_counts_the_credential() {
        let placeholder = Placeholder::from_entropy([7; 16]);
        let own = [b"Bearer ", &placeholder.as_bytes()[..]].concat();
        let long = vec![b'x'; 500];
        let block = write(&[("x-long", &long), ("authorization", &own)], &Slot::bearer());
        let block = block.expect("a block");
        let at = block.at().expect("a place");
        assert_eq!(&block.bytes()[at..at + Placeholder::LEN], placeholder.as_bytes());
        let mut opened = block.bytes().to_vec();
        opened.splice(at..at + Placeholder::LEN, vec![b'c'; WIRE_LEN]);
        let fields = read(&opened);
        let names: Vec<_> = fields.iter().map(|(kind, name, _)| (*kind, name.as_str())).collect();
        let pseudo = [(0, ":method"), (0, ":scheme"), (0, ":authority"), (0, ":path")];
        let rest = [(0, "x-long"), (0x10, "authorization"), (0, "te")];
        assert_eq!(names, [&pseudo[..], &rest].concat());
        assert_eq!(fields[2].2, b"api.example.com:8443");
        assert_eq!(fields[4].2, long);
        assert_eq!(fields[5].2, [b"Bearer ", &vec![b'c'; WIRE_LEN][..]].concat());
    }

    #[test]
    fn what_two_parsers_would_read_in_two_ways_is_refused() {
        let placeholder = Placeholder::from_entropy([7; 16]);
        let own = [b"Bearer ", &placeholder.as_bytes()[..]].concat();
        let with = |name: &'static str, value: &'static [u8]| {
            write(&[("authorization", &own), (name, value)], &Slot::bearer()).map(|_| ())
        };
        assert_eq!(with("x-a", b"plain"), Ok(()));
        assert_eq!(with("x-a", b"1\r\nx-b: 2"), Err(InjectError::Control));
        assert_eq!(with("x-a", b"1\n"), Err(InjectError::Control));
        assert_eq!(with("x-a", b"\0"), Err(InjectError::Control));
        assert_eq!(with("x-a\r\nx-b", b""), Err(InjectError::Control));
        assert_eq!(with(":path", b"/other"), Err(InjectError::HeaderName));
        assert_eq!(with("X-A", b""), Err(InjectError::HeaderName));
        assert_eq!(with("", b""), Err(InjectError::HeaderName));
        assert_eq!(with("host", b"api.example.com:8443"), Err(InjectError::ConnectionOption));
        assert_eq!(with("te", b"gzip"), Err(InjectError::ConnectionOption));
        assert_eq!(with("transfer-encoding", b"chunked"), Err(InjectError::ConnectionOption));
        assert_eq!(with("authorization", b"Bearer other"), Err(InjectError::SlotTwice));
        let form = Slot::form("key").expect("a slot");
        assert_eq!(write(&[], &form), Err(InjectError::PlaceholderMissing));
    }
}
