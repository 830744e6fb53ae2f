//! The holder's nationality is in a group (`specs/statements/nationality.md`).

mod circuit;
mod native;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use statement::Nationality;
pub use witness::Witness;
