//! gzip and deflate.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::UndecodableBody;

/// One deflate stream, raw or with zlib's frame.
struct Stream {
    inflate: Decompress,
    is_over: bool,
}

impl Stream {
    fn new(is_zlib: bool) -> Self {
        Self { inflate: Decompress::new(is_zlib), is_over: false }
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), UndecodableBody> {
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, out, FlushDecompress::None);
        self.is_over = status.map_err(|_| UndecodableBody::Damaged)? == Status::StreamEnd;
        let used = (self.inflate.total_in() - before.0) as usize;
        let made = (self.inflate.total_out() - before.1) as usize;
        Ok((used, made))
    }
}

/// RFC 1952. What a header says (name, comment, extra field) is read over and shown to nobody.
pub(super) struct Gzip {
    part: Part,
    flags: u8,
    header_bytes: u32,
    stream: Stream,
    crc: Crc,
    trailer: [u8; 8],
}

/// Where in a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The ten bytes that every member has, and how many were read.
    Fixed(u8),
    /// The extra field's length, low byte first.
    ExtraLow,
    ExtraHigh(u8),
    Extra(u16),
    Name,
    Comment,
    HeaderCrc(u8),
    Body,
    Trailer(u8),
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Fixed(0),
            flags: 0,
            header_bytes: 0,
            stream: Stream::new(false),
            crc: Crc::new(),
            trailer: [0; 8],
        }
    }

    /// Between members.
    pub(super) fn is_at_end(&self) -> bool {
        self.part == Part::Fixed(0)
    }

    pub(super) fn step(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), UndecodableBody> {
        if self.part == Part::Body {
            let (used, made) = self.stream.step(input, out)?;
            self.crc.update(&out[..made]);
            if self.stream.is_over {
                self.part = Part::Trailer(0);
            }
            return Ok((used, made));
        }
        let mut used = 0;
        while let (Some(byte), false) = (input.get(used), self.part == Part::Body) {
            self.part = self.header(*byte)?;
            used += 1;
        }
        Ok((used, 0))
    }

    fn header(&mut self, byte: u8) -> Result<Part, UndecodableBody> {
        self.header_bytes += 1;
        if self.header_bytes > HEADER_BYTES_MAX {
            return Err(UndecodableBody::Window);
        }
        match self.part {
            Part::Fixed(at) => {
                match (at, byte) {
                    (0, 0x1f) | (1, 0x8b) | (2, 8) | (4.., _) => {}
                    (0, _) if self.stream.is_over => return Err(UndecodableBody::Trailing),
                    (3, flags) if flags & 0xe0 == 0 => self.flags = flags,
                    _ => return Err(UndecodableBody::Damaged),
                }
                if at < 9 {
                    Ok(Part::Fixed(at + 1))
                } else {
                    Ok(self.after(EXTRA | NAME | COMMENT | HEADER_CRC))
                }
            }
            Part::ExtraLow => Ok(Part::ExtraHigh(byte)),
            Part::ExtraHigh(low) => match u16::from_le_bytes([low, byte]) {
                0 => Ok(self.after(NAME | COMMENT | HEADER_CRC)),
                left => Ok(Part::Extra(left)),
            },
            Part::Extra(1) => Ok(self.after(NAME | COMMENT | HEADER_CRC)),
            Part::Extra(left) => Ok(Part::Extra(left - 1)),
            Part::Name if byte == 0 => Ok(self.after(COMMENT | HEADER_CRC)),
            Part::Comment if byte == 0 => Ok(self.after(HEADER_CRC)),
            Part::Name | Part::Comment => Ok(self.part),
            Part::HeaderCrc(0) => Ok(Part::HeaderCrc(1)),
            Part::HeaderCrc(_) => Ok(self.body()),
            Part::Trailer(at) => {
                self.trailer[usize::from(at)] = byte;
                if at < 7 { Ok(Part::Trailer(at + 1)) } else { self.end() }
            }
            // INFALLIBLE: `step` leaves the loop there.
            Part::Body => unreachable!("a body is not read as a header"),
        }
    }

    /// The first of `fields` that the flags name; they stand in this order.
    fn after(&mut self, fields: u8) -> Part {
        match self.flags & fields {
            rest if rest & EXTRA != 0 => Part::ExtraLow,
            rest if rest & NAME != 0 => Part::Name,
            rest if rest & COMMENT != 0 => Part::Comment,
            rest if rest & HEADER_CRC != 0 => Part::HeaderCrc(0),
            _ => self.body(),
        }
    }

    fn body(&mut self) -> Part {
        self.stream = Stream::new(false);
        self.crc = Crc::new();
        Part::Body
    }

    fn end(&mut self) -> Result<Part, UndecodableBody> {
        let [a, b, c, d, e, f, g, h] = self.trailer;
        let is_whole = u32::from_le_bytes([a, b, c, d]) == self.crc.sum()
            && u32::from_le_bytes([e, f, g, h]) == self.crc.amount();
        self.header_bytes = 0;
        if is_whole { Ok(Part::Fixed(0)) } else { Err(UndecodableBody::Damaged) }
    }
}

/// RFC 1950, or RFC 1951 where the first two bytes are no zlib header.
pub(super) struct Deflate {
    first: Option<u8>,
    stream: Option<Stream>,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self { first: None, stream: None }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.is_over)
    }

    pub(super) fn step(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), UndecodableBody> {
        if let Some(stream) = &mut self.stream {
            if stream.is_over && !input.is_empty() {
                return Err(UndecodableBody::Trailing);
            }
            return if stream.is_over { Ok((0, 0)) } else { stream.step(input, out) };
        }
        let Some(next) = input.first() else { return Ok((0, 0)) };
        let Some(first) = self.first else {
            self.first = Some(*next);
            return Ok((1, 0));
        };
        let head = [first, *next];
        let stream = self.stream.insert(Stream::new(is_zlib(head)));
        let (used, made) = stream.step(&head, out)?;
        // A stream of a single byte is none, and two bytes always fit the decoder.
        if used == 2 { Ok((1, made)) } else { Err(UndecodableBody::Damaged) }
    }
}

/// Whether a `deflate` body begins with a zlib header (RFC 1950, section 2.2).
pub(super) fn is_zlib(first: [u8; 2]) -> bool {
    first[0] & 0x0f == 8 && first[0] >> 4 <= 7 && u16::from_be_bytes(first).is_multiple_of(31)
}

const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const HEADER_CRC: u8 = 2;
/// Name and comment have no length of their own.
const HEADER_BYTES_MAX: u32 = 1 << 18;
