//! Hybrid public key encryption (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, in
//! base mode and with one message a context.

use std::fmt;

use hpke::aead::{AeadTag, AesGcm256};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use symbolon_ambient::Rng;
use symbolon_codec::hex;
use symbolon_secret::{MemoryError, Secret, on_stack};

use crate::labels::Label;

type Suite = X25519HkdfSha256;
type Encapped = <Suite as Kem>::EncappedKey;

/// Why nothing was sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HpkeError {
    /// The bytes are no public key, or one under which anybody knows the secret.
    #[error("this is no X25519 public key")]
    Key,
    /// It was sealed to another key, or its bytes or its place changed.
    #[error("it was sealed to another key, or was changed")]
    NotOpened,
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for HpkeError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

/// A recipient's public key. Shown and read as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecipientKey([u8; 32]);

impl RecipientKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// [`HpkeError::Key`] for the points of small order (RFC 7748, section 6.1).
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, HpkeError> {
        let key = Self(*bytes);
        // A point of small order gives the secret zero with every key: the library refuses it there.
        let mut probe = [0; 16];
        key.seal_bytes(&[], &[], &mut probe, &symbolon_ambient::SeededRng::new(0))?;
        Ok(key)
    }

    /// From 64 hex digits of either case.
    ///
    /// # Errors
    /// [`HpkeError::Key`].
    pub fn from_hex(text: &str) -> Result<Self, HpkeError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| HpkeError::Key)?;
        Self::from_bytes(&bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals 32 secret bytes to this key: `enc (32) | ciphertext (32) | tag (16)`.
    ///
    /// # Errors
    /// [`HpkeError::Key`], [`HpkeError::NoPage`].
    pub fn seal(
        &self,
        label: &Label,
        aad: &[u8],
        secret: &Secret<[u8; 32]>,
        rng: &dyn Rng,
    ) -> Result<[u8; HPKE_SEALED_BYTES], HpkeError> {
        let mut page = Secret::<[u8; 32]>::try_make(|page| {
            // EXPOSE: copied from one secret page to another, where it is sealed in place.
            page.copy_from_slice(secret.expose());
            Ok::<_, HpkeError>(())
        })?;
        // EXPOSE: sealed in place; after this it is ciphertext.
        let sealed = page.expose_mut();
        let (enc, tag) = self.seal_bytes(label.as_str().as_bytes(), aad, sealed, rng)?;
        let mut out = [0; HPKE_SEALED_BYTES];
        out[..32].copy_from_slice(&enc);
        out[32..64].copy_from_slice(sealed);
        out[64..].copy_from_slice(&tag);
        Ok(out)
    }

    fn seal_bytes(
        &self,
        info: &[u8],
        aad: &[u8],
        bytes: &mut [u8],
        rng: &dyn Rng,
    ) -> Result<([u8; 32], [u8; 16]), HpkeError> {
        let key = <Suite as Kem>::PublicKey::from_bytes(&self.0).map_err(|_| HpkeError::Key)?;
        let sealed = on_stack(|| {
            hpke::single_shot_seal_inout_detached_with_rng::<AesGcm256, HkdfSha256, Suite>(
                &OpModeS::Base,
                &key,
                info,
                InOutBuf::from(bytes),
                aad,
                &mut Entropy(rng),
            )
        });
        let (enc, tag) = sealed.map_err(|_| HpkeError::Key)?;
        Ok((enc.to_bytes().into(), tag.to_bytes().into()))
    }
}

impl fmt::Display for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecipientKey({self})")
    }
}

/// A recipient's private key, in a secret page.
pub struct RecipientSecret {
    key: Secret<<Suite as Kem>::PrivateKey>,
    public: RecipientKey,
}

impl RecipientSecret {
    /// From 32 uniformly random bytes, by DeriveKeyPair (RFC 9180, section 7.1.3).
    pub fn derive(ikm: &Secret<[u8; 32]>) -> Self {
        // EXPOSE: the key is made of its bytes, on the secret stack.
        let key = Secret::place(|| Suite::derive_keypair(ikm.expose()).0);
        // EXPOSE: the public half is read.
        let public = on_stack(|| Suite::sk_to_pk(key.expose()).to_bytes().into());
        Self { key, public: RecipientKey(public) }
    }

    /// The public half.
    pub const fn public(&self) -> RecipientKey {
        self.public
    }

    /// Opens what [`RecipientKey::seal`] sealed.
    ///
    /// # Errors
    /// [`HpkeError::NotOpened`], [`HpkeError::NoPage`].
    pub fn open(
        &self,
        label: &Label,
        aad: &[u8],
        sealed: &[u8; HPKE_SEALED_BYTES],
    ) -> Result<Secret<[u8; 32]>, HpkeError> {
        self.open_bytes(label.as_str().as_bytes(), aad, sealed)
    }

