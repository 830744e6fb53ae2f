//! Grants: to whom, what, until when, within which limits.

use symbolon_capability::catalog::ScopeSet;
use symbolon_capability::{Ask, AskVia, Connection, Grant, LINEAGE_MAX, Limit, Store};
use symbolon_codec::time::rfc3339;

use super::agent_name;
use super::lineage::Grants;
use crate::Broker;
use crate::api::*;

/// A year.
const FOR_SECONDS_MAX: u64 = 31_536_000;

impl Broker {
    /// Gives an agent scopes of a connection until a time.
    ///
    /// # Errors
    /// [`CallError`]: a scope, limit or name that is not one, no such connection, more than the
    /// connection allows.
    pub async fn grant(&self, new: NewGrant) -> Result<GrantView, CallError> {
        let _one = self.changes.lock().await;
        let mut grant = self.plan_grant(new).await?;
        grant.id = self.store.add_grant(&grant).await?;
        self.rebuild_if_open().await?;
        Ok(self.grant_view(&grant, &self.stored_grants().await?))
    }

    /// The grant that is asked for, checked, and not yet kept.
    pub(crate) async fn plan_grant(&self, new: NewGrant) -> Result<Grant, CallError> {
        let agent = agent_name(&new.agent)?;
        let limits = new
            .limits
            .iter()
            .map(|l| Limit::parse(l).map_err(|e| CallError::caller("limit", format!("{l}: {e}"))))
            .collect::<Result<Vec<_>, _>>()?;
        if new.scopes.is_empty() {
            return Err(CallError::caller("scope", "a grant names at least one scope")
                .next("symbolon tools search WORD"));
        }
        let above = match new.under {
            Some(id) => self.lineage_of(id).await?,
            None => Vec::new(),
        };
        let end = above.iter().map(|g| g.expires_unix_ms).min();
        let as_long = end.is_some() && new.for_seconds == 0;
        if !as_long && !(1..=FOR_SECONDS_MAX).contains(&new.for_seconds) {
            return Err(CallError::caller("duration", "a grant lives between a second and a year")
                .next("--for 15m"));
        }
        let scopes = self.scopes(&new.scopes)?;
        let (connection, allowed) = self.granted_connection(&new, above.last(), &scopes).await?;
        let beyond: Vec<String> = self
            .engine
            .catalog()
            .scopes()
            .names(&scopes.difference(&allowed))
            .map(ToString::to_string)
            .collect();
        if !beyond.is_empty() {
            let message =
                format!("the connection {} does not allow {}", connection.name, beyond.join(", "));
            return Err(CallError::caller("connection_scope", message)
                .status(403)
                .next("symbolon connections"));
        }
        self.check_limits(&scopes, &limits)?;
        let ask = ask(&new)?;
        self.check_ask(&scopes, &ask)?;
        if usize::from(new.delegable) + above.len() >= LINEAGE_MAX {
            let message = format!("at most {LINEAGE_MAX} grants are under each other");
            return Err(CallError::caller("lineage", message).next("--delegable --depth N"));
        }
        let rules = self.new_rules(&new, &scopes, &limits)?;
        let now = self.clock.unix_ms();
        let asked = if as_long { u64::MAX } else { now + new.for_seconds * 1000 };
        let grant = Grant {
            id: 0,
            agent,
            connection: connection.name,
            scopes: new.scopes.clone(),
            limits,
            ask,
            budgets: rules.budgets,
            cooldown_seconds: rules.cooldown_seconds,
            hours: rules.hours,
            created_unix_ms: now,
            expires_unix_ms: asked.min(end.unwrap_or(u64::MAX)),
            revoked: false,
            parent: new.under,
            delegable: new.delegable,
            by_agent: false,
        };
        self.check_excess(&new, &grant, &above, &scopes)?;
        Ok(grant)
    }

