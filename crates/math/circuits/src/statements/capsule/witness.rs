//! What the prover has: the component's hash, what it is called, the publisher's signature.

use midnight_curves::Fr as Scalar;
use symbolon_ambient::Rng;
use symbolon_crypto::labels;

use super::{Capsule, native};
use crate::Fr;
use crate::issuer::{BadSignature, IssuerKey, IssuerPublicKey, Signature};
use crate::value::{Element, Hidden, parts};

/// Parts of a SHA3-512: 31, 31 and 2 bytes.
pub(super) const PARTS: usize = 3;

/// What a publisher signs of a capsule: component, name and version, policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    component: [Fr; PARTS],
    capsule: Fr,
    policy: Fr,
}

/// A component that nobody can name who does not know the salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComponentCommitment(pub Element);

/// A capsule, the salt of its commitment, and the publisher's signature over it.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'w> {
    /// What was signed.
    pub description: &'w Description,
    /// A uniform element, made for one receipt.
    pub salt: &'w Hidden,
    /// By the statement's publisher.
    pub signature: &'w Signature,
}

/// The witness as elements.
#[derive(Clone)]
#[doc(hidden)]
pub struct Opened {
    pub(crate) component: [Fr; PARTS],
    pub(crate) capsule: Fr,
    pub(crate) salt: Fr,
    pub(crate) s: Scalar,
    pub(crate) e: Fr,
}

impl Description {
    /// Of a component's SHA3-512, of name and version with `/` between, and of the policy's bytes.
    pub fn new(sha3_512: &[u8; 64], capsule: &str, policy: &[u8]) -> Self {
        let mut of = parts(sha3_512);
        Self {
            component: std::array::from_fn(|_| of.next().unwrap_or_default()),
            capsule: Element::hash(&labels::FIELD_CAPSULE, capsule.as_bytes()).0,
            policy: Capsule::policy(policy).0,
        }
    }

    /// The element of its policy, which the statement names.
    pub fn policy(&self) -> Element {
        Element(self.policy)
    }

    /// The publisher's signature over it.
    pub fn sign(&self, publisher: &IssuerKey, rng: &impl Rng) -> Signature {
        publisher.sign_element(self.element(), rng)
    }

    /// Checks a publisher's signature over it.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(
        &self,
        publisher: &IssuerPublicKey,
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        signature.verify_element(publisher, self.element().0)
    }

    /// Its component, hidden by a salt.
    pub fn commit(&self, salt: &Hidden) -> ComponentCommitment {
        ComponentCommitment(Element(native::commitment(self.component, salt.element())))
    }

    /// What is signed.
    pub(crate) fn element(&self) -> Element {
        Element(native::description(self.component, self.capsule, self.policy))
    }
}

impl Opened {
    pub(super) fn of(witness: Witness<'_>) -> Self {
        let Description { component, capsule, .. } = *witness.description;
        let Signature { s, e } = *witness.signature;
        Self { component, capsule, salt: witness.salt.element(), s, e }
    }
}
