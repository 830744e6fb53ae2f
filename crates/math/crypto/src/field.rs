//! Sealed fields of a vault's items: XChaCha20-Poly1305 with a random nonce. `specs/envelope.md`,
//! format 2.
//!
//! Unlike an envelope of format 1 a field carries the digest of its place, so that one of ours that
//! was moved is told apart from one that is damaged. A nonce of 24 bytes may be random without a
//! bound on how many are sealed.

use std::fmt;

use symbolon_ambient::Rng;
use symbolon_secret::{MemoryError, Secret, on_stack};

use crate::envelope::{tag_id, with_tag};
use crate::hash::hmac_sha256;
use crate::kdf::hkdf_sha256;
use crate::labels::{self, Label, Tag};
use crate::xchacha::XChaCha;

#[cfg(test)]
mod tests;

/// How much longer a sealed field is than its plaintext.
pub const FIELD_OVERHEAD_BYTES: usize = HEADER + AUTHENTICATOR;

/// Why a field did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The field is whole, and sealed under another key.
    #[error("the field was sealed under another key")]
    WrongKey,
    /// The key is right, and the bytes changed.
    #[error("the field is damaged")]
    Damaged,
    /// It is one of ours, unchanged, and belongs to another place.
    #[error("the field belongs to another place")]
    Moved(PlaceDigest),
    /// It holds another kind of thing, or one of another version.
    #[error("the field holds something of another kind or version")]
    Kind,
    /// Bytes are missing at the end.
    #[error("the field is cut short")]
    Truncated,
    /// No secret page was left for the plaintext.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for FieldError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

/// Where a field belongs, hashed: its tag and its context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    tag_id: [u8; 4],
    digest: PlaceDigest,
}

/// The digest of a place, which stands in the field. Not secret: it is made of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceDigest([u8; 32]);

impl Place {
    /// `context` names the place: ids of vault and item, revision, field. Borders count.
    pub fn new(tag: &Tag, context: &[&[u8]]) -> Self {
        let mut h = with_tag(labels::FIELD.as_str(), tag);
        for c in context {
            h.field(c);
        }
        Self { tag_id: tag_id(tag), digest: PlaceDigest(h.finish().0) }
    }

    /// The digest, to compare with that of [`FieldError::Moved`].
    pub const fn digest(&self) -> PlaceDigest {
        self.digest
    }
}

/// A key that seals fields, with its commitment; the key is in a secret page.
pub struct FieldKey {
    cipher: Secret<XChaCha>,
    commitment: [u8; 32],
}

impl FieldKey {
    /// From 32 bytes that are uniformly random or derived.
    pub fn from_secret(key: &Secret<[u8; 32]>) -> Self {
        let commitment = hmac_sha256(key, &[labels::KEY_COMMITMENT.as_str().as_bytes()]).0;
        // EXPOSE: the cipher is made from the key, on the secret stack.
        Self { cipher: Secret::place(|| XChaCha::new(key.expose())), commitment }
    }

    /// By HKDF-SHA256 from `ikm`, for one purpose and one place.
    pub fn derive<K: AsRef<[u8]> + ?Sized>(ikm: &Secret<K>, label: &Label, context: &[u8]) -> Self {
        Self::from_secret(&hkdf_sha256(ikm, &[], label, context))
    }

    /// The public value that tells this key from any other.
    pub fn commitment(&self) -> &[u8; 32] {
        &self.commitment
    }

    /// Seals `plaintext`, bound to its place. It is read where it is.
    ///
    /// # Panics
    /// Where the plaintext has 2^32 bytes or more: every caller bounds its input far below.
    pub fn seal(&self, place: &Place, plaintext: &[u8], rng: &dyn Rng) -> Vec<u8> {
        let mut nonce = [0; 24];
        rng.fill(&mut nonce);
        self.seal_with_nonce(place, &nonce, plaintext)
    }

    /// Opens into a secret page of its own.
    ///
    /// # Errors
    /// [`FieldError`], in the order of the spec.
    pub fn open(&self, place: &Place, field: &[u8]) -> Result<Secret<[u8]>, FieldError> {
        let len = field.len().checked_sub(FIELD_OVERHEAD_BYTES).ok_or(FieldError::Truncated)?;
        Secret::<[u8]>::try_make_slice(len, |out| {
            self.open_into(place, field, out)?;
            Ok(len)
        })
    }

