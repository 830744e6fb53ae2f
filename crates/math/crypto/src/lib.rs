#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod labels;

mod aead;
mod envelope;
mod foreign;
mod foreign_cbc;
mod gcm;
mod hash;
mod kdf;
mod mac;
mod master;
mod password;
mod recipient;
mod recovery;
mod sign;
#[cfg(test)]
mod wycheproof;

pub use aead::AeadKey;
pub use envelope::{Aad, OVERHEAD_BYTES, OpenError, plain_len, sealed_len};
pub use foreign::{ForeignError, foreign_gcm_open, pbkdf2_sha512, sha3_256};
pub use foreign_cbc::{foreign_cbc_open, pbkdf2_sha256};
pub use hash::{Sha256, hmac_sha256, sha256, sha256_parts};
pub use kdf::hkdf_sha256;
pub use labels::{Label, Tag};
pub use mac::{AWS_SECRET_BYTES_MAX, MacBytes, MacHash, aws4_key, hmac, hmac_under};
pub use master::MasterKey;
pub use password::{Params, PasswordError, argon2id, argon2id_salted};
pub use recipient::{HPKE_SEALED_BYTES, HpkeError, RecipientKey, RecipientSecret};
pub use recovery::{RecoveryCode, RecoveryError};
pub use sign::{SignatureError, SigningKey, VerifyingKey};
