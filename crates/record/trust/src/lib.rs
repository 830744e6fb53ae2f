#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod chain;
mod execution;
mod onion;
mod statement;

pub use chain::{Chain, Head, HeadError, Opening, OpeningError};
pub use execution::Execution;
pub use onion::{OnionAddress, OnionError};
pub use statement::capsule_statement;
