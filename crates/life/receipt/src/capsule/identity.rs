//! Whose key a receipt is proven by: the operator's, or one of a run, which is the operator's only for
//! whoever sees its opening.

use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_circuits::Pins;
use symbolon_circuits::capsule::Capsule;
use symbolon_codec::Fields;
use symbolon_crypto::VerifyingKey;
use symbolon_crypto::labels::{CAPSULE_PRIVATE, CAPSULE_TRANSCRIPT, CAPSULE_UNLINKED};
use symbolon_trust::{Opening, Run};

use super::verify::typed;
use super::{CapsuleCheck, CapsuleError, CapsuleReceipt, FieldName, Seen, onion};
use crate::verify::OperatorKey;

/// Whose key it is, as the receipt has it in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Prover {
    /// Standard form.
    Operator { key: VerifyingKey, onion: String },
    /// Unlinked form.
    Execution(VerifyingKey),
    /// Private form.
    Private { key: VerifyingKey, onion: String },
}

impl Prover {
    pub fn operator(key: &VerifyingKey) -> Self {
        Self::Operator { key: *key, onion: onion(key) }
    }

    pub fn private(key: &VerifyingKey) -> Self {
        Self::Private { key: *key, onion: onion(key) }
    }

    pub fn is_private(&self) -> bool {
        matches!(self, Self::Private { .. })
    }

    pub fn key(&self) -> &VerifyingKey {
        match self {
            Self::Operator { key, .. } | Self::Private { key, .. } | Self::Execution(key) => key,
        }
    }

    /// The fields of a receipt that is proven so, in their order.
    pub fn fields(&self) -> &'static [FieldName] {
        match self {
            Self::Operator { .. } => FieldName::STANDARD,
            Self::Execution(_) => &FieldName::ALL,
            Self::Private { .. } => FieldName::PRIVATE,
        }
    }

    /// How the transcript begins.
    pub fn transcript(&self) -> Fields {
        match self {
            Self::Operator { key, onion } => {
                Fields::new(CAPSULE_TRANSCRIPT.as_str()).bytes(key.as_bytes()).str(onion)
            }
            Self::Execution(key) => Fields::new(CAPSULE_UNLINKED.as_str()).bytes(key.as_bytes()),
            Self::Private { key, onion } => {
                let pins = statement_pins();
                Fields::new(CAPSULE_PRIVATE.as_str())
                    .bytes(key.as_bytes())
                    .str(onion)
                    .str(pins.statement)
                    .bytes(&pins.verifying_sha256)
            }
        }
    }
}

/// What is pinned of the keys of the statement that a private receipt is proven by.
pub(super) fn statement_pins() -> &'static Pins {
    symbolon_circuits::VerifyingKey::<Capsule>::pins()
}

/// What the owner of an execution key knows of it, and an unlinked receipt commits to.
#[derive(Debug, Clone, Copy)]
pub struct Unlinked<'a> {
    /// Whose it is.
    pub operator: &'a VerifyingKey,
    /// That it is.
    pub opening: &'a Opening,
    /// Which run it is of.
    pub run: &'a Run,
}

impl Unlinked<'_> {
    pub(super) fn identity(&self) -> Value {
        let onion = onion(self.operator);
        json!({ "operator": self.operator, "onion": onion, "opening": self.opening })
    }

    pub(super) fn run(&self) -> Value {
        json!(self.run)
    }
}

/// The field `identity`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    operator: VerifyingKey,
    onion: String,
    opening: Opening,
}

/// Which operator a receipt was found to be of, and how.
pub(super) struct Whose {
    /// The address of the operator whose key was given; none where nobody is shown to be it.
    pub onion: Option<String>,
    /// Which key of theirs it is.
    pub key: Option<VerifyingKey>,
    pub checks: Vec<CapsuleCheck>,
}

/// Checks who proved the receipt, whose proof holds already over what it commits to.
pub(super) fn check(
    receipt: &CapsuleReceipt,
    given: Option<&OperatorKey>,
    component: Option<&[u8; 64]>,
) -> Result<Whose, CapsuleError> {
    let line = |name, seen| CapsuleCheck { name, seen };
    let execution = match &receipt.prover {
        Prover::Operator { onion, .. } | Prover::Private { onion, .. } => {
            let checks = vec![
                line("operator", Seen::Held(onion.clone())),
                line("identity", Seen::Held("holds the operator's key".into())),
            ];
            let key = Some(*receipt.prover.key());
            return Ok(Whose { onion: Some(onion.clone()), key, checks });
        }
        Prover::Execution(key) => key,
    };
    let proven = line("identity", Seen::Held("holds an execution key of this run".into()));
    let Some(identity) = typed::<Identity>(receipt, FieldName::Identity)? else {
        if given.is_some() {
            return Err(CapsuleError::Unlinked);
        }
        let withheld = |name| line(name, Seen::Withheld("identity: whose execution key this is"));
        let run = line("run", Seen::Withheld("identity, run and component"));
        let checks = vec![withheld("operator"), proven, withheld("chain"), run];
        return Ok(Whose { onion: None, key: None, checks });
    };
    let is_other = given.is_some_and(|given| !given.keys().contains(&identity.operator));
    if is_other || identity.onion != onion(&identity.operator) {
        return Err(CapsuleError::Operator);
    }
    if identity.opening.key() != execution {
        return Err(CapsuleError::Execution);
    }
    identity.opening.verify(&identity.operator).map_err(CapsuleError::Opening)?;
    let run: Option<Run> = typed(receipt, FieldName::Run)?;
    let run = match run.zip(component) {
        None => Seen::Withheld("run and component"),
        Some((run, component)) if run.commitment(component) == *identity.opening.run() => {
            Seen::Held(format!("run {} of this component", run.number))
        }
        Some(_) => return Err(CapsuleError::Run),
    };
    let key_number = identity.opening.position();
    let chain = Seen::Held(format!("key {key_number} of the chain of {}", identity.onion));
    let (onion, operator) = match given {
        Some(_) => (Some(identity.onion.clone()), Seen::Held(identity.onion)),
        None => (None, Seen::Withheld("the receipt names one; --key says whether it is yours")),
    };
    let checks = vec![line("operator", operator), proven, line("chain", chain), line("run", run)];
    let key = onion.is_some().then_some(identity.operator);
    Ok(Whose { onion, key, checks })
}
