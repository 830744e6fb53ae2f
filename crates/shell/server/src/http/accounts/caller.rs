//! Who asks: a session by its cookie, a program by its signature, or nobody yet.

use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use symbolon_account::{
    AccountId, AccountState, AccountStore, Session, SessionToken, SignIn,
    signature::{Message, SignatureInput},
};
use symbolon_broker::CallError;
use symbolon_codec::b64url;
use symbolon_crypto::VerifyingKey;

use super::{
    super::failure::failure,
    cookie, fault,
    limits::{Address, Kind},
    service::Service,
};

/// Who asks.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// Nobody that is known: may ask for a challenge and answer one.
    Nobody,
    /// A page with a live session.
    Page(Arc<Seated>),
    /// A program that signed this request with one of the account's keys.
    Program {
        /// Whose key it is.
        account: AccountId,
    },
}

/// A session and its token.
#[derive(Debug)]
pub(super) struct Seated {
    pub session: Session,
    pub token: SessionToken,
}

impl Caller {
    /// The account.
    ///
    /// # Errors
    /// `no_session`, 401.
    pub fn account(&self) -> Result<AccountId, CallError> {
        match self {
            Self::Nobody => Err(fault::nobody()),
            Self::Page(seated) => Ok(seated.session.account),
            Self::Program { account } => Ok(*account),
        }
    }

    /// The session: what is about a session, or dangerous, no signature of a program does.
    ///
    /// # Errors
    /// `no_session`, 401.
    pub fn session(&self) -> Result<&Arc<Seated>, CallError> {
        match self {
            Self::Page(seated) => Ok(seated),
            _ => Err(fault::nobody()),
        }
    }

    /// The session, where its holder showed within the last minutes who they are.
    ///
    /// # Errors
    /// `no_session`, 401; `needs_confirmation`, 403.
    pub fn confirmed(&self, now_unix_ms: u64) -> Result<&Arc<Seated>, CallError> {
        let seated = self.session()?;
        match seated.session.is_confirmed(now_unix_ms) {
            true => Ok(seated),
            false => Err(fault::unconfirmed()),
        }
    }
}

impl<S: AccountStore> Service<S> {
    /// Looks at a request's head: limits, and who asks. No byte of its body is read before.
    ///
    /// # Errors
    /// 429 of the limits; 403 of a page that is not ours; 401 of a signature that does not hold.
    pub async fn admit(
        &self,
        address: Address,
        head: &Parts,
        has_body: bool,
        tls: bool,
    ) -> Result<Caller, CallError> {
        let kind = Kind::of(&head.method, head.uri.path());
        self.limits.address(address, kind, &*self.clock)?;
        self.check_browser(head)?;
        let is_signed = head.headers.contains_key(SIGNATURE_INPUT);
        let caller = match cookie::read(&head.headers) {
            Some(_) if is_signed => {
                return Err(fault::malformed("A request has a cookie or a signature, not both."));
            }
            Some(token) => self.page(token, head).await?,
            None if is_signed => self.program(head, has_body, tls).await?,
            None => Caller::Nobody,
        };
        if let Ok(account) = caller.account() {
            self.limits.account(account, kind, &*self.clock)?;
        }
        Ok(caller)
    }

    /// What a browser says of where a request comes from must be our page, where anything changes.
    fn check_browser(&self, head: &Parts) -> Result<(), CallError> {
        if is_safe(&head.method) {
            return Ok(());
        }
        let wrong_origin = one(&head.headers, header::ORIGIN.as_str())?
            .is_some_and(|origin| origin != self.origin.as_str());
        let wrong_site =
            one(&head.headers, "sec-fetch-site")?.is_some_and(|site| site != "same-origin");
        if wrong_origin || wrong_site { Err(self.bad_origin()) } else { Ok(()) }
    }

    async fn page(&self, token: SessionToken, head: &Parts) -> Result<Caller, CallError> {
        let hash = token.with_bytes(|bytes| self.key.session_hash(bytes));
        let now = self.now();
        let found = self.store.session_of(&hash).await.map_err(fault::stored)?;
        let Some(session) = found.filter(|session| session.is_live(now)) else {
            return Ok(Caller::Nobody);
        };
        if !is_safe(&head.method) {
            if !head.headers.contains_key(header::ORIGIN) {
                return Err(self.bad_origin());
            }
            let sent = head.headers.get(CSRF).map(|value| value.as_bytes());
            if !sent.is_some_and(|sent| token.csrf().is(sent)) {
                return Err(failure(
                    "bad_csrf",
                    StatusCode::FORBIDDEN,
                    "The session's CSRF token is missing, or another session's.",
                    Some("GET /api/session, then send its csrf in the header X-Symbolon-CSRF"),
                ));
            }
        }
        let session = self.seen(session, now).await?;
        Ok(Caller::Page(Arc::new(Seated { session, token })))
    }

    /// Writes down, at most once a minute, that a session was used: it idles from then on.
    async fn seen(&self, mut session: Session, now: u64) -> Result<Session, CallError> {
        if now.saturating_sub(session.seen_unix_ms) >= SEEN_EVERY_MS {
            session.seen_unix_ms = now;
            session.expires_unix_ms = ends(session.created_unix_ms, now);
            let touched = self.store.touch_session(session.id, now, session.expires_unix_ms).await;
            touched.map_err(fault::stored)?;
        }
        Ok(session)
    }

