//! The quick part of undoing escapes: finding where they may begin, and passing over those that
//! stand for nothing which a spelling has. In an ordinary response that is nearly all of them.

use super::Pattern;
use super::fold::{Kind, Token, is_base64, is_special};

/// The places where escapes may begin, 64 bytes at a time.
pub(super) struct Places {
    /// Where the next block begins.
    next: usize,
    /// Where the block of `bits` began; the lowest bit is its first byte.
    block: usize,
    bits: u64,
}

impl Places {
    pub(super) fn from(at: usize) -> Self {
        Self { next: at, block: at, bits: 0 }
    }

    /// The first place at or after `at` in `text`, which stays the same from call to call.
    #[inline]
    pub(super) fn next(&mut self, text: &[u8], at: usize) -> Option<usize> {
        loop {
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
        }
    }
}

/// A bit for each byte that [`is_special`]. Written so that compilers make vector code of it.
#[inline]
fn specials(block: &[u8; BLOCK]) -> u64 {
    let mut flags = [0; BLOCK];
    for (flag, byte) in flags.iter_mut().zip(block) {
        *flag = u8::from(is_special(*byte));
    }
    let (eights, _) = flags.as_chunks::<8>();
    // The product brings bit 0 of each byte to the highest byte, in order.
    let packed = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(PACK) >> 56;
    eights.iter().rev().fold(0, |bits, eight| bits << 8 | packed(eight))
}

/// What a quick look at a place says.
pub(super) enum Skimmed {
    /// This many bytes hold no escape that stands for what a spelling has.
    Passed(usize),
    /// An escape for one byte that a spelling has.
    Token(Token),
    /// It takes a closer look: [`token`](super::fold::token).
    Unclear,
}

/// Looks at `at`, a place of [`Places`]. Says what [`token`](super::fold::token) would say, for
/// the escapes that are common.
#[inline]
pub(super) fn skim(text: &[u8], at: usize, before: Option<u8>, pattern: &Pattern) -> Skimmed {
    let Some(next) = text.get(at + 1..).and_then(|rest| rest.first_chunk::<LOOK>()) else {
        return Skimmed::Unclear;
    };
    let before = if at == 0 { before } else { Some(text[at - 1]) };
    let is_inside = before.is_some_and(is_base64);
    let byte = |kind: Kind, len: usize, byte: u8| match pattern.may_hold(byte) {
        true => Skimmed::Token(Token::byte(kind, len, byte)),
        false => Skimmed::Passed(len),
    };
    match text[at] {
        b'\\' => {
            let is_break = (next[0] == b'n') & is_inside & is_base64(next[1]);
            match BEHIND_BACKSLASH[usize::from(next[0])] {
                Behind::One(stands) if !is_break => byte(Kind::Backslash, 2, stands),
                Behind::Nothing => Skimmed::Passed(1),
                _ if next[0] == b'u' => unit([next[1], next[2], next[3], next[4]], pattern),
                _ => Skimmed::Unclear,
            }
        }
        b'\n' | b'\r' if !is_inside => Skimmed::Passed(1),
        b'\n' if is_base64(next[0]) => Skimmed::Token(Token::nothing(1)),
        b'%' => match (hex(next[0]), hex(next[1])) {
            (2, 5) => Skimmed::Unclear,
            (high @ 0..16, low @ 0..16) => byte(Kind::Percent, 3, high << 4 | low),
            _ => Skimmed::Passed(1),
        },
        b'&' => match next {
            [b'#', b'0'..=b'9', ..] => number(next, pattern),
            [b'a', b'm', b'p', b';', b'#' | b'a' | b'g' | b'l' | b'q', ..] => Skimmed::Unclear,
            [b'a', b'm', b'p', b';', ..] => byte(Kind::Entity, 5, b'&'),
            [b'l', b't', b';', ..] => byte(Kind::Entity, 4, b'<'),
            [b'g', b't', b';', ..] => byte(Kind::Entity, 4, b'>'),
            [b'#' | b'a' | b'g' | b'l' | b'q', ..] => Skimmed::Unclear,
            _ => Skimmed::Passed(1),
        },
        _ => Skimmed::Unclear,
    }
}

/// `\u` and these digits, where a spelling lacks the first byte of what it stands for.
#[inline]
fn unit(digits: [u8; 4], pattern: &Pattern) -> Skimmed {
    let value = |at: usize| u32::from(hex(digits[at]));
    let (a, b, c, d) = (value(0), value(1), value(2), value(3));
    if (a | b | c | d) >= 16 {
        return Skimmed::Unclear;
    }
    lacking(a << 12 | b << 8 | c << 4 | d, 6, pattern)
}

/// The same of `&` and `next`, which begins with `#` and a digit.
fn number(next: &[u8; LOOK], pattern: &Pattern) -> Skimmed {
    let mut code = 0;
    for (at, byte) in next.iter().enumerate().skip(1) {
        match byte {
            b'0'..=b'9' => code = code * 10 + u32::from(byte - b'0'),
            b';' => return lacking(code, at + 2, pattern),
            _ => return Skimmed::Unclear,
        }
    }
    Skimmed::Unclear
}

/// Passes over a character if no spelling has the first byte of it.
#[inline]
fn lacking(code: u32, len: usize, pattern: &Pattern) -> Skimmed {
    // RFC 3629, section 3.
    let first = match code {
        0..0x80 => code,
        0x80..0x800 => 0xc0 | code >> 6,
        0xd800..0xe000 | 0x11_0000.. => return Skimmed::Unclear,
        0x800..0x1_0000 => 0xe0 | code >> 12,
        0x1_0000.. => 0xf0 | code >> 18,
    };
    if pattern.may_hold(first as u8) { Skimmed::Unclear } else { Skimmed::Passed(len) }
}

/// What makes an escape of a backslash.
#[derive(Clone, Copy)]
enum Behind {
    /// It does: the two stand for this.
    One(u8),
    /// It may, with more bytes.
    Several,
    Nothing,
}

static BEHIND_BACKSLASH: [Behind; 256] = {
    let mut table = [Behind::Nothing; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'r' | b'u' | b'x' | b'0'..=b'3' | b'\\' | b'%' | b'&' => Behind::Several,
            b'n' => Behind::One(b'\n'),
            b't' => Behind::One(b'\t'),
            b'b' => Behind::One(8),
            b'f' => Behind::One(12),
            0..0x20 | 0x7f.. => Behind::Nothing,
            other => Behind::One(other),
        };
        byte += 1;
    }
    table
};

/// The digit's value, or 255.
fn hex(byte: u8) -> u8 {
    HEX[usize::from(byte)]
}

static HEX: [u8; 256] = {
    let mut values = [255; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit] as usize] = digit as u8;
        values[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

const BLOCK: usize = 64;
/// As far as [`skim`] looks.
const LOOK: usize = 8;
const PACK: u64 = 0x0102_0408_1020_4080;
