//! Ways to sign in: the list, one more, one less.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use symbolon_account::{
    AccountError, AccountStore, CREDENTIAL_NAME_CHARS_MAX, ChallengeId, Credential, CredentialId,
    Purpose, SignIn,
};
use symbolon_broker::CallError;
use symbolon_codec::b64url;
use utoipa::ToSchema;

use super::super::{api::Sent, failure::Failure, schema};
use super::{door::Admitted, fault, service::Service};

type Shared<S> = State<Arc<Service<S>>>;

/// What a way to sign in is called; a word for its method where nothing is said.
pub(super) type NewName = Option<String>;

/// One more way to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCredential {
    /// The challenge, of purpose `add`.
    #[schema(value_type = String)]
    challenge_id: ChallengeId,
    /// As its method has it (specs/sessions.md).
    #[schema(value_type = Object)]
    proof: Value,
    /// What it is called; 64 characters at most.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: NewName,
}

/// A way to sign in.
#[derive(Serialize, ToSchema)]
pub(super) struct CredentialView {
    /// Its id.
    #[schema(value_type = String)]
    id: CredentialId,
    /// `passkey`, `password`, `key`, `ethereum` or `solana`.
    method: String,
    /// What it is called.
    name: String,
    /// The public key of a key, the id of a passkey: base64url. Of a wallet, its address as bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// When it was added, in Unix milliseconds.
    created_unix_ms: u64,
    /// When it was last used, in Unix milliseconds.
    last_used_unix_ms: Option<u64>,
}

impl From<Credential> for CredentialView {
    fn from(credential: Credential) -> Self {
        let is_account = credential.method == SignIn::Password;
        Self {
            id: credential.id,
            method: credential.method.as_str().to_owned(),
            name: credential.name,
            subject: (!is_account).then(|| b64url::encode(&credential.subject)),
            created_unix_ms: credential.created_unix_ms,
            last_used_unix_ms: credential.last_used_unix_ms,
        }
    }
}

/// Ways to sign in.
#[derive(Serialize, ToSchema)]
pub(super) struct Credentials {
    /// The name of the account, where it has one.
    handle: Option<String>,
    /// Oldest first.
    credentials: Vec<CredentialView>,
}

/// The account's ways to sign in.
#[utoipa::path(get, path = "/api/account/credentials", tag = "accounts", security(("session" = []), ("signature" = [])),
    responses((status = 200, body = Credentials), (status = 401, body = schema::CallError)))]
pub(super) async fn credentials<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Json<Credentials>, Failure> {
    let id = admitted.caller.account()?;
    let account = service.store.account(id).await.map_err(fault::stored)?;
    let credentials = service.store.credentials(id).await.map_err(fault::stored)?;
    Ok(Json(Credentials {
        handle: account.handle.map(|handle| handle.to_string()),
        credentials: credentials.into_iter().map(CredentialView::from).collect(),
    }))
}

/// Adds a way to sign in; needs a confirmation.
#[utoipa::path(post, path = "/api/account/credentials", tag = "accounts", security(("session" = [])),
    request_body = NewCredential,
    responses((status = 201, body = CredentialView), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 422, body = schema::CallError)))]
pub(super) async fn add<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(new): Sent<NewCredential>,
) -> Result<(StatusCode, Json<CredentialView>), Failure> {
    let account = admitted.caller.confirmed(service.now())?.session.account;
    let NewCredential { challenge_id, proof, name } = new;
    let asked = service.answered(challenge_id, Purpose::Add, &admitted.caller).await?;
    let enrolled = service.enrol(challenge_id, Purpose::Add, asked, proof).await?;
    let credential = Credential {
        id: CredentialId::make(&*service.rng),
        account,
        method: enrolled.method,
        subject: enrolled.subject,
        state: enrolled.state,
        name: named(name, enrolled.method)?,
        created_unix_ms: service.now(),
        last_used_unix_ms: None,
    };
    credential.check().map_err(fault::stored)?;
    let detail = json!({ "credential": credential.id, "method": credential.method.as_str() });
    let event = service.event("credential-added", &detail);
    service.store.add_credential(&credential, &event).await.map_err(fault::stored)?;
    Ok((StatusCode::CREATED, Json(credential.into())))
}

/// Removes a way to sign in, never the last; needs a confirmation.
#[utoipa::path(delete, path = "/api/account/credentials/{id}", tag = "accounts", security(("session" = [])),
    params(("id" = String, Path, description = "The credential's id.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 403, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 422, body = schema::CallError)))]
pub(super) async fn remove<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let account = admitted.caller.confirmed(service.now())?.session.account;
    let missing = || fault::stored(AccountError::Missing("the way to sign in"));
    let id: CredentialId = id.parse().map_err(|_| missing())?;
    let event = service.event("credential-removed", &json!({ "credential": id }));
    service.store.remove_credential(account, id, &event).await.map_err(fault::stored)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A name that can be shown anywhere.
pub(super) fn named(name: NewName, method: SignIn) -> Result<String, CallError> {
    let name = name.unwrap_or_else(|| method.as_str().to_owned());
    let is_plain = !name.trim().is_empty() && !name.chars().any(char::is_control);
    if is_plain && name.chars().count() <= CREDENTIAL_NAME_CHARS_MAX {
        Ok(name)
    } else {
        Err(fault::malformed("A name has 1 to 64 characters that can be printed."))
    }
}
