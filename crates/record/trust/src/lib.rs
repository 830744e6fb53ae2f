#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod chain;
mod execution;
mod head;
mod onion;
mod opening;
pub mod score;
mod statement;

pub use chain::Chain;
pub use execution::{Execution, Run};
pub use head::{Head, HeadError};
pub use onion::{OnionAddress, OnionError};
pub use opening::{Opening, OpeningError};
pub use statement::capsule_statement;
