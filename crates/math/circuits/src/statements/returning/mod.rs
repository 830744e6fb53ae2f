//! All of age, validity, nationality and binding, of a holder whom the verifier knows already
//! (`specs/statements/returning.md`).

mod circuit;
mod native;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use statement::Returning;
pub use witness::Witness;
