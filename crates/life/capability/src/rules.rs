//! A grant's rules beside the gates and limits: time windows, cooldown, budgets. `specs/policy.md`.

use std::sync::Arc;

use serde_json::{Map, Value};
use symbolon_codec::Digest32;

use crate::GrantId;
use crate::budget::{Account, Amount, Budget, Cooled, Hold, Ledger, Line, Short, Started, Taken};
use crate::calendar::Reading;
use crate::catalog::{Operation, ScopeSet};
use crate::gate::{BudgetShort, Refusal};
use crate::hours::{Hours, Zone};

/// The rules of a grant in force. A grant without any has none of these.
#[derive(Debug)]
pub struct Rules {
    grant: GrantId,
    windows: Vec<(Hours, Option<Zone>)>,
    cooldown_seconds: Option<u64>,
    budgets: Vec<Counted>,
    ledger: Arc<Ledger>,
}

/// A budget and what was spent of it.
#[derive(Debug)]
struct Counted {
    budget: Budget,
    place: u16,
    /// What it is about; everything that the grant gives where absent.
    scopes: Option<ScopeSet>,
    account: Arc<Account>,
}

/// The call that is judged.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) arguments: &'a Map<String, Value>,
    pub(crate) now_ns: u64,
    pub(crate) reading: Reading,
}

/// What a call takes of one budget.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Whose budget.
    grant: GrantId,
    /// Its place among that grant's.
    place: u16,
    amount: Amount,
}

/// What the rules make of a call.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// What it would take.
    pub(crate) costs: Vec<Cost>,
    /// What stands against it, in the order of asking.
    pub(crate) missed: Vec<Refusal>,
}

