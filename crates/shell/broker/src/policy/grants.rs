//! Budgets, cooldown and time windows of grants: checked when they are given, put into force,
//! shown.

use symbolon_capability::catalog::{Effect, ScopeSet};
use symbolon_capability::rules::Rules;
use symbolon_capability::{Budget, Chain, Grant, Hours, Limit};
use symbolon_codec::time::rfc3339;

use super::zones;
use crate::Broker;
use crate::api::*;

/// Most budgets, and most windows, of one grant.
const RULES_MAX: usize = 8;
/// A month: longer pauses are what an end is for.
const COOLDOWN_SECONDS_MAX: u64 = 30 * 86_400;

/// What a new grant says beside scopes and limits.
pub(crate) struct NewRules {
    pub(crate) budgets: Vec<Budget>,
    pub(crate) cooldown_seconds: Option<u64>,
    pub(crate) hours: Vec<Hours>,
}

impl Broker {
    /// Reads and checks a new grant's rules.
    pub(crate) fn new_rules(
        &self,
        new: &NewGrant,
        scopes: &ScopeSet,
        limits: &[Limit],
    ) -> Result<NewRules, CallError> {
        if new.budgets.len() > RULES_MAX || new.hours.len() > RULES_MAX {
            let message =
                format!("a grant has at most {RULES_MAX} budgets and {RULES_MAX} time windows");
            return Err(CallError::caller("grant_rules", message));
        }
        if new.cooldown_seconds.is_some_and(|s| !(1..=COOLDOWN_SECONDS_MAX).contains(&s)) {
            return Err(CallError::caller(
                "cooldown",
                "a cooldown is between a second and 30 days",
            )
            .next("--cooldown 30s"));
        }
        let mut budgets = Vec::new();
        for text in &new.budgets {
            let budget = Budget::parse(text).map_err(|e| {
                CallError::caller("budget", format!("{text:?}: {e}")).next("symbolon grant --help")
            })?;
            self.check_budget(&budget, scopes, limits)?;
            budgets.push(budget);
        }
        let hours = new.hours.iter().map(|text| new_hours(text)).collect::<Result<_, _>>()?;
        Ok(NewRules { budgets, cooldown_seconds: new.cooldown_seconds, hours })
    }

    /// A budget that could not count what the grant gives is a slip of the hand: found here, not
    /// when a call is refused.
    fn check_budget(
        &self,
        budget: &Budget,
        granted: &ScopeSet,
        limits: &[Limit],
    ) -> Result<(), CallError> {
        let bad =
            |message: String, next: String| Err(CallError::caller("budget", message).next(next));
        let catalog = self.engine.catalog();
        let scopes = match self.budget_scopes(budget)? {
            Some(named) => named.intersection(granted),
            None => granted.clone(),
        };
        if scopes.is_empty() {
            let message = format!(
                "the grant gives nothing that the budget {:?} is about",
                budget.to_string()
            );
            return bad(message, "name a scope of the grant before the colon".to_owned());
        }
        let operations = || catalog.operations().iter().filter(|o| scopes.contains(o.scope_id()));
        let counted = |o: &&std::sync::Arc<_>| budget.can_count(o);
        let Some(parameter) = budget.parameter() else { return Ok(()) };
        let Some(one) = operations().find(counted) else {
            let message = format!("no tool of these scopes has a parameter named {parameter}");
            return bad(message, "symbolon tools show TOOL".to_owned());
        };
        // In one scope a tool that cannot be counted is refused when it is called. A whole scope
        // of them is not meant.
        for scope in scopes.iter() {
            let mut own = operations().filter(|o| o.scope_id() == scope);
            if !own.clone().any(|o| budget.can_count(o) || o.effect() == Effect::Read)
                && let Some(o) = own.next()
            {
                let message = format!("no tool of {} has a parameter named {parameter}", o.scope());
                return bad(
                    message,
                    format!("name what it is about: --budget '{}: …'", one.scope()),
                );
            }
        }
        let has_currency = |o: &&std::sync::Arc<symbolon_capability::catalog::Operation>| {
            budget.can_count(o) && o.parameters().iter().any(|p| p.name() == "currency")
        };
        let is_currency = budget.unit().len() == 3;
        if is_currency
            && operations().any(|o| has_currency(&o))
            && !limits.iter().any(|l| l.parameter() == "currency")
        {
            let message = format!(
                "{parameter} can be in any currency, and the budget counts it as {}",
                budget.unit()
            );
            return bad(message, format!("--limit currency={}", budget.unit()));
        }
        Ok(())
    }

