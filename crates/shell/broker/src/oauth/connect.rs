//! Making a connection by a flow: begin, and finish when the person has agreed.

use std::sync::{Arc, Mutex, PoisonError};

use symbolon_ambient::SystemRng;
use symbolon_capability::catalog::{AuthScheme, Provider, Service};
use symbolon_capability::oauth2::{AuthorizationEndpoint, IssuedStore};
use symbolon_capability::{
    ClientAuth, ClientId, Connection, Endpoint, Flow, OAuth2, Scheme, Store, StoreError, TokenScope,
};
use symbolon_secret::Secret;

use super::flows::{Flowing, Pace, Wait};
use super::issued::{Issued, Seal};
use super::office::endpoint_target;
use super::pkce;
use super::redirect::Redirect;
use super::request::Ask;
use super::response::{DeviceCodes, Tokens};
use super::{TokenError, app};
use crate::Broker;
use crate::api::*;
use crate::broker::Open;

impl Broker {
    /// Begins to make a connection whose tokens the broker gets. `secret`: the client's, for a
    /// confidential client.
    ///
    /// # Errors
    /// [`CallError`]: locked, no such service, endpoints that are missing or not allowed, a server
    /// that gives no codes.
    pub async fn oauth_begin(
        &self,
        new: NewConnection,
        secret: Option<Secret<[u8]>>,
    ) -> Result<OAuthStep, CallError> {
        self.opened()?;
        let given = new.oauth.clone().unwrap_or_default();
        let (connection, service) = self.plan_connection(&new)?;
        let Scheme::OAuth2(oauth) = &connection.auth else {
            return Err(CallError::caller("auth", "this connection gets no tokens by OAuth2"));
        };
        let oauth = oauth.clone();
        // Before a person is asked for nothing.
        let is_taken = |(c, _): &(Connection, Vec<u8>)| c.name == connection.name;
        if !new.replace && self.store.connections().await?.iter().any(is_taken) {
            return Err(StoreError::Exists(connection.name.to_string()).into());
        }
        let mut secret = secret.unwrap_or_else(|| Secret::<[u8]>::make_slice(0, |_| ()));
        if oauth.flow == Flow::GithubApp {
            secret = app::read_key(&secret)?;
        }
        match (oauth.client_auth, secret.len()) {
            (ClientAuth::None, 0) => {}
            (ClientAuth::None, _) => {
                let message = "a client secret is given, and the client authenticates by none";
                return Err(CallError::caller("oauth", message).next("--client-auth basic or post"));
            }
            (_, 0..8) => return Err(TokenError::ClientSecret.shown()),
            _ => {}
        }
        let target = endpoint_target(&connection, &oauth.token_endpoint)?;
        let id = pkce::make_word(&SystemRng);
        let provider = provider(&service);
        let mut life_seconds = FLOW_SECONDS_MAX;
        let (wait, step) = match oauth.flow {
            Flow::Code => code(&given, provider, &connection, &oauth, &id)?,
            Flow::Device => {
                let codes =
                    self.device_codes(&given, provider, &connection, &oauth, &secret).await?;
                life_seconds = codes.lifetime_seconds.min(DEVICE_SECONDS_MAX);
                device(codes, &id, self.clock.mono_ns())
            }
            Flow::ClientCredentials | Flow::GithubApp => {
                (Wait::Nobody, OAuthStep { id: id.clone(), ..OAuthStep::default() })
            }
        };
        let now_ns = self.clock.mono_ns();
        let until_ns = now_ns + life_seconds * 1_000_000_000;
        let (replace, verify) = (new.replace, new.verify);
        let flowing =
            Flowing { connection, service, oauth, target, secret, wait, replace, verify, until_ns };
        self.flows.put(id, flowing, now_ns)?;
        Ok(OAuthStep { expires_in_seconds: life_seconds, ..step })
    }

