//! A frame's blocks, decoded by `ruzstd`, each given out as soon as it is decoded.
//!
//! `FrameDecoder` gives out what is older than the window, and the window itself when the frame is
//! over. So it is told at every block that this is the last one, which makes it show all that it
//! holds, to a writer that looks and takes nothing: what was made stays for later blocks to refer
//! to. Its buffer is a ring, of which a writer that takes nothing sees the first stretch alone; so
//! nothing is taken until it holds two windows. Then it is emptied, and begins anew with the last
//! window, which goes in as blocks that are not compressed. So a frame takes at most three windows
//! of memory.

use std::io::{Read, Write};

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::super::UndecodableBody;

pub(super) struct Frame {
    decoder: FrameDecoder,
    window: usize,
    /// How much of what the decoder holds was given out.
    given: usize,
}

impl Frame {
    pub(super) fn new() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES_MAX);
        Self { decoder, window: 0, given: 0 }
    }

    /// Whether no block of any frame was decoded.
    pub(super) fn is_unused(&self) -> bool {
        self.decoder.blocks_decoded() == 0
    }

    /// The size that the header says, 0 where it says none.
    pub(super) fn content_size(&self) -> u64 {
        self.decoder.content_size()
    }

    /// Begins with a whole header.
    ///
    /// # Errors
    /// `Window` for one above 8 MiB, and for a dictionary.
    pub(super) fn begin(&mut self, header: &[u8]) -> Result<(), UndecodableBody> {
        let mut header = header.to_vec();
        let Some(descriptor) = header.get_mut(4) else { return Err(UndecodableBody::Damaged) };
        let is_single = *descriptor & SINGLE_SEGMENT != 0;
        // The checksum is the caller's: the decoder would hash a window again that it gets back.
        *descriptor &= !HAS_CHECKSUM;
        self.decoder.reset(&header[..]).map_err(|error| match error {
            FrameDecoderError::WindowSizeTooBig { .. }
            | FrameDecoderError::DictNotProvided { .. } => UndecodableBody::Window,
            _ => UndecodableBody::Damaged,
        })?;
        self.given = 0;
        // RFC 8878, section 3.1.1.1.2. The decoder has refused what is above the limit.
        let described = u64::from(header.get(5).copied().unwrap_or(0));
        let base = 1u64 << (10 + (described >> 3));
        let described = base + base / 8 * (described & 7);
        let window = if is_single { self.content_size() } else { described };
        self.window = window.min(WINDOW_BYTES_MAX) as usize;
        Ok(())
    }

    /// Decodes a whole block, its header included, behind what the frame has so far. All that was
    /// made was given out.
    pub(super) fn block(&mut self, block: &[u8]) -> Result<(), UndecodableBody> {
        if self.given >= self.window + self.window.max(BLOCK_BYTES_MAX) {
            self.shorten()?;
        }
        self.decode(block)
    }

    /// What was made and not given out yet: as much of it as `out` has room for.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, UndecodableBody> {
        if self.decoder.can_collect() <= self.given {
            return Ok(0);
        }
        let mut look = Look { skipped: self.given, out, len: 0 };
        self.decoder.collect_to_writer(&mut look).map_err(|_| UndecodableBody::Damaged)?;
        let len = look.len;
        self.given += len;
        // It is not in the first stretch of the ring, so the ring is not what it is thought to be.
        if len == 0 { Err(UndecodableBody::Damaged) } else { Ok(len) }
    }

    fn decode(&mut self, block: &[u8]) -> Result<(), UndecodableBody> {
        let Some((header, content)) = block.split_first_chunk::<3>() else {
            return Err(UndecodableBody::Damaged);
        };
        let header = [header[0] | LAST_BLOCK, header[1], header[2]];
        let strategy = BlockDecodingStrategy::UptoBlocks(1);
        let decoded = self.decoder.decode_blocks(header.chain(content), strategy);
        decoded.map(drop).map_err(|_| UndecodableBody::Damaged)
    }

    /// Forgets what is older than the window.
    fn shorten(&mut self) -> Result<(), UndecodableBody> {
        let older = Take(self.given.saturating_sub(self.window));
        self.decoder.collect_to_writer(older).map_err(|_| UndecodableBody::Damaged)?;
        let window = self.decoder.collect().unwrap_or_default();
        for piece in window.chunks(self.window.clamp(1, BLOCK_BYTES_MAX)) {
            // A raw block: type 0, and its size (RFC 8878, section 3.1.1.2).
            let [a, b, c, _] = ((piece.len() as u32) << 3).to_le_bytes();
            self.decode(&[&[a, b, c], piece].concat())?;
        }
        self.given = window.len();
        Ok(())
    }
}

/// Sees what follows `skipped` bytes, and takes nothing.
struct Look<'a> {
    skipped: usize,
    out: &'a mut [u8],
    len: usize,
}

impl Write for Look<'_> {
    fn write(&mut self, held: &[u8]) -> std::io::Result<usize> {
        let new = held.get(self.skipped..).unwrap_or_default();
        self.len = new.len().min(self.out.len());
        self.out[..self.len].copy_from_slice(&new[..self.len]);
        Ok(0)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Takes this many bytes.
struct Take(usize);

impl Write for Take {
    fn write(&mut self, held: &[u8]) -> std::io::Result<usize> {
        let taken = held.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const WINDOW_BYTES_MAX: u64 = 8 << 20;
const BLOCK_BYTES_MAX: usize = 128 << 10;
/// Bits of a frame's descriptor (RFC 8878, section 3.1.1.1.1) and of a block's first byte.
const SINGLE_SEGMENT: u8 = 1 << 5;
const HAS_CHECKSUM: u8 = 1 << 2;
const LAST_BLOCK: u8 = 1;
