//! Escapes in a row. In a text that is escaped throughout all have one shape: many are read at once,
//! and where no piece of a spelling is in what they stand for, that is all.

use std::ops::Range;

use wide::u8x16;

use super::Pattern;
use super::skim::hex_pair;

/// Escapes of one length, each right behind the one before, for a byte each.
pub(super) struct Row<'a> {
    /// What they stand for.
    pub(super) bytes: &'a [u8],
    /// Those that no match has anything of; none where that is not known.
    pub(super) quiet: Range<usize>,
}

impl<'a> Row<'a> {
    /// How long the escapes are of a row that begins at `at`, if a long one may: `%67`, `\x67` or
    /// `\u0067`.
    pub(super) fn len_at(text: &[u8], at: usize) -> Option<usize> {
        let len = match text.get(at..)? {
            [b'%', ..] => PERCENT,
            [b'\\', b'x', ..] => HEX,
            [b'\\', b'u', ..] => UNIT,
            _ => return None,
        };
        let begins = |count: &usize| text.get(at + count * len) == text.get(at);
        [1, 2, 16, 32, LEAST - 1].iter().all(begins).then_some(len)
    }

    /// The row at the beginning of `text`, if there is a long one of escapes of this length. Writes
    /// to `bytes` what [`token`](super::fold::token) would say of each.
    pub(super) fn read(
        text: &[u8],
        len: usize,
        pattern: &Pattern,
        bytes: &'a mut [u8; MOST],
    ) -> Option<Self> {
        match len {
            PERCENT => Self::of::<PERCENT>(text, pattern, bytes),
            HEX => Self::of::<HEX>(text, pattern, bytes),
            _ => Self::of::<UNIT>(text, pattern, bytes),
        }
    }

    fn of<const LEN: usize>(
        text: &[u8],
        pattern: &Pattern,
        bytes: &'a mut [u8; MOST],
    ) -> Option<Self> {
        let mut count = 0;
        for values in bytes.as_chunks_mut().0 {
            let Some(some) = some::<LEN>(&text[count * LEN..]) else { break };
            *values = some;
            count += SOME;
        }
        while count < MOST
            && let Some(value) = one::<LEN>(&text[count * LEN..])
        {
            bytes[count] = value;
            count += 1;
        }
        if count < LEAST {
            return None;
        }
        let bytes = &bytes[..count];
        let is_quiet = has_no_piece::<LEN>(bytes, pattern);
        let quiet = if is_quiet { FRONT..count - BACK } else { 0..0 };
        Some(Self { bytes, quiet })
    }
}

/// Whether each match ends within the first or begins within the last of them.
///
/// A match has at most a part of an escape for a byte that no spelling has, at either edge: of
/// `%20` two bytes, of `\x20` three, of `\u0020` five at its beginning and at its end one, if no
/// spelling has `\u`. What is between is a piece of a spelling, of 11 or 9 bytes at least where
/// the match has 15. So where all windows of all spellings are in the filter, some window of it
/// is looked at here.
fn has_no_piece<const LEN: usize>(bytes: &[u8], pattern: &Pattern) -> bool {
    let is_known = pattern.has_all_windows() && pattern.wall().is_some();
    // What is passed over moves the places that are looked at. Where two matches overlap, the first
    // of these decides between them; then all is undone.
    if !is_known || pattern.looks_escaped() || LEN == UNIT && pattern.has_unit() {
        return false;
    }
    match LEN {
        PERCENT => !pattern.has_piece::<4>(bytes),
        _ => !pattern.has_piece::<2>(bytes),
    }
}

/// What as many escapes as are read at once stand for; `None` where it is less.
#[inline(always)]
fn some<const LEN: usize>(text: &[u8]) -> Option<[u8; SOME]> {
    let text = text.get(..SOME * LEN + 8)?;
    let lanes = text.as_chunks().0.iter().zip(Shape::<LEN>::LANES);
    let fits = lanes.take(LEN).fold(!u8x16::ZERO, |fits, (bytes, lane)| fits & lane.fits(*bytes));
    let mut values = [0; SOME];
    for (half, values) in values.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        *values = eight::<LEN>(&text[half * 8 * LEN..]).to_le_bytes();
    }
    let is_right = match LEN {
        // `%25` goes on where digits follow: they were escaped twice.
        PERCENT => values[SOME - 1] != b'%' || text[SOME * LEN] == b'%',
        // From there on it is a character of two bytes.
        UNIT => values.iter().fold(0, |all, value| all | value) < 0x80,
        _ => true,
    };
    (fits.to_bitmask() == 0xffff && is_right).then_some(values)
}

