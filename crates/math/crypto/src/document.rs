//! Signatures that states put on documents (ICAO 9303-12, section 4.4): RSASSA-PKCS1-v1_5 and
//! RSASSA-PSS (RFC 8017), ECDSA (FIPS 186-5) on the NIST and Brainpool curves. Verified only: nothing
//! of ours is signed with them.

mod curve;
mod scheme;

use std::fmt;

use der::Decode;
use der::asn1::{ObjectIdentifier, UintRef};
use ecdsa::signature::hazmat::PrehashVerifier;
use rsa::pkcs8::SubjectPublicKeyInfoRef;
use sha2::Digest;

use curve::Curve;
pub use scheme::DocumentScheme;

/// A hash that documents are signed with. SHA-1 is none of them: two documents of one SHA-1 can be
/// made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentHash {
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DocumentHash {
    /// By its object identifier, in dots.
    ///
    /// # Errors
    /// [`DocumentKeyError::Unknown`]; for SHA-1 [`DocumentKeyError::Weak`].
    pub fn by_oid(oid: &str) -> Result<Self, DocumentKeyError> {
        match oid {
            "2.16.840.1.101.3.4.2.4" => Ok(Self::Sha224),
            "2.16.840.1.101.3.4.2.1" => Ok(Self::Sha256),
            "2.16.840.1.101.3.4.2.2" => Ok(Self::Sha384),
            "2.16.840.1.101.3.4.2.3" => Ok(Self::Sha512),
            "1.3.14.3.2.26" => Err(DocumentKeyError::Weak("SHA-1")),
            other => Err(DocumentKeyError::Unknown(other.to_owned())),
        }
    }

    /// The digest of a message, 28 to 64 bytes.
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha224 => sha2::Sha224::digest(message).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(message).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(message).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(message).to_vec(),
        }
    }
}

/// Why a key or an algorithm of a document is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentKeyError {
    /// Not the DER of a `SubjectPublicKeyInfo`, or of an `AlgorithmIdentifier`.
    #[error("the key or algorithm is not DER")]
    Malformed,
    /// An algorithm or a curve that is not known here, by its object identifier or name.
    #[error("the algorithm or curve {0} is not known here")]
    Unknown(String),
    /// One that no longer proves anything.
    #[error("{0} is too weak to prove anything")]
    Weak(&'static str),
    /// Written-out parameters of no curve that has a name: a curve can be made for a given signature.
    #[error("the curve's written-out parameters are of no known curve")]
    Curve,
    /// Not a point of its curve, or the point at infinity; for RSA a modulus or exponent out of range.
    #[error("the public key is none of its kind")]
    Key,
}

/// The signature is not by this key over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not by this key")]
pub struct DocumentSignatureError;

/// The public key of a document signer, or of a state's certificate authority.
pub struct DocumentKey(Inner);

enum Inner {
    Rsa(Box<rsa::RsaPublicKey>),
    P256(ecdsa::VerifyingKey<p256::NistP256>),
    P384(ecdsa::VerifyingKey<p384::NistP384>),
    P521(ecdsa::VerifyingKey<p521::NistP521>),
    Bp256(ecdsa::VerifyingKey<bp256::BrainpoolP256r1>),
    Bp384(ecdsa::VerifyingKey<bp384::BrainpoolP384r1>),
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// RSA of fewer bits is within reach of who wants a passport.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

impl DocumentKey {
    /// From the DER of a `SubjectPublicKeyInfo` (RFC 5280, section 4.1; RFC 5480). A curve may be
    /// named, or written out, as ICAO 9303-12 wants it.
    ///
    /// # Errors
    /// [`DocumentKeyError`].
    pub fn from_spki(der: &[u8]) -> Result<Self, DocumentKeyError> {
        let spki =
            SubjectPublicKeyInfoRef::from_der(der).map_err(|_| DocumentKeyError::Malformed)?;
        let key = spki.subject_public_key.as_bytes().ok_or(DocumentKeyError::Malformed)?;
        match spki.algorithm.oid {
            RSA | RSA_PSS => rsa_key(key).map(|key| Self(Inner::Rsa(Box::new(key)))),
            EC => {
                let parameters = spki.algorithm.parameters.ok_or(DocumentKeyError::Malformed)?;
                Curve::of(parameters)?.key(key).map(Self)
            }
            other => Err(DocumentKeyError::Unknown(other.to_string())),
        }
    }

