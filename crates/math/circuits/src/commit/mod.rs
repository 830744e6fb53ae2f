//! Commitments outside circuits: to bytes that are shown later, and to artefacts.

mod integrity;
mod salted;

pub use integrity::IntegrityTag;
pub use salted::{Opening, SALT_BYTES, SaltedCommitment};
