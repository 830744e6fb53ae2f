//! Ed25519 signatures (RFC 8032), verified strictly.

use std::fmt;
use std::sync::LazyLock;

use curve25519_dalek::constants::EIGHT_TORSION;
use ed25519_dalek::{Signer, Verifier};
use serde::{Deserialize, Serialize};
use symbolon_ambient::Rng;
use symbolon_codec::{b58, hex};
use symbolon_secret::{Secret, on_stack};

use crate::aead::AeadKey;
use crate::envelope::OpenError;
use crate::kdf::hkdf_sha256;
use crate::labels::{Label, OPERATOR_SEED};

/// A signing key in secret pages. The seed leaves it sealed only.
pub struct SigningKey {
    key: Secret<ed25519_dalek::SigningKey>,
    verifying: VerifyingKey,
}

impl SigningKey {
    /// A new one. `rng` is the kernel's in production.
    pub fn make(rng: &dyn Rng) -> Self {
        Self::from_seed(Secret::<[u8; 32]>::make(|b| rng.fill(b)))
    }

    /// From an RFC 8032 seed.
    pub fn from_seed(seed: Secret<[u8; 32]>) -> Self {
        // EXPOSE: the key is made from its seed, on the secret stack.
        let key = Secret::place(|| ed25519_dalek::SigningKey::from_bytes(seed.expose()));
        // EXPOSE: the public half is read.
        let verifying = VerifyingKey(key.expose().verifying_key());
        Self { key, verifying }
    }

    /// The signature of a message. Say what is signed: the message begins with its own label.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        // EXPOSE: signing reads the key, on the secret stack.
        on_stack(|| self.key.expose().sign(message).to_bytes())
    }

    /// A signature that is itself a secret, into its page.
    pub fn sign_secret(&self, message: &[u8]) -> Secret<[u8; 64]> {
        Secret::<[u8; 64]>::make(|out| {
            // EXPOSE: signing reads the key, on the secret stack.
            on_stack(|| *out = self.key.expose().sign(message).to_bytes());
        })
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.verifying
    }

    /// A child of this key: HKDF-SHA256 of the seed under `label` for one place (`context`).
    /// Hardened: without the seed nothing links a child to its parent or to another child.
    pub fn derive_child(&self, label: &Label, context: &[u8]) -> Self {
        let seed = Secret::<[u8; 32]>::make(|page| {
            // EXPOSE: the seed moves from one secret page to another.
            page.copy_from_slice(self.key.expose().as_bytes());
        });
        Self::from_seed(hkdf_sha256(&seed, b"", label, context))
    }

    /// The seed, in a page of its own: for a process that answers with this key in a protocol of others.
    pub fn seed(&self) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(32, |page| {
            // EXPOSE: the seed moves from one secret page to another.
            page.copy_from_slice(self.key.expose().as_bytes());
        })
    }

    /// The private half, for the proofs of `identity`.
    pub(crate) fn private(&self) -> &ed25519_dalek::SigningKey {
        // EXPOSE: its one caller reads the scalar, on the secret stack.
        self.key.expose()
    }

    /// The seed in an envelope with the tag `OPERATOR_SEED`, bound to `context`.
    pub fn seal_seed(&self, under: &AeadKey, context: &[&[u8]], rng: &dyn Rng) -> Vec<u8> {
        // EXPOSE: sealing reads the seed where it is.
        under.seal(&OPERATOR_SEED, context, self.key.expose().as_bytes(), rng)
    }

    /// Opens what [`SigningKey::seal_seed`] sealed.
    ///
    /// # Errors
    /// [`OpenError`]; a plaintext of other than 32 bytes is [`OpenError::Kind`].
    pub fn open_seed(
        under: &AeadKey,
        context: &[&[u8]],
        envelope: &[u8],
    ) -> Result<Self, OpenError> {
        let plain = under.open(&OPERATOR_SEED, context, envelope)?;
        let seed = Secret::<[u8; 32]>::try_make(|b| {
            // EXPOSE: the seed moves from one secret page to another.
            let plain: &[u8; 32] = plain.expose().try_into().map_err(|_| OpenError::Kind)?;
            b.copy_from_slice(plain);
            Ok::<_, OpenError>(())
        })?;
        Ok(Self::from_seed(seed))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// A public key that can verify: a canonical point, not of small order. Shown, read and
/// serialized as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// [`SignatureError::Key`] where they are no point, not the canonical encoding of it, or a
    /// point of small order (under which anybody can sign).
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SignatureError> {
        let key =
            ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError::Key)?;
        if key.is_weak() || !is_canonical(bytes) { Err(SignatureError::Key) } else { Ok(Self(key)) }
    }

    /// From 64 hex digits of either case.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn from_hex(text: &str) -> Result<Self, SignatureError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| SignatureError::Key)?;
        Self::from_bytes(&bytes)
    }

    /// From base58, as Solana writes the name of an account.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub fn from_base58(text: &str) -> Result<Self, SignatureError> {
        Self::from_bytes(&b58::decode(text).ok_or(SignatureError::Key)?)
    }

    /// As base58.
    pub fn to_base58(&self) -> String {
        b58::encode(self.as_bytes())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks a signature strictly: `s` below the group order, `R` not of small order, the
    /// equation without the cofactor. So every verifier comes to one answer.
    ///
    /// It is what `verify_strict` of ed25519-dalek says, without its decoding of `R`: the equation compares `R`'s bytes
    /// with those of a point that was computed, so they are canonical, and of small order where they are one of eight.
    ///
    /// # Errors
    /// [`SignatureError::Signature`].
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        let is_small = SMALL_ORDER.iter().any(|point| signature[..32] == point[..]);
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        match self.0.verify(message, &signature) {
            Ok(()) if !is_small => Ok(()),
            _ => Err(SignatureError::Signature),
        }
    }
}

