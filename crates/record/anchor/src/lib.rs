#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod bitcoin;
pub mod evm;
mod ots;

pub use bitcoin::{BlockHeader, HeaderError, HeaderList, Network};
pub use ots::{
    Attestation, CALENDAR_BYTES_MAX, Operation, OtsError, PROOF_BYTES_MAX, Pending, Proof, Reached,
};
