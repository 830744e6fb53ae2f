//! Checks a capsule's receipt with the operator's key, and says of each fact whether it was seen.

use serde::de::DeserializeOwned;
use serde_json::Value;
use symbolon_capsule::{
    Certificate, ComponentDigest, Envelope, Kind, Manifest, Measured, Policy, PolicyError,
    PublicKeys, was_certified, was_signed,
};
use symbolon_crypto::{IdentityError, VerifyingKey, sha256, verify_identity};
use symbolon_log::{CheckpointError, ProofError, WitnessKey};
use symbolon_trust::OpeningError;

use super::identity::{self, Prover};
use super::{CapsuleFormError, CapsuleReceipt, FieldName, SCHEME, capsule_statement, onion};
use crate::finality::Finality;
use crate::verify::OperatorKey;

/// Why a receipt is not to be believed. In the order in which things are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CapsuleError {
    /// It is no receipt.
    #[error("{0}")]
    Form(#[from] CapsuleFormError),
    /// The receipt names another operator than the key given, or not its address or key.
    #[error("the receipt is by another operator than the key you gave")]
    Operator,
    /// No operator's key was given, and the standard form is checked against one.
    #[error("this receipt is checked against its operator's key")]
    NoKey,
    /// The key that stands behind it gave way to another, and it does not show that it was there before.
    #[error(
        "the operator's key gave way to another at entry {until} of its log, and the receipt does not show that it stands before that"
    )]
    Retired {
        /// Entries in the key's last checkpoint.
        until: u64,
    },
    /// What names the key that it is to be verified with is another's.
    #[error("the receipt's verification key is not that of its execution key")]
    Key,
    /// A value that is shown is not the one that was committed to.
    #[error("the receipt's `{0}` is not what was committed to")]
    Field(FieldName),
    /// A value that is shown is not of its form.
    #[error("the receipt's `{0}` has not the right form")]
    Value(FieldName),
    /// The identity gate.
    #[error("{0}")]
    Identity(#[from] IdentityError),
    /// A key was given, and the receipt does not show whose execution key it is proven by.
    #[error(
        "it is proven by an execution key whose operator is not shown, so nothing ties it to the key that you gave"
    )]
    Unlinked,
    /// The opening that is shown is of another key.
    #[error("the receipt's opening is of another execution key than the one that proved it")]
    Execution,
    /// The opening that is shown does not hold.
    #[error("{0}")]
    Opening(OpeningError),
    /// The run that is shown is not the one that the key was made for.
    #[error("the execution key was made for another run than the one that the receipt shows")]
    Run,
    /// The certificate names no key that statements are signed with, so nothing can be shown by one.
    #[error("the publisher's certificate names no key for statements")]
    NoStatementKey,
    /// The proof of the statement.
    #[error("the proof does not show that a capsule of this publisher ran under this policy")]
    NotShown,
    /// The hash gate.
    #[error("the component that ran is not the one that the manifest was signed for")]
    Hash,
    /// A fact that the manifest says otherwise.
    #[error("the receipt's `{0}` is not the manifest's")]
    Manifest(FieldName),
    /// The state gate.
    #[error("the process did not satisfy the manifest's policy: {0}")]
    State(PolicyError),
    /// The manifest or the certificate.
    #[error("{0}")]
    Publisher(String),
    /// It ended before it began.
    #[error("the run ended before it began")]
    Time,
    /// The checkpoint of its place in the log.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Its place in the log.
    #[error("the log does not have it at its place: {0}")]
    Inclusion(#[from] ProofError),
}

/// One line of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapsuleCheck {
    /// `operator`, `identity`, `hash`, `state`, `publisher`, `time` or `inclusion`; of the unlinked form `chain` and
    /// `run` too; of the private form `capsule` in place of `hash`.
    pub name: &'static str,
    /// Whether it was seen.
    pub seen: Seen,
}

/// Whether a check could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It was, and holds; what it showed.
    Held(String),
    /// It was not: what it needs is withheld, or was not given. The operator alone vouches for it.
    Withheld(&'static str),
}

/// A receipt that passed every check that could be made. Only [`verify_capsule`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapsuleVerdict {
    receipt: CapsuleReceipt,
    onion: Option<String>,
    operator: Option<VerifyingKey>,
    rests_on: Vec<VerifyingKey>,
    checks: Vec<CapsuleCheck>,
}

impl CapsuleVerdict {
    /// Each check, in order.
    pub fn checks(&self) -> &[CapsuleCheck] {
        &self.checks
    }

    /// The value of a field that is shown; it belongs to its commitment, and that to the proof.
    pub fn value(&self, name: FieldName) -> Option<&Value> {
        self.receipt.dangerous_unverified(name)
    }

    /// The address of the operator whose key was given; none where the receipt was not held against one.
    pub fn onion(&self) -> Option<&str> {
        self.onion.as_deref()
    }

