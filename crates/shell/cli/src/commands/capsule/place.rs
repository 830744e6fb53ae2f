//! Files of capsules: what they are called, and how they are read.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use symbolon_capsule::{ENVELOPE_BYTES_MAX, PublicKeys, SigningKeys};
use symbolon_circuits::IssuerKey;
use symbolon_codec::{hex, json};
use symbolon_crypto::{PqSigningKey, SigningKey};
use symbolon_secret::Secret;

use crate::facts;
use crate::failure::Failure;

/// `hello.wasm`, `hello.manifest.json` → `hello.EXTENSION`.
pub fn beside(path: &Path, extension: &str) -> PathBuf {
    let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let known = [".manifest.json", ".capsule.json", ".certificate.json", ".wasm", ".wat"];
    let stem = known.iter().find_map(|it| name.strip_suffix(it)).unwrap_or(&name);
    path.with_file_name(format!("{stem}.{extension}"))
}

/// An envelope's bytes.
pub fn envelope(path: &Path) -> Result<Vec<u8>, Failure> {
    facts::read(path, ENVELOPE_BYTES_MAX)
}

/// Public keys: the file that `capsule key` writes beside the private one.
pub fn public(path: &Path) -> Result<PublicKeys, Failure> {
    let bytes = facts::read(path, KEY_BYTES_MAX)?;
    let read = json::parse_bounded(&bytes, KEY_BYTES_MAX, 2).ok();
    read.and_then(|value: Value| serde_json::from_value(value).ok()).ok_or_else(|| {
        let what = format!("{} holds no public keys", path.display());
        Failure::refused("capsule_key", what).next("symbolon capsule key --out NAME.key")
    })
}

/// The text of private keys, from a file that nobody but its owner has any right to.
pub fn private_text(path: &Path) -> Result<Secret<[u8]>, Failure> {
    let failed = |error| Failure::file("read", path, &error);
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        let what = format!("{} can be read by others than its owner", path.display());
        return Err(Failure::refused("capsule_key_rights", what)
            .next(format!("chmod 600 {}", path.display())));
    }
    Secret::<[u8]>::read_fd(file.as_fd(), KEY_BYTES_MAX).map_err(failed)
}

/// A publisher's private keys.
pub fn private(path: &Path) -> Result<SigningKeys, Failure> {
    let text = private_text(path)?;
    let none = || {
        let what = format!("{} holds no key of a publisher", path.display());
        Failure::refused("capsule_key", what).next("symbolon capsule key --out NAME.key")
    };
    let ed25519 = SigningKey::from_seed(seed(&text, ED25519).ok_or_else(none)?);
    let jubjub = seed(&text, JUBJUB).map(|it| IssuerKey::from_secret(&it)).transpose();
    let jubjub = jubjub.map_err(|_| none())?;
    let ml_dsa_65 = seed(&text, ML_DSA_65).map(PqSigningKey::from_seed);
    Ok(SigningKeys { ed25519, jubjub, ml_dsa_65 })
}

/// The seed behind a word, on a line of its own.
pub fn seed(text: &Secret<[u8]>, word: &str) -> Option<Secret<[u8; 32]>> {
    // EXPOSE: the file's lines are looked through; the seed goes from its page to another.
    let mut lines = text.expose().split(|byte| *byte == b'\n');
    let digits = lines.find_map(|line| line.strip_prefix(word.as_bytes()))?;
    let mut read = false;
    let seed = Secret::<[u8; 32]>::make(|out| read = hex::decode_to_slice(digits, out).is_ok());
    read.then_some(seed)
}

/// Before the seeds of a key file.
pub const ED25519: &str = "ed25519 ";
/// Before the key of statements, where there is one.
pub const JUBJUB: &str = "jubjub ";
/// Before the post-quantum one, where there is one.
pub const ML_DSA_65: &str = "ml-dsa-65 ";
/// Before the seed of a peer's key, and before its public half.
pub const X25519: &str = "x25519 ";
const KEY_BYTES_MAX: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_capsule_have_one_stem() {
        for name in ["hello.wasm", "hello.manifest.json", "hello.capsule.json", "hello"] {
            let path = Path::new("a").join(name);
            assert_eq!(beside(&path, "capsule.json"), Path::new("a/hello.capsule.json"));
        }
    }
}
