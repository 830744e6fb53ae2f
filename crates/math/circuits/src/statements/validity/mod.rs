//! The holder's document is valid on a date (`specs/statements/validity.md`).

mod circuit;
mod native;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use statement::Validity;
pub use witness::Witness;
