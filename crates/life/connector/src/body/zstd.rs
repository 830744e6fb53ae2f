//! Zstandard, RFC 8878, windows of at most 8 MiB (RFC 9659), no dictionaries.
//!
//! The decoder keeps a window of what it made until the frame ends, so this coding alone is given
//! out late: what is older than the window at once, the rest with the frame's end.

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::io::Read;

use super::UndecodableBody;

pub(super) struct Zstd {
    frame: FrameDecoder,
    state: State,
    /// What of the next header or block has come.
    held: Vec<u8>,
    made: u64,
    has_checksum: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a frame.
    Between,
    /// In one, before a block.
    Blocks,
    /// This many bytes of a skippable frame.
    Skipping(u64),
}

impl Zstd {
    pub(super) fn new() -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(WINDOW_BYTES_MAX);
        Self { frame, state: State::Between, held: Vec::new(), made: 0, has_checksum: false }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.state == State::Between && self.held.is_empty()
    }

    pub(super) fn step(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), UndecodableBody> {
        if self.frame.can_collect() > 0 {
            let made = self.frame.read(out).map_err(|_| UndecodableBody::Damaged)?;
            self.made += made as u64;
            if self.frame.can_collect() == 0 && self.frame.is_finished() {
                self.end()?;
            }
            return Ok((0, made));
        }
        if let State::Skipping(left) = self.state {
            let used = left.min(input.len() as u64);
            self.state = if left == used { State::Between } else { State::Skipping(left - used) };
            return Ok((used as usize, 0));
        }
        let needed = self.needed()?;
        let used = needed.saturating_sub(self.held.len()).min(input.len());
        self.held.extend_from_slice(&input[..used]);
        if self.held.len() >= needed && self.needed()? == needed {
            self.take()?;
        }
        Ok((used, 0))
    }

    /// How many bytes the next header or block has, as far as is known.
    fn needed(&self) -> Result<usize, UndecodableBody> {
        if self.state == State::Blocks {
            let Some([a, b, c]) = self.held.first_chunk() else { return Ok(3) };
            let header = u32::from_le_bytes([*a, *b, *c, 0]);
            let size = (header >> 3) as usize;
            let body = match header >> 1 & 3 {
                1 => 1,
                0 | 2 if size <= BLOCK_BYTES_MAX => size,
                _ => return Err(UndecodableBody::Damaged),
            };
            return Ok(3 + body + if header & 1 == 1 { self.checksum_bytes() } else { 0 });
        }
        let Some(magic) = self.held.first_chunk() else { return Ok(4) };
        let magic = u32::from_le_bytes(*magic);
        if magic & !0xf == SKIPPABLE_MAGIC {
            return Ok(8);
        }
        if magic != MAGIC {
            let is_first = self.frame.blocks_decoded() == 0;
            return Err(if is_first {
                UndecodableBody::Damaged
            } else {
                UndecodableBody::Trailing
            });
        }
        let Some(descriptor) = self.held.get(4) else { return Ok(5) };
        let is_single = descriptor >> 5 & 1 == 1;
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let content = [usize::from(is_single), 2, 4, 8][usize::from(descriptor >> 6)];
        Ok(5 + usize::from(!is_single) + dictionary + content)
    }

    /// Reads what is held, which is a whole header or block.
    fn take(&mut self) -> Result<(), UndecodableBody> {
        if self.state == State::Blocks {
            let strategy = BlockDecodingStrategy::UptoBlocks(1);
            let decoded = self.frame.decode_blocks(&self.held[..], strategy);
            let is_over = decoded.map_err(|_| UndecodableBody::Damaged)?;
            if is_over && self.frame.can_collect() == 0 {
                self.end()?;
            }
        } else if self.held.len() == 8 && self.held[..4] != MAGIC.to_le_bytes() {
            let size = self.held.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
            self.state = if size == 0 { State::Between } else { State::Skipping(size.into()) };
        } else {
            self.has_checksum = self.held.get(4).is_some_and(|descriptor| descriptor & 4 != 0);
            self.frame.reset(&self.held[..]).map_err(|error| match error {
                FrameDecoderError::WindowSizeTooBig { .. }
                | FrameDecoderError::DictNotProvided { .. } => UndecodableBody::Window,
                _ => UndecodableBody::Damaged,
            })?;
            (self.state, self.made) = (State::Blocks, 0);
        }
        self.held.clear();
        Ok(())
    }

    /// A frame is over: its checksum and its size are what they were said to be.
    fn end(&mut self) -> Result<(), UndecodableBody> {
        let sum = self.frame.get_checksum_from_data();
        let size = self.frame.content_size();
        let is_whole = sum.is_none_or(|_| sum == self.frame.get_calculated_checksum())
            && (size == 0 || size == self.made);
        self.state = State::Between;
        if is_whole { Ok(()) } else { Err(UndecodableBody::Damaged) }
    }

    /// Of the checksum at the end of this frame.
    fn checksum_bytes(&self) -> usize {
        if self.has_checksum { 4 } else { 0 }
    }
}

const MAGIC: u32 = 0xfd2f_b528;
/// And the fifteen after it.
const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;
const WINDOW_BYTES_MAX: u64 = 8 << 20;
const BLOCK_BYTES_MAX: usize = 128 << 10;
