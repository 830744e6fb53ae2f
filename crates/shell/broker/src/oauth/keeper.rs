//! Renews the tokens of one connection.
//!
//! Many calls may find that a token is over: one of them begins a renewal, the others wait for the
//! same one. It runs in a task of its own, so that a caller who goes away cannot lose what the
//! server answers. New tokens are durable before any call uses them, and stand in the place of the
//! old ones in one transaction: whatever ends the process, the store has the last tokens that came
//! to be kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use symbolon_capability::oauth2::{IssuedRow, IssuedStore};
use symbolon_capability::{Flow, OAuth2, Registration, Release};
use symbolon_secret::Secret;
use tokio::sync::watch;

use super::TokenError;
use super::issued::{Issued, Seal};
use super::office::{Office, endpoint_target};
use super::request::Ask;
use super::response::Tokens;
use crate::api::CallError;
use crate::calls::OnItsWay;
use crate::upstream::Live;
use crate::wire::Target;

/// One for each connection whose tokens the broker gets.
pub(crate) struct Keeper {
    office: Arc<Office>,
    registration: Arc<Registration>,
    oauth: Arc<OAuth2>,
    target: Target,
    seal: Seal,
    /// The connection as calls see it, with the tokens in force.
    current: Mutex<Arc<Live>>,
    state: Mutex<State>,
}

type Outcome = Result<Arc<Live>, Arc<TokenError>>;

#[derive(Default)]
struct State {
    /// The renewal on its way.
    flight: Option<watch::Receiver<Option<Outcome>>>,
    /// The last one failed; nobody asks again before this time on the monotonic clock.
    failed: Option<(Arc<TokenError>, u64)>,
    failures: u32,
    /// Tokens that came and that the store did not take yet.
    unkept: Option<IssuedRow>,
    /// When one was last asked for because an upstream refused a token, on the monotonic clock.
    refused_ns: Option<u64>,
}

enum Look {
    Ready(Arc<Live>),
    Wait(watch::Receiver<Option<Outcome>>),
}

impl Keeper {
    pub(crate) fn new(
        office: Arc<Office>,
        oauth: Arc<OAuth2>,
        seal: Seal,
        current: Arc<Live>,
    ) -> Result<Arc<Self>, CallError> {
        let registration = current.registration.clone();
        let target = endpoint_target(&registration.connection, &oauth.token_endpoint)?;
        let (current, state) = (Mutex::new(current), Mutex::default());
        Ok(Arc::new(Self { office, registration, oauth, target, seal, current, state }))
    }

    /// The connection with a token that may go out, renewed where it is time. `release`: the call
    /// that it is for. A token that is valid still goes on being used where the server is down.
    pub(crate) async fn current(
        self: &Arc<Self>,
        release: &Arc<Release>,
    ) -> Result<Arc<Live>, Arc<TokenError>> {
        self.land(self.look(release, None)?).await
    }

    /// The connection with another token than that of `used`, which an upstream refuses though it is
    /// not over; `None` where there is none to be had.
    pub(crate) async fn instead_of(
        self: &Arc<Self>,
        used: &Live,
        release: &Arc<Release>,
    ) -> Option<Arc<Live>> {
        let looked = self.look(release, Some(used)).ok()?;
        let live = self.land(looked).await.ok()?;
        (!has_same_token(&live, used)).then_some(live)
    }

    /// Waits for a renewal that is on its way.
    async fn land(&self, looked: Look) -> Result<Arc<Live>, Arc<TokenError>> {
        let mut flight = match looked {
            Look::Ready(live) => return Ok(live),
            Look::Wait(flight) => flight,
        };
        let landed = flight.wait_for(Option::is_some).await;
        match landed.ok().and_then(|outcome| outcome.clone()) {
            Some(Ok(live)) => Ok(live),
            Some(Err(error)) => self.usable().ok_or(error),
            // The renewal's task ended with the runtime.
            None => self.usable().ok_or_else(|| Arc::new(TokenError::Stopped)),
        }
    }

