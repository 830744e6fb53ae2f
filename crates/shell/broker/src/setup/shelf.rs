//! The catalogue as an owner chooses from it.

use serde::{Deserialize, Serialize};
use symbolon_capability::catalog::{AuthScheme, BasicUser, Effect, Operation, Service};

use crate::Broker;
use crate::api::CallError;

/// A service in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceRow {
    /// Its id, the first part of its tools' names.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Where it is, perhaps with variables in braces.
    pub base_url: String,
    /// How the credential goes out, in a word: `bearer`, `header`, `basic`, `oauth2` and so on.
    pub auth: String,
    /// How many operations it has.
    pub operations: u64,
}

/// All that is asked of an owner who connects a service, and what can be granted on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceView {
    /// What the list says.
    #[serde(flatten)]
    pub row: ServiceRow,
    /// Its public documentation.
    pub docs: String,
    /// Whether a connection may name a base URL of its own.
    pub self_hosted: bool,
    /// Variables of the base URL.
    pub variables: Vec<String>,
    /// Whether Basic authentication wants a user name beside the credential.
    pub user: bool,
    /// Whether there is a read-only call that shows that a credential works.
    pub verifies: bool,
    /// Its scopes, in the order of the file.
    pub scopes: Vec<ScopeView>,
}

/// A scope and what it lets an agent do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScopeView {
    /// Its name.
    pub scope: String,
    /// The farthest that one of its operations goes: `read`, `write` or `destructive`.
    pub effect: String,
    /// Titles of its operations.
    pub titles: Vec<String>,
}

impl Broker {
    /// Every service of the catalogue, by name.
    pub fn services(&self) -> Vec<ServiceRow> {
        let catalog = self.engine.catalog();
        let mut rows: Vec<ServiceRow> = catalog.services().iter().map(|it| row(it)).collect();
        rows.sort_by_key(|row| row.name.to_lowercase());
        rows
    }

    /// One service.
    ///
    /// # Errors
    /// `no_service` where the catalogue has none of this id.
    pub fn service(&self, id: &str) -> Result<ServiceView, CallError> {
        let catalog = self.engine.catalog();
        let Some(service) = catalog.service(id) else {
            let message = "the catalogue has no service of this id";
            return Err(CallError::caller("no_service", message)
                .status(404)
                .next("symbolon catalog ls"));
        };
        let user = matches!(service.auth(), AuthScheme::Basic { username: BasicUser::Connection });
        Ok(ServiceView {
            row: row(service),
            docs: service.docs().to_owned(),
            self_hosted: service.is_self_hosted(),
            variables: service.base_url_template().variables().map(str::to_owned).collect(),
            user,
            verifies: service.verify().is_some(),
            scopes: scopes(service),
        })
    }
}

fn row(service: &Service) -> ServiceRow {
    ServiceRow {
        id: service.id().to_string(),
        name: service.name().to_owned(),
        base_url: service.base_url_template().as_str().to_owned(),
        auth: word(service.auth()).to_owned(),
        operations: service.operations().len() as u64,
    }
}

fn scopes(service: &Service) -> Vec<ScopeView> {
    let mut scopes: Vec<(ScopeView, Effect)> = Vec::new();
    for operation in service.operations() {
        let (scope, effect) = (operation.scope().to_string(), operation.effect());
        match scopes.iter_mut().find(|(view, _)| view.scope == scope) {
            Some((view, farthest)) => {
                view.titles.push(operation.title().to_owned());
                *farthest = farther(*farthest, effect);
            }
            None => scopes.push((first(scope, operation), effect)),
        }
    }
    let told =
        |(view, effect): (ScopeView, Effect)| ScopeView { effect: effect.to_string(), ..view };
    scopes.into_iter().map(told).collect()
}

fn first(scope: String, operation: &Operation) -> ScopeView {
    ScopeView { scope, effect: String::new(), titles: vec![operation.title().to_owned()] }
}

fn farther(one: Effect, other: Effect) -> Effect {
    let rank = |effect| match effect {
        Effect::Read => 0,
        Effect::Write => 1,
        Effect::Destructive => 2,
    };
    if rank(other) > rank(one) { other } else { one }
}

fn word(auth: &AuthScheme) -> &'static str {
    match auth {
        AuthScheme::None => "none",
        AuthScheme::Bearer => "bearer",
        AuthScheme::Header { .. } => "header",
        AuthScheme::Query { .. } => "query",
        AuthScheme::Cookie { .. } => "cookie",
        AuthScheme::Form { .. } => "form",
        AuthScheme::Aws4 { .. } => "aws4",
        AuthScheme::Hmac(_) => "hmac",
        AuthScheme::OAuth2(_) => "oauth2",
        AuthScheme::Basic { .. } => "basic",
        _ => "other",
    }
}
