//! What circuits are drawn with.

mod board;
mod parts;
mod signed;

pub(crate) use board::Cell;
pub use board::{Board, Drawn};
pub(crate) use parts::{Bound, Session, bound, claim, group_root, holder, session};
pub(crate) use signed::signed;
