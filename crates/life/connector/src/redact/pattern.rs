//! What is known about a credential while its response is read: hashes of pieces.

use std::fmt;

use symbolon_ambient::Rng;
use symbolon_secret::{MemoryError, Secret, on_stack};

use super::Form;
use super::fold::is_special;
use super::form::for_each;
use super::judge::judge_scratch_len;
use crate::inject::{CREDENTIAL_BYTES_MAX, CREDENTIAL_BYTES_MIN, Slot};

/// Finds the places in a response where the credential may be, without having it.
///
/// Of every spelling some 8-byte windows are hashed under a random key into a filter of 2^16 bits,
/// which lives in secret memory (8 KiB for each pattern). A window whose five bits are all set is a
/// candidate.
pub struct Pattern {
    /// The filter, and behind it the set of all bytes that a spelling has, and ranges of those that
    /// none has (see `idle`).
    filter: Secret<[u64; WORDS + EXTRA]>,
    /// Odd multipliers; the high 16 bits of a product are a bit's number.
    keys: [u64; HASHES],
    /// Every how many bytes a response is looked at: 8, 4, 2 or 1.
    stride: usize,
    /// Windows whose offset modulo this is below the stride are in the filter.
    spacing: usize,
    /// The longest spelling, bytes.
    longest: usize,
}

impl Pattern {
    /// Learns the spellings of a credential from its wire form (see
    /// [`wire_form`](crate::inject::wire_form)), in secret memory.
    pub fn learn(slot: &Slot, wire: &Secret<[u8]>, rng: &dyn Rng) -> Result<Self, PatternError> {
        Self::learn_all(&[(slot, wire)], rng)
    }

    /// As [`learn`](Self::learn), of several that are looked for in one pass. A piece is found from
    /// the length on that one credential as long as all of them together would have.
    ///
    /// # Errors
    /// [`PatternError`] of any of them; also where there is none.
    pub fn learn_all(
        secrets: &[(&Slot, &Secret<[u8]>)],
        rng: &dyn Rng,
    ) -> Result<Self, PatternError> {
        let Some(longest) = secrets.iter().map(|(_, wire)| wire.len()).max() else {
            return Err(PatternError::TooShort);
        };
        if longest > CREDENTIAL_BYTES_MAX {
            return Err(PatternError::TooLong);
        }
        let keys = std::array::from_fn(|_| {
            let mut key = [0; 8];
            rng.fill(&mut key);
            u64::from_le_bytes(key) | 1
        });
        let mut filter = Secret::try_place(|| [0; WORDS + EXTRA])?;
        let mut scratch = Secret::try_make_slice(
            judge_scratch_len(longest),
            |bytes| -> Result<usize, MemoryError> { Ok(bytes.len()) },
        )?;
        let sizes = on_stack(|| {
            // EXPOSE: the spellings are made in secret scratch and only their hashes are kept.
            let scratch = scratch.expose_mut();
            let mut sizes = Sizes { total: 0, shortest: usize::MAX, longest: 0 };
            for (slot, wire) in secrets {
                // EXPOSE: measured, on the secret stack.
                sizes = sizes.and(Sizes::of(slot, wire.expose(), scratch)?);
            }
            // EXPOSE: the hashes are written where they stay.
            let mut learning = Learning { filter: filter.expose_mut(), keys, sizes };
            for (slot, wire) in secrets {
                // EXPOSE: hashed, on the secret stack.
                for_each(slot, wire.expose(), scratch, |form, text| learning.spelling(form, text))?;
            }
            learning.idle();
            Some(sizes)
        });
        let sizes = sizes.ok_or(PatternError::NotAWireForm)?;
        if sizes.shortest < CREDENTIAL_BYTES_MIN {
            return Err(PatternError::TooShort);
        }
        let (stride, spacing) = (sizes.stride(), sizes.spacing());
        Ok(Self { filter, keys, stride, spacing, longest: sizes.longest })
    }

    /// A run of this many bytes of any spelling is found, wherever it begins: 16 for a credential
    /// of up to about 200 bytes. A spelling that is shorter is found whole.
    pub fn run_min(&self) -> usize {
        self.spacing + 8
    }

    /// The longest spelling in bytes: no more than this less one is held back.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Whether any spelling has this byte.
    pub(super) fn may_hold(&self, byte: u8) -> bool {
        // EXPOSE: one bit of a set is looked up.
        has(self.filter.expose(), byte)
    }

    /// A byte that no spelling has and no escape has inside of it, if there is one.
    pub(super) fn wall(&self) -> Option<u8> {
        let (firsts, counts) = self.idle();
        (counts[0] > 0).then_some(firsts[0])
    }

    /// Whether any spelling has `\u` in it.
    pub(super) fn has_unit(&self) -> bool {
        // EXPOSE: one bit is looked up.
        self.filter.expose()[WORDS + 6] & 1 != 0
    }

