//! A run's receipt: drafted here of the evidence, proven by the broker, which alone has the operator's key and
//! makes those of runs.

use symbolon_ambient::SystemRng;
use symbolon_broker::{ExecutionProofView, ExecutionView, IdentityProofView, LoggedView};
use symbolon_capsule::{Admitted, Satisfied};
use symbolon_circuits::capsule::Capsule;
use symbolon_circuits::{ProvingKey, prove};
use symbolon_codec::hex;
use symbolon_receipt::capsule::{
    CapsuleReceipt, Draft, Facts, FieldName, Logged, PrivateDraft, Unlinked,
};
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

/// The receipt of a run that does not say which capsule it was: proven by the operator's key, and by `key` to be some
/// capsule of its publisher. Of what could tell it, no more is shown than `show`.
pub fn make_private(
    broker: &mut Link,
    admitted: &Admitted<'_>,
    satisfied: &Satisfied,
    facts: &Facts<'_>,
    key: &ProvingKey<Capsule>,
    show: &[FieldName],
) -> Result<CapsuleReceipt, Failure> {
    let whose: IdentityProofView = broker.ask(&Op::ProveOperator { transcript: None })?;
    let draft = PrivateDraft::new(admitted, satisfied, facts, &whose.operator, &SystemRng);
    let draft = draft.map_err(refused)?;
    let transcript = Some(draft.transcript());
    let shown = prove(key, &draft.statement(), draft.witness(), &SystemRng).map_err(refused)?;
    let proven: IdentityProofView = broker.ask(&Op::ProveOperator { transcript })?;
    let mut identity = [0; 64];
    hex::decode_to_slice(proven.proof.unwrap_or_default(), &mut identity).map_err(refused)?;
    let receipt = draft.prove(identity, shown).map_err(refused)?;
    Ok(receipt.disclose(&[FieldName::PRIVATE_SHOWN, show].concat()))
}

/// The receipt with its place in this home's log: where it was put before, under what witnesses have signed since, or at its
/// end. One that is unlinked stays as it is: the log would name its operator.
pub fn logged(broker: &mut Link, receipt: CapsuleReceipt) -> Result<CapsuleReceipt, Failure> {
    if !receipt.names_operator() {
        return Ok(receipt);
    }
    let transcript = receipt.transcript();
    let op = match receipt.dangerous_log() {
        Some(log) => Op::ProveCapsule { transcript, index: log.index },
        None => Op::LogCapsule { transcript },
    };
    let LoggedView { index, path, checkpoint } = broker.ask(&op)?;
    Ok(receipt.with_log(Logged { index, path, checkpoint }))
}

fn complete(draft: Draft, proof: &str) -> Result<CapsuleReceipt, Failure> {
    let mut bytes = [0; 64];
    hex::decode_to_slice(proof, &mut bytes).map_err(refused)?;
    draft.prove(bytes).map_err(refused)
}

fn refused<E: std::fmt::Display>(error: E) -> Failure {
    Failure::refused("capsule_receipt", error.to_string()).next("symbolon doctor")
}
