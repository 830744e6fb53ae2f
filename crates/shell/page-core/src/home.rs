//! A broker's home, opened by a passkey's tap: `specs/custody.md`, "A tap in the page".

use symbolon_ambient::Rng;
use symbolon_crypto::RecipientKey;
use symbolon_custody::{Act, NONCE_BYTES, SALT_BYTES, Tap, VaultId};
use symbolon_secret::Secret;

use crate::Failed;

/// What the broker asked, and where it was tapped.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_structs)] // all of them have to be said
pub struct Asked<'a> {
    /// Whether a way is added; else the home is opened.
    pub adds: bool,
    /// The page's own.
    pub origin: &'a str,
    /// Whose wrap it is: 16 bytes.
    pub vault: &'a [u8],
    /// The process's key.
    pub key: &'a [u8],
    /// Good for one answer.
    pub nonce: &'a [u8],
    /// When the question ends.
    pub expires_unix_ms: u64,
    /// The passkey's id.
    pub credential: &'a [u8],
    /// Of its wrap.
    pub salt: &'a [u8],
}

impl Asked<'_> {
    /// The key of the passkey's one wrap, sealed to the broker that asked. What the passkey gave (32 bytes)
    /// does not leave.
    ///
    /// # Errors
    /// `shape` where the question or the passkey's output has another, `memory`.
    pub fn answer(self, prf: Secret<[u8]>, rng: &dyn Rng) -> Result<Vec<u8>, Failed> {
        let shape = || Failed::shape("broker's question");
        let prf = prf.into_array().map_err(|_| shape())?;
        let vault: [u8; 16] = self.vault.try_into().map_err(|_| shape())?;
        let key: &[u8; 32] = self.key.try_into().map_err(|_| shape())?;
        let to = RecipientKey::from_bytes(key).map_err(|_| shape())?;
        let nonce: &[u8; NONCE_BYTES] = self.nonce.try_into().map_err(|_| shape())?;
        let salt: &[u8; SALT_BYTES] = self.salt.try_into().map_err(|_| shape())?;
        let tap = Tap {
            act: if self.adds { Act::Add } else { Act::Unlock },
            origin: self.origin,
            vault: VaultId::from(vault),
            to: &to,
            nonce,
            expires_unix_ms: self.expires_unix_ms,
            credential: self.credential,
            salt,
        };
        tap.answer(&prf, rng).map(Vec::from).map_err(|error| Failed::new("memory", &error))
    }
}

#[cfg(test)]
mod tests {
    use symbolon_ambient::SeededRng;
    use symbolon_crypto::RecipientSecret;
    use symbolon_custody::WrapKey;

    use super::*;

    fn prf(len: usize) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(len, |page| page.fill(7))
    }

    #[test]
    fn the_broker_that_asked_opens_the_answer_and_other_shapes_are_refused() {
        let own = RecipientSecret::derive(&Secret::<[u8; 32]>::make(|page| page.fill(1)));
        let to = own.public();
        let asked = Asked {
            adds: false,
            origin: "http://localhost:7070",
            vault: &[2; 16],
            key: to.as_bytes(),
            nonce: &[3; 32],
            expires_unix_ms: 9,
            credential: b"mine",
            salt: &[4; 16],
        };
        let rng = SeededRng::new(1);
        let sealed: [u8; 80] = asked.answer(prf(32), &rng).unwrap().try_into().unwrap();
        let tap = |act| Tap {
            act,
            origin: asked.origin,
            vault: VaultId::from([2; 16]),
            to: &to,
            nonce: &[3; 32],
            expires_unix_ms: 9,
            credential: b"mine",
            salt: &[4; 16],
        };
        assert!(WrapKey::handed_over(&own, &tap(Act::Unlock), &sealed).is_ok());
        assert!(WrapKey::handed_over(&own, &tap(Act::Add), &sealed).is_err());

        let refused = |asked: Asked<'_>, len| asked.answer(prf(len), &rng).unwrap_err().code;
        assert_eq!(refused(asked, 31), "shape");
        for wrong in [
            Asked { vault: &[2; 15], ..asked },
            Asked { key: &[0; 32], ..asked },
            Asked { key: &[1; 31], ..asked },
            Asked { nonce: &[3; 31], ..asked },
            Asked { salt: &[4; 17], ..asked },
        ] {
            assert_eq!(refused(wrong, 32), "shape");
        }
    }
}
