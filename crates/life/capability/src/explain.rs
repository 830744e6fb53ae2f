//! What every gate and rule says of a call that is not made: for people.

use serde_json::{Map, Value};
use symbolon_codec::time::rfc3339;

use crate::approval::Ask;
use crate::engine::{Engine, Lease};
use crate::gate::{Gate, Refusal};
use crate::rules::Asked;
use crate::{GrantId, LiveGrant};

/// What each gate and rule says, in the order in which a call meets them.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The grant that lets it through, or comes nearest; `None` where the agent has none.
    pub grant: Option<GrantId>,
    /// Every check.
    pub checks: Vec<Check>,
}

/// One gate or rule.
#[derive(Debug, Clone)]
pub struct Check {
    /// Which, as receipts name it.
    pub rule: &'static str,
    /// Whether it holds; `None` where it could not be asked, as an earlier one did not hold.
    pub held: Option<bool>,
    /// Why.
    pub why: String,
    /// The refusal that a call would get, where it does not hold.
    pub refusal: Option<Refusal>,
}

impl Check {
    /// One that holds.
    pub fn held(rule: &'static str, why: impl Into<String>) -> Self {
        Self { rule, held: Some(true), why: why.into(), refusal: None }
    }

    /// One that does not.
    pub fn refused(rule: &'static str, refusal: Refusal) -> Self {
        Self { rule, held: Some(false), why: refusal.to_string(), refusal: Some(refusal) }
    }

    fn not_asked(rule: &'static str) -> Self {
        let why = "there is no grant to ask".to_owned();
        Self { rule, held: None, why, refusal: None }
    }
}

impl Engine {
    /// Asks every gate and rule about a call, and takes nothing: no rate, no budget, no token.
    pub fn explain(&self, lease: &Lease, arguments: &Map<String, Value>) -> Explanation {
        let now = self.clock.mono_ns();
        let scope = lease.operation.scope();
        let connection = &lease.registration.connection;
        let mut checks = Vec::new();
        if !lease.registration.scopes.contains(lease.operation.scope_id()) {
            checks.push(Check::refused(Gate::Scope.as_str(), lease.beyond()));
        } else if lease.grants.is_empty() {
            checks.push(Check::refused(Gate::Scope.as_str(), lease.no_grant()));
        } else {
            let ids: Vec<String> = lease.grants.iter().map(|g| g.id.to_string()).collect();
            let why = format!("{scope} is given by grant {}", ids.join(", "));
            checks.push(Check::held(Gate::Scope.as_str(), why));
        }
        let (id, ..) = self.choose_grant(lease, arguments, now, None);
        let living = lease.grants.iter().find(|g| g.id == id && now < g.until_ns);
        match living {
            Some(grant) => checks.push(Check::held(Gate::Ttl.as_str(), self.ends(grant, now))),
            None if lease.grants.is_empty() => checks.push(Check::not_asked(Gate::Ttl.as_str())),
            None => checks.push(Check::refused(Gate::Ttl.as_str(), lease.ended())),
        }
        checks.push(if connection.fingerprint == self.fingerprint {
            let why = format!("the connection {} is bound to this machine", connection.name);
            Check::held(Gate::Fingerprint.as_str(), why)
        } else {
            let refusal = Refusal::Fingerprint(connection.name.to_string());
            Check::refused(Gate::Fingerprint.as_str(), refusal)
        });
        if let Some(grant) = living {
            for limit in &grant.limits {
                checks.push(if limit.admits(arguments) {
                    Check::held("limit", limit.to_string())
                } else {
                    Check::refused("limit", Refusal::Limit(limit.to_string()))
                });
            }
            // Whether it is a first use is told as if it were.
            if let Some(rule) = grant.ask.wants(&lease.operation, arguments, || true) {
                checks.push(Check::held("approval", format!("a person is asked first: {rule}")));
            }
            let (operation, reading) = (&*lease.operation, self.reading());
            let asked = Asked { operation, arguments, now_ns: now, reading };
            for (rule, said) in grant.rules.explain(asked) {
                checks.push(match said {
                    Ok(why) => Check::held(rule, why),
                    Err(refusal) => Check::refused(rule, refusal),
                });
            }
        }
        if living.is_none() && self.is_shadow() {
            // As the gates do it, where shadow mode lets through what nobody granted.
            let ask = Ask::default();
            if let Some(rule) = ask.wants(&lease.operation, arguments, || true) {
                checks.push(Check::held("approval", format!("a person is asked first: {rule}")));
            }
        }
        let rate = lease.registration.service.rate();
        checks.push(match lease.bucket.look(now) {
            Ok(()) => {
                let why = format!("{} a second, {} at once", rate.per_second(), rate.burst());
                Check::held(Gate::Rate.as_str(), why)
            }
            Err(wait_ns) => Check::refused(Gate::Rate.as_str(), lease.too_often(wait_ns)),
        });
        Explanation { grant: living.map(|g| g.id), checks }
    }

    fn ends(&self, grant: &LiveGrant, now: u64) -> String {
        let left_ms = (grant.until_ns - now) / 1_000_000;
        let ends = rfc3339(self.clock.unix_ms() + left_ms);
        match &grant.lineage {
            None => format!("grant {} ends at {ends}", grant.id),
            Some(lineage) => {
                let above: Vec<String> =
                    lineage.iter().rev().skip(1).map(ToString::to_string).collect();
                format!("grant {} under {} ends at {ends}", grant.id, above.join(" under "))
            }
        }
    }
}
