//! Exports of Bitwarden under a passphrase of their own. What stands around the seal is no secret.

use serde_json::Value;
use symbolon_codec::b64;
use symbolon_crypto::{Params, argon2id_salted, foreign_cbc_open, pbkdf2_sha256, sha256_parts};
use symbolon_secret::Secret;

use super::FILE_BYTES_MAX;
use super::error::ForeignError;

/// An export that was read, and not opened.
pub(super) struct Sealed {
    salt: String,
    derivation: Derivation,
    /// A text that nobody needs, under the same key: what tells another passphrase from changed bytes.
    check: EncString,
    data: EncString,
}

enum Derivation {
    Pbkdf2 { iterations: u32 },
    Argon2id { passes: u32, memory_kib: u32, lanes: u32 },
}

/// `2.IV|CIPHERTEXT|MAC`, each in base64.
struct EncString {
    iv: [u8; 16],
    sealed: Vec<u8>,
    mac: [u8; 32],
}

impl Sealed {
    /// Reads the members of the root.
    ///
    /// # Errors
    /// [`ForeignError::Format`]: sealed to an account, another cipher, costs beyond what is taken.
    pub fn read(bytes: &[u8]) -> Result<Self, ForeignError> {
        let no_json = |_| ForeignError::Format("this is no export of Bitwarden that is whole");
        let root: Value = symbolon_codec::json::parse_bounded(bytes, FILE_BYTES_MAX, DEPTH_MAX)
            .map_err(no_json)?;
        if root["passwordProtected"] != true {
            return Err(ForeignError::Format(
                "this export opens with its Bitwarden account alone; export as `.json (Encrypted)`, protected by a password",
            ));
        }
        let costs = ForeignError::Format("its derivation is another, or costs more than is taken");
        let number = |name: &str, max: u64| root[name].as_u64().filter(|n| (1..=max).contains(n));
        let number = |name: &str, max: u64| number(name, max).and_then(|n| u32::try_from(n).ok());
        let derivation = match root["kdfType"].as_u64() {
            Some(0) => number("kdfIterations", PBKDF2_ITERATIONS_MAX)
                .map(|iterations| Derivation::Pbkdf2 { iterations }),
            Some(1) => (|| {
                let passes = number("kdfIterations", ARGON2_PASSES_MAX)?;
                let memory_kib = number("kdfMemory", ARGON2_MIB_MAX)? * 1024;
                let lanes = number("kdfParallelism", ARGON2_LANES_MAX)?;
                Some(Derivation::Argon2id { passes, memory_kib, lanes })
            })(),
            _ => None,
        };
        let derivation = derivation.ok_or(costs)?;
        let text = |name: &str| root[name].as_str().unwrap_or_default();
        let part = |name: &str| {
            let wrong = "a part of it is sealed otherwise than by AES-256-CBC with HMAC-SHA256";
            EncString::parse(text(name)).ok_or(ForeignError::Format(wrong))
        };
        let (check, data) = (part("encKeyValidation_DO_NOT_EDIT")?, part("data")?);
        Ok(Self { salt: text("salt").to_owned(), derivation, check, data })
    }

    /// Whether a guess is cheap: fewer iterations than Bitwarden makes today.
    pub fn is_weak(&self) -> bool {
        matches!(self.derivation, Derivation::Pbkdf2 { iterations } if iterations < PBKDF2_TODAY)
    }

    /// The export that is sealed in it.
    ///
    /// # Errors
    /// [`ForeignError::Cipher`]: another passphrase, or changed bytes.
    pub fn open(&self, passphrase: &Secret<[u8]>) -> Result<Secret<[u8]>, ForeignError> {
        // The text of the salt, not the bytes that it spells.
        let salt = self.salt.as_bytes();
        let key = match self.derivation {
            Derivation::Pbkdf2 { iterations } => pbkdf2_sha256(passphrase, salt, iterations)?,
            Derivation::Argon2id { passes, memory_kib, lanes } => {
                let salt = sha256_parts(&[salt]);
                argon2id_salted(passphrase, &salt.0, Params::new(memory_kib, passes, lanes)?)?
            }
        };
        self.check.open(&key)?;
        self.data.open(&key)
    }
}

impl EncString {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("2.")?.split('|');
        let (iv, sealed, mac) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            iv: b64::decode(iv, 16).ok()?.try_into().ok()?,
            sealed: b64::decode(sealed, FILE_BYTES_MAX).ok()?,
            mac: b64::decode(mac, 32).ok()?.try_into().ok()?,
        })
    }

    fn open(&self, key: &Secret<[u8; 32]>) -> Result<Secret<[u8]>, ForeignError> {
        Ok(foreign_cbc_open(key, &self.iv, &self.sealed, &self.mac)?)
    }
}

const DEPTH_MAX: usize = 8;
/// Bounds of Bitwarden's own settings.
const PBKDF2_ITERATIONS_MAX: u64 = 2_000_000;
const ARGON2_PASSES_MAX: u64 = 10;
const ARGON2_MIB_MAX: u64 = 1024;
const ARGON2_LANES_MAX: u64 = 16;
/// What an export has by default since 2023.
const PBKDF2_TODAY: u32 = 600_000;
