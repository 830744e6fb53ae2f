//! The key of a passkey's wrap on its way from a browser to the process that keeps the wrap: `specs/custody.md`.

use symbolon_ambient::Rng;
use symbolon_codec::Fields;
use symbolon_crypto::{HPKE_SEALED_BYTES, HpkeError, RecipientKey, hkdf_sha256, labels};
use symbolon_secret::Secret;

use crate::handover::NONCE_BYTES;
use crate::id::VaultId;

#[cfg(not(target_arch = "wasm32"))]
mod key;

#[cfg(not(target_arch = "wasm32"))]
pub use key::WrapKey;

/// What is to be done with a key that is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The passkey's wrap is opened, and with it the vault.
    Unlock,
    /// A wrap for the passkey is made.
    Add,
}

impl Act {
    const fn code(self) -> u8 {
        match self {
            Self::Unlock => 1,
            Self::Add => 2,
        }
    }
}

/// What a key is handed over on. Sealed to another tap it does not open.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_structs)] // all of them have to be said
pub struct Tap<'a> {
    /// What for.
    pub act: Act,
    /// Of the page that was tapped in.
    pub origin: &'a str,
    /// Whose wrap it is.
    pub vault: VaultId,
    /// The process's key, fresh for each process.
    pub to: &'a RecipientKey,
    /// What the process asked with, once.
    pub nonce: &'a [u8; NONCE_BYTES],
    /// When its question ends, in milliseconds since 1970.
    pub expires_unix_ms: u64,
    /// The passkey's id.
    pub credential: &'a [u8],
    /// Of the wrap.
    pub salt: &'a [u8; SALT_BYTES],
}

impl Tap<'_> {
    /// The bytes that the sealing is bound to.
    pub fn terms(&self) -> Vec<u8> {
        Fields::new(labels::TAP.as_str())
            .bytes(&[self.act.code()])
            .str(self.origin)
            .bytes(self.vault.as_bytes())
            .bytes(self.to.as_bytes())
            .bytes(self.nonce)
            .u64(self.expires_unix_ms)
            .bytes(self.credential)
            .bytes(self.salt)
            .finish()
    }

    /// What a passkey gave for [`crate::prf_input`], as the key of the wrap that the tap names, sealed to the
    /// process that asked.
    ///
    /// # Errors
    /// [`HpkeError::Key`], [`HpkeError::NoPage`].
    pub fn answer(
        &self,
        prf: &Secret<[u8; 32]>,
        rng: &dyn Rng,
    ) -> Result<[u8; HPKE_SEALED_BYTES], HpkeError> {
        self.to.seal(&labels::TAP, &self.terms(), &kek(prf, self.salt), rng)
    }
}

fn kek(prf: &Secret<[u8; 32]>, salt: &[u8; SALT_BYTES]) -> Secret<[u8; 32]> {
    hkdf_sha256(prf, salt, &labels::KEK_PASSKEY, b"")
}

/// Bytes of a wrap's salt.
pub const SALT_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use symbolon_ambient::SeededRng;
    use symbolon_codec::hex;
    use symbolon_crypto::RecipientSecret;

    use super::*;

    const NONCE: [u8; NONCE_BYTES] = [3; NONCE_BYTES];
    const SALT: [u8; SALT_BYTES] = [4; SALT_BYTES];

    fn process(byte: u8) -> RecipientSecret {
        RecipientSecret::derive(&Secret::<[u8; 32]>::make(|page| page.fill(byte)))
    }

    fn prf(byte: u8) -> Secret<[u8; 32]> {
        Secret::<[u8; 32]>::make(|page| page.fill(byte))
    }

    fn tap(to: &RecipientKey) -> Tap<'_> {
        Tap {
            act: Act::Unlock,
            origin: "http://localhost:7070",
            vault: VaultId::from([2; 16]),
            to,
            nonce: &NONCE,
            expires_unix_ms: 1_700_000_120_000,
            credential: b"mine",
            salt: &SALT,
        }
    }

    #[test]
    fn what_is_sealed_for_a_tap_opens_for_that_tap_alone() {
        let (own, other) = (process(1), process(2));
        let (to, elsewhere) = (own.public(), other.public());
        let key = WrapKey::of_passkey(&prf(5), b"mine", &SALT);
        let asked = tap(&to);
        let sealed = asked.answer(&prf(5), &SeededRng::new(1)).unwrap();
        let opened = WrapKey::handed_over(&own, &asked, &sealed).unwrap();
        assert_eq!(opened.kek().commitment(), key.kek().commitment());

        let others = [
            ("act", Tap { act: Act::Add, ..asked }),
            ("origin", Tap { origin: "http://localhost:7071", ..asked }),
            ("vault", Tap { vault: VaultId::from([3; 16]), ..asked }),
            ("process", Tap { to: &elsewhere, ..asked }),
            ("nonce", Tap { nonce: &[9; NONCE_BYTES], ..asked }),
            ("time", Tap { expires_unix_ms: asked.expires_unix_ms + 1, ..asked }),
            ("passkey", Tap { credential: b"other", ..asked }),
            ("salt", Tap { salt: &[9; SALT_BYTES], ..asked }),
        ];
        for (what, tap) in others {
            let refused = WrapKey::handed_over(&own, &tap, &sealed).err();
            assert_eq!(refused, Some(HpkeError::NotOpened), "{what}");
        }
        assert!(WrapKey::handed_over(&other, &asked, &sealed).is_err(), "another process");
    }

    #[test]
    fn worked_bytes_of_a_tap() {
        let spec = include_str!("../../../../specs/custody.md");
        let to = process(1).public();
        let digits = hex::encode(tap(&to).terms());
        let wanted: String = digits
            .as_bytes()
            .chunks(80)
            .map(|line| format!("    {}\n", String::from_utf8_lossy(line)))
            .collect();
        assert!(spec.contains(&wanted), "{wanted}");
    }
}
