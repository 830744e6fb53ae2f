//! What would happen to a call, and why: nothing is made, taken or counted.

use serde_json::{Map, Value};
use symbolon_capability::catalog::Service;
use symbolon_capability::url::BaseUrl;
use symbolon_capability::{Check, Lease, Refusal, Registration};

use crate::Broker;
use crate::api::*;
use crate::errors;

/// Parameters that a sentence names, and characters of each.
const NAMED_MAX: usize = 8;
const VALUE_CHARS_MAX: usize = 64;

impl Broker {
    /// Which tool and connection a method and URL name, as far as they do.
    ///
    /// # Errors
    /// [`CallError`]: locked.
    pub fn resolve(&self, request: &ResolveRequest) -> Result<Resolved, CallError> {
        let policy = self.engine.policy().ok_or_else(|| self.not_in_force())?;
        let unknown = |check: CheckView| Resolved { checks: vec![check], ..Resolved::default() };
        let (url, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let query = query.split('#').next().unwrap_or_default();
        let named = request.connection.as_deref();
        let mut candidates: Vec<_> = policy.connections.values().collect();
        candidates.sort_by_key(|r| std::cmp::Reverse(r.connection.base_url.len()));
        let found = candidates.into_iter().find_map(|r| {
            let path = below(&r.connection.base_url, url)?;
            named.is_none_or(|n| n == r.connection.name.as_str()).then_some((r, path))
        });
        let Some((registration, path)) = found else {
            return Ok(unknown(self.no_connection(url)));
        };
        let connection = connection_check(registration);
        match registration.service.recognise(&request.method, path, query) {
            Ok((operation, arguments)) => Ok(Resolved {
                tool: Some(operation.name().to_string()),
                connection: Some(registration.connection.name.to_string()),
                arguments,
                checks: Vec::new(),
            }),
            Err(e) => {
                let error = errors::request(e);
                let check = CheckView {
                    rule: "operation".to_owned(),
                    held: Some(false),
                    why: error.message,
                    next: error.next.or_else(|| {
                        Some(format!("symbolon tools search {}", registration.service.id()))
                    }),
                };
                Ok(Resolved { checks: vec![connection, check], ..Resolved::default() })
            }
        }
    }

    /// Asks every gate and rule about a call, in the order in which it would meet them.
    ///
    /// # Errors
    /// [`CallError`]: locked, no such tool or connection, a name that is not one.
    pub fn explain(&self, request: ExplainRequest) -> Result<ExplanationView, CallError> {
        let session = self.open_session(&request.agent, Door::Cli)?;
        let lease = self.engine.lease(&session, &request.tool, request.connection.as_deref());
        let lease = lease.map_err(|r| self.refusal(&r))?;
        let (operation, registration) = (&lease.operation, &lease.registration);
        let mut checks = vec![connection_check(registration)];
        let why = format!(
            "{} is {} {}",
            operation.name(),
            operation.method().as_str(),
            operation.path().as_str()
        );
        checks.push(held("operation", why));
        let bound = operation.bind(&request.arguments);
        checks.push(match &bound {
            Ok(_) => held("parameters", "they fit the tool's schema".to_owned()),
            Err(e) => check_view(Check::refused("parameters", Refusal::Arguments(e.clone()))),
        });
        let explained = self.engine.explain(&lease, &request.arguments);
        let refusals: Vec<Refusal> =
            explained.checks.iter().filter_map(|c| c.refusal.clone()).collect();
        let hard = bound.is_err()
            || refusals
                .iter()
                .any(|r| matches!(r, Refusal::Fingerprint(_) | Refusal::ConnectionScope { .. }));
        checks.extend(explained.checks.into_iter().map(check_view));
        let path = bound.map_or_else(
            |_| operation.path().as_str().to_owned(),
            |b| match b.query() {
                "" => b.path().as_str().to_owned(),
                query => format!("{}?{query}", b.path().as_str()),
            },
        );
        let url = format!("{}{path}", registration.connection.base_url);
        let outcome = match () {
            () if checks.iter().all(|c| c.held == Some(true)) => "allowed",
            () if !hard && self.engine.is_shadow() => "shadowed",
            () => "refused",
        };
        let next = match checks.iter().find(|c| c.held == Some(false)) {
            Some(check) => check.next.clone(),
            None => Some(format!("symbolon call {} --agent {}", operation.name(), session.agent())),
        };
        Ok(ExplanationView {
            sentence: sentence(&lease, &url, &request.arguments),
            agent: session.agent().to_string(),
            method: operation.method().as_str().to_owned(),
            url,
            tool: operation.name().to_string(),
            connection: registration.connection.name.to_string(),
            scope: operation.scope().to_string(),
            effect: operation.effect().to_string(),
            grant: explained.grant,
            checks,
            outcome: outcome.to_owned(),
            next,
            retry_after_seconds: refusals
                .iter()
                .filter_map(Refusal::retry_ms)
                .max()
                .map(|ms| ms.div_ceil(1000)),
        })
    }

    /// No connection leads there: perhaps a service of the catalogue would.
    fn no_connection(&self, url: &str) -> CheckView {
        let leads =
            |s: &&std::sync::Arc<Service>| below(s.base_url_template().as_str(), url).is_some();
        let catalog = self.engine.catalog();
        let service = catalog.services().iter().find(leads);
        CheckView {
            rule: "connection".to_owned(),
            held: Some(false),
            why: "no connection leads to this host and path, and no credential goes there"
                .to_owned(),
            next: Some(match service {
                Some(s) => format!("symbolon connect {}", s.id()),
                None => "symbolon connections".to_owned(),
            }),
        }
    }
}

/// The part of a URL's path below a base URL. The host is compared whole, whatever its case.
fn below<'u>(base: &str, url: &'u str) -> Option<&'u str> {
    let base = BaseUrl::parse(base).or_else(|_| BaseUrl::insecure_parse_loopback(base)).ok()?;
    let (scheme, rest) = url.split_once("://")?;
    let at = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(at);
    let same = scheme.eq_ignore_ascii_case(base.authority().scheme().as_str())
        && base.authority().is_named_by(host.to_ascii_lowercase().as_bytes());
    same.then(|| base.strip(path)).flatten()
}

