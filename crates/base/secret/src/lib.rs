#![doc = include_str!("../README.md")]

mod alloc;
mod scrub;
mod secret;
mod slab;

// What needs an operating system.
#[cfg(not(target_family = "wasm"))]
mod harden;
#[cfg(not(target_family = "wasm"))]
mod histogram;
#[cfg(not(target_family = "wasm"))]
mod hold;
#[cfg(not(target_family = "wasm"))]
pub mod scan;
#[cfg(not(target_family = "wasm"))]
mod window;

#[cfg_attr(target_family = "wasm", path = "wasm/region.rs")]
mod region;
#[cfg_attr(target_family = "wasm", path = "wasm/stack.rs")]
mod stack;

pub use alloc::ZeroizingAlloc;
#[cfg(not(target_family = "wasm"))]
pub use harden::{Hardening, harden, shield_thread};
#[cfg(not(target_family = "wasm"))]
pub use histogram::{Histogram, Snapshot};
#[cfg(not(target_family = "wasm"))]
pub use hold::hold;
pub use region::{MemoryError, Protection, protection};
pub use scrub::{STACK_WIPED, scrub_registers, wipe, wipe_stack};
pub use secret::Secret;
pub use stack::on_stack;
#[cfg(not(target_family = "wasm"))]
pub use window::{CLEAR, SCRATCH_BYTES, Window, WindowError, with_window};
