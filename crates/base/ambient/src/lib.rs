#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod clock;
pub mod id;
pub mod rng;

#[cfg(not(target_family = "wasm"))]
pub use clock::SystemClock;
pub use clock::{Clock, ManualClock};
pub use rng::{BatchedRng, Rng, SeededRng, SystemRng};