    /// All grants, newest first.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn grants(&self) -> Result<Vec<GrantView>, CallError> {
        let all = self.stored_grants().await?;
        let mut views: Vec<GrantView> = all.iter().map(|g| self.grant_view(g, &all)).collect();
        views.sort_unstable_by_key(|view| std::cmp::Reverse(view.id));
        Ok(views)
    }

    /// Takes a grant back, with all that is under it; at once, on every door, also for tokens and
    /// questions that wait and for answers that are still coming.
    ///
    /// # Errors
    /// [`CallError`] where there is none of that number.
    pub async fn revoke(&self, id: u64) -> Result<RevokedView, CallError> {
        let _one = self.changes.lock().await;
        let before = self.stored_grants().await?;
        let below = before.below(id).into_iter();
        let fell = below.filter(|g| self.state_of(g, &before) == "active").map(|g| g.id).collect();
        self.runs.revoke(id);
        self.store
            .revoke_grant(id)
            .await
            .map_err(|e| CallError::from(e).next("symbolon grants"))?;
        self.rebuild_if_open().await?;
        let after = self.stored_grants().await?;
        let grant = after.get(id).ok_or_else(|| CallError::bug("the grant is gone"))?;
        Ok(RevokedView { grant: self.grant_view(grant, &after), fell })
    }

    /// The connection a grant is on: the named one, else its parent's, else the one named as the
    /// scopes' service.
    async fn granted_connection(
        &self,
        new: &NewGrant,
        parent: Option<&Grant>,
        scopes: &ScopeSet,
    ) -> Result<(Connection, ScopeSet), CallError> {
        let catalog = self.engine.catalog();
        let mut services: Vec<&str> = catalog.scopes().names(scopes).map(|s| s.service()).collect();
        services.dedup();
        let [service] = services[..] else {
            return Err(CallError::caller(
                "scope",
                "a grant is on one connection: name scopes of one service",
            )
            .next("one symbolon grant for each service"));
        };
        let inherited = parent.map(|g| g.connection.as_str());
        let name = new.connection.as_deref().or(inherited).unwrap_or(service);
        let all = self.known_connections().await?;
        let found = all.into_iter().map(|(c, _)| c).find(|c| c.name.as_str() == name);
        let connection = found.filter(|c| c.service == service).ok_or_else(|| {
            CallError::caller(
                "no_connection",
                format!("there is no connection named {name} of {service}"),
            )
            .status(404)
            .next(format!("symbolon connect {service}"))
        })?;
        let allowed = self.scopes(&connection.scopes)?;
        Ok((connection, allowed))
    }

    /// A limit on a parameter that no granted tool has is a slip of the hand: the tools that lack
    /// it would all be refused.
    fn check_limits(&self, scopes: &ScopeSet, limits: &[Limit]) -> Result<(), CallError> {
        match limits.iter().find(|l| !self.has_parameter(scopes, l.parameter())) {
            Some(limit) => {
                let message =
                    format!("no tool of these scopes has a parameter named {}", limit.parameter());
                Err(CallError::caller("limit", message).next("symbolon tools show TOOL"))
            }
            None => Ok(()),
        }
    }

    /// So is a rule of asking: it would never ask.
    fn check_ask(&self, scopes: &ScopeSet, ask: &Ask) -> Result<(), CallError> {
        match ask.parameters().find(|p| !self.has_parameter(scopes, p)) {
            Some(name) => {
                let message = format!("no tool of these scopes has a parameter named {name}");
                Err(CallError::caller("ask", message).next("symbolon tools show TOOL"))
            }
            None => Ok(()),
        }
    }

    fn has_parameter(&self, scopes: &ScopeSet, name: &str) -> bool {
        let catalog = self.engine.catalog();
        let mut tools = catalog.operations().iter().filter(|o| scopes.contains(o.scope_id()));
        tools.any(|o| o.parameters().iter().any(|p| p.name() == name))
    }

    /// Whether a grant stands: it, and all above it.
    fn state_of(&self, g: &Grant, all: &Grants) -> &'static str {
        if self.runs.holds(g.id) {
            return "active";
        }
        // Of a parent that is not there nothing stands.
        let Some(mut lineage) = all.above(g) else { return "revoked" };
        lineage.push(g);
        match () {
            () if lineage.iter().any(|g| g.revoked) => "revoked",
            () if lineage.iter().any(|g| self.has_ended(g)) => "expired",
            () => "active",
        }
    }

    pub(super) fn grant_view(&self, g: &Grant, all: &Grants) -> GrantView {
        let of_run = self.runs.holds(g.id);
        let above = all.above(g).unwrap_or_default();
        let outer = above.iter().map(|g| g.ask.clone()).reduce(|outer, own| own.under(&outer));
        let ask = outer.map_or_else(|| g.ask.clone(), |outer| g.ask.under(&outer));
        let under = match g.parent {
            Some(parent) => format!(", under grant {parent}"),
            None => String::new(),
        };
        let limits: Vec<String> = g.limits.iter().map(ToString::to_string).collect();
        let within = if limits.is_empty() {
            String::new()
        } else {
            format!(", within {}", limits.join(" and "))
        };
        let expires = rfc3339(g.expires_unix_ms);
        let until = if of_run { "its run ends" } else { &expires };
        GrantView {
            id: g.id,
            agent: g.agent.to_string(),
            connection: g.connection.to_string(),
            sentence: format!(
                "{} may use {} through {} until {}{within}{}{under}",
                g.agent,
                g.scopes.join(", "),
                g.connection,
                until,
                crate::policy::said(g),
            ),
            scopes: g.scopes.clone(),
            limits,
            ask: ask.texts(),
            ask_via: ask.via().as_str().to_owned(),
            budgets: self.budget_views(g),
            cooldown_seconds: g.cooldown_seconds,
            hours: g.hours.iter().map(ToString::to_string).collect(),
            created: rfc3339(g.created_unix_ms),
            expires,
            state: self.state_of(g, all).to_owned(),
            above: above.iter().map(|g| g.id).collect(),
            inherited: above.iter().map(|g| self.inherited(g)).collect(),
            delegable: g.delegable,
            by_agent: g.by_agent,
        }
    }
}

fn ask(new: &NewGrant) -> Result<Ask, CallError> {
    let wrong = |e: symbolon_capability::approval::AskError| {
        CallError::caller("ask", e.to_string()).next("symbolon grant --help")
    };
    // Under a parent none of its own: those above hold.
    if new.under.is_some()
        && new.ask.is_empty()
        && new.ask_via.as_deref().unwrap_or("owner") == "owner"
    {
        return Ok(Ask::never());
    }
    let via = new.ask_via.as_deref().map_or(Ok(AskVia::Owner), AskVia::parse).map_err(wrong)?;
    Ask::parse(&new.ask, via).map_err(wrong)
}