    fn look(
        self: &Arc<Self>,
        release: &Arc<Release>,
        refused: Option<&Live>,
    ) -> Result<Look, Arc<TokenError>> {
        let mut state = self.state();
        let live = self.view();
        let now = self.office.clock.unix_ms();
        // A token that is not the one in force any more was replaced already.
        let is_refused = refused.is_some_and(|used| has_same_token(&live, used));
        if !issued(&live)?.wants_renewal(now) && !is_refused {
            return Ok(Look::Ready(live));
        }
        // A dead sender is a task that was dropped with its runtime.
        if let Some(flight) = state.flight.as_ref().filter(|f| f.has_changed().is_ok()) {
            return Ok(Look::Wait(flight.clone()));
        }
        if let Some((error, until_ns)) = &state.failed
            && self.office.clock.mono_ns() < *until_ns
        {
            let error = error.clone();
            return self.usable().map(Look::Ready).ok_or(error);
        }
        if is_refused {
            let now_ns = self.office.clock.mono_ns();
            if state.refused_ns.is_some_and(|last| now_ns.saturating_sub(last) < REFUSED_REST_NS) {
                return Ok(Look::Ready(live));
            }
            state.refused_ns = Some(now_ns);
        }
        let Some(on_its_way) = OnItsWay::begin(self.office.clone()) else {
            return self.usable().map(Look::Ready).ok_or_else(|| Arc::new(TokenError::Stopped));
        };
        let (landing, flight) = watch::channel(None);
        state.flight = Some(flight.clone());
        tokio::spawn(self.clone().fly(release.clone(), landing, on_its_way));
        Ok(Look::Wait(flight))
    }

    async fn fly(
        self: Arc<Self>,
        release: Arc<Release>,
        landing: watch::Sender<Option<Outcome>>,
        _on_its_way: OnItsWay<Arc<Office>>,
    ) {
        let turn = self.office.turn(&self.registration.connection.name);
        let outcome = {
            let _one = turn.lock().await;
            self.renew(&release).await.map_err(Arc::new)
        };
        let mut state = self.state();
        match &outcome {
            Ok(live) => {
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = live.clone();
                (state.failed, state.failures) = (None, 0);
            }
            Err(error) => {
                tracing::warn!(connection = %self.registration.connection.name, "no new access token: {error}");
                state.failures = state.failures.saturating_add(1);
                let rest = rest(error, state.failures).as_nanos() as u64;
                let until_ns = self.office.clock.mono_ns().saturating_add(rest);
                state.failed = Some((error.clone(), until_ns));
            }
        }
        state.flight = None;
        drop(state);
        landing.send_replace(Some(outcome));
    }

