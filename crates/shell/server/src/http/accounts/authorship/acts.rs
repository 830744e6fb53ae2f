//! What owners do: register, show, hand over.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon_account::{AccountError, AccountId};
use symbolon_authorship::{
    Act, Commit, Entry, Naming, Registration, Reveal, Standing, Transfer, holder_of,
};
use symbolon_broker::CallError;
use symbolon_codec::{Digest32, hex};
use symbolon_crypto::VerifyingKey;
use utoipa::ToSchema;

use super::super::super::{api::Sent, failure::Failure, schema};
use super::super::{door::Admitted, fault, oauth::Kept, service::Service};
use super::answer::{form, not_first, nothing, refused, unsigned};

type Shared<S> = State<Arc<Service<S>>>;

/// A commitment to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct NewCommit {
    /// An Ed25519 key of this registration alone, 64 hex digits.
    author: String,
    /// `SHA-256(F("symbolon/authorship-commitment/v1", author, digest))`, 64 hex digits.
    commitment: String,
    /// Of the commit, by the author's key, 128 hex digits.
    signature: String,
}

/// A digest to show.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct NewReveal {
    /// What was registered, 64 hex digits.
    commitment: String,
    /// What it was to, 64 hex digits.
    digest: String,
    /// Of the reveal, by the owner's key, 128 hex digits.
    signature: String,
    /// Whether whoever asks for the digest is told the account's handle.
    #[serde(default)]
    show_handle: bool,
}

/// A registration that comes to this account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct NewTransfer {
    /// What was registered, 64 hex digits.
    commitment: String,
    /// The next owner's key, of this account, 64 hex digits.
    next: String,
    /// Of the transfer, by the present owner's key, 128 hex digits.
    signature: String,
    /// Of its acceptance, by the next owner's key, 128 hex digits.
    acceptance: String,
    /// Whether whoever asks for the digest is told the account's handle.
    #[serde(default)]
    show_handle: bool,
}

/// Where a registration stands.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct Registered {
    /// What was registered, 64 hex digits.
    commitment: String,
    /// The index of its commit in the log: the lowest of one digest is first.
    index: u64,
    /// The index of its newest entry.
    newest: u64,
    /// When it was registered, in Unix milliseconds.
    registered_unix_ms: u64,
    /// Whether its digest was revealed.
    revealed: bool,
}

impl From<&Standing> for Registered {
    fn from(standing: &Standing) -> Self {
        Self {
            commitment: standing.commitment().to_string(),
            index: standing.index(),
            newest: standing.newest(),
            registered_unix_ms: standing.begun_unix_ms(),
            revealed: standing.digest().is_some(),
        }
    }
}

/// Registers a commitment: an entry of the log that says nothing of the text. 200 where it was registered before.
#[utoipa::path(post, path = "/api/authorship/commits", tag = "authorship", security(("session" = []), ("signature" = [])),
    request_body = NewCommit,
    responses((status = 201, body = Registered), (status = 200, body = Registered),
        (status = 401, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http::accounts) async fn commit<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(new): Sent<NewCommit>,
) -> Result<(StatusCode, Json<Registered>), Failure> {
    let account = service.acting(&admitted)?;
    let broker = service.authorship.broker()?;
    let (author, commitment) = (key(&new.author)?, digest(&new.commitment)?);
    let holder = holder_of(account.as_bytes(), &author);
    let log = broker.log_origin().to_owned();
    let act = Act::from(Commit { log, author, holder, commitment });
    let entry = Entry::new(service.now(), act, signature(&new.signature)?, None);
    let entry = entry.map_err(|error| unsigned(&error))?;
    let _turn = service.authorship.turn.lock().await;
    if let Some(found) = service.registration(&commitment).await? {
        let standing = service.authorship.standing(&found).await?;
        return Ok((StatusCode::OK, Json((&standing).into())));
    }
    let index = broker.log_act(&entry).await?;
    let standing = Standing::begin(index, &entry).map_err(|error| refused(&error))?;
    let kept = service.store.put_registration(&(&standing).into()).await;
    if let Err(AccountError::Exists(_)) = kept {
        // Another server of the database was faster.
        let found = service.registration(&commitment).await?.ok_or_else(nothing)?;
        let standing = service.authorship.standing(&found).await?;
        return Ok((StatusCode::OK, Json((&standing).into())));
    }
    kept.map_err(fault::stored)?;
    Ok((StatusCode::CREATED, Json((&standing).into())))
}

