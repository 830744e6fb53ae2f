#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod answer;
mod client;
mod guard;
mod keys;
mod layer;
mod options;
mod seen;
mod standing;

pub use guard::{Authorized, Denied, Guard};
pub use layer::{GuardLayer, GuardService};
pub use options::{GuardError, GuardOptions};
