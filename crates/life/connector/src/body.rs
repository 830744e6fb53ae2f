//! What a response body is wrapped in, and how it is unwrapped so that it can be searched.
//!
//! Whoever reads a response decodes what it can, and so must the search: a body that this side
//! cannot decode is refused, not passed on. The decoders are written in Rust alone, so that what
//! they free is wiped by the allocator.

mod brotli;
mod inflate;
mod zstd;

use brotli::Brotli;
use inflate::{Deflate, Gzip};
use zstd::Zstd;

/// What every request sends as Accept-Encoding: an upstream that heeds it leaves nothing to decode.
pub const ACCEPT_ENCODING: &str = "identity";

/// One content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coding {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 9110, section 8.4.1.2: zlib (RFC 1950). Some servers send raw deflate (RFC 1951); the
    /// first two bytes tell.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878, any number of frames, without a dictionary.
    Zstd,
}

impl Coding {
    fn named(name: &[u8]) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match () {
            () if is("gzip") || is("x-gzip") => Some(Self::Gzip),
            () if is("deflate") => Some(Self::Deflate),
            () if is("br") => Some(Self::Brotli),
            () if is("zstd") => Some(Self::Zstd),
            () => None,
        }
    }
}

/// The codings of one body, in the order in which they were applied; none for identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codings(Vec<Coding>);

impl Codings {
    /// Reads Content-Encoding: all of its values, in order.
    ///
    /// # Errors
    /// Names that are not known, text that is no name, and more than three on top of each other.
    pub fn parse<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, UndecodableBody> {
        let mut found = Vec::new();
        let names = values.into_iter().flat_map(|value| value.split(|b| *b == b','));
        for name in names.map(<[u8]>::trim_ascii) {
            if is_identity(name) {
                continue;
            }
            let coding = Coding::named(name).ok_or(UndecodableBody::Unknown)?;
            if found.len() == CODINGS_MAX {
                return Err(UndecodableBody::Layered);
            }
            found.push(coding);
        }
        Ok(Self(found))
    }

    /// Whether Content-Encoding names codings that are not undone here, and no other: a reader
    /// that leaves the foreign ones out then has the bytes as they came.
    pub fn are_foreign<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> bool {
        let names = values.into_iter().flat_map(|value| value.split(|b| *b == b','));
        let mut names = names.map(<[u8]>::trim_ascii).filter(|name| !is_identity(name)).peekable();
        names.peek().is_some()
            && names.all(|name| Coding::named(name).is_none() && name.iter().all(|b| is_tchar(*b)))
    }

