#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod facts;
mod fingerprint;
mod keyfile;
#[cfg(feature = "tpm")]
mod tpm;

pub use facts::{FactSet, Facts};
pub use fingerprint::{Fingerprint, FingerprintError, Strength};
pub use keyfile::{DeviceKey, KeyFileError};
#[cfg(feature = "tpm")]
pub use tpm::{PcrMask, Tpm};