    async fn renew(&self, release: &Release) -> Result<Arc<Live>, TokenError> {
        let name = &self.registration.connection.name;
        let live = self.view();
        let before = issued(&live)?;
        let row = self.office.store.issued_to(name).await.map_err(TokenError::Store)?;
        let row = row.ok_or(TokenError::Gone)?;
        if row.access != before.row.access {
            // Somebody else renewed it, before a lock or in another process: theirs is in force, and
            // what is held here came before it.
            self.state().unkept = None;
            let other = self.with(&live, row)?;
            if !issued(&other)?.wants_renewal(self.office.clock.unix_ms()) {
                return Ok(other);
            }
            *self.current.lock().unwrap_or_else(PoisonError::into_inner) = other;
            return Box::pin(self.renew(release)).await;
        }
        let unkept = self.state().unkept.clone();
        if let Some(unkept) = unkept {
            return self.keep(&live, &row, unkept).await;
        }
        if let Some(word) = row.problem {
            return Err(self.ended(word));
        }
        let c = &self.registration.connection;
        let now = self.office.clock.unix_ms();
        let stored = Issued::new(&self.seal, c, row.clone(), now);
        match self.ask(&stored, release).await {
            Ok(tokens) => {
                let now = self.office.clock.unix_ms();
                let refresh = Issued::seal_refresh(&self.seal, c, &tokens, Some(&row))?;
                match Issued::seal(&self.seal, c, &tokens, refresh.clone(), Some(&row), now) {
                    Ok(new) => self.keep(&live, &row, new).await,
                    Err(error) => {
                        // This one cannot be sent; what gets the next one is kept all the same.
                        let rotated = IssuedRow { refresh, ..row.clone() };
                        let store = &self.office.store;
                        let kept = store.replace_issued(name, &row.access, &rotated).await;
                        kept.map_err(TokenError::Store)?;
                        Err(error)
                    }
                }
            }
            Err(TokenError::Refused(word)) if &*word == "invalid_grant" => {
                let problem = Some(word.to_string());
                let marked = IssuedRow { problem, ..row.clone() };
                let kept = self.office.store.replace_issued(name, &row.access, &marked).await;
                kept.map_err(TokenError::Store)?;
                Err(self.ended(word.into_string()))
            }
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, before: &Issued, release: &Release) -> Result<Tokens, TokenError> {
        let secret = open(release, &self.registration.credential)?;
        let token = match (&before.refresh, self.oauth.flow) {
            (_, Flow::ClientCredentials | Flow::GithubApp) => None,
            (Some(refresh), _) => Some(open(release, refresh)?),
            (None, _) => return Err(self.ended("no_refresh_token".to_owned())),
        };
        let ask = match &token {
            Some(token) => Ask::Refresh { token },
            None => self.office.own_ask(&self.oauth),
        };
        let endpoint = &self.oauth.token_endpoint;
        let reply = self.office.ask(&self.target, endpoint, &self.oauth, &secret, &ask).await?;
        Tokens::read_for(&ask, &reply)
    }

    /// Puts new tokens in the place of the old ones. What the store does not take is held here: the
    /// server may have let go of the old ones already.
    async fn keep(
        &self,
        live: &Live,
        before: &IssuedRow,
        new: IssuedRow,
    ) -> Result<Arc<Live>, TokenError> {
        let name = &self.registration.connection.name;
        let mut wait = KEEP_AGAIN;
        loop {
            match self.office.store.replace_issued(name, &before.access, &new).await {
                Ok(kept) => {
                    self.state().unkept = None;
                    return if kept { self.with(live, new) } else { Err(TokenError::Gone) };
                }
                Err(error) if wait > KEEP_AGAIN * 16 => {
                    tracing::error!(connection = %name, "new tokens are not in the store: {error}");
                    self.state().unkept = Some(new);
                    return Err(TokenError::Store(error));
                }
                Err(_) => tokio::time::sleep(wait).await,
            }
            wait *= 2;
        }
    }

    fn with(&self, live: &Live, row: IssuedRow) -> Result<Arc<Live>, TokenError> {
        let now = self.office.clock.unix_ms();
        let issued = Issued::new(&self.seal, &self.registration.connection, row, now);
        Ok(Arc::new(live.with_issued(issued)?))
    }

    fn usable(&self) -> Option<Arc<Live>> {
        let live = self.view();
        let now = self.office.clock.unix_ms();
        let is_usable = live.issued.as_ref().is_some_and(|issued| issued.is_usable(now));
        is_usable.then_some(live)
    }

    fn ended(&self, word: String) -> TokenError {
        let c = &self.registration.connection;
        let flow = self.oauth.flow.as_str();
        let mend =
            format!("symbolon connect {} --name {} --oauth {flow} --replace", c.service, c.name);
        TokenError::Ended { word, mend }
    }

    /// The connection with the tokens that are in force, renewed or not.
    pub(crate) fn in_force(&self) -> Arc<Live> {
        self.view()
    }

    fn view(&self) -> Arc<Live> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn issued(live: &Live) -> Result<&Issued, TokenError> {
    live.issued.as_deref().ok_or(TokenError::Gone)
}

fn has_same_token(one: &Live, other: &Live) -> bool {
    let access = |live: &Live| live.issued.as_ref().map(|issued| issued.row.access.clone());
    access(one) == access(other)
}

/// Opens what a token is asked for with, into a page of its own.
fn open(
    release: &Release,
    sealed: &symbolon_capability::SealedCredential,
) -> Result<Secret<[u8]>, TokenError> {
    release.present(sealed).map_err(|_| TokenError::Sealed)
}

/// How long nobody asks after a failure: a server that is down is not flooded, and one that is
/// back is found soon.
fn rest(error: &TokenError, failures: u32) -> Duration {
    match error {
        // Nothing to wait for: what the store did not take is tried at the next call.
        TokenError::Store(_) | TokenError::Stopped => Duration::ZERO,
        _ => Duration::from_millis(500 << failures.min(6)),
    }
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = &self.registration.connection.name;
        f.debug_struct("Keeper").field("connection", name).finish_non_exhaustive()
    }
}

const KEEP_AGAIN: Duration = Duration::from_millis(50);
/// An upstream that refuses every token makes no more requests to the token endpoint than this.
const REFUSED_REST_NS: u64 = 30_000_000_000;
