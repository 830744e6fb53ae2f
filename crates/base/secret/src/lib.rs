#![doc = include_str!("../README.md")]

mod alloc;
mod harden;
mod histogram;
mod hold;
mod region;
pub mod scan;
mod scrub;
mod secret;
mod slab;
mod stack;
mod window;

pub use alloc::ZeroizingAlloc;
pub use harden::{Hardening, harden, shield_thread};
pub use histogram::{Histogram, Snapshot};
pub use hold::hold;
pub use region::{MemoryError, Protection, protection};
pub use scrub::{STACK_WIPED, scrub_registers, wipe, wipe_stack};
pub use secret::Secret;
pub use stack::on_stack;
pub use window::{CLEAR, SCRATCH_BYTES, Window, WindowError, with_window};
