//! The bytes of an envelope: `specs/envelope.md`.

use symbolon_secret::MemoryError;

use crate::hash::Sha256;
use crate::labels::{self, Tag};

/// How much longer an envelope is than its plaintext.
pub const OVERHEAD_BYTES: usize = HEADER + AUTHENTICATOR;

/// Bytes of the envelope of a plaintext of `plain` bytes.
pub const fn sealed_len(plain: usize) -> usize {
    plain + OVERHEAD_BYTES
}

/// Bytes of the plaintext of an envelope; `None` where the bytes are too few to be one.
pub fn plain_len(envelope: &[u8]) -> Option<usize> {
    envelope.len().checked_sub(OVERHEAD_BYTES)
}

/// Why an envelope did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The envelope is whole, and sealed under another key.
    #[error("the envelope was sealed under another key")]
    WrongKey,
    /// The key is right, and the bytes or the place that they are read from changed.
    #[error("the envelope is damaged, or was moved from another place")]
    Damaged,
    /// The envelope holds another kind of thing, or one of another version.
    #[error("the envelope holds something of another kind or version")]
    Kind,
    /// Bytes are missing at the end.
    #[error("the envelope is cut short")]
    Truncated,
    /// The caller's buffer is shorter than the plaintext.
    #[error("the plaintext has {needed} bytes and the buffer {given}")]
    NoRoom {
        /// Bytes of the plaintext.
        needed: usize,
        /// Bytes of the buffer.
        given: usize,
    },
    /// No secret page was left for the plaintext.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for OpenError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

/// What an envelope is bound to, hashed once: its tag and its context. Makes opening free of
/// formatting and allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aad {
    tag_id: [u8; 4],
    digest: [u8; 32],
}

impl Aad {
    /// `context` names the place: ids of the vault, connection, wrap. Borders count.
    pub fn new(tag: &Tag, context: &[&[u8]]) -> Self {
        let mut h = with_tag(labels::ENVELOPE.as_str(), tag);
        for c in context {
            h.field(c);
        }
        Self { tag_id: tag_id(tag), digest: h.finish().0 }
    }

    pub(crate) fn tag_id(&self) -> [u8; 4] {
        self.tag_id
    }

    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// A parsed envelope whose header says what the opener asked for.
pub(crate) struct Envelope<'a> {
    pub(crate) commitment: &'a [u8; 32],
    pub(crate) nonce: &'a [u8; 12],
    pub(crate) ciphertext: &'a [u8],
    pub(crate) authenticator: &'a [u8; 16],
}

impl<'a> Envelope<'a> {
    /// Rule 1 of the spec, up to the length.
    #[inline]
    pub(crate) fn parse(bytes: &'a [u8], tag_id: [u8; 4]) -> Result<Self, OpenError> {
        if bytes.len() < OVERHEAD_BYTES {
            return Err(OpenError::Truncated);
        }
        let (magic, rest) = split::<3>(bytes)?;
        let (format, rest) = split::<1>(rest)?;
        let (tag, rest) = split::<4>(rest)?;
        let (length, rest) = split::<4>(rest)?;
        let (commitment, rest) = split::<32>(rest)?;
        let (nonce, rest) = split::<12>(rest)?;
        let (ciphertext, authenticator) =
            rest.split_last_chunk::<AUTHENTICATOR>().ok_or(OpenError::Truncated)?;
        if *magic != MAGIC {
            return Err(OpenError::Damaged);
        }
        if *format != FORMAT || *tag != tag_id {
            return Err(OpenError::Kind);
        }
        match (u32::from_be_bytes(*length) as usize).cmp(&ciphertext.len()) {
            std::cmp::Ordering::Greater => Err(OpenError::Truncated),
            std::cmp::Ordering::Less => Err(OpenError::Damaged),
            std::cmp::Ordering::Equal => Ok(Self { commitment, nonce, ciphertext, authenticator }),
        }
    }
}

/// Writes the header of an envelope of `plain` bytes; `None` where the length does not fit.
pub(crate) fn header(
    tag_id: [u8; 4],
    plain: usize,
    commitment: &[u8; 32],
    nonce: &[u8; 12],
) -> Option<[u8; HEADER]> {
    let mut out = [0; HEADER];
    out[..3].copy_from_slice(&MAGIC);
    out[3..4].copy_from_slice(&FORMAT);
    out[4..8].copy_from_slice(&tag_id);
    out[8..12].copy_from_slice(&u32::try_from(plain).ok()?.to_be_bytes());
    out[12..44].copy_from_slice(commitment);
    out[44..].copy_from_slice(nonce);
    Some(out)
}

pub(crate) fn tag_id(tag: &Tag) -> [u8; 4] {
    let d = with_tag(labels::ENVELOPE_TAG.as_str(), tag).finish().0;
    [d[0], d[1], d[2], d[3]]
}

/// The canonical field list of `symbolon_codec::Fields`, hashed as it is written.
pub(crate) fn with_tag(label: &str, tag: &Tag) -> Sha256 {
    let mut h = Sha256::new();
    h.field(label.as_bytes());
    h.field(tag.object().as_bytes());
    h.field(tag.purpose().as_bytes());
    h.field(&u64::from(tag.version()).to_be_bytes());
    h
}

fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), OpenError> {
    bytes.split_first_chunk().ok_or(OpenError::Truncated)
}

pub(crate) const HEADER: usize = 56;
const AUTHENTICATOR: usize = 16;
const MAGIC: [u8; 3] = *b"SYE";
const FORMAT: [u8; 1] = [1];