fn connection_check(registration: &Registration) -> CheckView {
    let c = &registration.connection;
    held(
        "connection",
        format!("{}: its credential goes to {} and nowhere else", c.name, c.base_url),
    )
}

fn held(rule: &str, why: String) -> CheckView {
    CheckView { rule: rule.to_owned(), held: Some(true), why, next: None }
}

fn check_view(check: Check) -> CheckView {
    CheckView {
        rule: check.rule.to_owned(),
        held: check.held,
        why: check.why,
        next: check.refusal.and_then(|r| errors::refusal(&r).next),
    }
}

/// One sentence on what would be done, with what.
fn sentence(lease: &Lease, url: &str, arguments: &Map<String, Value>) -> String {
    let operation = &lease.operation;
    let mut parts: Vec<String> = arguments
        .iter()
        .take(NAMED_MAX)
        .map(|(name, value)| {
            let text = match value {
                Value::String(s) => s.clone(),
                other => other.to_string(),
            };
            let mut plain = text.chars().filter(|c| !c.is_control());
            let mut short: String = plain.by_ref().take(VALUE_CHARS_MAX).collect();
            if plain.next().is_some() {
                short.push('…');
            }
            format!("{name}={short}")
        })
        .collect();
    if arguments.len() > NAMED_MAX {
        parts.push(format!("{} more", arguments.len() - NAMED_MAX));
    }
    let with =
        if parts.is_empty() { String::new() } else { format!(", with {}", parts.join(", ")) };
    format!(
        "{} would use {} ({}): {} {url} through {}{with}",
        lease.agent(),
        operation.name(),
        operation.effect(),
        operation.method().as_str(),
        lease.registration.connection.name,
    )
}
