//! A fresh database of either kind, and a way around the store for the tests of tampering.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use symbolon_account::ServerKey;
use symbolon_secret::Secret;
use symbolon_store::accounts::{Afterwards, OwnPostgres};
use symbolon_store::{Accounts, DatabaseAddress};
use tempfile::TempDir;

pub struct Base {
    pub accounts: Accounts,
    pub place: Place,
}

pub enum Place {
    Sqlite { file: PathBuf, _folder: TempDir },
    Postgres { address: Box<DatabaseAddress>, url: String },
}

pub fn server_key(byte: u8) -> ServerKey {
    ServerKey::from_secret(Secret::<[u8; 32]>::make(|b| b.fill(byte)))
}

/// Ends with this process: nothing keeps a static from it.
fn server() -> &'static OwnPostgres {
    static SERVER: OnceLock<OwnPostgres> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("symbolon-pg-{}", std::process::id()));
        match OwnPostgres::start(&folder, Afterwards::Remove) {
            Ok(server) => server,
            Err(error) => panic!("{error}; or all that tests need: cargo xtask test --only setup"),
        }
    })
}

impl Base {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts.db");
        let accounts = Accounts::open_sqlite(&file, server_key(1)).await.unwrap();
        Self { accounts, place: Place::Sqlite { file, _folder: folder } }
    }

    pub async fn postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let server = server();
        let address = server.make_database(&name).unwrap();
        let accounts = Accounts::open_postgres(&address, server_key(1)).await.unwrap();
        Self {
            accounts,
            place: Place::Postgres { address: Box::new(address), url: server.url(&name) },
        }
    }

    pub async fn reopen(&self, key: ServerKey) -> Result<Accounts, symbolon_account::AccountError> {
        match &self.place {
            Place::Sqlite { file, .. } => Accounts::open_sqlite(file, key).await,
            Place::Postgres { address, .. } => Accounts::open_postgres(address, key).await,
        }
    }

    pub async fn raw(&self) -> Raw {
        match &self.place {
            Place::Sqlite { file, .. } => Raw::Sqlite(raw_sqlite(file).await),
            Place::Postgres { url, .. } => Raw::Postgres(PgPool::connect(url).await.unwrap()),
        }
    }
}

async fn raw_sqlite(file: &Path) -> SqlitePool {
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(file).foreign_keys(false))
        .await
        .unwrap()
}

/// The database without the store.
pub enum Raw {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A column's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! on {
    ($raw:expr, $pool:ident => $body:expr) => {
        match $raw {
            Raw::Sqlite($pool) => $body,
            Raw::Postgres($pool) => $body,
        }
    };
}

impl Raw {
    /// Runs a statement past every constraint between tables; it must touch a row.
    pub async fn run(&self, sql: &str, args: Vec<Cell>) {
        let sql = sql.to_owned();
        let rows = match self {
            Raw::Sqlite(pool) => {
                let mut q = sqlx::query(sqlx::AssertSqlSafe(sql));
                for arg in args {
                    q = match arg {
                        Cell::Int(v) => q.bind(v),
                        Cell::Text(v) => q.bind(v),
                        Cell::Bytes(v) => q.bind(v),
                    };
                }
                q.execute(pool).await.unwrap().rows_affected()
            }
            Raw::Postgres(pool) => {
                let mut tx = pool.begin().await.unwrap();
                sqlx::query("SET LOCAL session_replication_role = replica")
                    .execute(&mut *tx)
                    .await
                    .unwrap();
                let mut q = sqlx::query(sqlx::AssertSqlSafe(sql));
                for arg in args {
                    q = match arg {
                        Cell::Int(v) => q.bind(v),
                        Cell::Text(v) => q.bind(v),
                        Cell::Bytes(v) => q.bind(v),
                    };
                }
                let rows = q.execute(&mut *tx).await.unwrap().rows_affected();
                tx.commit().await.unwrap();
                rows
            }
        };
        assert!(rows > 0, "nothing was changed");
    }

    /// Every table of the store, with its columns and their types.
    pub async fn columns(&self) -> Vec<(String, String, String)> {
        let sql = match self {
            Raw::Sqlite(_) => {
                "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\' \
                 AND m.name NOT LIKE 'sqlite%'"
            }
            Raw::Postgres(_) => {
                "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'"
            }
        };
        on!(self, pool => sqlx::query_as(sql).fetch_all(pool).await.unwrap())
    }

    /// The tags of all rows of a table.
    pub async fn tags(&self, table: &str) -> Vec<Vec<u8>> {
        let sql = format!("SELECT tag FROM {table} ORDER BY tag");
        let sql = sqlx::AssertSqlSafe(sql);
        on!(self, pool => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap())
    }

    /// One column of the row that has this tag.
    pub async fn cell(&self, table: &str, (column, kind): (&str, &str), tag: &[u8]) -> Cell {
        let sql = sqlx::AssertSqlSafe(format!("SELECT {column} FROM {table} WHERE tag = $1"));
        match kind {
            "INTEGER" | "bigint" => Cell::Int(
                on!(self, pool => sqlx::query_scalar(sql).bind(tag).fetch_one(pool).await.unwrap()),
            ),
            "TEXT" | "text" => Cell::Text(
                on!(self, pool => sqlx::query_scalar(sql).bind(tag).fetch_one(pool).await.unwrap()),
            ),
            "BLOB" | "bytea" => Cell::Bytes(
                on!(self, pool => sqlx::query_scalar(sql).bind(tag).fetch_one(pool).await.unwrap()),
            ),
            other => panic!("a column of type {other}"),
        }
    }
}