    /// Whether a secret has what an escape begins with. Its spellings may match in one place from
    /// different beginnings.
    pub(super) fn looks_escaped(&self) -> bool {
        // EXPOSE: one bit is looked up.
        self.filter.expose()[WORDS + 6] & 2 != 0
    }

    /// Whether every window of every spelling is in the filter; none is shorter than 15 bytes then.
    pub(super) fn has_all_windows(&self) -> bool {
        self.stride == 8 && self.spacing == 8
    }

    /// Whether a piece may begin at any place of `text` that is a multiple of `STEP`.
    pub(super) fn has_piece<const STEP: usize>(&self, text: &[u8]) -> bool {
        // EXPOSE: hashes are looked up; nothing of the filter is kept.
        scan::<STEP>(self.filter.expose(), self.keys, text, 0, text.len()).is_ok()
    }

    /// Ranges of bytes that no spelling has and no escape has inside of it, the most common first: the
    /// first byte of each, and how many.
    #[inline]
    pub(super) fn idle(&self) -> ([u8; 8], [u8; 8]) {
        // EXPOSE: bytes that are in no spelling.
        let filter = self.filter.expose();
        (filter[WORDS + 4].to_le_bytes(), filter[WORDS + 5].to_le_bytes())
    }

    /// How many bytes at the end of `text`, `max` at most, may belong to a spelling that is too
    /// short to be seen yet.
    pub(super) fn tail_len(&self, text: &[u8], max: usize) -> usize {
        // EXPOSE: bits of a set are looked up.
        let filter = self.filter.expose();
        text.iter().rev().take(max).take_while(|b| has(filter, **b)).count()
    }

    /// The first place at or after `place` that is looked at, a multiple of the stride.
    pub(super) fn aligned(&self, place: u64) -> u64 {
        let last = self.stride as u64 - 1;
        (place + last) & !last
    }

    /// The first place at or after `from` (a multiple of the stride away) where a piece may begin.
    #[inline]
    pub(super) fn candidate(&self, haystack: &[u8], from: usize) -> Option<usize> {
        self.candidate_up_to(haystack, from, haystack.len()).ok()
    }

    /// As [`candidate`](Self::candidate), in front of `to` and maybe somewhat behind it. Where there
    /// is none: up to where was looked.
    #[inline]
    pub(super) fn candidate_up_to(
        &self,
        haystack: &[u8],
        from: usize,
        to: usize,
    ) -> Result<usize, usize> {
        // EXPOSE: hashes are looked up; nothing of the filter is kept.
        let filter = self.filter.expose();
        let scan = match self.stride {
            8 => scan::<8>,
            4 => scan::<4>,
            2 => scan::<2>,
            _ => scan::<1>,
        };
        scan(filter, self.keys, haystack, from, to)
    }
}

/// Its measures: the keys are worthless without the filter, and still not shown.
impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pattern").field("run_min", &self.run_min()).finish_non_exhaustive()
    }
}

/// Why a credential cannot be looked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Under 8 bytes: it would be found in ordinary text.
    #[error("the credential is shorter than 8 bytes, so an echo of it could not be recognised")]
    TooShort,
    /// Over 4096 bytes.
    #[error("the credential is longer than 4096 bytes on the wire")]
    TooLong,
    /// The bytes are not a wire form of the slot. Our own fault, or damage.
    #[error("the sealed credential is not in the wire form of its slot")]
    NotAWireForm,
    /// No secret memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Lengths of a credential's spellings.
#[derive(Clone, Copy)]
struct Sizes {
    total: usize,
    shortest: usize,
    longest: usize,
}

impl Sizes {
    fn of(slot: &Slot, wire: &[u8], scratch: &mut [u8]) -> Option<Self> {
        let mut sizes = Self { total: 0, shortest: usize::MAX, longest: 0 };
        let mut has_raw = false;
        for_each(slot, wire, scratch, |form, text| {
            has_raw |= form == Form::Raw;
            sizes.total += text.len();
            sizes.shortest = sizes.shortest.min(text.len());
            sizes.longest = sizes.longest.max(text.len());
        })?;
        // A subject under a window's length has no raw spelling at all.
        if !has_raw {
            sizes.shortest = 0;
        }
        Some(sizes)
    }

    /// Of both together.
    fn and(self, other: Self) -> Self {
        Self {
            total: self.total + other.total,
            shortest: self.shortest.min(other.shortest),
            longest: self.longest.max(other.longest),
        }
    }

    /// The largest stride at which even the shortest spelling has a window under each residue; less
    /// for a long credential, so that its windows can stand closer.
    fn stride(self) -> usize {
        match self.shortest {
            15.. if self.total <= WINDOWS_MAX => 8,
            11.. if self.total * 4 / 8 <= WINDOWS_MAX => 4,
            9.. => 2,
            _ => 1,
        }
    }

    /// 8 where the filter has room for it, else the next multiple of 8 at which it stays sparse.
    fn spacing(self) -> usize {
        8 * (self.total * self.stride()).div_ceil(8 * WINDOWS_MAX).max(1)
    }
}