    /// The operator's key that stands behind it; none where the receipt was not held against one.
    pub fn operator(&self) -> Option<&VerifyingKey> {
        self.operator.as_ref()
    }

    /// The operator's keys that it is believed by, as of a receipt; none where it was not held against one.
    pub fn rests_on(&self) -> &[VerifyingKey] {
        &self.rests_on
    }

    /// The execution key that proved it, where it is of the unlinked form.
    pub fn execution(&self) -> Option<&VerifyingKey> {
        match &self.receipt.prover {
            Prover::Operator { .. } | Prover::Private { .. } => None,
            Prover::Execution(key) => Some(key),
        }
    }

    /// What these witnesses say of the checkpoint that it stands under; none where it shows no place in a log.
    pub fn finality(&self, witnesses: &[WitnessKey], needed: usize) -> Option<Finality> {
        let log = self.receipt.dangerous_log()?;
        Some(Finality::of(&log.checkpoint, witnesses, needed))
    }

    /// Whether it is of the private form: which capsule ran is not said, and nobody can say it later.
    pub fn is_private(&self) -> bool {
        self.receipt.prover.is_private()
    }
}

/// Checks a receipt offline. Without `operator` one of the unlinked form can be checked, and then says of
/// nobody that they are its operator. `root` is whose publishers the reader believes, where they believe any.
///
/// # Errors
/// [`CapsuleError`]: the first check that fails.
pub fn verify_capsule(
    bytes: &[u8],
    operator: Option<&OperatorKey>,
    root: Option<&PublicKeys>,
) -> Result<CapsuleVerdict, CapsuleError> {
    let receipt = CapsuleReceipt::parse(bytes)?;
    let key = receipt.prover.key();
    let is_named = receipt.scheme == SCHEME && receipt.keyid == sha256(key.as_bytes());
    match &receipt.prover {
        Prover::Operator { onion: address, .. } | Prover::Private { onion: address, .. } => {
            let given = operator.ok_or(CapsuleError::NoKey)?.keys();
            if !given.contains(key) || *address != onion(key) || !is_named {
                return Err(CapsuleError::Operator);
            }
        }
        Prover::Execution(_) if !is_named => return Err(CapsuleError::Key),
        Prover::Execution(_) => {}
    }
    if let Some(wrong) = receipt.fields.iter().find(|it| !it.holds()) {
        return Err(CapsuleError::Field(wrong.name()));
    }
    verify_identity(key, &capsule_statement(&receipt.transcript()), &receipt.proof)?;
    let facts = Shown::read(&receipt)?;
    let component = facts.component.as_ref().map(ComponentDigest::as_bytes);
    let whose = identity::check(&receipt, operator, component)?;
    let identity::Whose { onion, key, mut checks } = whose;
    if let Some(until) = operator.zip(key.as_ref()).and_then(|(given, key)| given.until(key)) {
        // Whoever has the key still could have made it today.
        let index = receipt.log.as_ref().map(|log| log.index);
        if index.is_none_or(|index| index >= until) {
            return Err(CapsuleError::Retired { until });
        }
    }
    let (capsule, publisher) = if receipt.prover.is_private() {
        (receipt.check_private(&facts)?, facts.certified(root)?)
    } else {
        (CapsuleCheck { name: "hash", seen: facts.hash()? }, facts.publisher(root)?)
    };
    checks.extend([
        capsule,
        CapsuleCheck { name: "state", seen: facts.state()? },
        CapsuleCheck { name: "publisher", seen: publisher },
        CapsuleCheck { name: "time", seen: facts.time()? },
        CapsuleCheck { name: "inclusion", seen: inclusion(&receipt, operator)? },
    ]);
    let note = receipt.log.as_ref().map(|log| &*log.checkpoint);
    let rests_on = operator.zip(key.as_ref()).map(|(given, key)| given.rests_on(key, note));
    let rests_on = rests_on.unwrap_or_default();
    Ok(CapsuleVerdict { receipt, onion, operator: key, rests_on, checks })
}

/// Whether the operator's log has it.
fn inclusion(
    receipt: &CapsuleReceipt,
    operator: Option<&OperatorKey>,
) -> Result<Seen, CapsuleError> {
    match (&receipt.log, operator) {
        (Some(log), Some(operator)) => log.check(&receipt.transcript(), operator),
        _ if receipt.names_operator() => Ok(Seen::Withheld("its place in the operator's log")),
        _ => Ok(Seen::Withheld("the operator's log, which would say whose it is")),
    }
}

/// What is shown, read.
pub(super) struct Shown<'a> {
    manifest: Option<(Manifest, Envelope)>,
    pub(super) certificate: Option<(Certificate, Envelope)>,
    component: Option<ComponentDigest>,
    pub(super) policy: Option<Policy>,
    measured: Option<Measured>,
    pub(super) time: Option<(u64, u64)>,
    capsule: Option<&'a Value>,
    publisher: Option<&'a Value>,
}

