//! A quick look at an escape: nearly all are of a few kinds, and stand for a byte or for nothing that
//! a spelling has.

use super::Pattern;
use super::fold::is_base64;

/// What a quick look at a place says.
#[derive(Clone, Copy)]
pub(super) enum Skimmed {
    /// This many bytes hold no escape that stands for what a spelling has.
    Passed(usize),
    /// An escape of this many bytes for one byte that a spelling has.
    Byte(usize, u8),
    /// A line break of this many bytes inside of a longer text.
    Break(usize),
    /// It takes a closer look: [`token`](super::fold::token).
    Unclear,
}

/// Looks at `at`, a place of [`Places`]. Says what [`token`](super::fold::token) would say, for
/// the escapes that are common.
#[inline]
pub(super) fn skim(text: &[u8], at: usize, before: Option<u8>, pattern: &Pattern) -> Skimmed {
    let Some([first, next @ ..]) = text.get(at..).and_then(|rest| rest.first_chunk::<LOOK>())
    else {
        return Skimmed::Unclear;
    };
    let is_inside = || {
        let before = if at == 0 { before } else { Some(text[at - 1]) };
        before.is_some_and(is_base64)
    };
    match first {
        b'\\' => match STANDS[usize::from(next[0])] {
            stands @ 0..SEVERAL => byte(stands as u8, 2, pattern),
            NOTHING => Skimmed::Passed(1),
            _ => match next[0] {
                b'n' if is_base64(next[1]) && is_inside() => Skimmed::Unclear,
                b'n' => byte(b'\n', 2, pattern),
                b'u' => unit([next[1], next[2], next[3], next[4]], pattern),
                b'x' => match hex_pair(next[1], next[2]) {
                    Some(value) => byte(value, 4, pattern),
                    None => Skimmed::Unclear,
                },
                _ => Skimmed::Unclear,
            },
        },
        b'%' if [next[0], next[1]] == *b"25" => Skimmed::Unclear,
        b'%' => match hex_pair(next[0], next[1]) {
            Some(value) => byte(value, 3, pattern),
            None => Skimmed::Passed(1),
        },
        b'&' => match next {
            [b'#', b'0'..=b'9', ..] => number(next, pattern),
            [b'a', b'm', b'p', b';', b'#' | b'a' | b'g' | b'l' | b'q', ..] => Skimmed::Unclear,
            [b'a', b'm', b'p', b';', ..] => byte(b'&', 5, pattern),
            [b'l', b't', b';', ..] => byte(b'<', 4, pattern),
            [b'g', b't', b';', ..] => byte(b'>', 4, pattern),
            [b'#' | b'a' | b'g' | b'l' | b'q', ..] => Skimmed::Unclear,
            _ => Skimmed::Passed(1),
        },
        _ if !is_inside() => Skimmed::Passed(1),
        b'\n' if is_base64(next[0]) => Skimmed::Break(1),
        b'\r' if next[0] == b'\n' && is_base64(next[1]) => Skimmed::Break(2),
        _ => Skimmed::Unclear,
    }
}

#[inline]
fn byte(value: u8, len: usize, pattern: &Pattern) -> Skimmed {
    if pattern.may_hold(value) { Skimmed::Byte(len, value) } else { Skimmed::Passed(len) }
}

/// `\u` and these digits.
#[inline]
fn unit(digits: [u8; 4], pattern: &Pattern) -> Skimmed {
    match (hex_pair(digits[0], digits[1]), hex_pair(digits[2], digits[3])) {
        (Some(high), Some(low)) => character(u32::from(high) << 8 | u32::from(low), 6, pattern),
        _ => Skimmed::Unclear,
    }
}

/// The same of `&` and `next`, which begins with `#` and a digit.
#[inline]
fn number(next: &[u8; LOOK - 1], pattern: &Pattern) -> Skimmed {
    let mut code = 0;
    for (at, byte) in next.iter().enumerate().skip(1) {
        match byte {
            b'0'..=b'9' => code = code * 10 + u32::from(byte - b'0'),
            b';' => return character(code, at + 2, pattern),
            _ => return Skimmed::Unclear,
        }
    }
    Skimmed::Unclear
}

/// Passes over a character if no spelling has the first byte of it.
#[inline]
fn character(code: u32, len: usize, pattern: &Pattern) -> Skimmed {
    // RFC 3629, section 3.
    let first = match code {
        0..0x80 => return byte(code as u8, len, pattern),
        0x80..0x800 => 0xc0 | code >> 6,
        0xd800..0xe000 | 0x11_0000.. => return Skimmed::Unclear,
        0x800..0x1_0000 => 0xe0 | code >> 12,
        0x1_0000.. => 0xf0 | code >> 18,
    };
    if pattern.may_hold(first as u8) { Skimmed::Unclear } else { Skimmed::Passed(len) }
}

/// What a backslash makes of the byte behind it, where the two are an escape of their own.
static STANDS: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'n' | b'r' | b'u' | b'x' | b'0'..=b'3' | b'\\' | b'%' | b'&' => SEVERAL,
            0..0x20 | 0x7f.. => NOTHING,
            b't' => b'\t' as u16,
            b'b' => 8,
            b'f' => 12,
            other => other as u16,
        };
        byte += 1;
    }
    table
};

/// They may be one with more bytes, or with those in front.
const SEVERAL: u16 = 0x100;
/// They are none.
const NOTHING: u16 = 0x200;

/// The value of two digits.
#[inline]
pub(super) fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let (high, low) = (HEX[usize::from(high)], HEX[usize::from(low)]);
    if (high | low) < 16 { Some(high << 4 | low) } else { None }
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

/// As far as [`skim`] looks.
const LOOK: usize = 9;
