//! A claim of any type equals a value, or lies in a range (`specs/statements/claim.md`).

mod circuit;
mod native;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use statement::{NotComparable, Predicate, Says};
pub use witness::Witness;