    /// Opens into ordinary memory: for what people read, such as a note, not for a credential.
    ///
    /// # Errors
    /// As [`FieldKey::open`].
    pub fn open_readable(&self, place: &Place, field: &[u8]) -> Result<Vec<u8>, FieldError> {
        let len = field.len().checked_sub(FIELD_OVERHEAD_BYTES).ok_or(FieldError::Truncated)?;
        let mut out = vec![0; len];
        self.open_into(place, field, &mut out)?;
        Ok(out)
    }

    /// `out` is as long as the plaintext; on error nothing of it is there.
    fn open_into(&self, place: &Place, field: &[u8], out: &mut [u8]) -> Result<(), FieldError> {
        let parsed = Parsed::parse(field, place.tag_id)?;
        // Both values are public: the comparison may take the time that it takes.
        if *parsed.commitment != self.commitment {
            return Err(FieldError::WrongKey);
        }
        on_stack(|| {
            // EXPOSE: the cipher reads its key, on the secret stack.
            let cipher = self.cipher.expose();
            cipher
                .open(parsed.nonce, parsed.place, parsed.ciphertext, parsed.authenticator, out)
                .map_err(|_| FieldError::Damaged)
        })?;
        if *parsed.place != place.digest.0 {
            // What opens in the place that it names is ours, and was moved; nothing of it is given.
            symbolon_secret::wipe(out);
            return Err(FieldError::Moved(PlaceDigest(*parsed.place)));
        }
        Ok(())
    }

    fn seal_with_nonce(&self, place: &Place, nonce: &[u8; 24], plaintext: &[u8]) -> Vec<u8> {
        let len = u32::try_from(plaintext.len());
        // INFALLIBLE: documented under Panics; every caller bounds its input far below.
        let len = len.expect("a plaintext is shorter than 2^32 bytes");
        let mut out = Vec::with_capacity(FIELD_OVERHEAD_BYTES + plaintext.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT);
        out.extend_from_slice(&place.tag_id);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&self.commitment);
        out.extend_from_slice(&place.digest.0);
        out.extend_from_slice(nonce);
        out.resize(FIELD_OVERHEAD_BYTES + plaintext.len(), 0);
        let (body, authenticator) = out[HEADER..].split_at_mut(plaintext.len());
        let sealed = on_stack(|| {
            // EXPOSE: the cipher reads its key, on the secret stack.
            self.cipher.expose().seal(nonce, &place.digest.0, plaintext, body)
        });
        // INFALLIBLE: the cipher's own bound is 2^38 - 64 bytes, and both lengths are the same.
        authenticator.copy_from_slice(&sealed.expect("below 2^32 bytes the cipher seals"));
        out
    }
}

impl fmt::Debug for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FieldKey")
    }
}

struct Parsed<'a> {
    commitment: &'a [u8; 32],
    place: &'a [u8; 32],
    nonce: &'a [u8; 24],
    ciphertext: &'a [u8],
    authenticator: &'a [u8; 16],
}

impl<'a> Parsed<'a> {
    fn parse(field: &'a [u8], tag_id: [u8; 4]) -> Result<Self, FieldError> {
        if field.len() < FIELD_OVERHEAD_BYTES {
            return Err(FieldError::Truncated);
        }
        let (magic, rest) = split::<3>(field)?;
        let (format, rest) = split::<1>(rest)?;
        let (tag, rest) = split::<4>(rest)?;
        let (length, rest) = split::<4>(rest)?;
        let (commitment, rest) = split::<32>(rest)?;
        let (place, rest) = split::<32>(rest)?;
        let (nonce, rest) = split::<24>(rest)?;
        let (ciphertext, authenticator) =
            rest.split_last_chunk::<AUTHENTICATOR>().ok_or(FieldError::Truncated)?;
        if *magic != MAGIC {
            return Err(FieldError::Damaged);
        }
        if *format != FORMAT || *tag != tag_id {
            return Err(FieldError::Kind);
        }
        match (u32::from_be_bytes(*length) as usize).cmp(&ciphertext.len()) {
            std::cmp::Ordering::Greater => Err(FieldError::Truncated),
            std::cmp::Ordering::Less => Err(FieldError::Damaged),
            std::cmp::Ordering::Equal => {
                Ok(Self { commitment, place, nonce, ciphertext, authenticator })
            }
        }
    }
}

fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), FieldError> {
    bytes.split_first_chunk().ok_or(FieldError::Truncated)
}

const HEADER: usize = 3 + 1 + 4 + 4 + 32 + 32 + 24;
const AUTHENTICATOR: usize = 16;
const MAGIC: [u8; 3] = *b"SYE";
const FORMAT: [u8; 1] = [2];
