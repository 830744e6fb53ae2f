#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod act;
mod certificate;
mod digest;
mod entry;
mod handover;
mod owner;
pub mod sketch;
mod standing;
#[cfg(feature = "store")]
mod store;
#[cfg(test)]
mod tests;
mod text;
mod verify;

pub use act::{Act, Commit, LOG_BYTES_MAX, Reveal, Transfer};
pub use certificate::{
    CERTIFICATE_BYTES_MAX, CERTIFICATE_MEDIA_TYPE, Certificate, CertificateEntry, ENTRIES_MAX,
};
pub use digest::{Salt, commitment_of, holder_of};
pub use entry::{ENTRY_BYTES_MAX, Entry, EntryError};
pub use handover::{HANDOVER_BYTES_MAX, HandoverError, Invitation, Offer};
pub use owner::{OwnerSecrets, RecordError};
pub use sketch::Sketch;
pub use standing::{Standing, StandingError};
#[cfg(feature = "store")]
pub use store::{AuthorshipStore, Naming, Registration};
pub use text::{CanonicalText, TEXT_BYTES_MAX, TextError};
pub use verify::{CertificateError, VerifiedCertificate, verify};
