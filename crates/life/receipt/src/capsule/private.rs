//! The private form: that a capsule of a publisher ran under a policy, and not which.
//!
//! What would tell which capsule it was is not in such a receipt, but for the component, which is in a commitment that is
//! never opened. A proof of the statement `capsule` stands in their place (`specs/statements/capsule.md`).

use std::sync::LazyLock;

use symbolon_ambient::Rng;
use symbolon_capsule::{Admitted, PublicKeys, Satisfied, was_certified};
use symbolon_circuits::capsule::{Capsule, ComponentCommitment, Description, Witness};
use symbolon_circuits::{
    Element, Hidden, IssuerPublicKey, Proof, Signature, VerifyingKey as Key, verify,
};
use symbolon_codec::Digest32;
use symbolon_crypto::{IDENTITY_PROOF_BYTES, VerifyingKey};

use super::identity::Prover;
use super::make::{Draft, DraftError, Facts};
use super::verify::{Shown, read_certificate};
use super::{CapsuleCheck, CapsuleError, CapsuleReceipt, Field, FieldName, Seen};

/// The key of the statement, read and held against its pins once.
static KEY: LazyLock<Option<Key<Capsule>>> = LazyLock::new(Key::pinned);

/// A private receipt without its proofs, and what the one of the statement is made of.
#[derive(Debug)]
pub struct PrivateDraft {
    draft: Draft,
    publisher: IssuerPublicKey,
    description: Description,
    signature: Signature,
    salt: Hidden,
}

impl PrivateDraft {
    /// A draft of the evidence of two gates. The salt that hides the component is in it alone: nobody can open the
    /// commitment later, its owner neither.
    ///
    /// # Errors
    /// [`DraftError::Envelope`], or [`DraftError::NoStatement`] where the publisher signed none.
    pub fn new(
        admitted: &Admitted<'_>,
        satisfied: &Satisfied,
        facts: &Facts<'_>,
        operator: &VerifyingKey,
        rng: &impl Rng,
    ) -> Result<Self, DraftError> {
        let manifest = admitted.manifest();
        let signature = manifest.statement.as_ref().ok_or(DraftError::NoStatement)?;
        let prover = Prover::private(operator);
        let mut draft = Draft::commit(admitted, satisfied, facts, prover, None, rng)?;
        let certificate =
            draft.0.dangerous_unverified(FieldName::Certificate).and_then(read_certificate);
        let publisher =
            certificate.and_then(|(it, _)| it.keys.jubjub).ok_or(DraftError::NoStatement)?;
        let publisher = publisher.public().map_err(|_| DraftError::NoStatement)?;
        let (description, salt) = (manifest.description(), Hidden::make(rng));
        let hidden = Digest32(description.commit(&salt).0.to_bytes());
        for field in &mut draft.0.fields {
            if field.name() == FieldName::Component {
                *field = Field::read(FieldName::Component, hidden, None);
            }
        }
        Ok(Self { draft, publisher, description, signature: *signature.as_signature(), salt })
    }

    /// What the operator's key is to be proven over, by [`super::capsule_statement`].
    pub fn transcript(&self) -> Digest32 {
        self.draft.transcript()
    }

    /// What is to be proven of the capsule.
    pub fn statement(&self) -> Capsule {
        Capsule {
            receipt: Capsule::receipt(&self.transcript().0),
            policy: self.description.policy(),
            publisher: self.publisher,
            commitment: self.description.commit(&self.salt),
        }
    }

    /// What shows it.
    pub fn witness(&self) -> Witness<'_> {
        let Self { description, signature, salt, .. } = self;
        Witness { description, salt, signature }
    }

    /// Takes both proofs, if they are of this draft.
    ///
    /// # Errors
    /// [`DraftError::Statement`] or [`DraftError::Identity`].
    pub fn prove(
        self,
        identity: [u8; IDENTITY_PROOF_BYTES],
        shown: Proof,
    ) -> Result<CapsuleReceipt, DraftError> {
        let key = KEY.as_ref().ok_or(DraftError::Statement)?;
        verify(key, &self.statement(), &shown).map_err(|_| DraftError::Statement)?;
        let mut receipt = self.draft.prove(identity)?;
        receipt.shown_by = Some(shown);
        Ok(receipt)
    }
}

impl CapsuleReceipt {
    /// Checks that a capsule of the certificate's publisher, under the policy that is shown, is the one that the
    /// receipt's commitment hides.
    pub(super) fn check_private(&self, facts: &Shown<'_>) -> Result<CapsuleCheck, CapsuleError> {
        let absent = |name| CapsuleError::Value(name);
        let (certificate, _) = facts.certificate.as_ref().ok_or(absent(FieldName::Certificate))?;
        let policy = facts.policy.as_ref().ok_or(absent(FieldName::Policy))?;
        let publisher = certificate.keys.jubjub.ok_or(CapsuleError::NoStatementKey)?;
        let publisher = publisher.public().map_err(|_| CapsuleError::NoStatementKey)?;
        let hidden = self.fields.iter().find(|it| it.name() == FieldName::Component);
        let hidden = hidden.and_then(|it| Element::from_bytes(&it.commitment().0).ok());
        let proof = self.shown_by.as_ref().ok_or(CapsuleError::NotShown)?;
        let statement = Capsule {
            receipt: Capsule::receipt(&self.transcript().0),
            policy: Capsule::policy(&policy.to_bytes()),
            publisher,
            commitment: ComponentCommitment(hidden.ok_or(absent(FieldName::Component))?),
        };
        let key = KEY.as_ref().ok_or(CapsuleError::NotShown)?;
        verify(key, &statement, proof).map_err(|_| CapsuleError::NotShown)?;
        let says = format!("some capsule that {} signed for this policy", certificate.publisher);
        Ok(CapsuleCheck { name: "capsule", seen: Seen::Held(says) })
    }
}

impl Shown<'_> {
    /// Whether the certificate is the root's, and was good when the run began.
    pub(super) fn certified(&self, root: Option<&PublicKeys>) -> Result<Seen, CapsuleError> {
        let (Some((certificate, envelope)), Some(root), Some((started_ms, _))) =
            (&self.certificate, root, self.time)
        else {
            return Ok(Seen::Withheld("time, and a root to believe (--root)"));
        };
        was_certified(certificate, envelope, root, started_ms)
            .map_err(|error| CapsuleError::Publisher(error.to_string()))?;
        Ok(Seen::Held(format!("{}, certificate {}", certificate.publisher, certificate.number)))
    }
}
