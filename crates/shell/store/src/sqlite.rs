//! State in SQLite: one file, WAL, every change durable when it returns.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;

use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection as _, Row, Transaction, query, query_scalar};
use symbolon_capability::{
    Agent, AgentName, Ask, AskVia, Budget, Connection, ConnectionName, Grant, GrantId, Hours,
    Limit, OwnerToken, Scheme, SealedConnection, Store, StoreError,
};
use symbolon_codec::Digest32;
use symbolon_custody::Wrap;

pub use executions::{ExecutionHead, ExecutionRow};

/// The state of one home.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, which must exist (see [`crate::Home`] for its mode), and brings its tables
    /// up to date.
    ///
    /// # Errors
    /// [`StoreError`]; a file that is not a database, or of a later version, is `Damaged`.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("secure_delete", "on")
            .busy_timeout(std::time::Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .connect_with(options)
            .await
            .map_err(database)?;
        sqlx::migrate!().run(&pool).await.map_err(|e| StoreError::Damaged(e.to_string()))?;
        Ok(Self { pool })
    }

    /// Makes the file, 0600, and its tables.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create(file: &Path) -> Result<Self, StoreError> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        made.map_err(|e| StoreError::Database(e.into()))?;
        Self::open(file).await
    }

    /// Folds the write-ahead log into the file and closes it.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A copy of a database as of one moment, in a new file, 0600, while others read and write it.
pub(crate) async fn copy_database(from: &Path, to: &Path) -> Result<(), StoreError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    made.map_err(|e| StoreError::Database(e.into()))?;
    let options = SqliteConnectOptions::new().filename(from).create_if_missing(false);
    let mut source = options.connect().await.map_err(database)?;
    let into = query("VACUUM INTO ?").bind(to.to_string_lossy().into_owned());
    into.execute(&mut source).await.map_err(database)?;
    source.close().await.map_err(database)
}

/// Reads every page of a database, and every index against its table.
pub(crate) async fn check_database(file: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
    let mut source = options.connect().await.map_err(database)?;
    let said: String =
        query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut source).await.map_err(database)?;
    source.close().await.map_err(database)?;
    if said == "ok" { Ok(()) } else { Err(StoreError::Damaged(said)) }
}

impl Store for SqliteStore {
    async fn wraps(&self) -> Result<Vec<Wrap>, StoreError> {
        let rows = query("SELECT body FROM wrap ORDER BY rowid")
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
        rows.iter().map(|r| json(&text(r, "body")?, "wrap")).collect()
    }

