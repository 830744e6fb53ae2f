//! A run's receipt: drafted here of the evidence, proven by the broker, which alone has the operator's key and
//! makes those of runs.

use symbolon_ambient::SystemRng;
use symbolon_broker::{ExecutionProofView, ExecutionView, IdentityProofView};
use symbolon_capsule::{Admitted, Satisfied};
use symbolon_codec::hex;
use symbolon_receipt::capsule::{CapsuleReceipt, Draft, Facts, Unlinked};
use symbolon_server::control::Op;

use crate::failure::Failure;
use crate::link::Link;

/// The receipt of a run, proven by the operator's key.
pub fn make(
    broker: &mut Link,
    admitted: &Admitted<'_>,
    satisfied: &Satisfied,
    facts: &Facts<'_>,
) -> Result<CapsuleReceipt, Failure> {
    let whose: IdentityProofView = broker.ask(&Op::ProveOperator { transcript: None })?;
    let draft = Draft::new(admitted, satisfied, facts, &whose.operator, &SystemRng);
    let draft = draft.map_err(refused)?;
    let transcript = Some(draft.transcript());
    let proven: IdentityProofView = broker.ask(&Op::ProveOperator { transcript })?;
    complete(draft, &proven.proof.unwrap_or_default())
}

/// The receipt of a run, proven by a key that is this run's alone.
pub fn make_unlinked(
    broker: &mut Link,
    admitted: &Admitted<'_>,
    satisfied: &Satisfied,
    facts: &Facts<'_>,
) -> Result<CapsuleReceipt, Failure> {
    let component = admitted.manifest().component.sha3_512.to_string();
    let opened: ExecutionView = broker.ask(&Op::OpenExecution { component })?;
    let ExecutionView { operator, opening, run } = &opened;
    let unlinked = Unlinked { operator, opening, run };
    let draft = Draft::unlinked(admitted, satisfied, facts, &unlinked, &SystemRng);
    let draft = draft.map_err(refused)?;
    let (key, transcript) = (*opening.key(), draft.transcript());
    let proven: ExecutionProofView = broker.ask(&Op::ProveExecution { key, transcript })?;
    complete(draft, &proven.proof)
}

fn complete(draft: Draft, proof: &str) -> Result<CapsuleReceipt, Failure> {
    let mut bytes = [0; 64];
    hex::decode_to_slice(proof, &mut bytes).map_err(refused)?;
    draft.prove(bytes).map_err(refused)
}

fn refused<E: std::fmt::Display>(error: E) -> Failure {
    Failure::refused("capsule_receipt", error.to_string()).next("symbolon doctor")
}