    /// Goes on with a flow. `answer`: the query of the redirect, for the code flow. Once there is a
    /// token the connection is kept; until then it says how long to wait before asking again.
    ///
    /// # Errors
    /// [`CallError`]: the flow is over, the server refuses, a redirect of another flow or server, a
    /// check call that failed.
    pub async fn oauth_finish(
        &self,
        id: &str,
        answer: Option<Secret<[u8]>>,
    ) -> Result<OAuthProgress, CallError> {
        let open = self.opened()?;
        let now_ns = self.clock.mono_ns();
        let flowing = self.flows.get(id, now_ns)?;
        let tokens = match &flowing.wait {
            Wait::Redirect { state, verifier, redirect_uri, issuer } => {
                let redirect = answer.as_ref().map(Redirect::read).unwrap_or_default();
                drop(answer);
                if !redirect.is_of(state) {
                    // Somebody else's, or made up: the flow goes on waiting for its own.
                    let message =
                        "the redirect is not the answer to this request: its state differs";
                    return Err(CallError::caller("oauth_state", message)
                        .status(403)
                        .next("open the address that was shown, and no other"));
                }
                // Whatever comes of it, a code is shown once.
                self.flows.take(id)?;
                if !redirect.is_from(issuer.as_deref()) {
                    let message = "the redirect does not come from the authorization server that was asked (iss)";
                    return Err(CallError::caller("oauth_issuer", message)
                        .status(403)
                        .next("symbolon connect SERVICE --oauth code --issuer URL"));
                }
                if let Some(word) = redirect.refusal() {
                    return Err(denied(&word));
                }
                let code = redirect
                    .code
                    .as_ref()
                    .ok_or_else(|| CallError::caller("oauth_code", "the redirect has no code"))?;
                self.tokens(&flowing, &Ask::Code { code, verifier, redirect_uri }).await?
            }
            Wait::Person { device_code, pace } => {
                if let Some(wait) = claim(pace, now_ns) {
                    return Ok(OAuthProgress::Wait { seconds: wait });
                }
                match self.tokens(&flowing, &Ask::Device { device_code }).await {
                    Err(TokenError::Refused(word)) if &*word == "authorization_pending" => {
                        return Ok(OAuthProgress::Wait { seconds: slower(pace, 0) });
                    }
                    Err(TokenError::Refused(word)) if &*word == "slow_down" => {
                        return Ok(OAuthProgress::Wait { seconds: slower(pace, 5) });
                    }
                    // RFC 8628, section 3.5: a connection that breaks is tried again, more slowly.
                    Err(TokenError::Post(_) | TokenError::Status(429 | 500..)) => {
                        return Ok(OAuthProgress::Wait { seconds: slower(pace, 5) });
                    }
                    Err(TokenError::Refused(word)) => {
                        self.flows.take(id)?;
                        return Err(denied(&word));
                    }
                    other => {
                        self.flows.take(id)?;
                        other?
                    }
                }
            }
            Wait::Nobody => {
                self.flows.take(id)?;
                let ask = self.office.own_ask(&flowing.oauth);
                self.tokens(&flowing, &ask).await?
            }
        };
        let view = self.keep_issued(&open, &flowing, tokens).await?;
        Ok(OAuthProgress::Connected { connection: Box::new(view) })
    }

    async fn tokens(&self, flowing: &Flowing, ask: &Ask<'_>) -> Result<Tokens, TokenError> {
        let Flowing { oauth, target, secret, .. } = flowing;
        let endpoint = &oauth.token_endpoint;
        Tokens::read_for(ask, &self.office.ask(target, endpoint, oauth, secret, ask).await?)
    }

    async fn device_codes(
        &self,
        given: &NewOAuth,
        provider: Option<&Provider>,
        connection: &Connection,
        oauth: &OAuth2,
        secret: &Secret<[u8]>,
    ) -> Result<DeviceCodes, CallError> {
        let own = given.device_endpoint.as_deref().map(Endpoint::parse).transpose();
        let own = own.map_err(|e| wrong(&e))?;
        let named = provider.and_then(|p| p.device_authorization_endpoint.clone());
        let endpoint =
            own.or(named).ok_or_else(|| missing("--device-endpoint https://HOST/PATH"))?;
        let target = endpoint_target(connection, &endpoint)?;
        let reply = self.office.ask(&target, &endpoint, oauth, secret, &Ask::DeviceCodes).await;
        reply.and_then(|reply| DeviceCodes::read(&reply)).map_err(|e| e.shown())
    }

