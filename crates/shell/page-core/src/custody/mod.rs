//! The ways to open a vault, as the page has them.

mod change;
mod rotation;
mod way;

pub use change::Change;
pub use rotation::Rotation;
pub use way::Way;
