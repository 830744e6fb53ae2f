//! The end of an account: every row of it, in one transaction.

use symbolon_account::oauth::{Grant, Token};
use symbolon_account::{
    Account, AccountError, AccountId, AuditEvent, Challenge, Credential, Session,
};
use symbolon_possession::{ApiKey, Device, Service};
use symbolon_proof::{StoredSession, Unique};

use super::db::Db;
use super::engine::{Base, Engine};
use super::fault::fault;
use super::records::{Nonce, Retired};
use super::rows_of_authorship::ShownName;
use super::rows_of_vaults::{ChunkRow, ItemRow, RevisionRow, ShareRow, VaultRow, VaultState};
use super::value::{Kind, Record, Table, bytes};

/// What goes, and by which rows it is found; what names a row goes before that row.
const OF_ACCOUNT: &[(&Table, &str)] = &[
    (ShownName::TABLE, "account = $1"),
    (StoredSession::TABLE, "operator = $1"),
    (Unique::TABLE, "operator = $1"),
    (Device::TABLE, IN_KEYS),
    (ApiKey::TABLE, IN_SERVICES),
    (Service::TABLE, "account = $1"),
    (Token::TABLE, "grant_id IN (SELECT id FROM oauth_grant WHERE account = $1)"),
    (Grant::TABLE, "account = $1"),
    (AuditEvent::TABLE, "account = $1"),
    (ShareRow::TABLE, "sender = $1 OR recipient = $1"),
    (ChunkRow::TABLE, IN_VAULT),
    (RevisionRow::TABLE, IN_VAULT),
    (ItemRow::TABLE, IN_VAULT),
    (VaultState::TABLE, IN_VAULT),
    (VaultRow::TABLE, "account = $1"),
    (Session::TABLE, "account = $1"),
    (Nonce::TABLE, "credential IN (SELECT id FROM credential WHERE account = $1)"),
    (Challenge::TABLE, "account = $1"),
    (Credential::TABLE, "account = $1"),
    (Account::TABLE, "id = $1"),
];

const IN_SERVICES: &str = "service IN (SELECT id FROM key_service WHERE account = $1)";
const IN_KEYS: &str = "api_key IN (SELECT id FROM api_key WHERE service IN \
                       (SELECT id FROM key_service WHERE account = $1))";
const IN_VAULT: &str = "vault IN (SELECT id FROM vault WHERE account = $1)";

/// What is of no account.
#[cfg(test)]
const OF_SERVER: &[&Table] = &[
    Retired::TABLE,
    super::records::ServerSecret::TABLE,
    symbolon_account::oauth::Client::TABLE,
    super::rows_of_keys::SpentNonce::TABLE,
    super::rows_of_keys::RevokedToken::TABLE,
    super::rows_of_proofs::RevokedIssuer::TABLE,
    // What the log has of it says nothing of an account.
    symbolon_authorship::Registration::TABLE,
];

pub(super) async fn delete_account(
    engine: &Engine,
    id: AccountId,
    at_unix_ms: u64,
) -> Result<(), AccountError> {
    engine
        .write(move |db| {
            Box::pin(async move {
                let args = || vec![bytes(id.as_bytes())];
                hold(db, id).await?;
                let found = db.one::<Account>("WHERE id = $1", args()).await?;
                let account = found.ok_or(AccountError::Missing("the account"))?;
                for (table, of) in OF_ACCOUNT {
                    let delete = format!("DELETE FROM {} WHERE {of}", table.name);
                    db.run(delete, args()).await.map_err(fault)?;
                }
                let Some(handle) = &account.handle else { return Ok(()) };
                let handle = db.key.handle_hash(handle);
                db.insert(&Retired { handle, at_unix_ms }, "the retired handle").await
            })
        })
        .await?;
    if let Base::Sqlite { .. } = engine.base {
        // What was deleted stands in the write-ahead log too. Where somebody reads just now, a later
        // checkpoint does it: the account is gone either way.
        let fold = "PRAGMA wal_checkpoint(TRUNCATE)".to_owned();
        let _ = engine.reader().await?.run(fold, Vec::new()).await;
    }
    Ok(())
}

/// Holds what others may hold: the account first, as everywhere, then rows of two accounts in the
/// order of their ids, then the vault's state, as commits do. So no two wait for each other, and
/// what was written before is there to be deleted.
async fn hold(db: &mut Db, id: AccountId) -> Result<(), AccountError> {
    if !db.conn.is_postgres() {
        return Ok(());
    }
    // A vault may hold gigabytes.
    let patience = "SET LOCAL statement_timeout = '300s'".to_owned();
    db.run(patience, Vec::new()).await.map_err(fault)?;
    for select in [
        "SELECT id FROM account WHERE id = $1 FOR UPDATE".to_owned(),
        "SELECT id FROM share WHERE sender = $1 OR recipient = $1 ORDER BY id FOR UPDATE"
            .to_owned(),
        format!("SELECT vault FROM vault_state WHERE {IN_VAULT} FOR UPDATE"),
    ] {
        db.rows(select, vec![bytes(id.as_bytes())], &[Kind::Bytes]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::records::TABLES;
    use super::*;

    #[test]
    fn every_table_is_of_an_account_or_of_the_server() {
        let of_accounts = OF_ACCOUNT.iter().map(|(table, _)| table.name);
        let of_server = OF_SERVER.iter().map(|table| table.name);
        let mut named: Vec<_> = of_accounts.chain(of_server).collect();
        let mut all: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        named.sort_unstable();
        all.sort_unstable();
        assert_eq!(named, all, "a new table says what becomes of it when its account is deleted");
    }
}
