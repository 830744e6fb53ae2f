#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(target_arch = "wasm32")]
mod bindings;
mod holding;
pub mod pool;
mod prover;
mod question;
mod refused;

pub use holding::{About, Document, Holding};
pub use prover::{Prover, measure};
pub use question::{Question, look, request};
pub use refused::Refused;
