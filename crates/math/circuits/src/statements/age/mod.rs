//! The holder is at least N years old on a date (`specs/statements/age.md`).

mod circuit;
mod native;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use statement::Age;
pub use witness::Witness;