    fn open_bytes(
        &self,
        info: &[u8],
        aad: &[u8],
        sealed: &[u8; HPKE_SEALED_BYTES],
    ) -> Result<Secret<[u8; 32]>, HpkeError> {
        let enc = Encapped::from_bytes(&sealed[..32]).map_err(|_| HpkeError::NotOpened)?;
        let tag =
            AeadTag::<AesGcm256>::from_bytes(&sealed[64..]).map_err(|_| HpkeError::NotOpened)?;
        Secret::<[u8; 32]>::try_make(|out| {
            out.copy_from_slice(&sealed[32..64]);
            on_stack(|| {
                hpke::single_shot_open_inout_detached::<AesGcm256, HkdfSha256, Suite>(
                    &OpModeR::Base,
                    // EXPOSE: decapsulation reads the key, on the secret stack.
                    self.key.expose(),
                    &enc,
                    info,
                    InOutBuf::from(&mut out[..]),
                    aad,
                    &tag,
                )
            })
            .map_err(|_| HpkeError::NotOpened)
        })
    }
}

impl fmt::Debug for RecipientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecipientSecret")
    }
}

/// What one sealing of 32 bytes takes.
pub const HPKE_SEALED_BYTES: usize = 32 + 32 + 16;

/// Our entropy in the library's words.
struct Entropy<'r>(&'r dyn Rng);

impl TryRng for Entropy<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Entropy<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::{KEY_STATE, KEY_TLS};
    use symbolon_ambient::SeededRng;

    fn made(seed: u8) -> RecipientSecret {
        RecipientSecret::derive(&Secret::<[u8; 32]>::make(|b| b.fill(seed)))
    }

    #[test]
    fn what_is_sealed_opens_for_its_key_in_its_place_alone() {
        let (own, other) = (made(1), made(2));
        let secret = Secret::<[u8; 32]>::make(|b| b.fill(5));
        let sealed = own.public().seal(&KEY_STATE, b"here", &secret, &SeededRng::new(1)).unwrap();
        assert!(own.open(&KEY_STATE, b"here", &sealed).unwrap().ct_eq(&secret));
        let refused = |r: Result<_, _>| assert_eq!(r.err(), Some(HpkeError::NotOpened));
        refused(other.open(&KEY_STATE, b"here", &sealed));
        refused(own.open(&KEY_TLS, b"here", &sealed));
        refused(own.open(&KEY_STATE, b"there", &sealed));
        for bit in 0..HPKE_SEALED_BYTES * 8 {
            // X25519 leaves the top bit of a point out of account: it is checked by the KEM's
            // context, which hashes the bytes as they came.
            let mut changed = sealed;
            changed[bit / 8] ^= 1 << (bit % 8);
            refused(own.open(&KEY_STATE, b"here", &changed));
        }
    }

    #[test]
    fn a_point_of_small_order_is_no_key() {
        for bytes in [[0; 32], {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }] {
            assert_eq!(RecipientKey::from_bytes(&bytes), Err(HpkeError::Key));
        }
        assert!(RecipientKey::from_bytes(made(1).public().as_bytes()).is_ok());
        assert_eq!(RecipientKey::from_hex("00"), Err(HpkeError::Key));
    }

    /// RFC 9180, appendix A.1 has the key pair of this suite's KEM: `ikmR`, `skRm`, `pkRm`.
    #[test]
    fn keys_are_derived_as_the_rfc_does() {
        let ikm = "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037";
        let ikm = hex::decode(ikm).unwrap();
        let key = RecipientSecret::derive(&Secret::<[u8; 32]>::make(|b| b.copy_from_slice(&ikm)));
        assert_eq!(
            key.public().to_string(),
            "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"
        );
    }

    /// Made with npm `@hpke/core` 1.9.0: the key pair of 32 bytes of 1, `KEY_STATE` as info, `here` as
    /// authenticated data, 32 bytes of 5.
    #[test]
    fn what_another_implementation_sealed_opens() {
        let own = made(1);
        assert_eq!(own.public().to_string(), PUBLIC);
        let sealed = hex::decode(SEALED).unwrap().try_into().unwrap();
        let secret = own.open(&KEY_STATE, b"here", &sealed).unwrap();
        assert!(secret.ct_eq_bytes(&[5; 32]));
    }

    const PUBLIC: &str = "41852320ff367495fa522c94cb83af391e4e89018392725bbf2098dd931bc424";
    const SEALED: &str = "b896135336ee42fdaeeb342747a0adaf296136dd4ee845ab59d45787336022692cc30b004589216a\
        dd1fc33ed7f089dd9cfaa8753291596e5e2c352e3164185007a71a3c7ff08cb15777bdb7e750061d";
}
