//! Where requests begin and end in a stream, by RFC 9112 alone.

use memchr::memchr;

/// What the bytes of one read show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing against them.
    Fine,
    /// From here on it may be another protocol.
    OpenEnded,
    /// A head that must not be read; `at` is the line feed of the line that shows it.
    BadHead { at: usize },
    /// A body that must not be read.
    BadBody,
}

/// Follows a stream of requests.
#[derive(Debug)]
pub(super) struct Messages {
    place: Place,
    /// The part of the line that came with earlier reads.
    line: Vec<u8>,
    head: Head,
    tunnels: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    RequestLine,
    Fields,
    /// So many bytes of a body are left.
    Body(u64),
    ChunkSize,
    /// So many bytes of a chunk are left.
    Chunk(u64),
    /// The end of line behind a chunk.
    ChunkEnd,
    Trailers,
    /// Not followed any more.
    Elsewhere,
}

/// What the head at hand has said of what comes after it.
#[derive(Debug, Default)]
struct Head {
    length: Option<u64>,
    is_chunked: bool,
    leaves_http: bool,
}

/// The line must not be read.
struct Bad;

impl Messages {
    /// At the beginning of a stream; `tunnels`: whether a request may turn it into something else.
    pub(super) fn new(tunnels: bool) -> Self {
        Self { place: Place::RequestLine, line: Vec::new(), head: Head::default(), tunnels }
    }

    /// Reads on.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Verdict {
        let mut at = 0;
        while at < bytes.len() {
            let left = &bytes[at..];
            match &mut self.place {
                Place::Elsewhere => return Verdict::OpenEnded,
                Place::Body(more) | Place::Chunk(more) => {
                    let step = usize::try_from(*more).map_or(left.len(), |n| n.min(left.len()));
                    *more -= step as u64;
                    at += step;
                    if *more == 0 {
                        let is_chunk = matches!(self.place, Place::Chunk(_));
                        self.place = if is_chunk { Place::ChunkEnd } else { Place::RequestLine };
                    }
                }
                _ => {
                    let Some(end) = memchr(b'\n', left) else {
                        // A line longer than any head is refused by the HTTP stack behind.
                        let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
                        self.line.extend_from_slice(&left[..left.len().min(room)]);
                        return Verdict::Fine;
                    };
                    let mut kept = std::mem::take(&mut self.line);
                    let took = if kept.is_empty() {
                        self.take(&left[..end])
                    } else {
                        kept.extend_from_slice(&left[..end]);
                        self.take(&kept)
                    };
                    if took.is_err() {
                        return match self.place {
                            Place::RequestLine | Place::Fields => Verdict::BadHead { at: at + end },
                            _ => Verdict::BadBody,
                        };
                    }
                    at += end + 1;
                }
            }
        }
        if self.place == Place::Elsewhere { Verdict::OpenEnded } else { Verdict::Fine }
    }

    /// A line without its line feed.
    fn take(&mut self, line: &[u8]) -> Result<(), Bad> {
        let has_cr = line.last() == Some(&b'\r');
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        self.place = match self.place {
            // Empty lines before a request are skipped (RFC 9112, section 2.2).
            Place::RequestLine if text.is_empty() => Place::RequestLine,
            Place::RequestLine => {
                self.head = Head::of(text)?;
                Place::Fields
            }
            Place::Fields if text.is_empty() => self.head.after(self.tunnels),
            Place::Fields => {
                self.head.field(text)?;
                Place::Fields
            }
            // Bare line feeds are where readers of chunks part ways.
            _ if !has_cr => return Err(Bad),
            Place::ChunkSize => match chunk_size(text)? {
                0 => Place::Trailers,
                size => Place::Chunk(size),
            },
            Place::ChunkEnd if text.is_empty() => Place::ChunkSize,
            Place::Trailers if text.is_empty() => Place::RequestLine,
            Place::Trailers => Place::Trailers,
            _ => return Err(Bad),
        };
        Ok(())
    }
}

impl Head {
    /// Of a request line. What is no request line is left to the HTTP stack.
    fn of(line: &[u8]) -> Result<Self, Bad> {
        let mut words = line.split(|b| *b == b' ');
        let method = words.next().unwrap_or_default();
        // RFC 9112, section 3.2: no form of a target has a fragment.
        if words.any(|word| memchr(b'#', word).is_some()) {
            return Err(Bad);
        }
        Ok(Self { leaves_http: method == b"CONNECT", ..Self::default() })
    }

