//! Claims on their way from an issuer to a holder, and as the holder keeps them (`specs/issuer.md`).
//!
//! **Invariant**: a value of a person's is in secret pages; none is in an error, a `String` or a `Value`.

mod demo;
mod error;
mod file;
mod holder;
mod issuer;
mod json;
mod particulars;
mod request;
#[cfg(test)]
mod tests;

pub use demo::{demo_issuer, is_demo};
pub use error::ClaimsError;
pub use file::ClaimsFile;
pub use holder::HolderRecord;
pub use issuer::{ISSUER_NAME_BYTES_MAX, IssuerFile, IssuerName};
pub use particulars::{Particular, Particulars};
pub use request::ClaimsRequest;