    async fn program(&self, head: &Parts, has_body: bool, tls: bool) -> Result<Caller, CallError> {
        let missing =
            || fault::malformed("A signed request has Signature-Input and Signature once.");
        let input = one(&head.headers, SIGNATURE_INPUT)?.ok_or_else(missing)?;
        let signature = one(&head.headers, SIGNATURE)?.ok_or_else(missing)?;
        let signed = SignatureInput::read(input, signature).map_err(fault::signature)?;
        let remembered_until = signed.timely(self.now()).map_err(fault::signature)?;
        let public: [u8; 32] = b64url::decode(signed.key_id(), 32)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(unknown_key)?;
        let key = VerifyingKey::from_bytes(&public).map_err(|_| unknown_key())?;
        let found = self.store.credential_of(SignIn::Key, &public).await.map_err(fault::stored)?;
        let credential = found.ok_or_else(unknown_key)?;
        let fields = fields(&head.headers)?;
        let message = Message {
            method: head.method.as_str(),
            authority: one(&head.headers, "host")?.unwrap_or_default(),
            scheme: if tls { "https" } else { "http" },
            path: head.uri.path(),
            query: head.uri.query(),
            fields: &fields,
        };
        signed.verify(&message, has_body, &key).map_err(fault::signature)?;
        let account = self.store.account(credential.account).await.map_err(fault::stored)?;
        if account.state != AccountState::Active {
            return Err(unknown_key());
        }
        let taken =
            self.store.take_nonce(credential.id, signed.nonce().as_bytes(), remembered_until);
        match taken.await {
            Ok(()) => Ok(Caller::Program { account: account.id }),
            Err(symbolon_account::AccountError::Exists(_)) => Err(failure(
                "replayed",
                StatusCode::UNAUTHORIZED,
                "This signed request came before.",
                Some("Sign it again, with another nonce."),
            )),
            Err(error) => Err(fault::stored(error)),
        }
    }

    fn bad_origin(&self) -> CallError {
        failure(
            "bad_origin",
            StatusCode::FORBIDDEN,
            format!("Accounts are used from {} alone.", self.origin.as_str()),
            Some("Open that address."),
        )
    }
}

/// Until when a session lives that was made then and used now, in Unix milliseconds.
pub(super) fn ends(created_unix_ms: u64, seen_unix_ms: u64) -> u64 {
    (created_unix_ms + SESSION_MS_MAX).min(seen_unix_ms + IDLE_MS_MAX)
}

/// Methods that change nothing (RFC 9110, section 9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// A header's value, where it came once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, CallError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(|value| value.to_str());
    match (first, values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value)),
        _ => Err(fault::malformed(format!("The header {name} comes once, in ASCII."))),
    }
}

/// The header fields that a signature may cover.
fn fields(headers: &HeaderMap) -> Result<Vec<(&str, &str)>, CallError> {
    let read = headers.iter().map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    read.collect::<Option<_>>()
        .ok_or_else(|| fault::malformed("The headers of a signed request are ASCII."))
}

fn unknown_key() -> CallError {
    failure(
        "unknown_key",
        StatusCode::UNAUTHORIZED,
        "The signature's keyid is no account's key.",
        Some(
            "keyid is the key's 32 public bytes in base64url; add it with POST /api/account/credentials",
        ),
    )
}

const CSRF: &str = "x-symbolon-csrf";
const SIGNATURE_INPUT: &str = "signature-input";
const SIGNATURE: &str = "signature";
const SEEN_EVERY_MS: u64 = 60_000;
/// A session that is not used ends after an hour.
const IDLE_MS_MAX: u64 = 60 * 60 * 1000;
/// And in any case after half a day.
const SESSION_MS_MAX: u64 = 12 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use symbolon_codec::Digest32;

    use super::*;

    fn page(confirmed_until_unix_ms: Option<u64>) -> Caller {
        let session = Session {
            id: [1; 16].into(),
            token_hash: Digest32([1; 32]),
            account: [1; 16].into(),
            method: SignIn::Passkey,
            created_unix_ms: 1000,
            seen_unix_ms: 1000,
            expires_unix_ms: 9000,
            confirmed_until_unix_ms,
            user_agent: String::new(),
            revoked_unix_ms: None,
        };
        let token = SessionToken::make(&symbolon_ambient::SystemRng);
        Caller::Page(Arc::new(Seated { session, token }))
    }

    #[test]
    fn what_is_dangerous_needs_a_session_that_confirmed_and_not_long_ago() {
        let refused = |caller: &Caller, now| caller.confirmed(now).unwrap_err().code;
        assert!(page(Some(2000)).confirmed(1999).is_ok());
        assert_eq!(refused(&page(Some(2000)), 2000), "needs_confirmation", "over");
        assert_eq!(refused(&page(None), 1000), "needs_confirmation", "never");
        assert_eq!(refused(&Caller::Program { account: [1; 16].into() }, 1000), "no_session");
        assert_eq!(refused(&Caller::Nobody, 1000), "no_session");
    }

    #[test]
    fn a_session_idles_out_and_ends_however_much_it_is_used() {
        const MINUTE: u64 = 60_000;
        assert_eq!(ends(0, 0), 60 * MINUTE);
        assert_eq!(ends(0, 30 * MINUTE), 90 * MINUTE);
        assert_eq!(ends(0, 715 * MINUTE), 720 * MINUTE);
    }
}