    fn field(&mut self, line: &[u8]) -> Result<(), Bad> {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Bad); // RFC 9112, section 5.2
        }
        let Some(colon) = memchr(b':', line) else { return Ok(()) };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let is = |other: &[u8]| name.trim_ascii().eq_ignore_ascii_case(other);
        if is(b"content-length") {
            let length = digits(value, 10)?;
            if self.length.is_some_and(|before| before != length) {
                return Err(Bad);
            }
            self.length = Some(length);
        } else if is(b"transfer-encoding") {
            self.is_chunked = true;
        } else if is(b"upgrade") && value.eq_ignore_ascii_case(b"websocket") {
            self.leaves_http = true;
        }
        // RFC 9112, section 6.3: two framings ought to be handled as an error.
        if self.length.is_some() && self.is_chunked { Err(Bad) } else { Ok(()) }
    }

    fn after(&self, tunnels: bool) -> Place {
        match (self.is_chunked, self.length) {
            _ if tunnels && self.leaves_http => Place::Elsewhere,
            (true, _) => Place::ChunkSize,
            (false, Some(1..)) => Place::Body(self.length.unwrap_or_default()),
            (false, _) => Place::RequestLine,
        }
    }
}

/// RFC 9112, section 7.1; extensions are read past.
fn chunk_size(line: &[u8]) -> Result<u64, Bad> {
    let size = line.split(|b| *b == b';').next().unwrap_or_default();
    digits(size.trim_ascii_end(), 16)
}

fn digits(text: &[u8], base: u32) -> Result<u64, Bad> {
    let is_plain = !text.is_empty() && text.iter().all(|b| char::from(*b).is_digit(base));
    let text = std::str::from_utf8(text).map_err(|_| Bad)?;
    if is_plain { u64::from_str_radix(text, base).map_err(|_| Bad) } else { Err(Bad) }
}

/// As long as any head may be.
const LINE_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads in pieces of every size; what comes of it must not depend on them.
    fn reads(sent: &str) -> Verdict {
        let whole = Messages::new(true).read(sent.as_bytes());
        for piece in 1..sent.len() {
            let mut messages = Messages::new(true);
            let mut last = Verdict::Fine;
            for (at, bytes) in sent.as_bytes().chunks(piece).enumerate() {
                last = messages.read(bytes);
                match last {
                    Verdict::BadHead { at: inside } => {
                        last = Verdict::BadHead { at: at * piece + inside };
                        break;
                    }
                    Verdict::BadBody => break,
                    Verdict::Fine | Verdict::OpenEnded => {}
                }
            }
            assert_eq!(last, whole, "{sent:?} in pieces of {piece}");
        }
        whole
    }

    #[test]
    fn requests_follow_one_another() {
        for fine in [
            "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\n#\r\n: GET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\na;x=y\r\n0123456789\r\n0\r\nTrailer: #1\r\n\r\nGET / HTTP/1.1\r\nA: #\r\n\r\n",
            "PUT / HTTP/1.1\nContent-Length: 0\n\nGET / HTTP/1.1\n\n",
        ] {
            assert_eq!(reads(fine), Verdict::Fine, "{fine:?}");
        }
    }

    #[test]
    fn two_framings_a_fragment_and_a_folded_line_are_bad_heads() {
        for (bad, line) in [
            (
                "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
                "chunked\r",
            ),
            ("POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\nCONTENT-LENGTH : 4\r\n\r\n", "4\r"),
            ("POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", "5\r"),
            ("POST / HTTP/1.1\r\nContent-Length: 4, 4\r\n\r\n", "4, 4\r"),
            ("POST / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\n", "617\r"),
            ("GET /read#/../x HTTP/1.1\r\n\r\n", "HTTP/1.1\r"),
            ("GET /a b#c HTTP/1.1\r\n\r\n", "HTTP/1.1\r"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", " chunked\r"),
            // The second request of a stream is looked at as the first is.
            ("GET / HTTP/1.1\r\n\r\nGET /#x HTTP/1.1\r\n\r\n", "#x HTTP/1.1\r"),
        ] {
            let at = bad.find(&format!("{line}\n")).unwrap() + line.len();
            assert_eq!(reads(bad), Verdict::BadHead { at }, "{bad:?}");
        }
    }

    #[test]
    fn chunks_have_one_form() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for bad in [
            "2\nab\r\n0\r\n\r\n",
            "\r\n",
            "g\r\n",
            "2\r\nabX\r\n",
            "-1\r\n",
            "10000000000000002\r\n",
        ] {
            assert_eq!(reads(&format!("{head}{bad}")), Verdict::BadBody, "{bad:?}");
        }
    }

    #[test]
    fn what_may_leave_http_is_told_where_tunnels_are_possible() {
        let connect = "CONNECT a:1 HTTP/1.1\r\n\r\n\x16\x03\x01#";
        assert_eq!(reads(connect), Verdict::OpenEnded);
        assert_eq!(reads("GET / HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n"), Verdict::OpenEnded);
        assert_eq!(
            reads("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\nGET / HTTP/1.1\r\n"),
            Verdict::Fine
        );
        let mut requests = Messages::new(false);
        assert_eq!(requests.read(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), Verdict::Fine);
        assert_eq!(requests.read(b"GET /#x HTTP/1.1\r\n"), Verdict::BadHead { at: 17 });
    }
}
