//! OpenTimestamps: how a digest leads, an operation at a time, to what others attest.

mod attestation;
mod error;
mod operation;
mod proof;
mod read;
mod timestamp;

pub use attestation::{Attestation, CALENDAR_BYTES_MAX};
pub use error::OtsError;
pub use operation::Operation;
pub use proof::{PROOF_BYTES_MAX, Pending, Proof, Reached};
