//! Vaults and what came into them; commits are taken in `committer`.

use symbolon_account::{
    AccountError, AccountId, COMMIT_REVISIONS_MAX, Changes, Event, ItemId, KeyChange, Revision,
    RevisionInfo, Vault,
};
use symbolon_custody::VaultId;

use super::audit::note;
use super::db::Db;
use super::engine::Engine;
use super::rows_of_vaults::{ItemRow, RevisionRow, VaultRow, VaultState, joined, parted};
use super::value::{bytes, int};

const NO_VAULT: AccountError = AccountError::Missing("the vault");
const NO_ITEM: AccountError = AccountError::Missing("the item");

pub(super) async fn vault_of(engine: &Engine, account: AccountId) -> Result<Vault, AccountError> {
    let mut db = engine.snapshot().await?;
    let args = vec![bytes(account.as_bytes())];
    let row = db.one::<VaultRow>("WHERE account = $1", args).await?.ok_or(NO_VAULT)?;
    let state = state(&mut db, row.id).await?;
    db.commit().await?;
    Ok(joined(row, state))
}

async fn state(db: &mut Db, vault: VaultId) -> Result<VaultState, AccountError> {
    let args = vec![bytes(vault.as_bytes())];
    db.one::<VaultState>("WHERE vault = $1", args).await?.ok_or(NO_VAULT)
}

pub(super) async fn change_keys(
    engine: &Engine,
    vault: VaultId,
    change: &KeyChange,
    event: &Event,
) -> Result<u64, AccountError> {
    let (change, event) = (change.clone(), event.clone());
    engine
        .write(move |db| {
            Box::pin(async move {
                let id = || vec![bytes(vault.as_bytes())];
                let found = db.one::<VaultRow>("WHERE id = $1", id()).await?;
                note(db, found.ok_or(NO_VAULT)?.account, &event).await?;
                let row = db.one_locked::<VaultRow>("WHERE id = $1", id()).await?;
                let state = db.one_locked::<VaultState>("WHERE vault = $1", id()).await?;
                let vault = joined(row.ok_or(NO_VAULT)?, state.ok_or(NO_VAULT)?);
                let (row, state) = parted(&change.apply(&vault)?);
                db.update(&row).await?;
                db.update(&state).await?;
                Ok(row.keys_version)
            })
        })
        .await
}

pub(super) async fn changes(
    engine: &Engine,
    vault: VaultId,
    after: u64,
    limit: usize,
) -> Result<Changes, AccountError> {
    let limit = limit.clamp(1, CHANGES_MAX);
    let mut db = engine.snapshot().await?;
    let counter = state(&mut db, vault).await?.head.counter;
    if after >= counter {
        return Ok(Changes { next: counter, ..Changes::default() });
    }
    // Enough to see the whole of the last commit that begins within the limit.
    let rows = (limit + COMMIT_REVISIONS_MAX + 1) as u64;
    let tail = "WHERE vault = $1 AND counter > $2 ORDER BY counter, item LIMIT $3";
    let args = vec![bytes(vault.as_bytes()), int(after)?, int(rows)?];
    let items = db.find::<ItemRow>(tail, args).await?;
    let (taken, more) = page(&items, limit);
    let next = if more { taken.last().map_or(after, |i| i.counter) } else { counter };
    let tail = "WHERE (vault, item, revision) IN (SELECT vault, item, revision FROM item \
                WHERE vault = $1 AND counter > $2 AND counter <= $3) ORDER BY counter, item";
    let args = vec![bytes(vault.as_bytes()), int(after)?, int(next)?];
    let found = db.find_sealed::<RevisionRow>(tail, args).await?;
    db.commit().await?;
    if found.len() != taken.len() {
        return Err(AccountError::Damaged("an item has no current revision".into()));
    }
    let revisions = found.into_iter().map(|(row, sealed)| whole(row, sealed)).collect();
    Ok(Changes { revisions, next, more })
}

/// Whole commits, one at least, up to the limit and [`CHANGES_BYTES_MAX`]; whether there are more.
fn page(items: &[ItemRow], limit: usize) -> (&[ItemRow], bool) {
    let (mut end, mut bytes) = (0, 0);
    for commit in items.chunk_by(|a, b| a.counter == b.counter) {
        bytes += commit.iter().map(|i| i.size_bytes).sum::<u64>();
        if end > 0 && (end + commit.len() > limit || bytes > CHANGES_BYTES_MAX) {
            return (&items[..end], true);
        }
        end += commit.len();
    }
    (items, false)
}

/// Revisions of the largest page, if its first commit has no more.
const CHANGES_MAX: usize = 1000;

/// Bytes of the largest page, if its first commit has no more.
const CHANGES_BYTES_MAX: u64 = 8 << 20;

fn whole(row: RevisionRow, sealed: Vec<u8>) -> Revision {
    Revision { info: row.info, counter: row.counter, sealed }
}

pub(super) async fn history(
    engine: &Engine,
    vault: VaultId,
    item: ItemId,
) -> Result<Vec<RevisionInfo>, AccountError> {
    let tail = "WHERE vault = $1 AND item = $2 ORDER BY revision DESC";
    let args = vec![bytes(vault.as_bytes()), bytes(item.as_bytes())];
    let rows = engine.reader().await?.find::<RevisionRow>(tail, args).await?;
    if rows.is_empty() { Err(NO_ITEM) } else { Ok(rows.into_iter().map(|r| r.info).collect()) }
}

pub(super) async fn revision(
    engine: &Engine,
    vault: VaultId,
    item: ItemId,
    number: Option<u64>,
) -> Result<Revision, AccountError> {
    let key = || vec![bytes(vault.as_bytes()), bytes(item.as_bytes())];
    let mut db = engine.snapshot().await?;
    let number = match number {
        Some(number) => number,
        None => {
            let found = db.one::<ItemRow>("WHERE vault = $1 AND item = $2", key()).await?;
            found.ok_or(NO_ITEM)?.revision
        }
    };
    let mut args = key();
    args.push(int(number)?);
    let tail = "WHERE vault = $1 AND item = $2 AND revision = $3";
    let found = db.find_sealed::<RevisionRow>(tail, args).await?.pop();
    db.commit().await?;
    let (row, sealed) = found.ok_or(AccountError::Missing("the revision"))?;
    Ok(whole(row, sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(counter: u64, size_bytes: u64) -> ItemRow {
        ItemRow { vault: [1; 16].into(), item: [2; 16].into(), revision: 1, counter, size_bytes }
    }

    #[test]
    fn a_page_ends_between_commits() {
        let all = [item(1, 1), item(1, 1), item(2, 1), item(2, 1), item(3, 1)];
        assert_eq!((page(&all, 1).0.len(), page(&all, 1).1), (2, true), "one commit at least");
        assert_eq!((page(&all, 3).0.len(), page(&all, 3).1), (2, true), "no part of one");
        assert_eq!((page(&all, 4).0.len(), page(&all, 4).1), (4, true));
        assert_eq!((page(&all, 5).0.len(), page(&all, 5).1), (5, false));
        let large = [item(1, CHANGES_BYTES_MAX), item(2, 1)];
        assert_eq!((page(&large, 9).0.len(), page(&large, 9).1), (1, true), "bytes count too");
    }
}
