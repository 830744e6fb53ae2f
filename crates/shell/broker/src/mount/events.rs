//! Server-sent events, as an answer of streamable HTTP has them: data, and nothing else of an event.
//!
//! Source: WHATWG HTML, section 9.2.6.

use super::error::MountFault;

/// Reads events of a stream that comes in pieces.
#[derive(Debug)]
pub(super) struct Events {
    /// The line that is not whole.
    line: Vec<u8>,
    /// Data of the event that is not over.
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was a CR, which may be half of an end of line.
    after_cr: bool,
    bytes_max: usize,
}

impl Events {
    /// Of a stream whose events have at most `bytes_max` bytes.
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self { line: Vec::new(), data: Vec::new(), has_data: false, after_cr: false, bytes_max }
    }

    /// Takes a piece, and gives the data of each event that it ends.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, MountFault> {
        let mut events = Vec::new();
        for &byte in piece {
            let is_second = byte == b'\n' && std::mem::take(&mut self.after_cr);
            if is_second {
                continue;
            }
            self.after_cr = byte == b'\r';
            if matches!(byte, b'\r' | b'\n') {
                let line = std::mem::take(&mut self.line);
                events.extend(self.end_line(&line));
                continue;
            }
            self.line.push(byte);
            if self.line.len() + self.data.len() > self.bytes_max {
                return Err(MountFault::TooLong(self.bytes_max as u64));
            }
        }
        Ok(events)
    }

    fn end_line(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return std::mem::take(&mut self.has_data).then_some(data);
        }
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        let value = line.strip_prefix(b"data")?;
        let value = match value {
            [b':', b' ', rest @ ..] | [b':', rest @ ..] => rest,
            [] => value,
            _ => return None,
        };
        if self.has_data {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.data.extend_from_slice(value);
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(pieces: &[&[u8]]) -> Vec<String> {
        let mut events = Events::new(1000);
        let found = pieces.iter().flat_map(|piece| events.push(piece).unwrap());
        found.map(|data| String::from_utf8(data).unwrap()).collect()
    }

    #[test]
    fn data_is_joined_and_the_rest_is_passed_over() {
        let stream = b": hello\nevent: message\nid: 7\ndata: {\"a\":\ndata:1}\n\nretry: 5\n\ndata\n\ndata: z";
        assert_eq!(all(&[stream]), ["{\"a\":\n1}", ""]);
        assert_eq!(all(&[b"data: a\r\n\r\ndata: b\r\rdatax: c\n\n"]), ["a", "b"]);
        assert_eq!(all(&["\u{feff}data: a\n\n".as_bytes()]), ["a"]);
    }

    #[test]
    fn an_event_without_end_is_cut_off() {
        let mut events = Events::new(10);
        assert_eq!(events.push(b"data: 1\n"), Ok(vec![]));
        assert_eq!(events.push(&[b'x'; 20]), Err(MountFault::TooLong(10)));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in "[ab:\\r\\n ]{0,40}(data: [ab]{0,3}(\\r\\n|\\n|\\r)){0,4}", at in 0usize..60) {
            let bytes = text.as_bytes();
            let at = at.min(bytes.len());
            prop_assert_eq!(all(&[bytes]), all(&[&bytes[..at], &bytes[at..]]));
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(all(&[bytes]), all(&single));
        }
    }
}