/// A rule by name, and what it says.
pub(crate) type Said = (&'static str, Result<String, Refusal>);

impl Rules {
    /// The rules of a grant; `None` where it has none. A window's zone that this machine does not
    /// know admits nothing.
    pub fn new(
        grant: GrantId,
        windows: Vec<(Hours, Option<Zone>)>,
        cooldown_seconds: Option<u64>,
        budgets: Vec<(Budget, Option<ScopeSet>)>,
        ledger: &Arc<Ledger>,
    ) -> Option<Arc<Self>> {
        if windows.is_empty() && cooldown_seconds.is_none() && budgets.is_empty() {
            return None;
        }
        let counted = |(place, (budget, scopes)): (u16, (Budget, Option<ScopeSet>))| Counted {
            account: ledger.account(grant, place, &budget),
            budget,
            place,
            scopes,
        };
        let budgets = (0..).zip(budgets).map(counted).collect();
        Some(Arc::new(Self { grant, windows, cooldown_seconds, budgets, ledger: ledger.clone() }))
    }

    /// Looks at a call and adds to what is made of it; takes nothing.
    pub(crate) fn judge(&self, asked: Asked<'_>, judged: &mut Judged) {
        judged.missed.extend(self.window(asked.reading).err());
        judged.missed.extend(self.rested(asked).err());
        for counted in self.about(asked.operation) {
            match self.cost(counted, asked) {
                Ok(amount) => {
                    let looked = counted.account.look(amount, asked.reading.unix_ms);
                    judged
                        .missed
                        .extend(looked.err().map(|s| self.short(counted, s, asked.reading)));
                    let (grant, place) = (self.grant, counted.place);
                    judged.costs.push(Cost { grant, place, amount });
                }
                Err(refusal) => judged.missed.push(refusal),
            }
        }
    }

    /// Takes what a call costs, into `hold`, which gives it back where anything refuses.
    /// `regardless`: also where there is not enough (shadow mode); what would have refused is put
    /// into `missed`.
    pub(crate) fn take(
        &self,
        intent: &Digest32,
        costs: &[Cost],
        asked: Asked<'_>,
        regardless: bool,
        missed: &mut Vec<Refusal>,
        hold: &mut Hold,
    ) -> Result<(), Refusal> {
        let unix_ms = asked.reading.unix_ms;
        let mut miss = |refusal: Refusal| {
            if !regardless {
                return Err(refusal);
            }
            // Some of it was seen when the token was asked for.
            if !missed.iter().any(|m| m.code() == refusal.code()) {
                missed.push(refusal);
            }
            Ok(())
        };
        if let Err(refusal) = self.window(asked.reading) {
            miss(refusal)?;
        }
        let mut id = [0; 16];
        id.copy_from_slice(&intent.0[..16]);
        let cooldown = match self.start_cooldown(asked, unix_ms) {
            Ok(started) => started,
            Err(refusal) => {
                miss(refusal)?;
                self.restart_cooldown(asked, unix_ms)
            }
        };
        if let Some(started) = cooldown {
            hold.start(id, started);
        }
        for Cost { place, amount, .. } in costs.iter().filter(|c| c.grant == self.grant) {
            let Some(counted) = self.budgets.get(usize::from(*place)) else { continue };
            let slot = match counted.account.take(*amount, unix_ms) {
                Ok(slot) => slot,
                Err(short) => {
                    miss(self.short(counted, short, asked.reading))?;
                    counted.account.take_regardless(*amount, unix_ms)
                }
            };
            let (grant, by_count) = (self.grant, counted.budget.parameter().is_none());
            let line = Line { grant, budget: *place, slot, micros: amount.micros(), by_count };
            let account = counted.account.clone();
            hold.add(id, Taken { account, amount: *amount, line });
        }
        Ok(())
    }

    /// Adds every rule that is about an operation, with what it says of this call: for people.
    pub(crate) fn explain(&self, asked: Asked<'_>, rows: &mut Vec<Said>) {
        if !self.windows.is_empty() {
            let open =
                || self.windows.iter().map(|(h, _)| h.to_string()).collect::<Vec<_>>().join(" or ");
            rows.push(("window", self.window(asked.reading).map(|()| format!("open: {}", open()))));
        }
        if let Some(seconds) = self.cooldown_seconds {
            rows.push((
                "cooldown",
                self.rested(asked).map(|()| format!("{seconds} s since the last call")),
            ));
        }
        for counted in self.about(asked.operation) {
            let said = self.cost(counted, asked).and_then(|amount| {
                let unix_ms = asked.reading.unix_ms;
                counted
                    .account
                    .look(amount, unix_ms)
                    .map_err(|s| self.short(counted, s, asked.reading))
                    .map(|()| {
                        let (b, left) = (&counted.budget, counted.account.left(unix_ms));
                        format!(
                            "{b}: takes {amount} of {left} {} that are left {}",
                            b.unit(),
                            b.period()
                        )
                    })
            });
            rows.push(("budget", said));
        }
    }

    /// Which kinds of rules are about an operation: windows, cooldown, budgets.
    pub(crate) fn kinds(&self, operation: &Operation) -> [bool; 3] {
        let has_budget = self.about(operation).next().is_some();
        [!self.windows.is_empty(), self.cooldown_seconds.is_some(), has_budget]
    }

    /// Spent and renewal of each budget, in the order of the grant's.
    pub fn spending(&self, unix_ms: u64) -> impl Iterator<Item = (Amount, Option<u64>)> {
        self.budgets.iter().map(move |c| (c.account.spent(unix_ms), c.account.renews_at(unix_ms)))
    }

    fn about(&self, operation: &Operation) -> impl Iterator<Item = &Counted> {
        let scope = operation.scope_id();
        self.budgets.iter().filter(move |c| c.scopes.as_ref().is_none_or(|s| s.contains(scope)))
    }

    fn window(&self, reading: Reading) -> Result<(), Refusal> {
        if self.windows.is_empty() {
            return Ok(());
        }
        if let Some(jump) = reading.jump {
            let (by_ms, retry_ms) = (jump.by_ms, jump.settles_in_ms);
            return Err(Refusal::ClockJumped { grant: self.grant, by_ms, retry_ms });
        }
        let known = || self.windows.iter().filter_map(|(h, z)| Some((h, z.as_ref()?)));
        if known().any(|(h, z)| h.admits(reading.unix_ms, z)) {
            return Ok(());
        }
        let opens = known().filter_map(|(h, z)| h.opens_at(reading.unix_ms, z)).min();
        Err(Refusal::OutsideHours {
            grant: self.grant,
            hours: self.windows.iter().map(|(h, _)| h.to_string()).collect::<Vec<_>>().join(" or "),
            opens_unix_ms: opens,
            retry_ms: opens.map(|t| t.saturating_sub(reading.unix_ms)),
        })
    }

    fn rested(&self, asked: Asked<'_>) -> Result<(), Refusal> {
        if self.cooldown_seconds.is_none() {
            return Ok(());
        }
        let scope = asked.operation.scope().to_string();
        let looked = self.ledger.mark(self.grant, &scope).look(asked.now_ns);
        looked.map_err(|wait| self.tired(scope, wait))
    }

    fn start_cooldown(&self, asked: Asked<'_>, unix_ms: u64) -> Result<Option<Started>, Refusal> {
        let Some(seconds) = self.cooldown_seconds else { return Ok(None) };
        let scope = asked.operation.scope().to_string();
        let mark = self.ledger.mark(self.grant, &scope);
        let length_ns = seconds.saturating_mul(1_000_000_000);
        match mark.start(asked.now_ns, length_ns) {
            Ok(before) => Ok(Some(self.started(mark, before, scope, asked, unix_ms))),
            Err(wait) => Err(self.tired(scope, wait)),
        }
    }

    fn restart_cooldown(&self, asked: Asked<'_>, unix_ms: u64) -> Option<Started> {
        let length_ns = self.cooldown_seconds?.saturating_mul(1_000_000_000);
        let scope = asked.operation.scope().to_string();
        let mark = self.ledger.mark(self.grant, &scope);
        let before = mark.start_regardless(asked.now_ns, length_ns);
        Some(self.started(mark, before, scope, asked, unix_ms))
    }

    fn started(
        &self,
        mark: Arc<crate::budget::Mark>,
        before: u64,
        scope: String,
        asked: Asked<'_>,
        at_unix_ms: u64,
    ) -> Started {
        let seconds = self.cooldown_seconds.unwrap_or_default();
        Started {
            mark,
            at_ns: asked.now_ns,
            length_ns: seconds.saturating_mul(1_000_000_000),
            before,
            cooled: Cooled { grant: self.grant, scope, at_unix_ms, seconds },
        }
    }

    fn tired(&self, scope: String, wait_ns: u64) -> Refusal {
        Refusal::Cooldown { grant: self.grant, scope, retry_ms: wait_ns.div_ceil(1_000_000) }
    }

    fn cost(&self, counted: &Counted, asked: Asked<'_>) -> Result<Amount, Refusal> {
        counted.budget.cost(asked.operation, asked.arguments).ok_or_else(|| Refusal::Uncounted {
            grant: self.grant,
            budget: counted.budget.to_string(),
            parameter: counted.budget.parameter().unwrap_or_default().to_owned(),
        })
    }

    fn short(&self, counted: &Counted, short: Short, reading: Reading) -> Refusal {
        Refusal::Budget(Box::new(BudgetShort {
            grant: self.grant,
            budget: counted.budget.to_string(),
            left: format!("{} {}", short.left, counted.budget.unit()),
            enough_unix_ms: short.enough_at,
            retry_ms: short.enough_at.map(|t| t.saturating_sub(reading.unix_ms)),
        }))
    }
}
