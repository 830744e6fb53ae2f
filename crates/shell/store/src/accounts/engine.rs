//! Which database it is, and how work reaches it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sqlx::{PgPool, SqlitePool};
use symbolon_account::{AccountError, ServerKey};

use super::db::{Conn, Db};
use super::fault::fault;
use super::lane::{Lane, Size};

/// One of the two databases, with the key that tags its rows.
pub(super) struct Engine {
    pub base: Base,
    pub key: Arc<ServerKey>,
}

pub(super) enum Base {
    /// Many readers, one writer, which gathers what waits into one transaction.
    Sqlite { readers: SqlitePool, lane: Lane },
    /// Each change a transaction of its own; PostgreSQL gathers their syncs itself.
    Postgres { pool: PgPool },
}

/// Statements that belong together.
pub(super) type Work<T> = Box<dyn for<'d> FnOnce(&'d mut Db) -> Doing<'d, T> + Send>;

/// Work under way.
pub(super) type Doing<'d, T> = Pin<Box<dyn Future<Output = Result<T, AccountError>> + Send + 'd>>;

impl Engine {
    /// For one statement that reads.
    pub async fn reader(&self) -> Result<Db, AccountError> {
        let conn = match &self.base {
            Base::Sqlite { readers, .. } => {
                Conn::SqliteReader(readers.acquire().await.map_err(fault)?)
            }
            Base::Postgres { pool } => Conn::Postgres(pool.acquire().await.map_err(fault)?),
        };
        Ok(Db { conn, key: self.key.clone() })
    }

    /// For several statements that read the same state.
    pub async fn snapshot(&self) -> Result<Db, AccountError> {
        let conn = match &self.base {
            Base::Sqlite { readers, .. } => {
                Conn::SqliteSnapshot(readers.begin().await.map_err(fault)?)
            }
            Base::Postgres { pool } => {
                const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Conn::PostgresTransaction(pool.begin_with(BEGIN).await.map_err(fault)?)
            }
        };
        Ok(Db { conn, key: self.key.clone() })
    }

    /// Does the work in one transaction; what it gives is durable when this returns, and nothing
    /// of it is kept where it errs.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl for<'d> FnOnce(&'d mut Db) -> Doing<'d, T> + Send + 'static,
    ) -> Result<T, AccountError> {
        match &self.base {
            Base::Sqlite { lane, .. } => lane.write(Box::new(work), Size::Many).await,
            Base::Postgres { pool } => {
                let tx = pool.begin().await.map_err(fault)?;
                let mut db = Db { conn: Conn::PostgresTransaction(tx), key: self.key.clone() };
                // A drop in between, or on an error, rolls back.
                let given = work(&mut db).await?;
                db.commit().await?;
                Ok(given)
            }
        }
    }

    /// As [`Engine::write`], of work that is one statement, which the database keeps whole by itself.
    pub async fn write_one<T: Send + 'static>(
        &self,
        work: impl for<'d> FnOnce(&'d mut Db) -> Doing<'d, T> + Send + 'static,
    ) -> Result<T, AccountError> {
        match &self.base {
            Base::Sqlite { lane, .. } => lane.write(Box::new(work), Size::One).await,
            Base::Postgres { pool } => {
                let conn = Conn::Postgres(pool.acquire().await.map_err(fault)?);
                work(&mut Db { conn, key: self.key.clone() }).await
            }
        }
    }

    /// Waits for what is under way and closes every connection.
    pub async fn close(&self) {
        match &self.base {
            Base::Sqlite { readers, lane } => {
                lane.close().await;
                readers.close().await;
            }
            Base::Postgres { pool } => pool.close().await,
        }
    }
}
