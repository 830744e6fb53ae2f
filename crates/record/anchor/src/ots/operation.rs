//! One step from a message to the next.

use std::cmp::Ordering;

use symbolon_crypto::ethereum::keccak256;
use symbolon_crypto::sha256;

use super::error::OtsError;
use super::read::{Reader, write_var_bytes};

/// One step from a message to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// SHA-256 of it.
    Sha256,
    /// Keccak-256 of it.
    Keccak256,
    /// Bytes behind it.
    Append(Vec<u8>),
    /// Bytes before it.
    Prepend(Vec<u8>),
    /// A step that is read and kept, and proves nothing here: SHA-1, RIPEMD-160, and what is no longer used.
    Unproven(u8),
}

impl Operation {
    /// A step whose tag was read.
    pub(super) fn read(tag: u8, reader: &mut Reader<'_>) -> Result<Self, OtsError> {
        let mut argument = || {
            let bytes = reader.var_bytes("bytes in an operation", MESSAGE_BYTES_MAX)?;
            // Nothing added is no step: two proofs would say the same.
            if bytes.is_empty() { Err(OtsError::Number) } else { Ok(bytes.to_vec()) }
        };
        match tag {
            SHA256 => Ok(Self::Sha256),
            KECCAK256 => Ok(Self::Keccak256),
            APPEND => Ok(Self::Append(argument()?)),
            PREPEND => Ok(Self::Prepend(argument()?)),
            SHA1 | RIPEMD160 | REVERSE | HEXLIFY => Ok(Self::Unproven(tag)),
            _ => Err(OtsError::Operation(tag)),
        }
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.push(self.tag());
        if let Self::Append(bytes) | Self::Prepend(bytes) = self {
            write_var_bytes(to, bytes);
        }
    }

    /// The message after it; none where it proves nothing, or makes more than a message may have.
    pub(super) fn apply(&self, message: &[u8]) -> Option<Vec<u8>> {
        let next = match self {
            Self::Sha256 => sha256(message).0.to_vec(),
            Self::Keccak256 => keccak256(&[message]).0.to_vec(),
            Self::Append(bytes) => [message, bytes].concat(),
            Self::Prepend(bytes) => [bytes, message].concat(),
            Self::Unproven(_) => return None,
        };
        (next.len() <= MESSAGE_BYTES_MAX).then_some(next)
    }

    fn tag(&self) -> u8 {
        match self {
            Self::Sha256 => SHA256,
            Self::Keccak256 => KECCAK256,
            Self::Append(_) => APPEND,
            Self::Prepend(_) => PREPEND,
            Self::Unproven(tag) => *tag,
        }
    }
}

/// The order in which they are written: by tag, then by what is added.
impl Ord for Operation {
    fn cmp(&self, other: &Self) -> Ordering {
        let added = |operation: &Self| match operation {
            Self::Append(bytes) | Self::Prepend(bytes) => bytes.clone(),
            _ => Vec::new(),
        };
        self.tag().cmp(&other.tag()).then_with(|| added(self).cmp(&added(other)))
    }
}

impl PartialOrd for Operation {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

pub(super) const SHA256: u8 = 0x08;
const SHA1: u8 = 0x02;
const RIPEMD160: u8 = 0x03;
const KECCAK256: u8 = 0x67;
const APPEND: u8 = 0xf0;
const PREPEND: u8 = 0xf1;
const REVERSE: u8 = 0xf2;
const HEXLIFY: u8 = 0xf3;
/// The longest message, and the most that is added to one.
const MESSAGE_BYTES_MAX: usize = 4096;
