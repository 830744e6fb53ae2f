//! Where escapes may begin that matter. In an ordinary response that is nearly nowhere, so it is found
//! for 64 bytes at a time, in code that compilers make vectors of.

use super::Pattern;
use super::fold::is_special;

/// The places where escapes may begin, 64 bytes at a time.
pub(super) struct Places {
    /// Where the next block begins.
    next: usize,
    /// Where the block of `bits` began; the lowest bit is its first byte.
    block: usize,
    bits: u64,
    /// For so many blocks less one none is sifted, for that left most places in the last one.
    unsifted: u32,
}

impl Places {
    pub(super) fn from(at: usize) -> Self {
        Self { next: at, block: at, bits: 0, unsifted: 0 }
    }

    /// The first place at or after `at` in `text`, which stays the same from call to call.
    #[inline]
    pub(super) fn next(&mut self, text: &[u8], at: usize, pattern: &Pattern) -> Option<usize> {
        loop {
            // Bit by bit, though a mask would do: the next place is then known before what stands
            // at this one is read.
            while self.bits != 0 {
                let place = self.block + self.bits.trailing_zeros() as usize;
                self.bits &= self.bits - 1;
                if place >= at {
                    return Some(place);
                }
            }
            self.block = self.next.max(at);
            let rest = text.get(self.block..).filter(|rest| !rest.is_empty())?;
            self.next = self.block + BLOCK;
            self.bits = match rest.first_chunk::<BLOCK>() {
                Some(block) => specials(block),
                None => {
                    let mut block = [0; BLOCK];
                    block[..rest.len()].copy_from_slice(rest);
                    specials(&block)
                }
            };
            self.unsifted = self.unsifted.saturating_sub(1);
            let many = self.bits.count_ones();
            if many >= MANY
                && self.unsifted == 0
                && let Some(worthy) = worthy(text, self.block, pattern)
            {
                self.bits &= worthy;
                self.unsifted = if self.bits.count_ones() * 2 < many { 0 } else { UNSIFTED };
            }
        }
    }
}

/// A bit for each byte that [`is_special`].
#[inline]
fn specials(block: &[u8; BLOCK]) -> u64 {
    packed(&block.map(|byte| u8::from(is_special(byte))))
}

/// Of the places in a block, those where an escape may matter. At the others none begins, or one for
/// a single byte that no spelling has, and that is in no other's way: `%20`, `\"`. `None` at the
/// end of the text.
#[inline]
fn worthy(text: &[u8], block: usize, pattern: &Pattern) -> Option<u64> {
    // With two bytes behind it.
    let near: &[u8; BLOCK + 2] = text.get(block..)?.first_chunk()?;
    let (firsts, counts) = pattern.idle();
    let mut flags = [0; BLOCK];
    for (at, flag) in flags.iter_mut().enumerate() {
        let [byte, next, last] = [near[at], near[at + 1], near[at + 2]];
        let escaped = digit(next) << 4 | digit(last) & 15;
        let stands = if byte == b'%' { escaped } else { next };
        let mut is_idle = false;
        for range in 0..8 {
            is_idle |= stands.wrapping_sub(firsts[range]) < counts[range];
        }
        // Of several backslashes the first begins the escape, and what is behind that is not idle.
        *flag = u8::from(!(is_idle & ((byte == b'%') | (byte == b'\\'))));
    }
    Some(packed(&flags))
}

/// The value of a hexadecimal digit, of others anything.
fn digit(byte: u8) -> u8 {
    (byte & 15) + 9 * (byte >> 6)
}

/// A bit for each flag of 0 or 1.
#[inline]
fn packed(flags: &[u8; BLOCK]) -> u64 {
    let (rows, _) = flags.as_chunks::<8>();
    let row = |at: usize| u64::from_le_bytes(rows[at]) << at;
    let rows = (0..8).fold(0, |rows, at| rows | row(at));
    if rows == 0 { 0 } else { transposed(rows) }
}

/// A matrix of 8 by 8 bits (Warren, Hacker's Delight, section 7-3).
fn transposed(rows: u64) -> u64 {
    let swapped = |rows: u64, by: u32, mask: u64| {
        let differ = (rows ^ rows >> by) & mask;
        rows ^ differ ^ differ << by
    };
    let rows = swapped(rows, 7, 0x00aa_00aa_00aa_00aa);
    let rows = swapped(rows, 14, 0x0000_cccc_0000_cccc);
    swapped(rows, 28, 0x0000_0000_f0f0_f0f0)
}

const BLOCK: usize = 64;
/// As many places in a block that they are sifted first.
const MANY: u32 = 11;
const UNSIFTED: u32 = 16;
