//! What the holder has.

/// The witness as elements.
pub(crate) use crate::statements::combined::Opened;
pub use crate::statements::common::Witness;
