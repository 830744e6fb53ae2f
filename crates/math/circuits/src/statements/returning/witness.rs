//! What the holder has.

pub use crate::statements::common::Witness;
