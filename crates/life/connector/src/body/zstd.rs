//! Zstandard, RFC 8878, windows of at most 8 MiB (RFC 9659), no dictionaries.
//!
//! A block is given out as soon as it is whole: see [`Frame`].

mod frame;

use std::hash::Hasher;

use twox_hash::XxHash64;

use super::UndecodableBody;
use frame::Frame;

pub(super) struct Zstd {
    frame: Frame,
    state: State,
    /// What of the next header or block has come.
    held: Vec<u8>,
    /// Of this frame: how much was given out, and the hash of it.
    made: u64,
    hash: XxHash64,
    has_checksum: bool,
    /// The checksum of a frame whose last block has come.
    last: Option<Option<[u8; 4]>>,
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
        Self {
            frame: Frame::new(),
            state: State::Between,
            held: Vec::new(),
            made: 0,
            hash: XxHash64::with_seed(0),
            has_checksum: false,
            last: None,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.state == State::Between && self.held.is_empty()
    }

    pub(super) fn step(
        &mut self,
        input: &[u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), UndecodableBody> {
        let made = self.frame.read(out)?;
        if made > 0 {
            self.made += made as u64;
            self.hash.write(&out[..made]);
            return Ok((0, made));
        }
        if let Some(checksum) = self.last.take() {
            self.end(checksum)?;
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
            let is_first = self.frame.is_unused();
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
            let is_last = self.held[0] & 1 == 1;
            let end = self.held.len() - if is_last { self.checksum_bytes() } else { 0 };
            let (block, checksum) = self.held.split_at(end);
            self.frame.block(block)?;
            if is_last {
                self.last = Some(checksum.first_chunk().copied());
            }
        } else if self.held.len() == 8 && self.held[..4] != MAGIC.to_le_bytes() {
            let size = self.held.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
            self.state = if size == 0 { State::Between } else { State::Skipping(size.into()) };
        } else {
            self.has_checksum = self.held.get(4).is_some_and(|descriptor| descriptor & 4 != 0);
            self.frame.begin(&self.held)?;
            self.hash = XxHash64::with_seed(0);
            (self.state, self.made) = (State::Blocks, 0);
        }
        self.held.clear();
        Ok(())
    }

    /// A frame is over: its checksum and its size are what they were said to be.
    fn end(&mut self, checksum: Option<[u8; 4]>) -> Result<(), UndecodableBody> {
        // RFC 8878, section 3.1.1: the low 32 bits of XXH64.
        let is_as_hashed =
            checksum.is_none_or(|sum| sum == (self.hash.finish() as u32).to_le_bytes());
        let size = self.frame.content_size();
        let is_whole = is_as_hashed && (size == 0 || size == self.made);
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
const BLOCK_BYTES_MAX: usize = 128 << 10;
