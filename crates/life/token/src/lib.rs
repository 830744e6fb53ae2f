#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod access;
pub mod dpop;
mod jwk;
mod jws;
mod scope;

pub use access::{
    Claims, Confirmation, Expected, LIFE_SECONDS_MAX, LIFE_SECONDS_MIN, TOKEN_BYTES_MAX,
    TokenError, VerifiedToken, verify,
};
pub use dpop::VerifiedProof;
pub use jwk::{Jwk, JwkError, Jwks};
pub use jws::compact;
pub use scope::{SCOPE_CHARS_MAX, SCOPES_MAX, ScopeError, Scopes};
