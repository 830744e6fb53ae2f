#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod certificate;
mod check;
mod digest;
mod document;
mod envelope;
mod limits;
mod manifest;
mod policy;
mod revocation;
mod statement;
#[cfg(test)]
mod tests;

pub use certificate::{Ceiling, CeilingError, Certificate, HostPattern};
pub use check::{Admitted, Certified, CheckError, Checked, was_certified, was_signed};
pub use digest::ComponentDigest;
pub use document::{DocumentError, Kind};
pub use envelope::{
    Algorithm, ENVELOPE_BYTES_MAX, Envelope, EnvelopeError, PublicKeys, SigningKeys,
};
pub use limits::{Limit, Limits};
pub use manifest::{COMPONENT_BYTES_MAX, Capability, Component, Manifest};
pub use policy::{CPU_FEATURES, Measured, Policy, PolicyError, SYSCALL_PROFILE, Satisfied};
pub use revocation::{Known, RevocationError, Revocations};
pub use statement::{StatementKey, StatementSignature};
