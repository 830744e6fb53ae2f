//! Why a file with secrets was not read. No message holds a value of the file.

use symbolon_crypto::{ForeignError as CipherError, PasswordError};
use symbolon_secret::MemoryError;

/// Why nothing of a file was read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// Not what its format says.
    #[error("line {line}, column {column}: {what}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What stands there, in words of ours.
        what: &'static str,
    },
    /// Read as a whole, it is something else.
    #[error("{0}")]
    Format(&'static str),
    /// It is this kind of file, and something in it is out of place.
    #[error("byte {at}: {what}")]
    Bytes {
        /// From 0.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// It is sealed, and no passphrase was given.
    #[error("it is sealed by a passphrase")]
    Sealed,
    /// It did not open.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// A passphrase gave no key.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A signature does not hold: what was signed is not what is there.
    #[error("the signature does not hold: the file was changed")]
    Signature,
    /// It names people that may open it together; refused whoever asks.
    #[error("it has an escrow block, whose shares are of the passphrase itself: refused")]
    Escrow,
    /// No secret page was left.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Line and column, from 1, of a byte.
pub(super) fn place(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = &bytes[..at.min(bytes.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let column = before[start..].iter().filter(|b| !(0x80..0xc0).contains(*b)).count() + 1;
    (line, column)
}
