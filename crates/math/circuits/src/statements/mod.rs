//! What can be proven: statements, each with its circuit and its native twin.

pub mod age;
pub mod binding;
pub mod capsule;
pub mod claim;
mod combined;
pub(crate) mod common;
pub mod identity;
pub mod key;
pub mod nationality;
pub(crate) mod relation;
pub mod returning;
pub mod validity;

use crate::key::Pins;
use crate::value::Element;

pub use combined::Facts;
pub use common::Binding;

/// A statement that can be proven: what is public of it, and its version.
///
/// It is sealed: the statements are those of this crate (`specs/statements`).
pub trait Statement: relation::Circuit {
    /// Its name, such as `age`.
    const NAME: &'static str;
    /// The version of its circuit; a proof of one is refused by another.
    const VERSION: u8;
    /// What is pinned of its keys.
    const PINS: &'static Pins;

    /// The public inputs in their order.
    fn public_inputs(&self) -> Vec<Element> {
        self.publics().into_iter().map(Element).collect()
    }
}

/// Why a witness does not show a statement. What it says is for the prover alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// A numbered constraint of the statement does not hold.
    #[error("constraint {0} of the statement does not hold")]
    Constraint(u8),
    /// The nationality is not in the group.
    #[error("the nationality is not in the group")]
    NotMember,
    /// There is no claim of this type.
    #[error("there is no claim of this type")]
    NoClaim,
}
