//! Where a request body ends, so that the next head on the connection is found where it is.

use super::FramingError;

/// What is left of one message after its head (RFC 9112, section 6), followed byte for byte.
///
/// Two parties that disagree on where a body ends let one of them speak in the other's name, so
/// this side accepts one spelling only: no bare LF, no white space around a chunk size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing(State);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Done,
    Length(u64),
    Size { value: u64, digits: u8 },
    Extension { size: u64, left: u16 },
    SizeEnd(u64),
    Data(u64),
    DataReturn,
    DataEnd,
    TrailerStart { left: u16 },
    Trailer { left: u16 },
    TrailerEnd { left: u16 },
    LastEnd,
}

impl Framing {
    /// No body.
    pub const fn none() -> Self {
        Self(State::Done)
    }

    /// `length` bytes of body.
    pub const fn length(length: u64) -> Self {
        Self(if length == 0 { State::Done } else { State::Length(length) })
    }

    /// A chunked body with trailers.
    pub const fn chunked() -> Self {
        Self(State::Size { value: 0, digits: 0 })
    }

    /// Whether the message is complete; the next byte begins a head.
    pub const fn is_done(&self) -> bool {
        matches!(self.0, State::Done)
    }

    /// Moves over the bytes of `bytes` that belong to this message and says how many they are:
    /// fewer than given only where the message ends. After an error the state is not to be used.
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, FramingError> {
        let mut used = 0;
        while used < bytes.len() && !self.is_done() {
            match &mut self.0 {
                State::Length(left) | State::Data(left) => {
                    let room = bytes.len() - used;
                    let step = usize::try_from(*left).map_or(room, |left| left.min(room));
                    used += step;
                    *left -= step as u64;
                    if *left == 0 {
                        let chunked = matches!(self.0, State::Data(_));
                        self.0 = if chunked { State::DataReturn } else { State::Done };
                    }
                }
                _ => {
                    self.0 = self.0.step(bytes[used])?;
                    used += 1;
                }
            }
        }
        Ok(used)
    }
}

impl State {
    /// The state after one byte of chunk framing or trailers.
    fn step(self, byte: u8) -> Result<State, FramingError> {
        Ok(match (self, byte) {
            (State::Size { value, digits }, _) if byte.is_ascii_hexdigit() && digits < 15 => {
                let digit = match byte {
                    b'0'..=b'9' => byte - b'0',
                    _ => (byte | 0x20) - b'a' + 10,
                };
                State::Size { value: value << 4 | u64::from(digit), digits: digits + 1 }
            }
            (State::Size { value, digits: 1.. }, b'\r') => State::SizeEnd(value),
            (State::Size { value, digits: 1.. }, b';') => {
                State::Extension { size: value, left: EXTENSION_BYTES_MAX }
            }
            (State::Size { .. }, _) => return Err(FramingError::ChunkSize),

            (State::Extension { size, .. }, b'\r') => State::SizeEnd(size),
            (State::Extension { size, left: left @ 1.. }, _) if is_text(byte) => {
                State::Extension { size, left: left - 1 }
            }
            (State::Extension { .. }, _) => return Err(FramingError::ChunkExtension),

            (State::SizeEnd(0), b'\n') => State::TrailerStart { left: TRAILER_BYTES_MAX },
            (State::SizeEnd(size), b'\n') => State::Data(size),
            (State::SizeEnd(_), _) => return Err(FramingError::ChunkSize),

            (State::DataReturn, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => State::Size { value: 0, digits: 0 },
            (State::DataReturn | State::DataEnd, _) => return Err(FramingError::ChunkEnd),

            (State::TrailerStart { .. }, b'\r') => State::LastEnd,
            (State::LastEnd, b'\n') => State::Done,
            (State::Trailer { left }, b'\r') => State::TrailerEnd { left },
            (State::TrailerEnd { left }, b'\n') => State::TrailerStart { left },
            // A trailer line cannot begin with white space or a colon: it would be folded or nameless.
            (State::TrailerStart { left: left @ 1.. }, _)
                if is_text(byte) && !matches!(byte, b' ' | b'\t' | b':') =>
            {
                State::Trailer { left: left - 1 }
            }
            (State::Trailer { left: left @ 1.. }, _) if is_text(byte) => {
                State::Trailer { left: left - 1 }
            }
            (
                State::TrailerStart { .. }
                | State::Trailer { .. }
                | State::TrailerEnd { .. }
                | State::LastEnd,
                _,
            ) => return Err(FramingError::Trailer),

            (State::Done | State::Length(_) | State::Data(_), _) => self,
        })
    }
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= 0x20 && byte != 0x7f)
}

