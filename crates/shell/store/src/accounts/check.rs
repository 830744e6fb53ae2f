//! Every row of every table read, and what holds between them.

use std::collections::HashMap;

use symbolon_account::oauth::{Client, Grant, Token};
use symbolon_account::{
    Account, AccountError, AuditEvent, Challenge, Checked, Credential, Session,
};
use symbolon_authorship::Registration;
use symbolon_custody::VaultId;
use symbolon_possession::{ApiKey, Device, Service};
use symbolon_proof::{StoredSession, Unique};

use super::audit::{EVENTS_PAGE_MAX, chained};
use super::db::Db;
use super::engine::Engine;
use super::records::{Nonce, Retired, ServerSecret};
use super::rows_of_authorship::ShownName;
use super::rows_of_keys::{RevokedToken, SpentNonce};
use super::rows_of_proofs::RevokedIssuer;
use super::rows_of_vaults::{ChunkRow, ItemRow, RevisionRow, ShareRow, VaultRow, VaultState};
use super::value::{Record, Value};

/// Rows that are read at once: of tables with sealed bytes a few, as each has up to a MiB.
const PAGE: usize = 500;
const PAGE_SEALED: usize = 16;

pub(super) async fn check(engine: &Engine) -> Result<Checked, AccountError> {
    let mut db = engine.snapshot().await?;
    let mut sum = Sum::default();
    let mut accounts = Vec::new();
    sum.rows += all::<Account>(&mut db, |row| accounts.push(row)).await?;
    sum.rows += all::<Credential>(&mut db, drop).await?;
    sum.rows += all::<Challenge>(&mut db, drop).await?;
    sum.rows += all::<Nonce>(&mut db, drop).await?;
    sum.rows += all::<Session>(&mut db, drop).await?;
    sum.rows += all::<VaultRow>(&mut db, drop).await?;
    sum.rows += all::<VaultState>(&mut db, |row| sum.states.push(row)).await?;
    sum.rows += all::<ItemRow>(&mut db, drop).await?;
    let used = &mut sum.used;
    sum.rows += all::<RevisionRow>(&mut db, |row| {
        *used.entry(row.vault).or_default() += row.info.size_bytes;
    })
    .await?;
    sum.rows += all::<ChunkRow>(&mut db, |row| {
        *used.entry(row.vault).or_default() += row.info.size_bytes;
    })
    .await?;
    sum.rows += all::<ShareRow>(&mut db, drop).await?;
    sum.rows += all::<AuditEvent>(&mut db, drop).await?;
    sum.rows += all::<ServerSecret>(&mut db, drop).await?;
    sum.rows += all::<Retired>(&mut db, drop).await?;
    sum.rows += all::<Client>(&mut db, drop).await?;
    sum.rows += all::<Grant>(&mut db, drop).await?;
    sum.rows += all::<Token>(&mut db, drop).await?;
    sum.rows += all::<Service>(&mut db, drop).await?;
    sum.rows += all::<ApiKey>(&mut db, drop).await?;
    sum.rows += all::<Device>(&mut db, drop).await?;
    sum.rows += all::<SpentNonce>(&mut db, drop).await?;
    sum.rows += all::<RevokedToken>(&mut db, drop).await?;
    sum.rows += all::<StoredSession>(&mut db, drop).await?;
    sum.rows += all::<Unique>(&mut db, drop).await?;
    sum.rows += all::<RevokedIssuer>(&mut db, drop).await?;
    sum.rows += all::<Registration>(&mut db, drop).await?;
    sum.rows += all::<ShownName>(&mut db, drop).await?;
    sum.balance()?;
    for account in &accounts {
        let mut after = 0;
        while after < account.events {
            let page = chained(&mut db, account, after, EVENTS_PAGE_MAX).await?;
            after = page.last().map_or(account.events, |event| event.number);
        }
    }
    db.commit().await?;
    Ok(Checked { rows: sum.rows, accounts: accounts.len() as u64 })
}

#[derive(Default)]
struct Sum {
    rows: u64,
    states: Vec<VaultState>,
    used: HashMap<VaultId, u64>,
}

impl Sum {
    /// Each vault counts the bytes that are there.
    fn balance(&self) -> Result<(), AccountError> {
        for state in &self.states {
            let found = self.used.get(&state.vault).copied().unwrap_or(0);
            if found != state.used_bytes {
                let said = format!(
                    "vault {} counts {} bytes and {found} are there",
                    state.vault, state.used_bytes
                );
                return Err(AccountError::Damaged(said));
            }
        }
        Ok(())
    }
}

/// Reads a whole table in the order of its key; gives how many rows it has.
async fn all<R: Record>(db: &mut Db, mut each: impl FnMut(R)) -> Result<u64, AccountError> {
    let (mut rows, mut after) = (0, None::<Vec<Value>>);
    loop {
        let page = page::<R>(db, after.take()).await?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = Some(key(last)?);
        rows += page.len() as u64;
        page.into_iter().for_each(&mut each);
    }
}

async fn page<R: Record>(db: &mut Db, after: Option<Vec<Value>>) -> Result<Vec<R>, AccountError> {
    let key = R::TABLE.key.join(", ");
    let page = if R::TABLE.has_sealed { PAGE_SEALED } else { PAGE };
    let order = format!("ORDER BY {key} LIMIT {page}");
    let (tail, args) = match after {
        None => (order, Vec::new()),
        Some(args) => {
            let places: Vec<_> = (1..=args.len()).map(|n| format!("${n}")).collect();
            (format!("WHERE ({key}) > ({}) {order}", places.join(", ")), args)
        }
    };
    if R::TABLE.has_sealed {
        let rows = db.find_sealed::<R>(&tail, args).await?;
        Ok(rows.into_iter().map(|(row, _)| row).collect())
    } else {
        db.find::<R>(&tail, args).await
    }
}

/// The values of a row's key.
fn key<R: Record>(row: &R) -> Result<Vec<Value>, AccountError> {
    let values = row.values()?;
    let of = |name: &&str| R::TABLE.columns.iter().position(|(column, _)| column == name);
    Ok(R::TABLE.key.iter().filter_map(of).map(|i| values[i].clone()).collect())
}