struct Learning<'a> {
    filter: &'a mut [u64; WORDS + EXTRA],
    keys: [u64; HASHES],
    sizes: Sizes,
}

impl Learning<'_> {
    fn spelling(&mut self, form: Form, text: &[u8]) {
        for byte in text {
            self.filter[WORDS + usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        let has_unit = text.array_windows().any(|pair| pair == b"\\u");
        let begins_escape = |byte: &u8| matches!(byte, b'%' | b'\\' | b'&');
        let looks_escaped = form == Form::Raw && text.iter().any(begins_escape);
        self.filter[WORDS + 6] |= u64::from(has_unit) | u64::from(looks_escaped) << 1;
        let (stride, spacing) = (self.sizes.stride(), self.sizes.spacing());
        for (offset, window) in text.array_windows::<8>().enumerate() {
            if offset % spacing < stride {
                for key in self.keys {
                    let bit = hash(*window, key);
                    self.filter[bit >> 6] |= 1 << (bit & 63);
                }
            }
        }
    }

    /// Of the ranges of what the spellings lack the eight that are worth most, the best first.
    fn idle(&mut self) {
        let mut ranges = [(0u32, 0u8, 0u8); 9];
        let (mut worth, mut count) = (0, 0u8);
        for byte in (0..=u8::MAX).rev() {
            let is_idle = |byte| !has(self.filter, byte) && !is_busy(byte);
            if is_idle(byte) {
                (worth, count) = (worth + common(byte), count.saturating_add(1));
                // A range is as long as it gets when the byte in front of it is not in it.
                if byte == 0 || !is_idle(byte - 1) {
                    ranges[8] = (worth, byte, count);
                    ranges.sort_unstable_by(|a, b| b.cmp(a));
                    (worth, count) = (0, 0);
                }
            }
        }
        self.filter[WORDS + 4] = u64::from_le_bytes(std::array::from_fn(|at| ranges[at].1));
        self.filter[WORDS + 5] = u64::from_le_bytes(std::array::from_fn(|at| ranges[at].2));
    }
}

/// How common a byte is in responses, about, by those that separate words.
fn common(byte: u8) -> u32 {
    match byte {
        b' ' => 200,
        b'"' => 60,
        b',' => 40,
        b':' => 30,
        b'<'..=b'>' => 20,
        _ => 1,
    }
}

/// Whether a byte can be part of an escape, or more than itself behind a backslash or a percent sign.
fn is_busy(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || is_special(byte) || matches!(byte, b'#' | b';' | b'{' | b'}')
}

/// A bit's number, below 2^16.
#[inline(always)]
fn hash(window: [u8; 8], key: u64) -> usize {
    (u64::from_le_bytes(window).wrapping_mul(key) >> 48) as usize
}

fn has(filter: &[u64; WORDS + EXTRA], byte: u8) -> bool {
    filter[WORDS + usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
}

/// 1 where the bit is set.
#[inline(always)]
fn lookup(filter: &[u64; WORDS + EXTRA], window: [u8; 8], key: u64) -> u64 {
    let bit = hash(window, key);
    filter[bit >> 6] >> (bit & 63) & 1
}

/// The hot loop: eight lookups without a branch, then one for all of them.
fn scan<const STRIDE: usize>(
    filter: &[u64; WORDS + EXTRA],
    keys: [u64; HASHES],
    haystack: &[u8],
    from: usize,
    to: usize,
) -> Result<usize, usize> {
    let mut at = from;
    let found = |at: usize| {
        let window = *haystack.get(at..)?.first_chunk::<8>()?;
        let is_found = keys.iter().all(|key| lookup(filter, window, *key) == 1);
        Some(is_found)
    };
    while let Some(block) = haystack.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
        if at >= to {
            return Err(at);
        }
        let mut hits = 0;
        for i in 0..8 {
            let mut window = [0; 8];
            window.copy_from_slice(&block[i * STRIDE..i * STRIDE + 8]);
            hits |= lookup(filter, window, keys[0]) << i;
        }
        while hits != 0 {
            let place = at + hits.trailing_zeros() as usize * STRIDE;
            if found(place) == Some(true) {
                return Ok(place);
            }
            hits &= hits - 1;
        }
        at += 8 * STRIDE;
    }
    while at < to
        && let Some(is_found) = found(at)
    {
        if is_found {
            return Ok(at);
        }
        at += STRIDE;
    }
    Err(at)
}

/// Of the filter: 8 KiB.
const WORDS: usize = 1 << 10;
/// The set of bytes, the ranges, and two bits about what the spellings have in them.
const EXTRA: usize = 4 + 2 + 1;
/// Bytes that eight windows span at the largest stride.
const BLOCK: usize = 7 * 8 + 8;
/// Bits for each window. Only the first is looked up in the hot loop.
const HASHES: usize = 5;
/// This many windows set a thirteenth of the filter, so that one place in 400,000 is a candidate by
/// chance: opening a long credential there costs less than the scan.
const WINDOWS_MAX: usize = 1024;
