//! `POST /api/account`: an account, its first way to sign in, its vault and a session, all or nothing.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_account::{
    Account, AccountError, AccountStore, ChallengeId, Credential, CredentialId, Purpose, SignIn,
    SignUp, VAULT_BYTES_MAX, Vault, VaultKeys,
};
use symbolon_broker::CallError;
use symbolon_crypto::{RecipientKey, VerifyingKey};
use symbolon_vault::{
    VaultId,
    wire::{Head, SignedHead},
};
use utoipa::ToSchema;

use super::super::{api::Sent, failure::Failure, schema};
use super::{
    bytes::Exactly,
    credentials::{NewName, named},
    door::Admitted,
    fault,
    proof::Enrolled,
    service::Service,
    sessions::SessionView,
    vault::wraps,
};

/// The answer to a challenge, and the vault that the holder made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    /// The challenge, of purpose `sign-up`.
    #[schema(value_type = String)]
    challenge_id: ChallengeId,
    /// As its method has it (specs/sessions.md).
    #[schema(value_type = Object)]
    proof: Value,
    /// What the way to sign in is called.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: NewName,
    /// The vault, without items.
    vault: NewVault,
}

/// A vault without items.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewVault {
    /// 32 hex digits.
    #[schema(value_type = String)]
    id: VaultId,
    /// The Ed25519 key that signs its heads; base64url.
    #[schema(value_type = String)]
    head_key: Exactly<32>,
    /// The X25519 key that shares are sealed to; base64url.
    #[schema(value_type = String)]
    share_key: Exactly<32>,
    /// The wraps of its data key.
    #[schema(value_type = Vec<Object>)]
    wraps: Value,
    /// Its first head, signed; base64url.
    #[schema(value_type = String)]
    head: SignedHead,
}

/// Makes an account and signs it in.
#[utoipa::path(post, path = "/api/account", tag = "accounts", request_body = NewAccount,
    responses((status = 201, body = SessionView), (status = 401, body = schema::CallError),
        (status = 409, body = schema::CallError), (status = 422, body = schema::CallError),
        (status = 429, body = schema::CallError)))]
pub(super) async fn sign_up<S: AccountStore>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
    headers: HeaderMap,
    Sent(new): Sent<NewAccount>,
) -> Result<Response, Failure> {
    let NewAccount { challenge_id, proof, name, vault } = new;
    // What is wrong with the vault costs no challenge.
    let (keys, head) = checked(&vault)?;
    let asked = service.answered(challenge_id, Purpose::SignUp, &admitted.caller).await?;
    let enrolled = service.enrol(challenge_id, Purpose::SignUp, asked, proof).await?;
    if enrolled.method == SignIn::Password && enrolled.handle.is_none() {
        return Err(fault::challenge().into());
    }
    let now = service.now();
    let Enrolled { account: id, handle, method, subject, state } = enrolled;
    let (session, token) = service.make_session(id, method, &headers);
    let credential = Credential {
        id: CredentialId::make(&*service.rng),
        account: id,
        method,
        subject,
        state,
        name: named(name, method)?,
        created_unix_ms: now,
        last_used_unix_ms: Some(now),
    };
    let detail = json!({ "method": method.as_str(), "address": admitted.address });
    let new = SignUp {
        account: Account::new(id, handle, now),
        credential,
        vault: Vault {
            id: vault.id,
            account: id,
            keys,
            keys_version: 1,
            head,
            used_bytes: 0,
            quota_bytes: VAULT_BYTES_MAX,
        },
        session,
        event: service.event("signed-up", &detail),
    };
    new.check().map_err(fault::stored)?;
    service.store.sign_up(&new).await.map_err(|error| match error {
        // One word for all of them: which it was is told to nobody who is not signed in.
        AccountError::Exists(_) => fault::stored(AccountError::Exists(
            "an account with this handle, way to sign in or vault",
        )),
        error => fault::stored(error),
    })?;
    let view = SessionView::of(&new.session, &token);
    Ok((StatusCode::CREATED, view.with_cookie(&token)?).into_response())
}

/// The keys and the head of a vault that begins.
fn checked(new: &NewVault) -> Result<(VaultKeys, symbolon_account::SignedHead), CallError> {
    let bad = |what| fault::malformed(format!("The vault's {what} cannot be used."));
    let head_key = VerifyingKey::from_bytes(&new.head_key.0).map_err(|_| bad("head_key"))?;
    RecipientKey::from_bytes(&new.share_key.0).map_err(|_| bad("share_key"))?;
    let head = new.head.verify(&head_key).map_err(|_| bad("head"))?;
    if *head != Head::first(new.id, head.updated_unix_ms) {
        return Err(bad("head"));
    }
    let keys = VaultKeys {
        head_key: new.head_key.0,
        share_key: new.share_key.0,
        wraps: wraps(&new.wraps)?,
        ring: Vec::new(),
        epoch: head.epoch,
    };
    let head = symbolon_account::SignedHead { counter: head.counter, bytes: new.head.encode() };
    Ok((keys, head))
}
