#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(target_arch = "wasm32")]
mod bindings;
mod certificate;
mod receipt;
mod verdict;

pub use verdict::{gave_way, verdict};
