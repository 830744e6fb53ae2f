//! The seed phrase of a wallet (BIP-39), and the keys that wallets take from it (SLIP-0010, BIP-32).

use std::fmt;

use symbolon_secret::{MemoryError, Secret, on_stack};

use crate::ethereum::EthereumKey;
use crate::recovery::{RecoveryError, decode, encode};
use crate::sign::SigningKey;

mod slip10;
#[cfg(test)]
mod tests;

/// The 512 bits that a wallet's phrase stands for, in a secret page.
pub struct Seed(Secret<[u8; 64]>);

/// Why words are no seed phrase. Positions count from 1; no word is repeated back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// Another number of words.
    #[error("a seed phrase has 12, 15, 18, 21 or 24 words, this has {found}")]
    WordCount {
        /// Words given.
        found: usize,
    },
    /// A word that is not in the list.
    #[error("word {position} is not in the English list of seed words")]
    UnknownWord {
        /// Counting from 1.
        position: usize,
    },
    /// All words are in the list, and they do not belong together.
    #[error("the words do not belong together: one is wrong, or two changed places")]
    Checksum,
    /// A passphrase that would have to be normalised, or is too long.
    #[error(
        "the passphrase beside a seed phrase has {PASSPHRASE_BYTES_MAX} ASCII characters at most"
    )]
    Passphrase,
    /// No secret page was left for the seed.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for SeedError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

impl Seed {
    /// Reads 12 to 24 English words; case and the kind and number of spaces do not matter.
    /// `passphrase` is the "25th word" of wallets that have one, else nothing: ASCII alone, so that
    /// it is in the form (NFKD) that BIP-39 wants.
    ///
    /// # Errors
    /// [`SeedError`]; words are counted first, then looked up, then the checksum is compared.
    pub fn parse(phrase: &Secret<[u8]>, passphrase: &Secret<[u8]>) -> Result<Self, SeedError> {
        Secret::<[u8; 64]>::try_make(|out| {
            // EXPOSE: words become the seed, on the secret stack, in a secret page.
            on_stack(|| stretch(phrase.expose(), passphrase.expose(), out))
        })
        .map(Self)
    }

    /// The key of a Solana wallet's first account: `m/44'/501'/0'/0'`.
    pub fn solana_key(&self) -> SigningKey {
        // EXPOSE: the seed is hashed, on the secret stack, into a secret page.
        let derive = || slip10::derive_ed25519(self.0.expose(), &[44, 501, 0, 0]).key;
        SigningKey::from_seed(Secret::<[u8; 32]>::make(|out| on_stack(|| *out = derive())))
    }

    /// The key of an Ethereum wallet's first account: `m/44'/60'/0'/0/0`.
    pub fn ethereum_key(&self) -> EthereumKey {
        let path = [slip10::HARD | 44, slip10::HARD | 60, slip10::HARD, 0, 0];
        // EXPOSE: the seed is hashed, on the secret stack, into a secret page.
        let derive = || slip10::derive_secp256k1(self.0.expose(), &path).key;
        let secret = Secret::<[u8; 32]>::make(|out| on_stack(|| *out = derive()));
        match EthereumKey::from_secret(&secret) {
            Ok(key) => key,
            // INFALLIBLE: the derivation goes on until the number is a key of the group.
            Err(_) => unreachable!("a derived key is not zero and below the order"),
        }
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed")
    }
}

/// PBKDF2-HMAC-SHA512 of the words in their one form, with 2048 rounds.
fn stretch(phrase: &[u8], passphrase: &[u8], out: &mut [u8; 64]) -> Result<(), SeedError> {
    if passphrase.len() > PASSPHRASE_BYTES_MAX || !passphrase.is_ascii() {
        return Err(SeedError::Passphrase);
    }
    let words = phrase.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).count();
    if !(12..=24).contains(&words) || words % 3 != 0 {
        return Err(SeedError::WordCount { found: words });
    }
    let mut entropy = [0; 32];
    let entropy = &mut entropy[..words * 4 / 3];
    decode(phrase, entropy)?;
    let mut text = [0; PHRASE_BYTES_MAX];
    let mut length = 0;
    encode(entropy, |piece| {
        text[length..length + piece.len()].copy_from_slice(piece.as_bytes());
        length += piece.len();
    });
    let mut salt = [0; 8 + PASSPHRASE_BYTES_MAX];
    salt[..8].copy_from_slice(b"mnemonic");
    salt[8..8 + passphrase.len()].copy_from_slice(passphrase);
    let salt = &salt[..8 + passphrase.len()];
    pbkdf2::pbkdf2_hmac::<sha2::Sha512>(&text[..length], salt, 2048, out);
    Ok(())
}

impl From<RecoveryError> for SeedError {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::WordCount { found } => Self::WordCount { found },
            RecoveryError::UnknownWord { position } => Self::UnknownWord { position },
            RecoveryError::Checksum => Self::Checksum,
            RecoveryError::NoPage => Self::NoPage,
        }
    }
}

/// 24 words of 8 letters and the spaces between them.
const PHRASE_BYTES_MAX: usize = 24 * 9 - 1;
/// More than any wallet takes.
const PASSPHRASE_BYTES_MAX: usize = 256;