    /// Whether the body is as it is.
    pub fn is_identity(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_identity(name: &[u8]) -> bool {
    name.is_empty() || name.eq_ignore_ascii_case(b"identity")
}

/// RFC 9110, section 5.6.2.
fn is_tchar(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

/// Undoes the codings of one body as it comes.
pub struct Decoder {
    /// Outermost first.
    layers: Vec<Layer>,
    bytes_max: u64,
    /// Of an identity body.
    bytes: u64,
}

impl Decoder {
    /// For a body that may have `bytes_max` bytes once it is decoded, and while it is.
    pub fn new(codings: &Codings, bytes_max: u64) -> Self {
        let layers = codings.0.iter().rev().map(|coding| Layer::new(*coding)).collect();
        Self { layers, bytes_max, bytes: 0 }
    }

    /// Takes `input` and calls `sink` with what it decodes to, piece by piece. After an error
    /// nothing more of the body may be used.
    pub fn push<E: From<UndecodableBody>>(
        &mut self,
        input: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.layers.is_empty() {
            self.bytes = self.bytes.saturating_add(input.len() as u64);
            if self.bytes > self.bytes_max {
                return Err(UndecodableBody::TooLong(self.bytes_max).into());
            }
        }
        run(&mut self.layers, self.bytes_max, input, sink)
    }

    /// The body is over.
    ///
    /// # Errors
    /// Where a coding is not: a body cut short is damaged. No body at all is whole (HEAD, 304).
    pub fn finish(self) -> Result<(), UndecodableBody> {
        let is_whole = |layer: &Layer| layer.bytes_in == 0 || layer.codec.is_at_end();
        if self.layers.iter().all(is_whole) { Ok(()) } else { Err(UndecodableBody::Truncated) }
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("layers", &self.layers.len()).finish_non_exhaustive()
    }
}

fn run<E: From<UndecodableBody>>(
    layers: &mut [Layer],
    bytes_max: u64,
    input: &[u8],
    sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let Some((layer, inner)) = layers.split_first_mut() else { return sink(input) };
    let mut rest = input;
    layer.bytes_in += input.len() as u64;
    loop {
        let (used, made) = layer.codec.step(rest, &mut layer.piece)?;
        rest = &rest[used..];
        layer.bytes_out += made as u64;
        layer.check(bytes_max)?;
        if made > 0 {
            run(inner, bytes_max, &layer.piece[..made], sink)?;
        } else if used == 0 {
            return if rest.is_empty() { Ok(()) } else { Err(UndecodableBody::Damaged.into()) };
        }
    }
}

struct Layer {
    codec: Codec,
    piece: Box<[u8]>,
    bytes_in: u64,
    bytes_out: u64,
}

impl Layer {
    fn new(coding: Coding) -> Self {
        let codec = match coding {
            Coding::Gzip => Codec::Gzip(Gzip::new()),
            Coding::Deflate => Codec::Deflate(Deflate::new()),
            Coding::Brotli => Codec::Brotli(Box::new(Brotli::new())),
            Coding::Zstd => Codec::Zstd(Box::new(Zstd::new())),
        };
        Self { codec, piece: vec![0; PIECE_BYTES].into(), bytes_in: 0, bytes_out: 0 }
    }

    fn check(&self, bytes_max: u64) -> Result<(), UndecodableBody> {
        if self.bytes_out > bytes_max {
            return Err(UndecodableBody::TooLong(bytes_max));
        }
        if self.bytes_out > RATIO_FREE_BYTES + RATIO_MAX * self.bytes_in {
            return Err(UndecodableBody::Bomb);
        }
        Ok(())
    }
}

enum Codec {
    Gzip(Gzip),
    Deflate(Deflate),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

impl Codec {
    /// Decodes some of `input` into `out`: how much was used, how much was made. Nothing made and
    /// all used: more is needed.
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize), UndecodableBody> {
        match self {
            Codec::Gzip(codec) => codec.step(input, out),
            Codec::Deflate(codec) => codec.step(input, out),
            Codec::Brotli(codec) => codec.step(input, out),
            Codec::Zstd(codec) => codec.step(input, out),
        }
    }

    /// Whether the body may end here.
    fn is_at_end(&self) -> bool {
        match self {
            Codec::Gzip(codec) => codec.is_at_end(),
            Codec::Deflate(codec) => codec.is_at_end(),
            Codec::Brotli(codec) => codec.is_at_end(),
            Codec::Zstd(codec) => codec.is_at_end(),
        }
    }
}

/// Why a body cannot be searched. The fault is the upstream's, which was asked for `identity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UndecodableBody {
    /// None of gzip, deflate, br and zstd.
    #[error("the response has a content encoding that cannot be decoded and searched")]
    Unknown,
    /// More than three on top of each other.
    #[error("the response is encoded more than three times, which is not decoded")]
    Layered,
    /// The bytes are not what Content-Encoding says.
    #[error("the response is not in the content encoding that it names, or is damaged")]
    Damaged,
    /// It ended early.
    #[error("the encoded response ends before it is complete")]
    Truncated,
    /// More bytes after the end of what is encoded.
    #[error("the encoded response is followed by bytes that do not belong to it")]
    Trailing,
    /// A window or a dictionary that is not held for a response.
    #[error("the response needs more memory to decode than is given to one")]
    Window,
    /// Little that decodes to very much.
    #[error("the response decodes to more than {RATIO_MAX} times its size")]
    Bomb,
    /// Beyond the limit once decoded.
    #[error("the decoded response is longer than {0} bytes")]
    TooLong(u64),
}

/// Codings on top of each other.
const CODINGS_MAX: usize = 3;
const PIECE_BYTES: usize = 16 * 1024;
/// Below this much decoded the ratio is not looked at.
const RATIO_FREE_BYTES: u64 = 1 << 20;
/// Honest JSON reaches 50, and long lists of the same about 200.
const RATIO_MAX: u64 = 250;

#[cfg(test)]
mod tests;
