//! What the holder has.

/// The witness as elements.
pub(crate) use crate::statements::common::Bound as Opened;
pub use crate::statements::common::Witness;
