//! A receipt drafted of the evidence of two gates, and completed by the proof of the third.

use serde_json::{Value, json};
use symbolon_ambient::Rng;
use symbolon_capsule::{Admitted, Envelope, Kind, Satisfied};
use symbolon_codec::Digest32;
use symbolon_crypto::{IDENTITY_PROOF_BYTES, IdentityError, VerifyingKey, sha256, verify_identity};

use super::identity::Prover;
use super::{CapsuleReceipt, Field, FieldName, SCHEME, Unlinked, capsule_statement};

/// What is said of a run beside its evidence.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The manifest's envelope, as it was checked.
    pub manifest: &'a [u8],
    /// The certificate's envelope, as it was checked.
    pub certificate: &'a [u8],
    /// Unix milliseconds.
    pub started_ms: u64,
    /// Unix milliseconds.
    pub completed_ms: u64,
    /// What the run was given.
    pub input: &'a [u8],
    /// What it gave.
    pub output: &'a [u8],
    /// Fuel that it used.
    pub fuel: u64,
    /// Bytes of memory at its end.
    pub memory_bytes: u64,
}

/// A receipt without its proof.
#[derive(Debug)]
pub struct Draft(pub(super) CapsuleReceipt);

/// Why no receipt can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// An envelope is another one than that which was checked.
    #[error("the {0} is not the one that was checked")]
    Envelope(&'static str),
    /// The manifest has no statement of its publisher, so nothing can be shown without saying which capsule it is.
    #[error("the capsule's publisher signed no statement for private receipts")]
    NoStatement,
    /// The proof does not show this draft's statement.
    #[error("the proof is not of this receipt's capsule")]
    Statement,
    /// The proof is not by the receipt's key, over this draft.
    #[error("{0}")]
    Identity(#[from] IdentityError),
}

impl Draft {
    /// A draft of the standard form, which the operator's key proves. Hash gate and state gate are in the
    /// evidence: without it there is no draft.
    ///
    /// # Errors
    /// [`DraftError::Envelope`].
    pub fn new(
        admitted: &Admitted<'_>,
        satisfied: &Satisfied,
        facts: &Facts<'_>,
        operator: &VerifyingKey,
        rng: &dyn Rng,
    ) -> Result<Self, DraftError> {
        Self::commit(admitted, satisfied, facts, Prover::operator(operator), None, rng)
    }

    /// A draft of the unlinked form, which an execution key proves.
    ///
    /// # Errors
    /// [`DraftError::Envelope`].
    pub fn unlinked(
        admitted: &Admitted<'_>,
        satisfied: &Satisfied,
        facts: &Facts<'_>,
        unlinked: &Unlinked<'_>,
        rng: &dyn Rng,
    ) -> Result<Self, DraftError> {
        let prover = Prover::Execution(*unlinked.opening.key());
        Self::commit(admitted, satisfied, facts, prover, Some(unlinked), rng)
    }

    /// Commits to everything.
    pub(super) fn commit(
        admitted: &Admitted<'_>,
        satisfied: &Satisfied,
        facts: &Facts<'_>,
        prover: Prover,
        unlinked: Option<&Unlinked<'_>>,
        rng: &dyn Rng,
    ) -> Result<Self, DraftError> {
        let (manifest, checked) = (admitted.manifest(), admitted.checked());
        let signed = envelope(Kind::Manifest, facts.manifest)?;
        if signed.0 != manifest.to_bytes() {
            return Err(DraftError::Envelope(Kind::Manifest.name()));
        }
        let certificate = envelope(Kind::Certificate, facts.certificate)?;
        let value = |name: FieldName| match name {
            FieldName::Time => {
                json!({ "started_ms": facts.started_ms, "completed_ms": facts.completed_ms })
            }
            FieldName::Capsule => json!({ "name": manifest.name, "version": manifest.version }),
            FieldName::Component => json!(manifest.component.sha3_512),
            FieldName::Publisher => {
                json!({ "name": checked.publisher(), "certificate": checked.certificate() })
            }
            FieldName::Manifest => signed.1.clone(),
            FieldName::Certificate => certificate.1.clone(),
            FieldName::Policy => json!(manifest.policy),
            FieldName::Measured => json!(satisfied.measured()),
            FieldName::Input => json!(sha256(facts.input)),
            FieldName::Output => json!(sha256(facts.output)),
            FieldName::Use => json!({ "fuel": facts.fuel, "memory_bytes": facts.memory_bytes }),
            FieldName::Identity => unlinked.map(Unlinked::identity).unwrap_or_default(),
            FieldName::Run => unlinked.map(Unlinked::run).unwrap_or_default(),
        };
        let commit = |name| {
            let mut salt = [0; 32];
            rng.fill(&mut salt);
            Field::commit(name, salt, value(name))
        };
        Ok(Self(CapsuleReceipt {
            scheme: SCHEME.to_owned(),
            keyid: sha256(prover.key().as_bytes()),
            fields: prover.fields().iter().copied().map(commit).collect(),
            prover,
            proof: [0; IDENTITY_PROOF_BYTES],
            shown_by: None,
            log: None,
        }))
    }

    /// What the receipt's key is to be proven over, by [`capsule_statement`].
    pub fn transcript(&self) -> Digest32 {
        self.0.transcript()
    }

    /// The identity gate: takes the proof, if it is one by the receipt's key.
    ///
    /// # Errors
    /// [`DraftError::Identity`].
    pub fn prove(
        mut self,
        proof: [u8; IDENTITY_PROOF_BYTES],
    ) -> Result<CapsuleReceipt, DraftError> {
        let statement = capsule_statement(&self.transcript());
        verify_identity(self.0.prover.key(), &statement, &proof)?;
        self.0.proof = proof;
        Ok(self.0)
    }
}

fn envelope(kind: Kind, bytes: &[u8]) -> Result<(Vec<u8>, Value), DraftError> {
    let none = || DraftError::Envelope(kind.name());
    let read = Envelope::parse(kind, bytes).map_err(|_| none())?;
    let value = serde_json::from_slice(bytes).map_err(|_| none())?;
    Ok((read.dangerous_unverified().to_vec(), value))
}
