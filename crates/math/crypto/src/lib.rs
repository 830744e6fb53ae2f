#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod ethereum;
pub mod labels;
pub mod opaque;
pub mod oprf;
pub mod schnorr;

mod aead;
#[cfg(not(target_family = "wasm"))]
mod document;
mod envelope;
mod field;
mod foreign;
mod foreign_cbc;
mod gcm;
mod hash;
mod identity;
mod kdf;
mod mac;
mod master;
mod password;
#[cfg(not(target_family = "wasm"))]
mod post_quantum;
mod recipient;
mod recovery;
mod seed;
mod shamir;
mod sign;
#[cfg(test)]
mod wycheproof;
mod xchacha;

pub use aead::AeadKey;
#[cfg(not(target_family = "wasm"))]
pub use document::{
    DocumentHash, DocumentKey, DocumentKeyError, DocumentScheme, DocumentSignatureError,
};
pub use envelope::{Aad, OVERHEAD_BYTES, OpenError, plain_len, sealed_len};
pub use field::{FIELD_OVERHEAD_BYTES, FieldError, FieldKey, Place, PlaceDigest};
pub use foreign::{ForeignError, foreign_gcm_open, pbkdf2_sha512, sha3_256};
pub use foreign_cbc::{foreign_cbc_open, pbkdf2_sha256};
pub use hash::{Sha256, hmac_sha256, sha3_512, sha256, sha256_parts};
pub use identity::{IDENTITY_PROOF_BYTES, IdentityError, prove_identity, verify_identity};
pub use kdf::hkdf_sha256;
pub use labels::{Label, Tag};
pub use mac::{AWS_SECRET_BYTES_MAX, MacBytes, MacHash, aws4_key, hmac, hmac_under};
pub use master::MasterKey;
pub use password::{Params, PasswordError, argon2id, argon2id_salted};
#[cfg(not(target_family = "wasm"))]
pub use post_quantum::{PQ_KEY_BYTES, PQ_SIGNATURE_BYTES, PqSigningKey, PqVerifyingKey};
pub use recipient::{HPKE_SEALED_BYTES, HpkeError, RecipientKey, RecipientSecret};
pub use recovery::{RecoveryCode, RecoveryError, common_words};
pub use seed::{Seed, SeedError};
pub use shamir::{SHARES_MAX, ShareError, combine_shares, split_shares};
pub use sign::{SignatureError, SigningKey, VerifyingKey};