/// What one escape stands for.
fn one<const LEN: usize>(text: &[u8]) -> Option<u8> {
    let (signs, digits) = text.get(..LEN)?.split_at(LEN - 2);
    let value = hex_pair(digits[0], digits[1])?;
    let is_right = match LEN {
        PERCENT => value != b'%' || text.get(LEN) == Some(&b'%'),
        UNIT => value < 0x80,
        _ => true,
    };
    (*signs == Shape::<LEN>::OF[..LEN - 2] && is_right).then_some(value)
}

/// The values of the digits at the end of each of eight escapes, the first in the lowest bits.
#[inline(always)]
fn eight<const LEN: usize>(text: &[u8]) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let together = Shape::<LEN>::TOGETHER;
    let mut values = 0;
    for step in 0..8usize.div_ceil(together) {
        let at = step * together * LEN + LEN - 2;
        let digits = text[at..].first_chunk().map_or(0, |digits| u64::from_le_bytes(*digits));
        let mut nibbles = (digits & (0x0f * EACH)) + ((digits >> 6) & EACH) * 9;
        // That of `x` is larger, and right in front of a digit.
        if LEN == HEX {
            nibbles &= 0x0f * EACH;
        }
        // Each second digit has the first in front of it now.
        let pairs = nibbles.wrapping_add(nibbles << 12) & Shape::<LEN>::PAIRS;
        let gathered = pairs.wrapping_mul(Shape::<LEN>::GATHER) >> (64 - 8 * together);
        values |= gathered << (8 * step * together);
    }
    values
}

/// What escapes of this length look like.
struct Shape<const LEN: usize>;

impl<const LEN: usize> Shape<LEN> {
    /// One of them. Where there are zeros at its end any digits may stand.
    const OF: &[u8] = match LEN {
        PERCENT => b"%00",
        HEX => b"\\x00",
        _ => b"\\u0000",
    };
    const LANES: [Lane; UNIT] = {
        let mut lanes = [Lane { signs: [0; 16], digits: [0; 16] }; UNIT];
        let mut at = 0;
        while at < LEN * SOME {
            lanes[at / 16].signs[at % 16] = Self::OF[at % LEN];
            lanes[at / 16].digits[at % 16] = if at % LEN < LEN - 2 { 0 } else { 0xff };
            at += 1;
        }
        lanes
    };
    /// How many pairs of digits are in eight bytes.
    const TOGETHER: usize = (8 - 2) / LEN + 1;
    /// The second digit of each.
    const PAIRS: u64 = {
        let (mut pairs, mut pair) = (0, 0);
        while pair < Self::TOGETHER {
            pairs |= 0xff << (8 * (LEN * pair + 1));
            pair += 1;
        }
        pairs
    };
    /// What brings those bytes together at the upper end as a factor.
    const GATHER: u64 = {
        let (mut factor, mut pair) = (0, 0);
        while pair < Self::TOGETHER {
            factor |= 1 << (64 - 8 * (Self::TOGETHER - pair) - 8 * (LEN * pair + 1));
            pair += 1;
        }
        factor
    };
}

/// What stands at sixteen places.
#[derive(Clone, Copy)]
struct Lane {
    signs: [u8; 16],
    /// Ones where instead of the sign any digit may stand.
    digits: [u8; 16],
}

impl Lane {
    /// Ones in each byte that fits.
    #[inline(always)]
    fn fits(self, bytes: [u8; 16]) -> u8x16 {
        let bytes = u8x16::new(bytes);
        let within = |bytes: u8x16, first: u8, last: u8| {
            let from = bytes - u8x16::splat(first);
            from.min(u8x16::splat(last - first)).simd_eq(from)
        };
        let is_letter = within(bytes | u8x16::splat(0x20), b'a', b'f');
        let is_digit = within(bytes, b'0', b'9') | is_letter;
        bytes.simd_eq(u8x16::new(self.signs)) | is_digit & u8x16::new(self.digits)
    }
}

/// How long each kind is.
const PERCENT: usize = 3;
const HEX: usize = 4;
const UNIT: usize = 6;
/// How many are read at once.
const SOME: usize = 16;
/// How many there are in a row at most; what follows is another.
pub(super) const MOST: usize = 1200;
/// Of a row without a piece of a spelling: a match that ends in it has under so many escapes of it,
/// and the same text as it came, where that is in the list, as well.
const FRONT: usize = 12;
/// A match that begins in it has under half as many; as it came, the text may begin as far in front.
const BACK: usize = 20;
/// A row that is worth it.
const LEAST: usize = FRONT + BACK + 16;