    /// Seals secret and tokens and keeps the connection, in one transaction.
    async fn keep_issued(
        &self,
        open: &Arc<Open>,
        flowing: &Flowing,
        tokens: Tokens,
    ) -> Result<ConnectionView, CallError> {
        let mut connection = flowing.connection.clone();
        connection.created_unix_ms = self.clock.unix_ms();
        let aad = connection.aad(self.manifest.vault.as_bytes());
        // EXPOSE: sealed from one secret page into an envelope.
        let envelope = open.connections_key.seal_with(&aad, flowing.secret.expose(), &SystemRng);
        let seal = self.seal(open);
        let now = self.clock.unix_ms();
        let refresh = Issued::seal_refresh(&seal, &connection, &tokens, None)?;
        let row = Issued::seal(&seal, &connection, &tokens, refresh, None, now)?;
        drop(tokens);
        let service = flowing.service.clone();
        let live =
            self.register(open, connection.clone(), service, envelope.clone(), Some(row.clone()))?;
        // The check call may come when the token is at its end already: it is not renewed before
        // the store has it.
        let verified = match flowing.verify {
            true => Some(self.check_call(&live).await?),
            false => None,
        };
        let _one = self.changes.lock().await;
        if !Arc::ptr_eq(open, &self.opened()?) {
            return Err(crate::errors::locked());
        }
        self.store.put_connection_issued(&connection, &envelope, flowing.replace, &row).await?;
        self.rebuild(open).await?;
        self.count_setup().await?;
        Ok(self.connection_view(&connection, verified))
    }

    /// What tokens are sealed under.
    pub(crate) fn seal(&self, open: &Open) -> Seal {
        Seal { key: open.connections_key.clone(), vault: *self.manifest.vault.as_bytes() }
    }
}

/// How tokens of a new connection are to be got: what the owner says, else the catalogue.
pub(crate) fn plan(
    given: &NewOAuth,
    service: &Service,
    base_url: &str,
) -> Result<OAuth2, CallError> {
    let provider = provider(service);
    let flow: Flow = given.flow.parse().map_err(|e| wrong(&e))?;
    let installation = given.installation.map(|number| {
        format!("{}/app/installations/{number}/access_tokens", base_url.trim_end_matches('/'))
    });
    let own = given.token_endpoint.as_deref().or(installation.as_deref());
    let own = own.map(Endpoint::parse).transpose();
    let endpoint = own.map_err(|e| wrong(&e))?.or(provider.map(|p| p.token_endpoint.clone()));
    let client = given.client_id.as_deref().map(ClientId::parse).transpose();
    let client = client.map_err(|e| wrong(&e))?.or(provider.and_then(|p| p.client_id.clone()));
    let scope = match &given.scope {
        Some(text) => TokenScope::parse(text).map_err(|e| wrong(&e))?,
        None => provider.map(|p| p.scope.clone()).unwrap_or_default(),
    };
    let auth = given.client_auth.as_deref().map(str::parse).transpose().map_err(|e| wrong(&e))?;
    let with_secret = provider.and_then(|p| p.client_auth).unwrap_or(ClientAuth::Basic);
    let usual = match (flow, given.has_secret) {
        (Flow::GithubApp, _) => ClientAuth::AppJwt,
        (_, true) => with_secret,
        (_, false) => ClientAuth::None,
    };
    let missing_endpoint = match flow {
        Flow::GithubApp => "--installation NUMBER",
        _ => "--token-endpoint https://HOST/PATH",
    };
    let oauth = OAuth2 {
        flow,
        client_auth: auth.unwrap_or(usual),
        token_endpoint: endpoint.ok_or_else(|| missing(missing_endpoint))?,
        client_id: client.ok_or_else(|| missing("--client-id ID"))?,
        scope,
    };
    if oauth.is_consistent() && (flow == Flow::GithubApp || given.installation.is_none()) {
        return Ok(oauth);
    }
    Err(wrong(
        &"an App of GitHub has an installation and authenticates by app-jwt; nobody else does",
    ))
}

fn provider(service: &Service) -> Option<&Provider> {
    match service.auth() {
        AuthScheme::OAuth2(provider) => Some(provider),
        _ => None,
    }
}

fn code(
    given: &NewOAuth,
    provider: Option<&Provider>,
    connection: &Connection,
    oauth: &OAuth2,
    id: &str,
) -> Result<(Wait, OAuthStep), CallError> {
    let own = given.authorization_endpoint.as_deref().map(AuthorizationEndpoint::parse);
    let own = own.transpose().map_err(|e| wrong(&e))?;
    let named = provider.and_then(|p| p.authorization_endpoint.clone());
    let page =
        own.or(named).ok_or_else(|| missing("--authorization-endpoint https://HOST/PATH"))?;
    let is_plain = page.as_str().starts_with("http://");
    if is_plain && !connection.allow_loopback {
        return Err(wrong(&"plain http is only for this machine").next("--allow-loopback"));
    }
    let issuer = match &given.issuer {
        Some(text) => Some(Endpoint::parse(text).map_err(|e| wrong(&e))?.to_string()),
        None => provider.and_then(|p| p.issuer.as_ref()).map(ToString::to_string),
    };
    let redirect_uri = given.redirect_uri.clone().filter(|uri| is_loopback(uri));
    let redirect_uri =
        redirect_uri.ok_or_else(|| wrong(&"a redirect goes to http://127.0.0.1:PORT/callback"))?;
    let (state, verifier) = (pkce::make_word(&SystemRng), pkce::make_verifier(&SystemRng));
    let challenge = pkce::challenge(&verifier);
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", oauth.client_id.as_str()),
        ("redirect_uri", &redirect_uri),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    if !oauth.scope.as_str().is_empty() {
        parameters.push(("scope", oauth.scope.as_str()));
    }
    let url = Some(page.with(&parameters));
    let step = OAuthStep { id: id.to_owned(), url, ..OAuthStep::default() };
    Ok((Wait::Redirect { state, verifier, redirect_uri, issuer }, step))
}

