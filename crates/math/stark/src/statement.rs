//! What is proven, and to whom.

use symbolon_codec::fields::Fields;

use crate::config::PARAMETERS;
use crate::sponge::blocks_of;

/// Bytes of a SHA3-512 digest.
pub const DIGEST_BYTES: usize = 64;
/// Bytes of a verifier's nonce.
pub const NONCE_BYTES: usize = 16;
/// The longest binary that can be proven.
pub const BINARY_BYTES_MAX: usize = 204_800;
/// Its blocks.
pub const BLOCKS_MAX: usize = blocks_of(BINARY_BYTES_MAX);
/// The longest name of an audience.
pub const AUDIENCE_BYTES_MAX: usize = 256;

/// SHA3-512 of a binary.
pub type Digest = [u8; DIGEST_BYTES];

/// Whom a proof is for, and the nonce that it answers. A proof for one is worth nothing to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    audience: String,
    nonce: [u8; NONCE_BYTES],
}

/// An audience needs a name, of at most [`AUDIENCE_BYTES_MAX`] bytes, without control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an audience is a name of 1 to {AUDIENCE_BYTES_MAX} bytes without control characters")]
pub struct ContextError;

impl Context {
    /// A context.
    ///
    /// # Errors
    /// [`ContextError`].
    pub fn new(audience: &str, nonce: [u8; NONCE_BYTES]) -> Result<Self, ContextError> {
        let fits = (1..=AUDIENCE_BYTES_MAX).contains(&audience.len());
        if !fits || audience.chars().any(char::is_control) {
            return Err(ContextError);
        }
        Ok(Self { audience: audience.to_owned(), nonce })
    }

    /// Whom it is for.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// What the verifier drew, or zeros where nobody asked.
    pub const fn nonce(&self) -> &[u8; NONCE_BYTES] {
        &self.nonce
    }
}

/// The binary is longer than [`BINARY_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a binary of {found} bytes cannot be proven: {BINARY_BYTES_MAX} at most")]
pub struct TooLong {
    /// Its bytes.
    pub found: usize,
}

/// `sha3/1`: whoever made the proof holds a binary of so many blocks of 72 bytes (its padding counted) with this digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// SHA3-512 of the binary.
    pub digest: Digest,
    /// How many blocks it fills: its length, divided by 72 and rounded down, and one.
    pub blocks: usize,
    /// To whom it is shown.
    pub context: Context,
}

impl Statement {
    /// The statement that holds of a binary.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn of(binary: &[u8], context: Context) -> Result<Self, TooLong> {
        if binary.len() > BINARY_BYTES_MAX {
            return Err(TooLong { found: binary.len() });
        }
        let digest = symbolon_crypto::sha3_512(binary);
        Ok(Self { digest, blocks: blocks_of(binary.len()), context })
    }

    /// Whether a binary of this length has as many blocks.
    pub const fn fits(&self, length: usize) -> bool {
        blocks_of(length) == self.blocks
    }

    /// What the transcript begins with: another statement, context or set of parameters draws other challenges.
    pub(crate) fn transcript(&self) -> Vec<u8> {
        Fields::new("symbolon/sha3/1")
            .str(PARAMETERS)
            .str(&self.context.audience)
            .bytes(&self.context.nonce)
            .bytes(&self.digest)
            .u64(self.blocks as u64)
            .finish()
    }
}