const EXTENSION_BYTES_MAX: u16 = 256;
const TRAILER_BYTES_MAX: u16 = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `bytes` in pieces of `size`; the bytes that belonged to the message.
    fn run(mut framing: Framing, bytes: &[u8], size: usize) -> Result<(usize, bool), FramingError> {
        let mut used = 0;
        for piece in bytes.chunks(size) {
            let taken = framing.take(piece)?;
            used += taken;
            if taken < piece.len() {
                break;
            }
        }
        Ok((used, framing.is_done()))
    }

    #[test]
    fn bodies_end_where_they_say_however_split() {
        let next = b"GET / HTTP/1.1\r\n";
        let bodies: [(Framing, &[u8]); 6] = [
            (Framing::none(), b""),
            (Framing::length(0), b""),
            (Framing::length(5), b"0\r\n\r\n"),
            (Framing::chunked(), b"0\r\n\r\n"),
            (Framing::chunked(), b"3;a=\"b\"\r\nabc\r\n0Aa\r\n"),
            (Framing::chunked(), b"3\r\n\r\n\r\r\n00\r\nX-A: b\r\nC: \xe9\r\n\r\n"),
        ];
        for (framing, body) in bodies {
            let mut body = body.to_vec();
            if body.ends_with(b"0Aa\r\n") {
                body.extend([b'x'; 0xAA]);
                body.extend(b"\r\n0\r\n\r\n");
            }
            let whole = [&body[..], next].concat();
            for size in 1..=whole.len() {
                assert_eq!(run(framing, &whole, size), Ok((body.len(), true)), "{body:?} {size}");
            }
            for cut in 0..body.len() {
                assert_eq!(run(framing, &body[..cut], 7), Ok((cut, false)), "{body:?} {cut}");
            }
        }
    }

    #[test]
    fn one_spelling_is_accepted() {
        use FramingError::*;
        let long_extension = format!("1;{}\r\n", "a".repeat(257));
        let long_trailer = format!("0\r\na: {}\r\n\r\n", "a".repeat(8190));
        let cases: [(&[u8], FramingError); 18] = [
            (b"\r\n", ChunkSize),
            (b" 3\r\n", ChunkSize),
            (b"3 \r\n", ChunkSize),
            (b"+3\r\n", ChunkSize),
            (b"0x3\r\n", ChunkSize),
            (b"3\n", ChunkSize),
            (b"3\rabc", ChunkSize),
            (b"1234567890abcdef\r\n", ChunkSize),
            (b"3;a\nb\r\n", ChunkExtension),
            (long_extension.as_bytes(), ChunkExtension),
            (b"3\r\nabcd", ChunkEnd),
            (b"3\r\nabc\n", ChunkEnd),
            (b"3\r\nabc\rx", ChunkEnd),
            (b"0\r\n\n", Trailer),
            (b"0\r\na: b\n\r\n", Trailer),
            (b"0\r\n folded\r\n\r\n", Trailer),
            (b"0\r\na: \0\r\n\r\n", Trailer),
            (long_trailer.as_bytes(), Trailer),
        ];
        for (bytes, error) in cases {
            assert_eq!(run(Framing::chunked(), bytes, 1), Err(error), "{bytes:?}");
            assert_eq!(run(Framing::chunked(), bytes, bytes.len()), Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn the_longest_body_does_not_overflow() {
        let mut framing = Framing::length(u64::MAX);
        assert_eq!(framing.take(b"abc"), Ok(3));
        assert!(!framing.is_done());
        let mut framing = Framing::chunked();
        assert_eq!(framing.take(b"fffffffffffffff\r\nabc"), Ok(20));
    }
}