/// Whether a point's `y`, without the bit for the sign of `x`, is below the field's modulus, 2^255 - 19. The other
/// points with two encodings have no `x` to give a sign: they are of small order.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let is_high = bytes[31] & 0x7f == 0x7f && bytes[1..31].iter().all(|byte| *byte == 0xff);
    !is_high || bytes[0] < 0xed
}

/// The eight points of small order.
static SMALL_ORDER: LazyLock<[[u8; 32]; 8]> =
    LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().to_bytes()));

/// What is wrong with a public key or a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The bytes are no Ed25519 public key that can be trusted to verify.
    #[error("this is not an Ed25519 public key")]
    Key,
    /// A context of more than 255 bytes, which ML-DSA does not take.
    #[error("the context of a signature has more than 255 bytes")]
    Context,
    /// The signature is not one of this message by this key.
    #[error("the signature does not fit the message and the key")]
    Signature,
}

impl From<VerifyingKey> for String {
    fn from(key: VerifyingKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for VerifyingKey {
    type Error = SignatureError;
    fn try_from(text: String) -> Result<Self, SignatureError> {
        Self::from_hex(&text)
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::KEY_OPERATOR;
    use crate::master::MasterKey;
    use symbolon_ambient::SeededRng;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    /// RFC 8032, section 7.1: tests 1 to 3.
    #[test]
    fn rfc_8032() {
        for (seed, public, message, signature) in [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            ),
        ] {
            let key = SigningKey::from_seed(Secret::<[u8; 32]>::make(|b| *b = bytes(seed)));
            let message = hex::decode(message).unwrap();
            assert_eq!(key.verifying_key().to_string(), public);
            assert_eq!(hex::encode(key.sign(&message)), signature);
            assert_eq!(key.verifying_key().verify(&message, &bytes(signature)), Ok(()));
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused() {
        let key = SigningKey::make(&SeededRng::new(5));
        let signature = key.sign(b"message");
        for i in 0..512 {
            let mut wrong = signature;
            wrong[i / 8] ^= 1 << (i % 8);
            let got = key.verifying_key().verify(b"message", &wrong);
            assert_eq!(got, Err(SignatureError::Signature), "bit {i}");
        }
        assert!(key.verifying_key().verify(b"messagf", &signature).is_err());
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let identity = "0100000000000000000000000000000000000000000000000000000000000000";
        let order_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
        // y = p + 3 encodes the point of y = 3 again.
        let again = "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
        for bad in [identity, order_8, again, "", "zz", &"0".repeat(63)] {
            assert_eq!(VerifyingKey::from_hex(bad), Err(SignatureError::Key), "{bad}");
        }
    }

    #[test]
    fn s_plus_the_group_order_is_refused() {
        let key = SigningKey::make(&SeededRng::new(6));
        let mut signature = key.sign(b"m");
        let order = bytes::<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut carry = 0;
        for (s, l) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*s) + u16::from(l) + carry;
            (*s, carry) = (sum as u8, sum >> 8);
        }
        assert!(key.verifying_key().verify(b"m", &signature).is_err());
    }

    #[test]
    fn the_seed_comes_back_from_its_envelope_and_place_alone() {
        let rng = SeededRng::new(7);
        let under = MasterKey::make(&rng).derive_aead(&KEY_OPERATOR, b"vault");
        let key = SigningKey::make(&rng);
        let envelope = key.seal_seed(&under, &[b"vault"], &rng);
        let back = SigningKey::open_seed(&under, &[b"vault"], &envelope).unwrap();
        assert_eq!(back.verifying_key(), key.verifying_key());
        let moved = SigningKey::open_seed(&under, &[b"other"], &envelope);
        assert_eq!(moved.err(), Some(OpenError::Damaged));
    }

    #[test]
    fn a_key_is_hex_in_json() {
        let key = SigningKey::make(&SeededRng::new(8)).verifying_key();
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(json, format!("\"{key}\""));
        assert_eq!(serde_json::from_str::<VerifyingKey>(&json).unwrap(), key);
    }

    /// Our check and the library's strict one, on signatures that each edge of the rules lets through or not: keys with
    /// a part of small order, `R` of small order, `R` and keys in a second encoding, `s` of the order and above.
    #[test]
    fn what_is_strict_is_what_the_library_calls_strict() {
        use curve25519_dalek::edwards::EdwardsPoint;
        use curve25519_dalek::scalar::Scalar;
        use sha2::{Digest, Sha512};

        let scalar = |n: u64| Scalar::from(n) * Scalar::from(0x1234_5678_9abc_def1_u64);
        let encoded = |point: &EdwardsPoint| point.compress().to_bytes();
        let challenge = |r: &[u8; 32], a: &[u8; 32], message: &[u8]| {
            let hash = Sha512::new().chain_update(r).chain_update(a).chain_update(message);
            Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
        };
        let (mut taken, mut small, mut mixed) = (0, 0, 0);
        for n in 1..=64_u64 {
            let message = n.to_le_bytes();
            let (secret, nonce) = (scalar(n), scalar(n + 1000));
            for key_part in EIGHT_TORSION {
                let key = encoded(&(EdwardsPoint::mul_base(&secret) + key_part));
                let ours = VerifyingKey::from_bytes(&key).unwrap();
                let theirs = ed25519_dalek::VerifyingKey::from_bytes(&key).unwrap();
                // An honest commitment, and ones that are of small order alone.
                let commitments = EIGHT_TORSION.iter().map(|part| (*part, Scalar::ZERO));
                let honest = (EdwardsPoint::mul_base(&nonce), nonce);
                for (commitment, nonce) in commitments.chain([honest]) {
                    let r = encoded(&commitment);
                    let s = nonce + challenge(&r, &key, &message) * secret;
                    let mut signature = [r, s.to_bytes()].concat().try_into().unwrap();
                    let agree = |signature: &[u8; 64]| {
                        let found = ours.verify(&message, signature).is_ok();
                        let parsed = ed25519_dalek::Signature::from_bytes(signature);
                        assert_eq!(found, theirs.verify_strict(&message, &parsed).is_ok());
                        (found, theirs.verify(&message, &parsed).is_ok())
                    };
                    let (found, loosely) = agree(&signature);
                    taken += usize::from(found);
                    small += usize::from(loosely && !found);
                    mixed += usize::from(found && key_part != EdwardsPoint::default());
                    signature[63] |= 0x10;
                    agree(&signature);
                    signature[31] ^= 0x80;
                    agree(&signature);
                }
            }
        }
        assert!(taken > 64 && small > 64 && mixed > 0, "{taken} {small} {mixed}");
        // A second encoding of R: y = 1 as 2^255 - 18, with either sign.
        let mut r = [0xff; 32];
        (r[0], r[31]) = (0xee, 0x7f);
        for sign in [0, 0x80] {
            r[31] = 0x7f | sign;
            let secret = scalar(7);
            let key = encoded(&EdwardsPoint::mul_base(&secret));
            let s = challenge(&r, &key, b"") * secret;
            let signature = [r, s.to_bytes()].concat().try_into().unwrap();
            assert!(VerifyingKey::from_bytes(&key).unwrap().verify(b"", &signature).is_err());
        }
    }

    /// Every encoding whose `y` is not below the modulus, and every one without `x` but with its sign.
    #[test]
    fn a_key_has_one_encoding() {
        let by_recoding = |bytes: &[u8; 32]| {
            ed25519_dalek::VerifyingKey::from_bytes(bytes)
                .is_ok_and(|key| !key.is_weak() && key.to_edwards().compress().to_bytes() == *bytes)
        };
        let mut keys = 0;
        for sign in [0, 0x80] {
            for low in 0..=0xff {
                for (fill, high) in [(0xff, 0x7f), (0, 0)] {
                    let mut bytes = [fill; 32];
                    (bytes[0], bytes[31]) = (low, high | sign);
                    let found = VerifyingKey::from_bytes(&bytes).is_ok();
                    assert_eq!(found, by_recoding(&bytes), "{}", hex::encode(bytes));
                    keys += usize::from(found);
                }
            }
        }
        assert!(keys > 200, "about half of all are points");
        for n in 0..64 {
            let bytes = *SigningKey::make(&SeededRng::new(n)).verifying_key().as_bytes();
            assert!(VerifyingKey::from_bytes(&bytes).is_ok());
        }
    }
}
