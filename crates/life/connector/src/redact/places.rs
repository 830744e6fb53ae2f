//! Where escapes may begin that matter. In an ordinary response that is nearly nowhere, so it is found
//! for 64 bytes at a time, in vectors.

use wide::u8x16;

use super::Pattern;

/// The places where escapes may begin, 64 bytes at a time.
pub(super) struct Places {
    /// Where the next block begins.
    next: usize,
    /// Where the block of `bits` began; the lowest bit is its first byte.
    block: usize,
    bits: u64,
    /// For so many blocks less one none is sifted, for that left most places in the last one.
    unsifted: u32,
    idle: Idle,
}

impl Places {
    pub(super) fn from(at: usize, pattern: &Pattern) -> Self {
        Self { next: at, block: at, bits: 0, unsifted: 0, idle: Idle::of(pattern) }
    }

    /// The first place at or after `at` in `text`, which stays the same from call to call.
    #[inline]
    pub(super) fn next(&mut self, text: &[u8], at: usize) -> Option<usize> {
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
            if self.bits != 0 && self.unsifted == 0 {
                self.sift(text);
            }
        }
    }

    /// Leaves out the places where nothing can matter.
    #[inline]
    fn sift(&mut self, text: &[u8]) {
        let all = self.bits.count_ones();
        let block = text.get(self.block..).and_then(|rest| rest.first_chunk());
        if let Some(block) = block {
            self.bits &= company(block, &self.idle);
        }
        if self.bits.count_ones() >= MANY
            && let Some(worthy) = worthy(text, self.block, &self.idle)
        {
            self.bits &= worthy;
        }
        self.unsifted = if self.bits.count_ones() * 2 < all { 0 } else { UNSIFTED };
    }
}

/// A bit for each byte that [`is_special`](super::fold::is_special).
#[inline]
fn specials(block: &[u8; BLOCK]) -> u64 {
    bits(block, |bytes| {
        let is = |byte| bytes.simd_eq(u8x16::splat(byte));
        is(b'%') | is(b'\\') | is(b'&') | is(b'\n') | is(b'\r')
    })
}

/// A bit for each byte of a block that has company: with what is around it, up to the next byte that
/// no spelling has, it is as long as a piece of one. Undone an escape is no longer than it was, so
/// where it has none it is in no spelling. An escape is on one side of such a byte, but for the
/// line break, which goes on through the spaces behind it. What is beyond the block is company.
#[inline]
fn company(block: &[u8; BLOCK], idle: &Idle) -> u64 {
    let apart = !bits(block, |bytes| idle.lacks::<COMMON>(bytes));
    if apart == 0 {
        return u64::MAX;
    }
    let blanks = bits(block, |b| b.simd_eq(u8x16::splat(b' ')) | b.simd_eq(u8x16::splat(b'\t')));
    let breaks = bits(block, |b| b.simd_eq(u8x16::splat(b'\n')) | b.simd_eq(u8x16::splat(b'\r')));
    // Adding carries a bit through the blanks that begin at it.
    let first = blanks & (breaks << 1 | 1);
    let indents = blanks & !blanks.wrapping_add(first);
    let near = !(apart & !indents);
    // Eight in a row, beginning here; ones come in from above.
    let shifted = |bits: u64, by: u32| bits >> by | !(u64::MAX >> by);
    let two = near & shifted(near, 1);
    let four = two & shifted(two, 2);
    let eight = four & shifted(four, 4);
    // And all of the eight; what began in front of the block is taken for whole.
    let head = near & !near.wrapping_add(1);
    let two = eight | eight << 1;
    let four = two | two << 2;
    four | four << 4 | head
}

/// Of the places in a block, those where an escape may matter. At the others none begins, or one for
/// a single byte that no spelling has, and that is in no other's way: `%20`, `\"`. `None` at the
/// end of the text.
fn worthy(text: &[u8], block: usize, idle: &Idle) -> Option<u64> {
    // With two bytes behind it.
    let near = text.get(block..)?.first_chunk::<{ BLOCK + 2 }>()?;
    let mut bits = 0;
    for row in (0..BLOCK).step_by(ROW) {
        let [byte, next, last] = [0, 1, 2].map(|by| row_of(&near[row + by..]));
        let is = |value| byte.simd_eq(u8x16::splat(value));
        let (is_percent, is_slash) = (is(b'%'), is(b'\\'));
        // Of several backslashes the first begins the escape, and what is behind that is not idle.
        let twice = |value| value + value;
        let escaped = twice(twice(twice(twice(digit(next))))) + digit(last);
        let lacks = idle.lacks::<8>(is_percent.bitselect(escaped, next));
        bits |= u64::from((lacks | !(is_percent | is_slash)).to_bitmask()) << row;
    }
    Some(bits)
}

/// The values of hexadecimal digits, of others anything.
#[inline]
fn digit(bytes: u8x16) -> u8x16 {
    let is_letter = bytes.simd_gt(u8x16::splat(b'9'));
    (bytes & u8x16::splat(15)) + (is_letter & u8x16::splat(9))
}

/// What no spelling has ([`Pattern::idle`]), as it is compared.
struct Idle {
    firsts: [u8x16; 8],
    counts: [u8x16; 8],
}

impl Idle {
    fn of(pattern: &Pattern) -> Self {
        let (firsts, counts) = pattern.idle();
        Self { firsts: firsts.map(u8x16::splat), counts: counts.map(u8x16::splat) }
    }

    /// Ones in each byte that is in none of the first `RANGES` ranges.
    #[inline]
    fn lacks<const RANGES: usize>(&self, bytes: u8x16) -> u8x16 {
        let mut beyond = u8x16::ZERO;
        for range in 0..RANGES {
            beyond |= self.counts[range].saturating_sub(bytes - self.firsts[range]);
        }
        beyond.simd_eq(u8x16::ZERO)
    }
}

/// A bit for each byte where `test` has ones.
#[inline]
fn bits(block: &[u8; BLOCK], test: impl Fn(u8x16) -> u8x16) -> u64 {
    let mut bits = 0;
    for row in (0..BLOCK).step_by(ROW) {
        bits |= u64::from(test(row_of(&block[row..])).to_bitmask()) << row;
    }
    bits
}

/// The first sixteen.
#[inline]
fn row_of(bytes: &[u8]) -> u8x16 {
    bytes.first_chunk().map_or(u8x16::ZERO, |row| u8x16::new(*row))
}

const BLOCK: usize = 64;
const ROW: usize = 16;
/// As many places in a block that they are sifted by what stands there.
const MANY: u32 = 11;
/// Of the idle ranges, as many as hold nearly all that stands between words.
const COMMON: usize = 4;
const UNSIFTED: u32 = 16;