impl<'a> Shown<'a> {
    fn read(receipt: &'a CapsuleReceipt) -> Result<Self, CapsuleError> {
        let value = |name| receipt.dangerous_unverified(name);
        let wrong = CapsuleError::Value;
        let manifest = value(FieldName::Manifest)
            .map(|it| read_manifest(it).ok_or(wrong(FieldName::Manifest)))
            .transpose()?;
        let certificate = value(FieldName::Certificate)
            .map(|it| read_certificate(it).ok_or(wrong(FieldName::Certificate)))
            .transpose()?;
        let time = match value(FieldName::Time) {
            None => None,
            Some(value) => {
                let at = |name| value.get(name).and_then(Value::as_u64);
                let both = at("started_ms").zip(at("completed_ms"));
                Some(both.ok_or(wrong(FieldName::Time))?)
            }
        };
        Ok(Self {
            manifest,
            certificate,
            component: typed(receipt, FieldName::Component)?,
            policy: typed(receipt, FieldName::Policy)?,
            measured: typed(receipt, FieldName::Measured)?,
            time,
            capsule: value(FieldName::Capsule),
            publisher: value(FieldName::Publisher),
        })
    }

    fn hash(&self) -> Result<Seen, CapsuleError> {
        let (Some(component), Some((manifest, _))) = (&self.component, &self.manifest) else {
            return Ok(Seen::Withheld("component and manifest"));
        };
        if *component != manifest.component.sha3_512 {
            return Err(CapsuleError::Hash);
        }
        let Manifest { name, version, .. } = manifest;
        let said = serde_json::json!({ "name": name, "version": version });
        if self.capsule.is_some_and(|it| *it != said) {
            return Err(CapsuleError::Manifest(FieldName::Capsule));
        }
        Ok(Seen::Held(format!("{name} {version}")))
    }

    fn state(&self) -> Result<Seen, CapsuleError> {
        let signed = self.manifest.as_ref().map(|(manifest, _)| &manifest.policy);
        if let (Some(said), Some(signed)) = (&self.policy, signed)
            && said != signed
        {
            return Err(CapsuleError::Manifest(FieldName::Policy));
        }
        let (Some(policy), Some(measured)) = (signed.or(self.policy.as_ref()), &self.measured)
        else {
            return Ok(Seen::Withheld("policy and measured"));
        };
        policy.satisfied_by(measured.clone()).map_err(CapsuleError::State)?;
        Ok(Seen::Held(format!(
            "Landlock {}, seccomp {}",
            measured.landlock_abi, measured.seccomp_mode
        )))
    }

    fn publisher(&self, root: Option<&PublicKeys>) -> Result<Seen, CapsuleError> {
        let (Some((manifest, signed)), Some((certificate, envelope))) =
            (&self.manifest, &self.certificate)
        else {
            return Ok(Seen::Withheld("manifest and certificate"));
        };
        let refused = |e: &dyn std::fmt::Display| CapsuleError::Publisher(e.to_string());
        let said = serde_json::json!({
            "name": certificate.publisher, "certificate": certificate.number,
        });
        if self.publisher.is_some_and(|it| *it != said) {
            return Err(CapsuleError::Manifest(FieldName::Publisher));
        }
        was_signed(manifest, signed, certificate).map_err(|e| refused(&e))?;
        let (Some(root), Some((started_ms, _))) = (root, self.time) else {
            return Ok(Seen::Withheld("time, and a root to believe (--root)"));
        };
        was_certified(certificate, envelope, root, started_ms).map_err(|e| refused(&e))?;
        Ok(Seen::Held(format!("{}, certificate {}", certificate.publisher, certificate.number)))
    }

    fn time(&self) -> Result<Seen, CapsuleError> {
        match self.time {
            None => Ok(Seen::Withheld("time")),
            Some((started, completed)) if completed < started => Err(CapsuleError::Time),
            Some((started, _)) => Ok(Seen::Held(crate::Time::from_unix_ms(started).to_string())),
        }
    }
}

/// The manifest in the value of its field. Nobody's signature over it is checked.
fn read_manifest(value: &Value) -> Option<(Manifest, Envelope)> {
    let envelope = Envelope::read(Kind::Manifest, value).ok()?;
    Manifest::parse(envelope.dangerous_unverified()).ok().map(|read| (read, envelope))
}

/// The certificate in the value of its field. Nobody's signature over it is checked.
pub(super) fn read_certificate(value: &Value) -> Option<(Certificate, Envelope)> {
    let envelope = Envelope::read(Kind::Certificate, value).ok()?;
    Certificate::parse(envelope.dangerous_unverified()).ok().map(|read| (read, envelope))
}

pub(super) fn typed<T: DeserializeOwned>(
    receipt: &CapsuleReceipt,
    name: FieldName,
) -> Result<Option<T>, CapsuleError> {
    let Some(value) = receipt.dangerous_unverified(name) else { return Ok(None) };
    T::deserialize(value).map(Some).map_err(|_| CapsuleError::Value(name))
}
