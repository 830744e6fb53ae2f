//! Accounts and their ways to sign in.

use symbolon_account::{
    Account, AccountError, AccountId, AccountState, CREDENTIALS_MAX, Credential, CredentialId,
    Event, Handle, Session, SignIn, SignUp,
};

use super::audit::note;
use super::db::Db;
use super::engine::Engine;
use super::records::Retired;
use super::rows_of_vaults::parted;
use super::sessions;
use super::value::{bytes, text};

pub(super) async fn sign_up(engine: &Engine, new: &SignUp) -> Result<(), AccountError> {
    new.check()?;
    let new = new.clone();
    engine
        .write(move |db| {
            Box::pin(async move {
                db.insert(&new.account, "the handle").await?;
                if let Some(handle) = &new.account.handle {
                    // After the row is there, so that an account that is just being deleted was waited for.
                    unused(db, handle).await?;
                }
                db.insert(&new.credential, "this way to sign in").await?;
                let (row, state) = parted(&new.vault);
                db.insert(&row, "the vault").await?;
                db.insert(&state, "the vault").await?;
                db.insert::<Session>(&new.session, "the session").await?;
                note(db, new.account.id, &new.event).await.map(drop)
            })
        })
        .await
}

/// A handle that no deleted account had.
async fn unused(db: &mut Db, handle: &Handle) -> Result<(), AccountError> {
    let hash = db.key.handle_hash(handle);
    let found = db.one::<Retired>("WHERE handle = $1", vec![bytes(hash.as_bytes())]).await?;
    if found.is_some() { Err(AccountError::Exists("the handle")) } else { Ok(()) }
}

pub(super) async fn account(engine: &Engine, id: AccountId) -> Result<Account, AccountError> {
    let mut db = engine.reader().await?;
    let found = db.one("WHERE id = $1", vec![bytes(id.as_bytes())]).await?;
    found.ok_or(AccountError::Missing("the account"))
}

pub(super) async fn account_of(
    engine: &Engine,
    handle: &Handle,
) -> Result<Option<Account>, AccountError> {
    engine.reader().await?.one("WHERE handle = $1", vec![text(handle.as_str())]).await
}

pub(super) async fn set_state(
    engine: &Engine,
    id: AccountId,
    state: AccountState,
    event: &Event,
) -> Result<(), AccountError> {
    let event = event.clone();
    engine
        .write(move |db| {
            Box::pin(async move {
                let account = note(db, id, &event).await?;
                db.update(&Account { state, ..account }).await?;
                if state == AccountState::Suspended {
                    sessions::end_all(db, id, None, event.at_unix_ms).await?;
                }
                Ok(())
            })
        })
        .await
}

const OF_ACCOUNT: &str = "WHERE account = $1 ORDER BY created_unix_ms, id";

pub(super) async fn credentials(
    engine: &Engine,
    account: AccountId,
) -> Result<Vec<Credential>, AccountError> {
    engine.reader().await?.find(OF_ACCOUNT, vec![bytes(account.as_bytes())]).await
}

pub(super) async fn credential_of(
    engine: &Engine,
    method: SignIn,
    subject: &[u8],
) -> Result<Option<Credential>, AccountError> {
    let args = vec![text(method.as_str()), bytes(subject)];
    engine.reader().await?.one("WHERE method = $1 AND subject = $2", args).await
}

pub(super) async fn add_credential(
    engine: &Engine,
    credential: &Credential,
    event: &Event,
) -> Result<(), AccountError> {
    credential.check()?;
    let (credential, event) = (credential.clone(), event.clone());
    engine
        .write(move |db| {
            Box::pin(async move {
                note(db, credential.account, &event).await?;
                let args = vec![bytes(credential.account.as_bytes())];
                let found = db.find::<Credential>(OF_ACCOUNT, args).await?.len() + 1;
                if found > CREDENTIALS_MAX {
                    let (what, max) = ("ways to sign in", CREDENTIALS_MAX);
                    return Err(AccountError::TooLong { what, found, max });
                }
                db.insert(&credential, "this way to sign in").await
            })
        })
        .await
}

pub(super) async fn use_credential(
    engine: &Engine,
    id: CredentialId,
    before: &[u8],
    after: &[u8],
    now_unix_ms: u64,
) -> Result<(), AccountError> {
    let (before, after) = (before.to_owned(), after.to_owned());
    engine
        .write(move |db| {
            Box::pin(async move {
                let args = vec![bytes(id.as_bytes())];
                let found = db.one_locked::<Credential>("WHERE id = $1", args).await?;
                let was = found.ok_or(AccountError::Missing("this way to sign in"))?;
                if was.state != before {
                    return Err(AccountError::Conflict("this way to sign in"));
                }
                let now = Credential { state: after, last_used_unix_ms: Some(now_unix_ms), ..was };
                now.check()?;
                db.update(&now).await
            })
        })
        .await
}

pub(super) async fn remove_credential(
    engine: &Engine,
    account: AccountId,
    id: CredentialId,
    event: &Event,
) -> Result<(), AccountError> {
    let event = event.clone();
    engine
        .write(move |db| {
            Box::pin(async move {
                note(db, account, &event).await?;
                let args = vec![bytes(account.as_bytes())];
                let all = db.find_locked::<Credential>(OF_ACCOUNT, args).await?;
                if !all.iter().any(|c| c.id == id) {
                    return Err(AccountError::Missing("this way to sign in"));
                }
                if all.len() == 1 {
                    return Err(AccountError::Malformed("the last way to sign in stays"));
                }
                db.delete::<Credential>("WHERE id = $1", vec![bytes(id.as_bytes())]).await?;
                Ok(())
            })
        })
        .await
}