    async fn change_wraps(&self, add: &[Wrap], remove: &[String]) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        for wrap in add {
            let body = serde_json::to_string(wrap).map_err(|e| StoreError::Database(e.into()))?;
            query("INSERT INTO wrap (id, body) VALUES (?, ?)")
                .bind(wrap.id().to_string())
                .bind(body)
                .execute(&mut *tx)
                .await
                .map_err(|e| named(e, "this way to unlock"))?;
        }
        for id in remove {
            let done = query("DELETE FROM wrap WHERE id = ?")
                .bind(id)
                .execute(&mut *tx)
                .await
                .map_err(database)?;
            some(done.rows_affected(), id)?;
        }
        tx.commit().await.map_err(database)
    }

    async fn operator_seed(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let row = query("SELECT seed FROM operator")
            .fetch_optional(&self.pool)
            .await
            .map_err(database)?;
        row.map(|r| r.try_get("seed").map_err(database)).transpose()
    }

    async fn put_operator_seed(&self, envelope: &[u8]) -> Result<(), StoreError> {
        query("INSERT INTO operator (one, seed) VALUES (1, ?)")
            .bind(envelope)
            .execute(&self.pool)
            .await
            .map_err(|e| named(e, "the operator key"))?;
        Ok(())
    }

    async fn connections(&self) -> Result<Vec<(Connection, Vec<u8>)>, StoreError> {
        let rows = query("SELECT * FROM connection ORDER BY name")
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
        rows.iter().map(connection).collect()
    }

    async fn put_connection(
        &self,
        c: &Connection,
        envelope: &[u8],
        replace: bool,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        insert_connection(&mut tx, c, envelope, replace).await?;
        tx.commit().await.map_err(database)
    }

    async fn put_connections(&self, all: &[SealedConnection]) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        for one in all {
            insert_connection(&mut tx, &one.connection, &one.envelope, one.replace).await?;
        }
        tx.commit().await.map_err(database)
    }

    async fn delete_connection(&self, name: &ConnectionName) -> Result<(), StoreError> {
        let done = query("DELETE FROM connection WHERE name = ?")
            .bind(name.as_str())
            .execute(&self.pool)
            .await
            .map_err(database)?;
        some(done.rows_affected(), name.as_str())
    }

    async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        let rows = query("SELECT * FROM agent_grant ORDER BY id")
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
        rows.iter().map(grant).collect()
    }

    async fn add_grant(&self, g: &Grant) -> Result<GrantId, StoreError> {
        let done = query(
            "INSERT INTO agent_grant (agent, connection, scopes, limits, budgets, cooldown_seconds, hours, \
             created_unix_ms, expires_unix_ms, revoked, ask, ask_via, parent, delegable, by_agent) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(g.agent.as_str())
        .bind(g.connection.as_str())
        .bind(list(&g.scopes))
        .bind(texts(&g.limits))
        .bind(texts(&g.budgets))
        .bind(g.cooldown_seconds.map(signed))
        .bind(texts(&g.hours))
        .bind(signed(g.created_unix_ms))
        .bind(signed(g.expires_unix_ms))
        .bind(g.revoked)
        .bind(list(&g.ask.texts()))
        .bind(g.ask.via().as_str())
        .bind(g.parent.map(signed))
        .bind(g.delegable)
        .bind(g.by_agent)
        .execute(&self.pool)
        .await
        .map_err(database)?;
        Ok(done.last_insert_rowid().cast_unsigned())
    }

    async fn revoke_grant(&self, id: GrantId) -> Result<(), StoreError> {
        // A child's number is the higher one, so a changed row makes no circle.
        let done = query(
            "WITH RECURSIVE tree (id) AS (SELECT id FROM agent_grant WHERE id = ? UNION \
             SELECT g.id FROM agent_grant g JOIN tree ON g.parent = tree.id AND g.id > tree.id) \
             UPDATE agent_grant SET revoked = 1 WHERE id IN (SELECT id FROM tree)",
        )
        .bind(signed(id))
        .execute(&self.pool)
        .await
        .map_err(database)?;
        some(done.rows_affected(), &format!("grant {id}"))
    }

    async fn owner_tokens(&self) -> Result<Vec<OwnerToken>, StoreError> {
        let rows = query("SELECT * FROM owner_token ORDER BY id")
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
        let one = |r: &SqliteRow| {
            Ok(OwnerToken {
                id: number(r, "id")?,
                key_hash: parsed(Digest32::from_hex(&text(r, "key_hash")?), "owner token")?,
                created_unix_ms: number(r, "created_unix_ms")?,
            })
        };
        rows.iter().map(one).collect()
    }

    async fn add_owner_token(&self, token: &OwnerToken) -> Result<u64, StoreError> {
        let done = query("INSERT INTO owner_token (key_hash, created_unix_ms) VALUES (?, ?)")
            .bind(token.key_hash.to_string())
            .bind(signed(token.created_unix_ms))
            .execute(&self.pool)
            .await
            .map_err(|e| named(e, "this token"))?;
        Ok(done.last_insert_rowid().cast_unsigned())
    }

    async fn delete_owner_token(&self, id: u64) -> Result<(), StoreError> {
        let done = query("DELETE FROM owner_token WHERE id = ?")
            .bind(signed(id))
            .execute(&self.pool)
            .await
            .map_err(database)?;
        some(done.rows_affected(), &format!("owner token {id}"))
    }

    async fn owner_account(&self) -> Result<Option<[u8; 16]>, StoreError> {
        let row = query("SELECT account FROM owner_account")
            .fetch_optional(&self.pool)
            .await
            .map_err(database)?;
        let Some(row) = row else { return Ok(None) };
        let bytes: Vec<u8> = row.try_get("account").map_err(database)?;
        parsed(<[u8; 16]>::try_from(&bytes[..]), "owner's account").map(Some)
    }

    async fn put_owner_account(
        &self,
        account: &[u8; 16],
        joined_unix_ms: u64,
    ) -> Result<(), StoreError> {
        let done = query(
            "INSERT INTO owner_account (one, account, joined_unix_ms) VALUES (1, ?, ?) \
             ON CONFLICT (one) DO UPDATE SET account = excluded.account \
             WHERE owner_account.account = excluded.account",
        )
        .bind(account.as_slice())
        .bind(signed(joined_unix_ms))
        .execute(&self.pool)
        .await
        .map_err(database)?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Exists("an account of the owner's".to_owned()));
        }
        Ok(())
    }

    async fn delete_owner_account(&self) -> Result<(), StoreError> {
        query("DELETE FROM owner_account").execute(&self.pool).await.map_err(database)?;
        Ok(())
    }

    async fn agents(&self) -> Result<Vec<Agent>, StoreError> {
        let rows = query("SELECT * FROM agent ORDER BY name")
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
        rows.iter()
            .map(|r| {
                let made_by: Option<String> = r.try_get("made_by").map_err(database)?;
                Ok(Agent {
                    name: parsed(AgentName::parse(&text(r, "name")?), "agent name")?,
                    key_hash: parsed(Digest32::from_hex(&text(r, "key_hash")?), "agent key")?,
                    created_unix_ms: number(r, "created_unix_ms")?,
                    made_by: made_by
                        .map(|name| parsed(AgentName::parse(&name), "agent name"))
                        .transpose()?,
                })
            })
            .collect()
    }

    async fn put_agent(&self, agent: &Agent) -> Result<(), StoreError> {
        query(
            "INSERT OR REPLACE INTO agent (name, key_hash, created_unix_ms, made_by) \
             VALUES (?, ?, ?, ?)",
        )
        .bind(agent.name.as_str())
        .bind(agent.key_hash.to_string())
        .bind(signed(agent.created_unix_ms))
        .bind(agent.made_by.as_ref().map(AgentName::as_str))
        .execute(&self.pool)
        .await
        .map_err(database)?;
        Ok(())
    }

    async fn delete_agent(&self, name: &AgentName) -> Result<(), StoreError> {
        let done = query("DELETE FROM agent WHERE name = ?")
            .bind(name.as_str())
            .execute(&self.pool)
            .await
            .map_err(database)?;
        some(done.rows_affected(), name.as_str())
    }
}

