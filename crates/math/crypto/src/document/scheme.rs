//! Signature algorithms by their `AlgorithmIdentifier` (RFC 4055, RFC 5758).

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Sequence};
use rsa::pkcs8::AlgorithmIdentifierRef;
use rsa::{Pkcs1v15Sign, Pss, RsaPublicKey};

use super::{DocumentHash, DocumentKeyError, RSA, RSA_PSS};

/// How a signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentScheme {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(DocumentHash),
    /// RSASSA-PSS with MGF1 of the same hash.
    RsaPss {
        /// Of the message and of the mask.
        hash: DocumentHash,
        /// Length of the salt.
        salt_bytes: usize,
    },
    /// ECDSA.
    Ecdsa(DocumentHash),
}

const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
/// A salt beyond the longest hash has no use.
const SALT_BYTES_MAX: u16 = 64;

impl DocumentScheme {
    /// From the DER of an `AlgorithmIdentifier`. A CMS may name the hash apart (RFC 5652, section
    /// 5.3: `rsaEncryption` as the signature's algorithm): `hash` is that one.
    ///
    /// # Errors
    /// [`DocumentKeyError`]; [`DocumentKeyError::Unknown`] also where PSS masks with another hash.
    pub fn from_der(der: &[u8], hash: Option<DocumentHash>) -> Result<Self, DocumentKeyError> {
        let algorithm =
            AlgorithmIdentifierRef::from_der(der).map_err(|_| DocumentKeyError::Malformed)?;
        if algorithm.oid == RSA_PSS {
            return pss_parameters(algorithm.parameters);
        }
        let oid = plain(&algorithm)?.to_string();
        Ok(match (oid.as_str(), hash) {
            (_, Some(hash)) if algorithm.oid == RSA => Self::RsaPkcs1(hash),
            ("1.2.840.113549.1.1.14", _) => Self::RsaPkcs1(DocumentHash::Sha224),
            ("1.2.840.113549.1.1.11", _) => Self::RsaPkcs1(DocumentHash::Sha256),
            ("1.2.840.113549.1.1.12", _) => Self::RsaPkcs1(DocumentHash::Sha384),
            ("1.2.840.113549.1.1.13", _) => Self::RsaPkcs1(DocumentHash::Sha512),
            ("1.2.840.10045.4.3.1", _) => Self::Ecdsa(DocumentHash::Sha224),
            ("1.2.840.10045.4.3.2", _) => Self::Ecdsa(DocumentHash::Sha256),
            ("1.2.840.10045.4.3.3", _) => Self::Ecdsa(DocumentHash::Sha384),
            ("1.2.840.10045.4.3.4", _) => Self::Ecdsa(DocumentHash::Sha512),
            ("1.2.840.113549.1.1.5" | "1.2.840.10045.4.1", _) => {
                return Err(DocumentKeyError::Weak("SHA-1"));
            }
            _ => return Err(DocumentKeyError::Unknown(oid)),
        })
    }

    /// What the message is hashed with.
    pub const fn hash(self) -> DocumentHash {
        match self {
            Self::RsaPkcs1(hash) | Self::Ecdsa(hash) | Self::RsaPss { hash, .. } => hash,
        }
    }
}

/// `RSASSA-PSS-params` (RFC 8017, appendix A.2.3). What is left out is SHA-1.
#[derive(Sequence)]
struct PssParameters<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    hash: Option<AlgorithmIdentifierRef<'a>>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    mask: Option<AlgorithmIdentifierRef<'a>>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    salt_bytes: Option<u16>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    trailer: Option<u8>,
}

/// An algorithm without parameters: none, or NULL (RFC 4055, section 2.1).
fn plain(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<ObjectIdentifier, DocumentKeyError> {
    let is_null = |parameters: &AnyRef<'_>| parameters.is_null();
    let is_plain = algorithm.parameters.as_ref().is_none_or(is_null);
    is_plain.then_some(algorithm.oid).ok_or(DocumentKeyError::Malformed)
}

fn pss_parameters(given: Option<AnyRef<'_>>) -> Result<DocumentScheme, DocumentKeyError> {
    const SHA1: DocumentKeyError = DocumentKeyError::Weak("SHA-1");
    let malformed = |_| DocumentKeyError::Malformed;
    let given = given.ok_or(SHA1)?.decode_as::<PssParameters<'_>>().map_err(malformed)?;
    let hash = given.hash.ok_or(SHA1)?;
    let mask = given.mask.ok_or(SHA1)?;
    if mask.oid != MGF1 {
        return Err(DocumentKeyError::Unknown(mask.oid.to_string()));
    }
    let masked = mask.parameters.ok_or(DocumentKeyError::Malformed)?;
    let masked = masked.decode_as::<AlgorithmIdentifierRef<'_>>().map_err(malformed)?;
    let (hash, masked) = (plain(&hash)?, plain(&masked)?);
    if masked != hash {
        return Err(DocumentKeyError::Unknown(masked.to_string()));
    }
    let salt_bytes = given.salt_bytes.unwrap_or(20);
    if salt_bytes > SALT_BYTES_MAX || given.trailer.is_some_and(|trailer| trailer != 1) {
        return Err(DocumentKeyError::Malformed);
    }
    let hash = DocumentHash::by_oid(&hash.to_string())?;
    Ok(DocumentScheme::RsaPss { hash, salt_bytes: salt_bytes.into() })
}

pub fn pkcs1(key: &RsaPublicKey, hash: DocumentHash, digest: &[u8], signature: &[u8]) -> bool {
    let scheme = match hash {
        DocumentHash::Sha224 => Pkcs1v15Sign::new::<sha2::Sha224>(),
        DocumentHash::Sha256 => Pkcs1v15Sign::new::<sha2::Sha256>(),
        DocumentHash::Sha384 => Pkcs1v15Sign::new::<sha2::Sha384>(),
        DocumentHash::Sha512 => Pkcs1v15Sign::new::<sha2::Sha512>(),
    };
    key.verify(scheme, digest, signature).is_ok()
}

pub fn pss(
    key: &RsaPublicKey,
    hash: DocumentHash,
    salt_bytes: usize,
    digest: &[u8],
    signature: &[u8],
) -> bool {
    let holds = match hash {
        DocumentHash::Sha224 => {
            key.verify(Pss::<sha2::Sha224>::new_with_salt(salt_bytes), digest, signature)
        }
        DocumentHash::Sha256 => {
            key.verify(Pss::<sha2::Sha256>::new_with_salt(salt_bytes), digest, signature)
        }
        DocumentHash::Sha384 => {
            key.verify(Pss::<sha2::Sha384>::new_with_salt(salt_bytes), digest, signature)
        }
        DocumentHash::Sha512 => {
            key.verify(Pss::<sha2::Sha512>::new_with_salt(salt_bytes), digest, signature)
        }
    };
    holds.is_ok()
}