/// Shows the digest of a registration, so that who has text and salt finds it. 409 where the digest stands at a
/// lower index already.
#[utoipa::path(post, path = "/api/authorship/reveals", tag = "authorship", security(("session" = []), ("signature" = [])),
    request_body = NewReveal,
    responses((status = 200, body = Registered), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http::accounts) async fn reveal<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(new): Sent<NewReveal>,
) -> Result<Json<Registered>, Failure> {
    let account = service.acting(&admitted)?;
    let (commitment, digest) = (digest(&new.commitment)?, digest(&new.digest)?);
    let signature = signature(&new.signature)?;
    let _turn = service.authorship.turn.lock().await;
    let found = service.registration(&commitment).await?.ok_or_else(nothing)?;
    let standing = service.authorship.standing(&found).await?;
    // To others it is not there: nobody learns whose it is.
    if holder_of(account.as_bytes(), standing.owner()) != *standing.holder() {
        return Err(nothing().into());
    }
    let (log, owner) = (standing.log().to_owned(), *standing.owner());
    let act = Act::from(Reveal { log, registration: standing.index(), owner, digest });
    if standing.digest() == Some(&digest) {
        // The answer was lost, and it is asked again.
        Entry::new(service.now(), act, signature, None).map_err(|error| unsigned(&error))?;
        return Ok(Json((&standing).into()));
    }
    standing.allows(&act).map_err(|error| refused(&error))?;
    let first = service.store.first_of(standing.log(), &digest).await.map_err(fault::stored)?;
    if let Some(index) = first.and_then(|first| first.indices.first().copied())
        && index < standing.index()
    {
        return Err(not_first(index).into());
    }
    let naming = if new.show_handle { Naming::By(account) } else { Naming::Kept };
    Ok(Json(service.append(standing, act, (signature, None), naming).await?))
}

/// Takes a registration over: signed by its present owner, accepted by this account's key.
#[utoipa::path(post, path = "/api/authorship/transfers", tag = "authorship", security(("session" = []), ("signature" = [])),
    request_body = NewTransfer,
    responses((status = 200, body = Registered), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http::accounts) async fn transfer<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(new): Sent<NewTransfer>,
) -> Result<Json<Registered>, Failure> {
    let account = service.acting(&admitted)?;
    let (commitment, next) = (digest(&new.commitment)?, key(&new.next)?);
    let signatures = (signature(&new.signature)?, Some(signature(&new.acceptance)?));
    let _turn = service.authorship.turn.lock().await;
    let found = service.registration(&commitment).await?.ok_or_else(nothing)?;
    let standing = service.authorship.standing(&found).await?;
    if *standing.owner() == next {
        // The answer was lost, and it is asked again.
        return Ok(Json((&standing).into()));
    }
    let act = Act::from(Transfer {
        log: standing.log().to_owned(),
        registration: standing.index(),
        previous: standing.newest(),
        owner: *standing.owner(),
        next,
        holder: holder_of(account.as_bytes(), &next),
    });
    standing.allows(&act).map_err(|error| refused(&error))?;
    let naming = if new.show_handle { Naming::By(account) } else { Naming::Nobody };
    Ok(Json(service.append(standing, act, signatures, naming).await?))
}

impl<S: Kept> Service<S> {
    /// The account that acts, within its limits.
    fn acting(&self, admitted: &Admitted) -> Result<AccountId, CallError> {
        let account = admitted.caller.account()?;
        self.authorship.act(account, &*self.clock)?;
        Ok(account)
    }

    pub(super) async fn registration(
        &self,
        commitment: &Digest32,
    ) -> Result<Option<Registration>, CallError> {
        self.store.registration(commitment).await.map_err(fault::stored)
    }

    /// Writes an act that is allowed into the log, and then its row.
    async fn append(
        &self,
        standing: Standing,
        act: Act,
        (signature, acceptance): ([u8; 64], Option<[u8; 64]>),
        naming: Naming,
    ) -> Result<Registered, CallError> {
        // A clock that went back makes no entry that stands before the one it follows.
        let at = self.now().max(standing.newest_unix_ms());
        let entry = Entry::new(at, act, signature, acceptance).map_err(|e| unsigned(&e))?;
        let index = self.authorship.broker()?.log_act(&entry).await?;
        let next = standing.after(index, &entry).map_err(|error| refused(&error))?;
        let row = Registration::from(&next);
        self.store.change_registration(&row, naming).await.map_err(fault::stored)?;
        Ok((&next).into())
    }
}

pub(super) fn digest(text: &str) -> Result<Digest32, CallError> {
    Digest32::from_hex(text).map_err(|_| form("A digest and a commitment are 64 hex digits"))
}

fn key(text: &str) -> Result<VerifyingKey, CallError> {
    VerifyingKey::from_hex(text).map_err(|_| form("A key is an Ed25519 key, 64 hex digits"))
}

fn signature(text: &str) -> Result<[u8; 64], CallError> {
    let mut bytes = [0; 64];
    let read = hex::decode_to_slice(text, &mut bytes);
    read.map(|()| bytes).map_err(|_| form("A signature is 128 hex digits"))
}