    /// Whether `signature` is by this key over `message`. For ECDSA it is the DER of `ECDSA-Sig-Value`.
    ///
    /// # Errors
    /// [`DocumentSignatureError`]; also where the scheme is of another kind of key.
    pub fn verify(
        &self,
        scheme: DocumentScheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), DocumentSignatureError> {
        let digest = scheme.hash().digest(message);
        let holds = match (&self.0, scheme) {
            (Inner::Rsa(key), DocumentScheme::RsaPkcs1(hash)) => {
                scheme::pkcs1(key, hash, &digest, signature)
            }
            (Inner::Rsa(key), DocumentScheme::RsaPss { hash, salt_bytes }) => {
                scheme::pss(key, hash, salt_bytes, &digest, signature)
            }
            (Inner::P256(key), DocumentScheme::Ecdsa(_)) => by_point(key, &digest, signature),
            (Inner::P384(key), DocumentScheme::Ecdsa(_)) => by_point(key, &digest, signature),
            (Inner::P521(key), DocumentScheme::Ecdsa(_)) => by_point(key, &digest, signature),
            (Inner::Bp256(key), DocumentScheme::Ecdsa(_)) => by_point(key, &digest, signature),
            (Inner::Bp384(key), DocumentScheme::Ecdsa(_)) => by_point(key, &digest, signature),
            _ => false,
        };
        holds.then_some(()).ok_or(DocumentSignatureError)
    }

    /// What kind of key it is, in words.
    pub const fn kind(&self) -> &'static str {
        match self.0 {
            Inner::Rsa(_) => "RSA",
            Inner::P256(_) => "P-256",
            Inner::P384(_) => "P-384",
            Inner::P521(_) => "P-521",
            Inner::Bp256(_) => "brainpoolP256r1",
            Inner::Bp384(_) => "brainpoolP384r1",
        }
    }
}

impl fmt::Debug for DocumentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DocumentKey").field(&self.kind()).finish()
    }
}

fn rsa_key(der: &[u8]) -> Result<rsa::RsaPublicKey, DocumentKeyError> {
    let parts = rsa::pkcs1::RsaPublicKey::from_der(der).map_err(|_| DocumentKeyError::Malformed)?;
    let number = |part: UintRef<'_>| {
        let bytes = part.as_bytes();
        rsa::BoxedUint::from_be_slice(bytes, bytes.len() as u32 * 8)
            .map_err(|_| DocumentKeyError::Key)
    };
    let modulus = number(parts.modulus)?;
    if (modulus.bits() as usize) < *RSA_BITS.start() {
        return Err(DocumentKeyError::Weak("RSA of fewer than 2048 bits"));
    }
    let exponent = number(parts.public_exponent)?;
    rsa::RsaPublicKey::new_with_max_size(modulus, exponent, *RSA_BITS.end())
        .map_err(|_| DocumentKeyError::Key)
}

fn by_point<C>(key: &ecdsa::VerifyingKey<C>, digest: &[u8], signature: &[u8]) -> bool
where
    C: ecdsa::EcdsaCurve + ecdsa::elliptic_curve::CurveArithmetic,
    ecdsa::VerifyingKey<C>: PrehashVerifier<ecdsa::Signature<C>>,
    ecdsa::der::MaxSize<C>: ecdsa::elliptic_curve::array::ArraySize,
    <ecdsa::elliptic_curve::FieldBytesSize<C> as std::ops::Add>::Output:
        std::ops::Add<ecdsa::der::MaxOverhead> + ecdsa::elliptic_curve::array::ArraySize,
{
    ecdsa::Signature::<C>::from_der(signature)
        .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
}

#[cfg(test)]
mod tests;
