//! Shares: seen so often, until a time, or until they are taken back.

use symbolon_account::{
    AccountError, AccountId, Event, SHARES_MAX, Share, ShareId, ShareTo, Viewer,
};
use symbolon_crypto::sha256;

use super::audit::note;
use super::engine::Engine;
use super::fault::fault;
use super::rows_of_vaults::ShareRow;
use super::value::bytes;

const NO_SHARE: AccountError = AccountError::Missing("the share");

pub(super) async fn put(engine: &Engine, share: &Share, event: &Event) -> Result<(), AccountError> {
    share.check()?;
    let (share, event) = (share.clone(), event.clone());
    engine
        .write(move |db| {
            Box::pin(async move {
                note(db, share.from, &event).await?;
                let args = vec![bytes(share.from.as_bytes())];
                let found = db.find::<ShareRow>("WHERE sender = $1", args).await?.len() + 1;
                if found > SHARES_MAX {
                    return Err(AccountError::TooLong { what: "shares", found, max: SHARES_MAX });
                }
                let (row, sealed) = ShareRow::of(&share);
                db.insert_sealed(&row, sealed, "the share").await
            })
        })
        .await
}

pub(super) async fn view(
    engine: &Engine,
    id: ShareId,
    viewer: Viewer,
    now_unix_ms: u64,
) -> Result<Share, AccountError> {
    engine
        .write(move |db| {
            Box::pin(async move {
                let args = || vec![bytes(id.as_bytes())];
                let held = db.one_locked::<ShareRow>("WHERE id = $1", args()).await?;
                let mut row = held.ok_or(NO_SHARE)?;
                if !row.share.is_open_to(viewer, now_unix_ms) {
                    return Err(NO_SHARE);
                }
                let found = db.find_sealed::<ShareRow>("WHERE id = $1", args()).await?.pop();
                let (_, sealed) = found.ok_or(NO_SHARE)?;
                row.share.views = row.share.views.saturating_add(1);
                db.update(&row).await?;
                Ok(Share { sealed, ..row.share })
            })
        })
        .await
}

async fn list(engine: &Engine, tail: &str, whose: AccountId) -> Result<Vec<Share>, AccountError> {
    let tail = format!("{tail} ORDER BY created_unix_ms DESC, id");
    let args = vec![bytes(whose.as_bytes())];
    let rows = engine.reader().await?.find::<ShareRow>(&tail, args).await?;
    Ok(rows.into_iter().map(|row| row.share).collect())
}

pub(super) async fn from(engine: &Engine, account: AccountId) -> Result<Vec<Share>, AccountError> {
    list(engine, "WHERE sender = $1", account).await
}

pub(super) async fn to(
    engine: &Engine,
    account: AccountId,
    now_unix_ms: u64,
) -> Result<Vec<Share>, AccountError> {
    let all = list(engine, "WHERE recipient = $1", account).await?;
    let viewer = Viewer::Account(account);
    let open = |s: &Share| s.to == ShareTo::Account(account) && s.is_open_to(viewer, now_unix_ms);
    Ok(all.into_iter().filter(open).collect())
}

pub(super) async fn revoke(
    engine: &Engine,
    from: AccountId,
    id: ShareId,
    event: &Event,
) -> Result<(), AccountError> {
    let event = event.clone();
    engine
        .write(move |db| {
            Box::pin(async move {
                note(db, from, &event).await?;
                let args = vec![bytes(id.as_bytes())];
                let held = db.one_locked::<ShareRow>("WHERE id = $1", args).await?;
                let mut row = held.ok_or(NO_SHARE)?;
                if row.share.from != from || row.share.revoked_unix_ms.is_some() {
                    return Err(NO_SHARE);
                }
                row.share.revoked_unix_ms = Some(event.at_unix_ms);
                row.digest = sha256(&[]);
                db.update(&row).await?;
                let wipe = "UPDATE share SET sealed = $2 WHERE id = $1".to_owned();
                let args = vec![bytes(id.as_bytes()), bytes(&[])];
                db.run(wipe, args).await.map(drop).map_err(fault)
            })
        })
        .await
}
