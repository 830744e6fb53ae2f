#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod account;
#[cfg(target_arch = "wasm32")]
mod bindings;
pub mod custody;
mod failed;
pub mod home;
mod lease;
mod moment;
mod opened;
pub mod vault;

pub use failed::Failed;
pub use moment::Moment;
pub use opened::Opened;
