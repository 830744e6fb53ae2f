//! What an owner keeps in the vault: the key of one registration, and its salt.

use std::fmt;

use symbolon_ambient::Rng;
use symbolon_codec::{Digest32, hex};
use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_secret::Secret;

use crate::digest::holder_of;
use crate::{Act, Salt};

/// These bytes are no record of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no record of an authorship")]
pub struct RecordError;

/// The key and the salt of one registration.
pub struct OwnerSecrets {
    seed: Secret<[u8; 32]>,
    key: SigningKey,
    salt: Salt,
}

impl OwnerSecrets {
    /// New ones. `rng` is the kernel's in production.
    pub fn make(rng: &dyn Rng) -> Self {
        Self::with_salt(Salt::make(rng), rng)
    }

    /// A new key beside the salt of a registration that is taken over.
    pub fn with_salt(salt: Salt, rng: &dyn Rng) -> Self {
        Self::from_parts(Secret::<[u8; 32]>::make(|out| rng.fill(out)), salt)
    }

    fn from_parts(seed: Secret<[u8; 32]>, salt: Salt) -> Self {
        // EXPOSE: the key is made of a copy of its seed, page to page.
        let copy = Secret::<[u8; 32]>::make(|out| out.copy_from_slice(seed.expose()));
        Self { seed, key: SigningKey::from_seed(copy), salt }
    }

    /// The same key with another salt: of a registration that is taken over.
    #[must_use]
    pub fn salted(self, salt: Salt) -> Self {
        Self { salt, ..self }
    }

    /// The public key.
    pub fn public(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// The salt.
    pub const fn salt(&self) -> &Salt {
        &self.salt
    }

    /// The account as a log has it, to who knows its id.
    pub fn holder(&self, account: &[u8; 16]) -> Digest32 {
        holder_of(account, &self.public())
    }

    /// Signs an act.
    pub fn sign(&self, act: &Act) -> [u8; 64] {
        self.key.sign(&act.write())
    }

    /// Accepts a transfer to this key.
    pub fn accept(&self, transfer: &Act) -> [u8; 64] {
        self.key.sign(&transfer.acceptance())
    }

    /// The record that the vault keeps: `specs/authorship.md`, "Record".
    pub fn write(&self) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(RECORD_BYTES, |out| {
            let (prefix, digits) = out.split_at_mut(PREFIX.len());
            prefix.copy_from_slice(PREFIX.as_bytes());
            let (seed, salt) = digits.split_at_mut(64);
            // EXPOSE: the seed goes into another secret page.
            write_hex(self.seed.expose(), seed);
            write_hex(self.salt.as_bytes(), salt);
        })
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn parse(record: &Secret<[u8]>) -> Result<Self, RecordError> {
        // EXPOSE: the record is read into another secret page.
        let digits = record.expose().strip_prefix(PREFIX.as_bytes()).ok_or(RecordError)?;
        let (seed, salt) = digits.split_at_checked(64).ok_or(RecordError)?;
        let mut salt_bytes = [0; 32];
        read_hex(salt, &mut salt_bytes)?;
        let seed = Secret::<[u8; 32]>::try_make(|out| read_hex(seed, out).map_err(Unread::from))
            .map_err(|_| RecordError)?;
        Ok(Self::from_parts(seed, Salt::from_bytes(salt_bytes)))
    }
}

impl fmt::Debug for OwnerSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnerSecrets")
    }
}

/// A seed that was not read, or found no page.
enum Unread {
    Record,
    Memory,
}

impl From<RecordError> for Unread {
    fn from(_: RecordError) -> Self {
        Self::Record
    }
}

impl From<symbolon_secret::MemoryError> for Unread {
    fn from(_: symbolon_secret::MemoryError) -> Self {
        Self::Memory
    }
}

fn write_hex(bytes: &[u8; 32], out: &mut [u8]) {
    for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// Without a copy outside `out`.
fn read_hex(digits: &[u8], out: &mut [u8; 32]) -> Result<(), RecordError> {
    let text = std::str::from_utf8(digits).map_err(|_| RecordError)?;
    hex::decode_to_slice(text, out).map_err(|_| RecordError)
}

const PREFIX: &str = "symbolon-authorship-1:";
const RECORD_BYTES: usize = PREFIX.len() + 128;
const DIGITS: &[u8; 16] = b"0123456789abcdef";
