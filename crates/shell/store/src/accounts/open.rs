//! Opening either database, and bringing its tables up to date.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, PgPool, query_scalar};
use symbolon_account::{AccountError, AccountStore, ServerKey};

use super::Accounts;
use super::address::DatabaseAddress;
use super::committer::Committer;
use super::db::{Conn, Db};
use super::engine::{Base, Engine};
use super::fault::fault;
use super::lane::Lane;
use super::logins::Logins;

/// Connections that read in SQLite.
const READERS: u32 = 4;

/// Connections to PostgreSQL.
const CONNECTIONS: u32 = 16;

/// How long a caller waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

/// What PostgreSQL is told of each connection: a statement, a wait for a row and an idle
/// transaction end, and a commit is on disk when it returns, whatever the server's own settings.
const SETTINGS: [(&str, &str); 4] = [
    ("statement_timeout", "15s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("synchronous_commit", "on"),
];

impl Accounts {
    /// Opens the file, which is made, 0600, where there is none. Needs a running runtime, on which
    /// its writers live.
    ///
    /// # Errors
    /// [`AccountError`]; a file that is no database, is of a later version, or was made under
    /// another key is [`AccountError::Damaged`].
    pub async fn open_sqlite(file: &Path, key: ServerKey) -> Result<Self, AccountError> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        match made {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                return Err(AccountError::Database(e.into()));
            }
            _ => {}
        }
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("secure_delete", "on")
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(ACQUIRE);
        // A file does not hang up; asking each time whether it did is a way to another thread and back.
        let pool = pool.test_before_acquire(false);
        let readers = pool.connect_with(options.clone()).await.map_err(fault)?;
        let migrator = sqlx::migrate!("./migrations-accounts/sqlite");
        migrator.run(&readers).await.map_err(|e| AccountError::Damaged(e.to_string()))?;
        let writer = options.connect().await.map_err(fault)?;
        let key = Arc::new(key);
        let lane = Lane::new(Db { conn: Conn::SqliteWriter(writer), key: key.clone() });
        Self::over(Engine { base: Base::Sqlite { readers, lane }, key }).await
    }

    /// Opens the database, which exists, and makes its tables. Needs a running runtime.
    ///
    /// # Errors
    /// [`AccountError`]; [`AccountError::Unavailable`] where no connection is had, and
    /// [`AccountError::NotDurable`] where the server does not write to disk what it acknowledges.
    pub async fn open_postgres(
        address: &DatabaseAddress,
        key: ServerKey,
    ) -> Result<Self, AccountError> {
        let options = address.options().application_name("symbolon").options(SETTINGS);
        // When which table was asked is a trace of use.
        let options = options.disable_statement_logging();
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE);
        let pool = pool.connect_with(options).await.map_err(fault)?;
        durable(&pool).await?;
        let migrator = sqlx::migrate!("./migrations-accounts/postgres");
        migrator.run(&pool).await.map_err(|e| AccountError::Damaged(e.to_string()))?;
        Self::over(Engine { base: Base::Postgres { pool }, key: Arc::new(key) }).await
    }

    async fn over(engine: Engine) -> Result<Self, AccountError> {
        let engine = Arc::new(engine);
        let committer = Arc::new(Committer::new(engine.clone()));
        let logins = Arc::new(Logins::new(&engine));
        let accounts = Self { engine, committer, logins };
        accounts.check_key().await?;
        Ok(accounts)
    }

    /// A row that any database of this key has: under another key all would seem damaged.
    async fn check_key(&self) -> Result<(), AccountError> {
        match self.server_secret("key-check", b"").await {
            Ok(_) => Ok(()),
            Err(AccountError::Damaged(_)) => Err(AccountError::Damaged(
                "it was made under another server key than the one that is here".into(),
            )),
            Err(error) => Err(error),
        }
    }

    /// Waits for what is under way and closes the database; SQLite's write-ahead log is folded in.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

/// A server with `fsync = off` acknowledges what a power cut takes back.
async fn durable(pool: &PgPool) -> Result<(), AccountError> {
    let fsync: String =
        query_scalar("SELECT current_setting('fsync')").fetch_one(pool).await.map_err(fault)?;
    if fsync == "on" {
        Ok(())
    } else {
        Err(AccountError::NotDurable("the PostgreSQL server runs with fsync = off"))
    }
}
