//! `POST /api/account/challenge`: what a proof must answer. Each is good for one answer, for five minutes, for
//! one purpose, one method, this origin, and where somebody is signed in already, for their session.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_account::{
    AccountError, AccountId, AccountStore, Challenge, ChallengeId, Handle, Purpose, SessionId,
    SignIn,
};
use symbolon_broker::CallError;
use utoipa::ToSchema;

use super::super::{api::Sent, failure::Failure, schema};
use super::{
    bytes::Base64Url,
    caller::Caller,
    door::Admitted,
    fault,
    proof::{Begun, Step},
    service::Service,
};

/// What is asked for, and how it will be proved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    /// `sign-up`, `sign-in`, `add` or `confirm`.
    purpose: String,
    /// `passkey`, `password`, `key`, `ethereum` or `solana`.
    method: String,
    /// The name to sign in with: needed with a password, free at any sign-up.
    handle: Option<String>,
    /// OPAQUE's first message; needed with a password.
    opaque: Option<AskOpaque>,
    /// A wallet's address, as its chain writes it; needed with a wallet.
    address: Option<String>,
    /// The chain of an Ethereum wallet (EIP-155); 1 where absent.
    chain_id: Option<u64>,
}

/// OPAQUE's first message (RFC 9807).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AskOpaque {
    /// RegistrationRequest for sign-up and add, CredentialRequest for sign-in and confirm; base64url.
    #[schema(value_type = String)]
    pub request: Base64Url,
}

/// What must be answered.
#[derive(Serialize, ToSchema)]
pub(super) struct Asking {
    /// Names it in the answer.
    #[schema(value_type = String)]
    challenge_id: ChallengeId,
    /// From when on it is good for nothing, in Unix milliseconds.
    expires_unix_ms: u64,
    /// Options for `navigator.credentials`, with a passkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    passkey: Option<Value>,
    /// OPAQUE's second message and the server's key, with a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    opaque: Option<AskingOpaque>,
    /// The text that a wallet signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// 32 bytes that a key's signature covers, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

/// OPAQUE's second message.
#[derive(Serialize, ToSchema)]
pub(super) struct AskingOpaque {
    /// RegistrationResponse or CredentialResponse, base64url.
    #[schema(value_type = String)]
    pub response: Base64Url,
    /// The server's key, which clients pin: 64 hex digits.
    pub server_key: String,
}

/// Begins a sign-up, a sign-in, one more way to sign in, or a confirmation. A name that nobody has is answered
/// like any other.
#[utoipa::path(post, path = "/api/account/challenge", tag = "accounts", request_body = Ask,
    responses((status = 200, body = Asking), (status = 401, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(super) async fn challenge<S: AccountStore>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
    Sent(ask): Sent<Ask>,
) -> Result<Json<Asking>, Failure> {
    let wanted = wanted(&service, &admitted, ask)?;
    if let (SignIn::Password, Some(handle)) = (wanted.method, &wanted.handle) {
        service.limits.name(handle, admitted.address.into(), &*service.clock)?;
    }
    let id = ChallengeId::make(&*service.rng);
    let begun = service.begin(id, &wanted).await?;
    Ok(Json(service.ask(id, wanted, begun).await?))
}

/// A question that was looked at.
pub(super) struct Wanted {
    pub purpose: Purpose,
    pub method: SignIn,
    pub handle: Option<Handle>,
    /// Who asks; at a sign-up, who they will be.
    pub account: Option<AccountId>,
    pub session: Option<SessionId>,
    pub opaque: Option<Vec<u8>>,
    pub address: Option<String>,
    pub chain_id: Option<u64>,
}

fn wanted<S: AccountStore>(
    service: &Service<S>,
    admitted: &Admitted,
    ask: Ask,
) -> Result<Wanted, CallError> {
    let unknown = |what| fault::malformed(format!("There is no {what} of this name."));
    let purpose = Purpose::parse(&ask.purpose).ok_or_else(|| unknown("purpose"))?;
    let method = SignIn::parse(&ask.method).ok_or_else(|| unknown("method"))?;
    let handle = ask.handle.as_deref().map(Handle::parse).transpose();
    let handle = handle.map_err(|error| fault::malformed(format!("{error}.")))?;
    let (account, session) = match purpose {
        Purpose::SignUp => (Some(AccountId::make(&*service.rng)), None),
        Purpose::SignIn => (None, None),
        // What is asked of somebody who signed in is answered within their session.
        Purpose::Add | Purpose::Confirm => {
            let seated = admitted.caller.session()?;
            (Some(seated.session.account), Some(seated.session.id))
        }
    };
    Ok(Wanted {
        purpose,
        method,
        handle,
        account,
        session,
        opaque: ask.opaque.map(|opaque| opaque.request.0),
        address: ask.address,
        chain_id: ask.chain_id,
    })
}

/// What an answer is checked against, as the challenge's row keeps it.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    origin: String,
    pub account: Option<AccountId>,
    session: Option<SessionId>,
    pub handle: Option<String>,
    pub step: Step,
}

impl<S: AccountStore> Service<S> {
    async fn ask(
        &self,
        id: ChallengeId,
        wanted: Wanted,
        begun: Begun,
    ) -> Result<Asking, CallError> {
        let Begun { step, passkey, opaque, message, nonce } = begun;
        let asked = Asked {
            origin: self.origin.as_str().to_owned(),
            account: wanted.account,
            session: wanted.session,
            handle: wanted.handle.map(|handle| handle.to_string()),
            step,
        };
        let expires_unix_ms = self.now() + CHALLENGE_MS;
        let challenge = Challenge {
            id,
            purpose: wanted.purpose,
            method: wanted.method,
            // Kept in the state: at a sign-up there is no account yet.
            account: None,
            state: serde_json::to_vec(&asked).map_err(|_| fault::bug("a challenge's state"))?,
            expires_unix_ms,
        };
        challenge.check().map_err(fault::stored)?;
        self.store.put_challenge(&challenge).await.map_err(fault::stored)?;
        Ok(Asking { challenge_id: id, expires_unix_ms, passkey, opaque, message, nonce })
    }

    /// Takes a challenge out for its one answer.
    ///
    /// # Errors
    /// `no_challenge`, 401: over, answered, of another purpose, session or origin.
    pub async fn answered(
        &self,
        id: ChallengeId,
        purpose: Purpose,
        caller: &Caller,
    ) -> Result<(SignIn, Asked), CallError> {
        let taken = self.store.take_challenge(id, purpose, self.now()).await;
        let challenge = taken.map_err(|error| match error {
            AccountError::Missing(_) => fault::challenge(),
            error => fault::stored(error),
        })?;
        let asked: Asked =
            serde_json::from_slice(&challenge.state).map_err(|_| fault::challenge())?;
        let session = match caller {
            Caller::Page(seated) => Some(seated.session.id),
            _ => None,
        };
        let is_here = asked.origin == self.origin.as_str();
        let is_of_session = asked.session.is_none() || asked.session == session;
        if is_here && is_of_session {
            Ok((challenge.method, asked))
        } else {
            Err(fault::challenge())
        }
    }
}

/// How long a challenge is good.
pub(super) const CHALLENGE_MS: u64 = 5 * 60 * 1000;
