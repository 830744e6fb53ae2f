//! Whether connections work: one live, read-only call each, and what the answer tells.

use std::sync::Arc;

use http::HeaderMap;
use symbolon_capability::catalog::{ScopeSet, scope_words};
use symbolon_capability::oauth2::IssuedStore;
use symbolon_capability::{ConnectionName, Scheme};
use symbolon_codec::time::rfc3339;
use symbolon_receipt::Statement;

use super::lineage::Grants;
use crate::Broker;
use crate::api::*;
use crate::errors;
use crate::upstream::{Answer, Live};

/// Entries of the log in which a connection's last use is looked for.
const LOOK_BACK: u64 = 20_000;
const BLOCK: u64 = 256;

impl Broker {
    /// Makes the service's check call on a connection, as the owner, through gates, intent and receipt
    /// as any other, and says what came of it. What does not work is no error here.
    ///
    /// # Errors
    /// [`CallError`]: locked, or no such connection.
    pub async fn verify_connection(&self, name: &str) -> Result<VerifiedView, CallError> {
        self.opened()?;
        let missing = || {
            CallError::caller("no_connection", "there is no connection of that name")
                .status(404)
                .next("symbolon connections")
        };
        let name = ConnectionName::parse(name).map_err(|_| missing())?;
        let stored = self.known_connections().await?;
        let (connection, _) =
            stored.into_iter().find(|(c, _)| c.name == name).ok_or_else(missing)?;
        let mut view = VerifiedView {
            name: connection.name.to_string(),
            service: connection.service.clone(),
            base_url: connection.base_url.clone(),
            last_used: self.last_used(&connection.name).await?,
            ..VerifiedView::default()
        };
        let mut of_token = None;
        if let Some(row) = self.store.issued_to(&connection.name).await? {
            // Where the provider named none, the token has what was asked for (RFC 6749, section 5.1).
            let asked = match &connection.auth {
                Scheme::OAuth2(oauth) => Some(&oauth.scope),
                _ => None,
            };
            let scope = row.scope.as_ref().or(asked).filter(|scope| !scope.as_str().is_empty());
            of_token = scope.map(|scope| scope_words(scope.as_str()));
            view.token_ends = row.expires_unix_ms.map(rfc3339);
            view.renewal = row.problem;
        }
        let live = match self.live_named(name.as_str()) {
            Ok(live) => live,
            Err(_) => {
                view.outcome = "damaged".to_owned();
                view.detail = "it is not in force: its service is not in the catalogue, or its \
                               credential does not open"
                    .to_owned();
                view.next = Some(again(&view.service));
                return Ok(view);
            }
        };
        if live.registration.service.verify().is_none() {
            view.outcome = "unchecked".to_owned();
            view.detail =
                "the service has no call that shows whether a credential works".to_owned();
            return Ok(view);
        }
        match self.check_answer(&live).await {
            Ok((answer, receipt)) => {
                view.receipt = Some(receipt);
                let granted = self.granted_on(&connection.name).await?;
                tell(&mut view, &live, &answer, of_token, &granted);
            }
            Err(error) => {
                view.receipt = error.receipt;
                view.outcome = outcome_of(&error.code).to_owned();
                view.detail = error.message;
                view.next = error.next;
            }
        }
        Ok(view)
    }

    /// What grants that stand give on a connection, to whomever.
    async fn granted_on(&self, name: &ConnectionName) -> Result<ScopeSet, CallError> {
        let all: Grants = self.stored_grants().await?;
        let own = all.iter().filter(|g| g.connection == *name);
        let of_runs = self.runs.grants().into_iter().map(|(_, grant)| grant);
        let standing = own.filter(|g| !self.has_ended(g)).cloned().chain(of_runs);
        let standing = standing.filter(|g| g.connection == *name);
        Ok(standing.fold(ScopeSet::default(), |set, g| {
            set.union(&self.scopes(&g.scopes).unwrap_or_default())
        }))
    }

    /// When a call through a connection last ended, but for the owner's own checks; `None` where no
    /// receipt among the last entries of the log says so.
    async fn last_used(&self, name: &ConnectionName) -> Result<Option<String>, CallError> {
        let (log, name) = (self.log.clone(), name.clone());
        let work = move || {
            let (mut before, mut read) = (None, 0);
            while read < LOOK_BACK && before != Some(0) {
                let block = log.tail(before, BLOCK).map_err(errors::log_read)?;
                let Some((first, _)) = block.last() else { break };
                before = Some(*first);
                read += block.len() as u64;
                let found = block.iter().find_map(|(_, entry)| {
                    let p = Statement::parse(entry).ok()?.predicate;
                    let is_use = p.connection == name.as_str()
                        && p.times.released.is_some()
                        && p.agent != OWNER;
                    is_use.then(|| rfc3339(p.times.completed.unix_ms()))
                });
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))?
    }
}

/// Who makes check calls.
const OWNER: &str = "owner";

/// What an answer says: of the credential, and by it. Scopes are those that the service tells, else those that came
/// with the token.
fn tell(
    view: &mut VerifiedView,
    live: &Arc<Live>,
    answer: &Answer,
    of_token: Option<Vec<String>>,
    granted: &ScopeSet,
) {
    view.status = Some(answer.status);
    let service = &live.registration.service;
    let told = service.tells().map(|t| t.told(|name| text(&answer.headers, name), &answer.body));
    let is_refused = told.as_ref().is_some_and(|told| !told.works);
    (view.outcome, view.detail, view.next) = match answer.status {
        200..300 if is_refused => (
            "refused".to_owned(),
            "the service answered, and says that the credential is not good".to_owned(),
            Some(again(&view.service)),
        ),
        200..300 => ("works".to_owned(), "the service took the credential".to_owned(), None),
        status @ (401 | 403) => (
            "refused".to_owned(),
            format!(
                "the service refused the credential (status {status}): it has ended, was taken back, or may not do this"
            ),
            Some(again(&view.service)),
        ),
        status @ 300..=399 => (
            "wrong_host".to_owned(),
            format!("the service points elsewhere (status {status})"),
            Some(format!("symbolon connect {} --base-url https://HOST --replace", view.service)),
        ),
        status => ("failed".to_owned(), format!("the service answered with status {status}"), None),
    };
    if view.outcome != "works" {
        return;
    }
    let told = told.unwrap_or_default();
    (view.who, view.ends) = (told.who, told.ends);
    let scopes = told.scopes.or(of_token);
    if let (Some(tells), Some(scopes)) = (service.tells(), &scopes) {
        view.too_wide = tells.too_wide(scopes, granted).into_iter().map(str::to_owned).collect();
    }
    view.scopes = scopes;
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The kinds of failure that its owner mends in different ways.
fn outcome_of(code: &str) -> &'static str {
    match code {
        "upstream_tls" | "client_certificate" => "certificate",
        "resolve" | "upstream_failed" | "upstream_timeout" | "token_endpoint" => "unreachable",
        "blocked_address" | "redirect_refused" => "wrong_host",
        "token_ended" | "token_refused" | "token_unusable" => "refused",
        _ => "failed",
    }
}

fn again(service: &str) -> String {
    format!("symbolon connect {service} --replace")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_that_are_mended_in_different_ways_are_told_apart() {
        for (code, outcome) in [
            ("upstream_tls", "certificate"),
            ("resolve", "unreachable"),
            ("redirect_refused", "wrong_host"),
            ("token_ended", "refused"),
            ("fingerprint", "failed"),
        ] {
            assert_eq!(outcome_of(code), outcome);
        }
    }
}
