#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod chain;
mod execution;
mod head;
mod onion;
mod opening;
mod revocation;
pub mod score;
mod statement;

pub use chain::Chain;
pub use execution::{Execution, Run};
pub use head::{Head, HeadError};
pub use onion::{OnionAddress, OnionError};
pub use opening::{Opening, OpeningError};
pub use revocation::{REVOCATION_BYTES_MAX, REVOCATION_MEDIA_TYPE, Revocation, RevocationError};
pub use statement::{capsule_entry, capsule_statement, is_capsule_entry};
