#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod chip;
mod date;
mod mrz;
mod state;

pub use chip::{Authentic, Chip, ChipError, Revocation, SOD_BYTES_MAX, Trust, TrustError, Who};
pub use date::Date;
pub use mrz::{Format, Mrz, MrzError, MrzField, Sex};
pub use state::State;
