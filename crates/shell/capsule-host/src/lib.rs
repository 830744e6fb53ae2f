#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod cache;
mod child;
mod engine;
mod error;
mod frame;
#[cfg(target_os = "linux")]
mod keep;
mod outline;
mod parent;
mod run;
mod state;
mod world;

pub use cache::{Cache, CacheError, Compiled};
pub use child::serve_child;
pub use engine::{Entry, Loaded, Runtime};
pub use error::{KeepError, RunError};
#[cfg(target_os = "linux")]
pub use keep::{SYSCALLS, keep};
pub use outline::Outline;
pub use parent::{Keeper, Ran};
pub use run::{Finished, Given, Job};
pub use state::Doors;
pub use world::asked_for;

/// The interfaces and the world of capsules that are no programs, in the component model's language of interfaces (WIT).
pub const WIT: &str = include_str!("../wit/capsule.wit");