fn device(codes: DeviceCodes, id: &str, now_ns: u64) -> (Wait, OAuthStep) {
    let interval_seconds = codes.interval_seconds.clamp(1, 60);
    let next_ns = now_ns + interval_seconds * 1_000_000_000;
    let pace = Mutex::new(Pace { interval_seconds, next_ns });
    let step = OAuthStep {
        id: id.to_owned(),
        url: Some(codes.verification_uri),
        url_complete: codes.verification_uri_complete,
        user_code: Some(codes.user_code),
        expires_in_seconds: 0,
    };
    (Wait::Person { device_code: codes.device_code, pace }, step)
}

/// Takes the right to ask now; or says how many seconds are left until then.
fn claim(pace: &Mutex<Pace>, now_ns: u64) -> Option<u64> {
    let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
    let left_ns = pace.next_ns.saturating_sub(now_ns);
    if left_ns > 0 {
        return Some(left_ns.div_ceil(1_000_000_000));
    }
    pace.next_ns = now_ns + pace.interval_seconds * 1_000_000_000;
    None
}

/// Slows down by so many seconds; the interval from now on.
fn slower(pace: &Mutex<Pace>, seconds: u64) -> u64 {
    let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
    pace.interval_seconds = (pace.interval_seconds + seconds).min(60);
    pace.next_ns += seconds * 1_000_000_000;
    pace.interval_seconds
}

/// The redirect of RFC 8252, section 7.3, as the command listens for it.
fn is_loopback(uri: &str) -> bool {
    let port =
        uri.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix("/callback"));
    port.is_some_and(|port| port.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == port))
}

fn denied(word: &str) -> CallError {
    let message = format!("the authorization server gave no token: {word}; nothing was kept");
    CallError::caller("oauth_denied", message)
        .status(403)
        .next("the same command again, and agree to what is shown")
}

fn wrong(e: &dyn std::fmt::Display) -> CallError {
    CallError::caller("oauth", e.to_string()).next("symbolon connect --help")
}

fn missing(flag: &str) -> CallError {
    let message = "the catalogue does not say where this service's tokens come from, or for whom";
    CallError::caller("oauth", message).next(format!("symbolon connect SERVICE --oauth … {flag}"))
}

impl From<TokenError> for CallError {
    fn from(error: TokenError) -> Self {
        error.shown()
    }
}

/// How long a person has.
const FLOW_SECONDS_MAX: u64 = 600;
const DEVICE_SECONDS_MAX: u64 = 1800;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_redirect_is_this_machine_with_a_port() {
        assert!(is_loopback("http://127.0.0.1:51004/callback"));
        for bad in [
            "http://127.0.0.1/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:080/callback",
            "http://127.0.0.1:80:80/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://localhost:80/callback",
            "https://127.0.0.1:80/callback",
            "http://127.0.0.1:80/callback/",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }

    #[test]
    fn a_device_is_asked_no_more_often_than_its_interval() {
        const SECOND: u64 = 1_000_000_000;
        let pace = Mutex::new(Pace { interval_seconds: 5, next_ns: 10 * SECOND });
        assert_eq!(claim(&pace, 7 * SECOND), Some(3));
        assert_eq!(claim(&pace, 10 * SECOND), None);
        assert_eq!(claim(&pace, 10 * SECOND), Some(5), "claimed by another");
        assert_eq!(slower(&pace, 5), 10);
        assert_eq!(claim(&pace, 15 * SECOND), Some(5));
        assert_eq!(claim(&pace, 20 * SECOND), None);
        assert_eq!(claim(&pace, 29 * SECOND), Some(1));
        for _ in 0..50 {
            slower(&pace, 5);
        }
        assert_eq!(slower(&pace, 5), 60, "bounded");
    }
}