/// In the place of the one of its name where `replace` says so; what hung on that goes with it.
async fn insert_connection(
    tx: &mut Transaction<'_, Sqlite>,
    c: &Connection,
    envelope: &[u8],
    replace: bool,
) -> Result<(), StoreError> {
    if replace {
        query("DELETE FROM connection WHERE name = ?")
            .bind(c.name.as_str())
            .execute(&mut **tx)
            .await
            .map_err(database)?;
    }
    query(
        "INSERT INTO connection (name, service, base_url, auth, ca_pem, allow_loopback, allow_private, scopes, \
         fingerprint, created_unix_ms, credential) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(c.name.as_str())
    .bind(&c.service)
    .bind(&c.base_url)
    .bind(c.auth.to_string())
    .bind(&c.ca_pem)
    .bind(c.allow_loopback)
    .bind(c.allow_private)
    .bind(list(&c.scopes))
    .bind(c.fingerprint.to_string())
    .bind(signed(c.created_unix_ms))
    .bind(envelope)
    .execute(&mut **tx)
    .await
    .map_err(|e| named(e, c.name.as_str()))?;
    Ok(())
}

fn connection(r: &SqliteRow) -> Result<(Connection, Vec<u8>), StoreError> {
    let c = Connection {
        name: parsed(ConnectionName::parse(&text(r, "name")?), "connection name")?,
        service: text(r, "service")?,
        base_url: text(r, "base_url")?,
        auth: parsed(Scheme::from_str(&text(r, "auth")?), "auth scheme")?,
        ca_pem: r.try_get("ca_pem").map_err(database)?,
        allow_loopback: r.try_get("allow_loopback").map_err(database)?,
        allow_private: r.try_get("allow_private").map_err(database)?,
        scopes: json(&text(r, "scopes")?, "scopes")?,
        fingerprint: parsed(Digest32::from_hex(&text(r, "fingerprint")?), "fingerprint")?,
        created_unix_ms: number(r, "created_unix_ms")?,
    };
    Ok((c, r.try_get("credential").map_err(database)?))
}

fn grant(r: &SqliteRow) -> Result<Grant, StoreError> {
    let cooldown: Option<i64> = r.try_get("cooldown_seconds").map_err(database)?;
    let parent: Option<i64> = r.try_get("parent").map_err(database)?;
    Ok(Grant {
        id: number(r, "id")?,
        agent: parsed(AgentName::parse(&text(r, "agent")?), "agent name")?,
        connection: parsed(ConnectionName::parse(&text(r, "connection")?), "connection name")?,
        scopes: json(&text(r, "scopes")?, "scopes")?,
        ask: ask(r)?,
        limits: each(r, "limits", Limit::parse)?,
        budgets: each(r, "budgets", Budget::parse)?,
        cooldown_seconds: cooldown
            .map(|n| parsed(u64::try_from(n), "cooldown_seconds"))
            .transpose()?,
        hours: each(r, "hours", Hours::parse)?,
        created_unix_ms: number(r, "created_unix_ms")?,
        expires_unix_ms: number(r, "expires_unix_ms")?,
        revoked: r.try_get("revoked").map_err(database)?,
        parent: parent.map(|n| parsed(u64::try_from(n), "parent")).transpose()?,
        delegable: r.try_get("delegable").map_err(database)?,
        by_agent: r.try_get("by_agent").map_err(database)?,
    })
}

fn ask(r: &SqliteRow) -> Result<Ask, StoreError> {
    let rules: Vec<String> = json(&text(r, "ask")?, "rules of asking")?;
    let via = parsed(AskVia::parse(&text(r, "ask_via")?), "who is asked")?;
    parsed(Ask::parse(&rules, via), "rules of asking")
}

fn text(row: &SqliteRow, column: &str) -> Result<String, StoreError> {
    row.try_get(column).map_err(database)
}

fn number(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let n: i64 = row.try_get(column).map_err(database)?;
    u64::try_from(n).map_err(|_| StoreError::Damaged(format!("{column} is negative")))
}

fn parsed<T, E: std::fmt::Display>(value: Result<T, E>, what: &str) -> Result<T, StoreError> {
    value.map_err(|e| StoreError::Damaged(format!("{what}: {e}")))
}

fn json<T: serde::de::DeserializeOwned>(body: &str, what: &str) -> Result<T, StoreError> {
    parsed(serde_json::from_str(body), what)
}

/// A JSON list of texts, each read by its type.
fn each<T, E: std::fmt::Display>(
    row: &SqliteRow,
    column: &str,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, StoreError> {
    let items: Vec<String> = json(&text(row, column)?, column)?;
    items.iter().map(|i| parsed(read(i), column)).collect()
}

fn texts(items: &[impl ToString]) -> String {
    list(&items.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// Lists of short texts always serialize.
fn list(items: &[String]) -> String {
    serde_json::Value::from(items).to_string()
}

/// SQLite's integers are signed; times and numbers here never reach the sign.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn some(rows: u64, name: &str) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::Missing(name.to_owned())) } else { Ok(()) }
}

fn named(error: sqlx::Error, name: &str) -> StoreError {
    match &error {
        sqlx::Error::Database(e) if e.is_unique_violation() => StoreError::Exists(name.to_owned()),
        _ => database(error),
    }
}

fn database(error: sqlx::Error) -> StoreError {
    match &error {
        // SQLITE_FULL; SQLITE_CORRUPT; SQLITE_NOTADB.
        sqlx::Error::Database(e) => match e.code().as_deref() {
            Some("13") => StoreError::Full,
            Some("11" | "26") => StoreError::Damaged(e.message().to_owned()),
            _ => StoreError::Database(error.into()),
        },
        _ => StoreError::Database(error.into()),
    }
}

mod containers;
mod executions;
mod flows;
mod issued;
mod minted;
mod mounts;
mod spending;

#[cfg(test)]
mod spending_tests;
#[cfg(test)]
mod tests;