    /// What a budget is about; `None` for the whole grant. `stripe.refunds` is `stripe.refunds.*`.
    fn budget_scopes(&self, budget: &Budget) -> Result<Option<ScopeSet>, CallError> {
        let mut all = ScopeSet::default();
        let catalog = self.engine.catalog();
        for pattern in budget.scopes() {
            let scopes = catalog.scopes();
            let found = scopes
                .expand(pattern)
                .or_else(|e| scopes.expand(&format!("{pattern}.*")).map_err(|_| e));
            let found = found.map_err(|e| {
                let service = pattern.split('.').next().unwrap_or_default();
                CallError::caller("scope", e.to_string())
                    .next(format!("symbolon tools search {service}"))
            })?;
            all = all.union(&found);
        }
        Ok((!budget.scopes().is_empty()).then_some(all))
    }

    /// A stored grant's rules, put into force.
    pub(crate) fn rules(&self, grant: &Grant) -> Result<Chain, CallError> {
        let hours = grant.hours.iter().map(|h| (h.clone(), zones::zone(h.zone()))).collect();
        let budgets = grant.budgets.iter();
        let budgets = budgets
            .map(|b| Ok((b.clone(), self.budget_scopes(b)?)))
            .collect::<Result<Vec<_>, CallError>>()?;
        let cooldown = grant.cooldown_seconds;
        Ok(Rules::new(grant.id, hours, cooldown, budgets, self.engine.ledger()).into())
    }

    /// What was spent of each of a grant's budgets.
    pub(crate) fn budget_views(&self, grant: &Grant) -> Vec<BudgetView> {
        let now = self.engine.reading().unix_ms;
        let one = |(place, budget): (u16, &Budget)| {
            let account = self.engine.ledger().account(grant.id, place, budget);
            BudgetView {
                budget: budget.to_string(),
                unit: budget.unit().to_owned(),
                spent: account.spent(now).to_string(),
                left: account.left(now).to_string(),
                renews: account.renews_at(now).map(rfc3339),
            }
        };
        (0..).zip(&grant.budgets).map(one).collect()
    }
}

/// The end of a grant's sentence.
pub(crate) fn said(grant: &Grant) -> String {
    let mut parts = Vec::new();
    if !grant.hours.is_empty() {
        let hours: Vec<String> = grant.hours.iter().map(ToString::to_string).collect();
        parts.push(format!(", {} only", hours.join(" or ")));
    }
    if let Some(seconds) = grant.cooldown_seconds {
        parts.push(format!(", at most every {seconds} s"));
    }
    for budget in &grant.budgets {
        parts.push(format!(", up to {budget}"));
    }
    parts.concat()
}

fn new_hours(text: &str) -> Result<Hours, CallError> {
    let bad = |e: &dyn std::fmt::Display| {
        CallError::caller("hours", format!("{text:?}: {e}"))
            .next("--hours 'mon-fri 09:00-17:00 +02:00'")
    };
    let here = match text.trim_end().strip_suffix(" local") {
        Some(rest) => {
            let name = zones::local().ok_or_else(|| {
                bad(&"this machine does not say what its time zone is")
                    .next("name the zone: Europe/Berlin, +02:00")
            })?;
            format!("{rest} {name}")
        }
        None => text.to_owned(),
    };
    let hours = Hours::parse(&here).map_err(|e| bad(&e))?;
    if zones::zone(hours.zone()).is_none() {
        return Err(
            bad(&"this machine does not know that time zone").next("give it as an offset: +02:00")
        );
    }
    Ok(hours)
}
