//! Content encodings, as a server would apply them, and as none should.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::case::Coding;

impl Coding {
    /// As in `Content-Encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip | Self::GzipLie => "gzip",
            Self::Deflate | Self::RawDeflate => "deflate",
            Self::Br => "br",
            Self::Zstd | Self::ZstdBomb => "zstd",
            Self::Unknown => "x-of-our-own",
        }
    }

    pub(super) fn apply(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let level = Compression::new(6);
        match self {
            Self::Gzip => {
                let mut to = GzEncoder::new(Vec::new(), level);
                to.write_all(bytes)?;
                to.finish()
            }
            Self::Deflate => {
                let mut to = ZlibEncoder::new(Vec::new(), level);
                to.write_all(bytes)?;
                to.finish()
            }
            Self::RawDeflate => {
                let mut to = DeflateEncoder::new(Vec::new(), level);
                to.write_all(bytes)?;
                to.finish()
            }
            Self::Br => Ok(brotli(bytes)),
            Self::Zstd => Ok(zstd(bytes)),
            Self::ZstdBomb => Ok(zstd_bomb()),
            Self::GzipLie | Self::Unknown => Ok(bytes.to_vec()),
        }
    }
}

/// Uncompressed meta-blocks (RFC 7932, section 9.2) of up to 64 KiB.
fn brotli(bytes: &[u8]) -> Vec<u8> {
    // WBITS 16 is the single bit 0. Then, for each: ISLAST 0, MNIBBLES 00, MLEN - 1 in 16 bits,
    // ISUNCOMPRESSED 1, and zeros to the end of the byte.
    let mut out = Vec::new();
    for (at, piece) in bytes.chunks(1 << 16).enumerate() {
        let header = ((piece.len() - 1) as u32) << 3 | 1 << 19;
        let (bits, shift) = if at == 0 { (header << 1, 21_usize) } else { (header, 20) };
        let size = shift.div_ceil(8);
        out.extend_from_slice(&bits.to_le_bytes()[..size]);
        out.extend_from_slice(piece);
    }
    // ISLAST 1, ISLASTEMPTY 1; behind nothing at all comes WBITS first.
    out.push(if bytes.is_empty() { 0b110 } else { 0b11 });
    out
}

/// One frame of raw blocks (RFC 8878, section 3.1.1.2), with a window of 1 MiB.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut out = ZSTD_HEAD.to_vec();
    let mut pieces = bytes.chunks(100_000).peekable();
    if pieces.peek().is_none() {
        out.extend_from_slice(&[1, 0, 0]);
    }
    while let Some(piece) = pieces.next() {
        let header = (piece.len() as u32) << 3 | u32::from(pieces.peek().is_none());
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.extend_from_slice(piece);
    }
    out
}

/// A thousand blocks of four bytes, each 128 KiB of one letter.
fn zstd_bomb() -> Vec<u8> {
    let mut out = ZSTD_HEAD.to_vec();
    for at in 0..1000u32 {
        let header = (128 * 1024) << 3 | 1 << 1 | u32::from(at == 999);
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.push(b'A');
    }
    out
}

/// Magic, descriptor without size and checksum, window of 2^(10 + 10).
const ZSTD_HEAD: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3];
