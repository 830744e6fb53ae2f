#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod clock;
pub mod rng;

pub use clock::{Clock, ManualClock, SystemClock};
pub use rng::{BatchedRng, Rng, SeededRng, SystemRng};
