//! A salted SHA-256 commitment: hides bytes until they are shown with their salt.

use symbolon_ambient::Rng;
use symbolon_crypto::{Sha256, labels};
use symbolon_secret::Secret;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;

/// SHA-256 over the label, a name, a salt and a value, each with its length.
///
/// Without the salt nobody can guess even a short value; with it, the value is the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaltedCommitment(pub [u8; 32]);

/// A value and its salt: what opens a commitment.
#[derive(Debug)]
pub struct Opening {
    salt: Secret<[u8; SALT_BYTES]>,
    value: Secret<[u8]>,
}

impl Opening {
    /// Of a value, with a fresh salt.
    pub fn make(value: Secret<[u8]>, rng: &impl Rng) -> Self {
        Self { salt: Secret::make(|bytes| rng.fill(bytes)), value }
    }

    /// Of a value that was committed to before.
    pub fn new(value: Secret<[u8]>, salt: Secret<[u8; SALT_BYTES]>) -> Self {
        Self { salt, value }
    }

    /// The salt, to keep it.
    pub fn salt(&self) -> &Secret<[u8; SALT_BYTES]> {
        &self.salt
    }

    /// The commitment under a name that says what the value is, such as `birth-date`.
    pub fn commit(&self, name: &str) -> SaltedCommitment {
        let mut hash = Sha256::new();
        hash.field(labels::COMMITMENT.as_str().as_bytes());
        hash.field(name.as_bytes());
        // EXPOSE: hashed; the salt hides the value.
        hash.field(self.salt.expose());
        // EXPOSE: as above.
        hash.field(self.value.expose());
        SaltedCommitment(hash.finish().0)
    }
}

impl SaltedCommitment {
    /// Whether an opening is its own, under a name.
    pub fn opens(&self, name: &str, opening: &Opening) -> bool {
        opening.commit(name) == *self
    }
}

#[cfg(test)]
mod tests {
    use symbolon_ambient::SeededRng;

    use super::*;
    use crate::testing::secret;

    #[test]
    fn commitments_are_those_of_another_implementation() {
        let file = include_str!("../../../../../vectors/circuits/salted.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(file).unwrap();
        assert!(cases.len() >= 4);
        for case in &cases {
            let bytes = |name: &str| hex::decode(case[name].as_str().unwrap()).unwrap();
            let salt = Secret::make(|b: &mut [u8; 32]| b.copy_from_slice(&bytes("salt")));
            let value = bytes("value");
            let value = Secret::<[u8]>::make_slice(value.len(), |b| b.copy_from_slice(&value));
            let made = Opening::new(value, salt).commit(case["name"].as_str().unwrap());
            assert_eq!(made.0.to_vec(), bytes("commitment"), "{case}");
        }
    }

    #[test]
    fn another_name_salt_or_value_does_not_open() {
        let rng = SeededRng::new(4);
        let opening = Opening::make(secret("2000-05-17"), &rng);
        let commitment = opening.commit("birth-date");
        assert!(commitment.opens("birth-date", &opening));
        assert!(!commitment.opens("expiry", &opening));
        let salted = Opening::make(secret("2000-05-17"), &rng);
        assert!(!commitment.opens("birth-date", &salted));
        // EXPOSE: the test makes another opening with the same salt.
        let salt = Secret::make(|b: &mut [u8; 32]| *b = *opening.salt().expose());
        assert!(!commitment.opens("birth-date", &Opening::new(secret("2000-05-18"), salt)));
        // A byte moved from the name to the value, or to the salt, is another commitment.
        assert_ne!(opening.commit("birth-dat"), commitment);
    }
}
