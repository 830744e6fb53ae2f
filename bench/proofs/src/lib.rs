#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cases;
mod measured;
mod person;
mod row;

pub use cases::Cases;
pub use row::{ProofRow, ProofsError};
