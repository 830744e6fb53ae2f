//! The gates, the limits and the rules: whether a call may be made.

use serde_json::{Map, Value};

use super::asking::{Asking, Stands};
use super::{Engine, Lease, Refused};
use crate::approval::Consent;
use crate::gate::{Gate, Gates, Refusal};
use crate::rules::{Asked, Cost, Judged};
use crate::{GrantId, LiveGrant, Need};

/// What the gates make of a call.
#[derive(Default)]
pub(super) struct Passed {
    pub(super) grant: GrantId,
    pub(super) gates: Gates,
    pub(super) costs: Vec<Cost>,
    pub(super) missed: Vec<Refusal>,
    pub(super) stands: Stands,
    shadow: bool,
}

impl Passed {
    fn hold(&mut self, gate: Gate) {
        self.gates = self.gates.with(gate);
    }

    /// Refuses, or in shadow mode writes down what would have.
    fn miss(&mut self, refusal: Refusal) -> Result<(), Refused> {
        if !self.shadow {
            return Err(Refused { refusal, gates: self.gates });
        }
        self.missed.push(refusal);
        Ok(())
    }
}

impl Engine {
    /// The four gates, the limits and the rules, in the order of [`Gate::ALL`] but for the rate,
    /// which is taken last so that a refused call costs nothing. In shadow mode what does not hold
    /// is written down and passed over, but for what the connection itself does not allow.
    pub(super) fn gates(
        &self,
        lease: &Lease,
        arguments: &Map<String, Value>,
        asked: &Asking<'_>,
    ) -> Result<Passed, Refused> {
        let now = asked.now;
        let mut passed = Passed { shadow: self.is_shadow(), ..Passed::default() };
        let connection = &lease.registration.connection;
        if !lease.registration.scopes.contains(lease.operation.scope_id()) {
            return Err(lease.beyond().into());
        }
        let has_living = lease.grants.iter().any(|g| now < g.until_ns);
        if lease.grants.is_empty() {
            passed.miss(lease.no_grant())?;
        } else {
            passed.hold(Gate::Scope);
            if has_living {
                passed.hold(Gate::Ttl);
            } else {
                passed.miss(lease.ended())?;
            }
        }
        if connection.fingerprint != self.fingerprint {
            return Err(Refused {
                refusal: Refusal::Fingerprint(connection.name.to_string()),
                gates: passed.gates,
            });
        }
        passed.hold(Gate::Fingerprint);
        let stands = if has_living {
            let (grant, judged, stands) = self.choose_grant(lease, arguments, now, Some(asked));
            passed.grant = grant;
            passed.costs = judged.costs;
            for refusal in judged.missed {
                passed.miss(refusal)?;
            }
            stands
        } else {
            Self::stands_ungranted(lease, asked)
        };
        // A person is asked in shadow mode too.
        passed.stands = match (stands, asked.consent) {
            (Ok(stands), _) => stands,
            (Err(need), Consent::AtRedeem) => Stands::Later(need),
            (Err(need), _) => {
                let refusal = Refusal::Approval(need);
                return Err(Refused { refusal, gates: passed.gates });
            }
        };
        match lease.bucket.take(now) {
            Ok(()) => passed.hold(Gate::Rate),
            Err(wait_ns) => passed.miss(lease.too_often(wait_ns))?,
        }
        Ok(passed)
    }

    /// The first living grant that admits the call as a whole and asks nobody; then the first that
    /// asks; else the one with the least against it, and what that is. Without `asked` nobody is.
    pub(crate) fn choose_grant(
        &self,
        lease: &Lease,
        arguments: &Map<String, Value>,
        now: u64,
        asked: Option<&Asking<'_>>,
    ) -> (GrantId, Judged, Result<Stands, Box<Need>>) {
        let mut nearest: Option<(GrantId, Judged, Result<Stands, Box<Need>>)> = None;
        for grant in lease.grants.iter().filter(|g| now < g.until_ns) {
            let judged = self.judge(grant, lease, arguments, now);
            let stands =
                asked.map_or(Ok(Stands::Alone), |a| self.stands(lease, grant, arguments, a));
            if judged.missed.is_empty() && stands.is_ok() {
                return (grant.id, judged, stands);
            }
            let is_nearer = |(_, n, _): &(GrantId, Judged, _)| match judged.missed.len() {
                0 => !n.missed.is_empty(),
                missed => missed <= n.missed.len(),
            };
            if nearest.as_ref().is_none_or(is_nearer) {
                nearest = Some((grant.id, judged, stands));
            }
        }
        nearest.unwrap_or((0, Judged::default(), Ok(Stands::Alone)))
    }

    fn judge(
        &self,
        grant: &LiveGrant,
        lease: &Lease,
        arguments: &Map<String, Value>,
        now_ns: u64,
    ) -> Judged {
        let limit = grant.limits.iter().find(|l| !l.admits(arguments));
        let mut judged = match grant.rules.is_empty() {
            true => Judged::default(),
            false => {
                let (operation, reading) = (&*lease.operation, self.reading());
                grant.rules.judge(Asked { operation, arguments, now_ns, reading })
            }
        };
        if let Some(limit) = limit {
            judged.missed.insert(0, Refusal::Limit(limit.to_string()));
        }
        judged
    }
}
