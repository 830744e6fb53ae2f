//! A capsule ran that its publisher signed, under a policy that is named; which one is not said
//! (`specs/statements/capsule.md`).

mod circuit;
mod native;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use statement::Capsule;
pub use witness::{ComponentCommitment, Description, Witness};
