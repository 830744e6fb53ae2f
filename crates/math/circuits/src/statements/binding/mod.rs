//! The holder's custody secret is bound to an account at an audience, and still good
//! (`specs/statements/binding.md`).

mod circuit;
mod native;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use statement::Bound;
pub use witness::Witness;
