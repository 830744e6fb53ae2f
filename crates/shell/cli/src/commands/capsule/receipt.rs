//! A run's receipt: drafted here of the evidence, proven by the broker, which has the operator's key.

use symbolon_ambient::SystemRng;
use symbolon_broker::IdentityProofView;
use symbolon_capsule::{Admitted, Satisfied};
use symbolon_codec::hex;
use symbolon_receipt::capsule::{CapsuleReceipt, Draft, Facts};
use symbolon_server::control::Op;

use crate::failure::Failure;
use crate::link::Link;

/// The receipt of a run.
pub fn make(
    broker: &mut Link,
    admitted: &Admitted<'_>,
    satisfied: &Satisfied,
    facts: &Facts<'_>,
) -> Result<CapsuleReceipt, Failure> {
    let whose: IdentityProofView = broker.ask(&Op::ProveOperator { transcript: None })?;
    let refused = |error: &dyn std::fmt::Display| {
        Failure::refused("capsule_receipt", error.to_string()).next("symbolon doctor")
    };
    let draft = Draft::new(admitted, satisfied, facts, &whose.operator, &SystemRng)
        .map_err(|error| refused(&error))?;
    let transcript = Some(draft.transcript());
    let proven: IdentityProofView = broker.ask(&Op::ProveOperator { transcript })?;
    let mut proof = [0; 64];
    hex::decode_to_slice(proven.proof.unwrap_or_default(), &mut proof)
        .map_err(|error| refused(&error))?;
    draft.prove(proof).map_err(|error| refused(&error))
}
