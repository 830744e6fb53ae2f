//! Groups of nationalities: named lists with versions, each a Merkle tree whose root is known
//! beforehand.

mod list;
mod tree;

pub(crate) use list::hex32;
pub use list::{GroupName, NoSuchGroup};
pub(crate) use tree::{GROUP_DEPTH, Path, leaf};
pub use tree::{Group, NotMember};
