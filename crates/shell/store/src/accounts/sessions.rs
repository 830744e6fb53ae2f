//! Challenges, nonces and sessions.

use symbolon_account::{
    AccountError, AccountId, Challenge, ChallengeId, CredentialId, Event, Purged, Purpose, Session,
    SessionId,
};
use symbolon_codec::Digest32;

use super::audit::note;
use super::db::Db;
use super::engine::Engine;
use super::records::Nonce;
use super::rows_of_vaults::ShareRow;
use super::value::{bytes, int};

pub(super) async fn put_challenge(
    engine: &Engine,
    challenge: &Challenge,
) -> Result<(), AccountError> {
    challenge.check()?;
    let challenge = challenge.clone();
    engine
        .write(move |db| Box::pin(async move { db.insert(&challenge, "the challenge").await }))
        .await
}

pub(super) async fn take_challenge(
    engine: &Engine,
    id: ChallengeId,
    purpose: Purpose,
    now_unix_ms: u64,
) -> Result<Challenge, AccountError> {
    // What is wrong with it is found after it was taken, so that it is gone all the same.
    let taken = engine
        .write(move |db| {
            Box::pin(async move {
                db.take::<Challenge>("WHERE id = $1", vec![bytes(id.as_bytes())]).await
            })
        })
        .await?;
    taken
        .into_iter()
        .find(|c| c.purpose == purpose && now_unix_ms < c.expires_unix_ms)
        .ok_or(AccountError::Missing("the challenge"))
}

pub(super) async fn take_nonce(
    engine: &Engine,
    credential: CredentialId,
    nonce: &[u8],
    expires_unix_ms: u64,
) -> Result<(), AccountError> {
    if nonce.len() > NONCE_BYTES_MAX {
        let (found, max) = (nonce.len(), NONCE_BYTES_MAX);
        return Err(AccountError::TooLong { what: "nonce", found, max });
    }
    let seen = Nonce { credential, nonce: nonce.to_owned(), expires_unix_ms };
    engine.write(move |db| Box::pin(async move { db.insert(&seen, "the nonce").await })).await
}

/// Bytes of the longest nonce that is kept.
const NONCE_BYTES_MAX: usize = 64;

pub(super) async fn put_session(
    engine: &Engine,
    session: &Session,
    event: &Event,
) -> Result<(), AccountError> {
    session.check()?;
    let (session, event) = (session.clone(), event.clone());
    engine
        .write(move |db| {
            Box::pin(async move {
                note(db, session.account, &event).await?;
                db.insert(&session, "the session").await
            })
        })
        .await
}

pub(super) async fn session_of(
    engine: &Engine,
    token_hash: &Digest32,
) -> Result<Option<Session>, AccountError> {
    engine.reader().await?.one("WHERE token_hash = $1", vec![bytes(token_hash.as_bytes())]).await
}

pub(super) async fn sessions(
    engine: &Engine,
    account: AccountId,
    now_unix_ms: u64,
) -> Result<Vec<Session>, AccountError> {
    let tail = "WHERE account = $1 ORDER BY created_unix_ms DESC, id";
    let args = vec![bytes(account.as_bytes())];
    let all: Vec<Session> = engine.reader().await?.find(tail, args).await?;
    Ok(all.into_iter().filter(|s| s.is_live(now_unix_ms)).collect())
}

async fn held(db: &mut Db, id: SessionId, now_unix_ms: u64) -> Result<Session, AccountError> {
    let found = db.one_locked::<Session>("WHERE id = $1", vec![bytes(id.as_bytes())]).await?;
    found.filter(|s| s.is_live(now_unix_ms)).ok_or(AccountError::Missing("the session"))
}

pub(super) async fn touch(
    engine: &Engine,
    id: SessionId,
    seen_unix_ms: u64,
    expires_unix_ms: u64,
) -> Result<(), AccountError> {
    engine
        .write(move |db| {
            Box::pin(async move {
                let session = held(db, id, seen_unix_ms).await?;
                db.update(&Session { seen_unix_ms, expires_unix_ms, ..session }).await
            })
        })
        .await
}

pub(super) async fn confirm(
    engine: &Engine,
    id: SessionId,
    until_unix_ms: u64,
    event: &Event,
) -> Result<(), AccountError> {
    let event = event.clone();
    engine
        .write(move |db| {
            Box::pin(async move {
                let args = vec![bytes(id.as_bytes())];
                let found = db.one::<Session>("WHERE id = $1", args).await?;
                let account = found.ok_or(AccountError::Missing("the session"))?.account;
                // The account first, as everywhere, so that no two wait for each other.
                note(db, account, &event).await?;
                let session = held(db, id, event.at_unix_ms).await?;
                let confirmed_until_unix_ms = Some(until_unix_ms);
                db.update(&Session { confirmed_until_unix_ms, ..session }).await
            })
        })
        .await
}

pub(super) async fn revoke(
    engine: &Engine,
    account: AccountId,
    id: SessionId,
    event: &Event,
) -> Result<(), AccountError> {
    let event = event.clone();
    engine
        .write(move |db| {
            Box::pin(async move {
                note(db, account, &event).await?;
                let session = held(db, id, event.at_unix_ms).await?;
                if session.account != account {
                    return Err(AccountError::Missing("the session"));
                }
                db.update(&Session { revoked_unix_ms: Some(event.at_unix_ms), ..session }).await
            })
        })
        .await
}

pub(super) async fn revoke_all(
    engine: &Engine,
    account: AccountId,
    keep: Option<SessionId>,
    event: &Event,
) -> Result<u64, AccountError> {
    let event = event.clone();
    engine
        .write(move |db| {
            Box::pin(async move {
                note(db, account, &event).await?;
                end_all(db, account, keep, event.at_unix_ms).await
            })
        })
        .await
}

/// Ends an account's live sessions but one; gives how many.
pub(super) async fn end_all(
    db: &mut Db,
    account: AccountId,
    keep: Option<SessionId>,
    now_unix_ms: u64,
) -> Result<u64, AccountError> {
    let args = vec![bytes(account.as_bytes())];
    let all = db.find_locked::<Session>("WHERE account = $1 ORDER BY id", args).await?;
    let live = |s: &Session| s.is_live(now_unix_ms) && Some(s.id) != keep;
    let mut ended = 0;
    for session in all.into_iter().filter(live) {
        db.update(&Session { revoked_unix_ms: Some(now_unix_ms), ..session }).await?;
        ended += 1;
    }
    Ok(ended)
}

pub(super) async fn purge(engine: &Engine, now_unix_ms: u64) -> Result<Purged, AccountError> {
    engine
        .write(move |db| {
            Box::pin(async move {
                const EXPIRED: &str = "WHERE expires_unix_ms <= $1";
                const OVER: &str = "WHERE expires_unix_ms <= $1 OR revoked_unix_ms IS NOT NULL";
                let now = || Ok::<_, AccountError>(vec![int(now_unix_ms)?]);
                Ok(Purged {
                    challenges: db.delete::<Challenge>(EXPIRED, now()?).await?,
                    nonces: db.delete::<Nonce>(EXPIRED, now()?).await?,
                    sessions: db.delete::<Session>(OVER, now()?).await?,
                    shares: db.delete::<ShareRow>(OVER, now()?).await?,
                })
            })
        })
        .await
}
