//! What a receipt says of gates and rules.

use std::borrow::Cow;

use symbolon_capability::catalog::McpRequest;
use symbolon_capability::engine::Refused;
use symbolon_capability::{Gate as CapabilityGate, Gates, Refusal, Release};
use symbolon_receipt::{Decision, Gate, Outcome};

/// The decision of a call that was let through: every gate held, or shadow mode passed over some.
pub(crate) fn decision_of(release: &Release) -> Decision<'static> {
    let missed = release.missed();
    let code = |rule: &str| missed.iter().find(|m| m.rule() == rule).map(Refusal::code);
    let mut gates = four(release.gates(), |gate| code(gate.as_str()).unwrap_or("not asked"));
    if release.approved().is_some() {
        gates.push(one("approval", true, ""));
    }
    for rule in release.asked() {
        gates.push(one(rule, code(rule).is_none(), code(rule).unwrap_or_default()));
    }
    for refusal in missed {
        if !gates.iter().any(|g| g.gate == refusal.rule()) {
            gates.push(one(refusal.rule(), false, refusal.code()));
        }
    }
    if let Some(McpRequest::Call { definition, .. }) = release.operation().mcp() {
        // Which definition of the tool was asked for: the call was made of it or not at all.
        let detail = Cow::Owned(format!("sha256:{definition}"));
        gates.push(Gate { gate: Cow::Borrowed("definition"), held: true, detail });
    }
    let outcome = if missed.is_empty() { Outcome::Allowed } else { Outcome::Shadowed };
    Decision { outcome, gates }
}

/// The four gates in their order; where another rule or a token refused, that as a fifth.
pub(crate) fn refused_decision(refused: &Refused) -> Decision<'static> {
    let refusal = &refused.refusal;
    let blamed = refusal.gate();
    let mut gates = four(refused.gates, |gate| match blamed == Some(gate) {
        true => refusal.code(),
        false => "not asked",
    });
    if blamed.is_none() {
        gates.push(one(refusal.rule(), false, refusal.code()));
    }
    Decision { outcome: Outcome::Refused, gates }
}

fn four(gates: Gates, not: impl Fn(CapabilityGate) -> &'static str) -> Vec<Gate<'static>> {
    let detail = |gate| if gates.held(gate) { "" } else { not(gate) };
    CapabilityGate::ALL.into_iter().map(|g| one(g.as_str(), gates.held(g), detail(g))).collect()
}

fn one(gate: &'static str, held: bool, detail: &'static str) -> Gate<'static> {
    Gate { gate: Cow::Borrowed(gate), held, detail: Cow::Borrowed(detail) }
}
