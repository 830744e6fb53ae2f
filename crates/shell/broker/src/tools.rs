//! What a caller can see of the catalogue.

use std::sync::Arc;

use serde_json::Value;
use symbolon_capability::Policy;
use symbolon_capability::catalog::{Operation, Service};

use crate::Broker;
use crate::api::*;
use crate::errors;

impl Broker {
    /// Tools of granted scopes, in the order of their names, with schemas. Empty while locked.
    pub fn granted_tools(&self, session: &Session) -> Arc<[ToolView]> {
        let Some(policy) = self.engine.policy() else { return Arc::new([]) };
        let now = self.clock.mono_ns();
        let mut tools: Vec<_> = self
            .engine
            .catalog()
            .operations()
            .iter()
            .filter(|o| granted(&policy, session, o, now))
            .map(|o| view(o, true, true))
            .collect();
        tools.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        tools.into()
    }

    /// Ranked; without schemas; the whole catalogue, and `granted` says which can be called.
    pub fn search_tools(&self, session: &Session, query: &str, limit: usize) -> Vec<ToolView> {
        let policy = self.engine.policy().unwrap_or_default();
        let now = self.clock.mono_ns();
        let hits = self.engine.catalog().search(query, limit.clamp(1, 100));
        hits.iter()
            .map(|h| view(h.operation(), granted(&policy, session, h.operation(), now), false))
            .collect()
    }

    /// One tool, with schemas.
    ///
    /// # Errors
    /// [`CallError`] where there is none of that name.
    pub fn describe_tool(&self, session: &Session, name: &str) -> Result<ToolView, CallError> {
        let policy = self.engine.policy().unwrap_or_default();
        let unknown = || symbolon_capability::Refusal::UnknownTool(name.chars().take(64).collect());
        let catalog = self.engine.catalog();
        let operation = catalog.operation(name).ok_or_else(|| errors::refusal(&unknown()))?;
        Ok(view(operation, granted(&policy, session, operation, self.clock.mono_ns()), true))
    }

    pub(crate) fn service_of(&self, connection: &str) -> Result<Arc<Service>, CallError> {
        let policy = self.engine.policy().ok_or_else(|| self.not_in_force())?;
        let missing = || {
            errors::refusal(&symbolon_capability::Refusal::NoConnection(
                connection.chars().take(64).collect(),
            ))
        };
        let name = symbolon_capability::ConnectionName::parse(connection).map_err(|_| missing())?;
        Ok(policy.connections.get(&name).ok_or_else(missing)?.service.clone())
    }
}

fn granted(policy: &Policy, session: &Session, operation: &Operation, now_ns: u64) -> bool {
    let grants = policy.grants.get(session.agent());
    grants.is_some_and(|g| {
        g.iter().any(|g| {
            g.is_for(session) && now_ns < g.until_ns && g.scopes.contains(operation.scope_id())
        })
    })
}

fn view(operation: &Operation, granted: bool, schemas: bool) -> ToolView {
    let schema = |s: &Arc<serde_json::Map<String, Value>>| {
        schemas.then(|| Arc::new(Value::Object((**s).clone())))
    };
    ToolView {
        name: operation.name().to_string(),
        title: operation.title().to_owned(),
        description: operation.description().to_owned(),
        scope: operation.scope().to_string(),
        effect: operation.effect().to_string(),
        granted,
        usage: operation.usage(),
        input_schema: schema(operation.input_schema()),
        output_schema: schema(operation.output_schema()),
    }
}
