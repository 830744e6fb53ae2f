//! One connection to either database, and rows in and out of it.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, Postgres, Row, Sqlite, Transaction, query};
use symbolon_account::{AccountError, ServerKey};
use symbolon_crypto::sha256;

use super::fault::{fault, unread};
use super::sql;
use super::value::{Cells, Kind, Record, Table, Value, checked, damaged, tag};

/// A connection with the key that tags rows.
pub(super) struct Db {
    pub conn: Conn,
    pub key: Arc<ServerKey>,
}

/// Where statements go.
pub(super) enum Conn {
    SqliteWriter(SqliteConnection),
    SqliteReader(PoolConnection<Sqlite>),
    SqliteSnapshot(Transaction<'static, Sqlite>),
    Postgres(PoolConnection<Postgres>),
    PostgresTransaction(Transaction<'static, Postgres>),
}

enum Link<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Conn {
    fn link(&mut self) -> Link<'_> {
        match self {
            Self::SqliteWriter(c) => Link::Sqlite(c),
            Self::SqliteReader(c) => Link::Sqlite(c),
            Self::SqliteSnapshot(c) => Link::Sqlite(c),
            Self::Postgres(c) => Link::Postgres(c),
            Self::PostgresTransaction(c) => Link::Postgres(c),
        }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_) | Self::PostgresTransaction(_))
    }
}

/// Binds each value, in order.
macro_rules! bound {
    ($sql:expr, $args:expr) => {{
        let mut q = query(AssertSqlSafe($sql));
        for value in $args {
            q = match value {
                Value::Int(n) => q.bind(n),
                Value::Text(text) => q.bind(text),
                Value::Bytes(bytes) => q.bind(bytes),
            };
        }
        q
    }};
}

/// Reads each column as its kind.
macro_rules! cells {
    ($name:ident, $row:ty) => {
        fn $name(row: &$row, kinds: &[Kind]) -> Result<Vec<Value>, AccountError> {
            let one = |(i, kind): (usize, &Kind)| match kind {
                Kind::Int => row.try_get(i).map(Value::Int),
                Kind::Text => row.try_get(i).map(Value::Text),
                Kind::Bytes => row.try_get(i).map(Value::Bytes),
            };
            kinds.iter().enumerate().map(one).collect::<Result<_, _>>().map_err(unread)
        }
    };
}
cells!(sqlite_cells, SqliteRow);
cells!(postgres_cells, PgRow);

impl Db {
    /// Rows of a statement, each column as its kind.
    pub async fn rows(
        &mut self,
        sql: String,
        args: Vec<Value>,
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Value>>, AccountError> {
        match self.conn.link() {
            Link::Sqlite(c) => {
                let rows = bound!(sql, args).fetch_all(c).await.map_err(fault)?;
                rows.iter().map(|r| sqlite_cells(r, kinds)).collect()
            }
            Link::Postgres(c) => {
                let rows = bound!(sql, args).fetch_all(c).await.map_err(fault)?;
                rows.iter().map(|r| postgres_cells(r, kinds)).collect()
            }
        }
    }

    /// Runs a statement; gives how many rows it touched.
    pub async fn run(&mut self, sql: String, args: Vec<Value>) -> Result<u64, sqlx::Error> {
        match self.conn.link() {
            Link::Sqlite(c) => Ok(bound!(sql, args).execute(c).await?.rows_affected()),
            Link::Postgres(c) => Ok(bound!(sql, args).execute(c).await?.rows_affected()),
        }
    }

    /// The records that `tail` (`WHERE …`) finds, each tag checked.
    pub async fn find<R: Record>(
        &mut self,
        tail: &str,
        args: Vec<Value>,
    ) -> Result<Vec<R>, AccountError> {
        let sql = sql::select(R::TABLE, false, tail);
        self.read_all(sql, args, false).await.map(|all| all.into_iter().map(|(r, _)| r).collect())
    }

    /// As [`Db::find`], held until the transaction ends.
    pub async fn find_locked<R: Record>(
        &mut self,
        tail: &str,
        args: Vec<Value>,
    ) -> Result<Vec<R>, AccountError> {
        // SQLite has one writer, which is who asks. No key is ever changed, so a row that another
        // row names can be held without holding up who names it.
        let lock = if self.conn.is_postgres() { " FOR NO KEY UPDATE" } else { "" };
        self.find(&format!("{tail}{lock}"), args).await
    }

    /// The one record that `tail` finds, where it is there.
    pub async fn one<R: Record>(
        &mut self,
        tail: &str,
        args: Vec<Value>,
    ) -> Result<Option<R>, AccountError> {
        self.find(tail, args).await.map(|all| all.into_iter().next())
    }

    /// As [`Db::one`], held until the transaction ends.
    pub async fn one_locked<R: Record>(
        &mut self,
        tail: &str,
        args: Vec<Value>,
    ) -> Result<Option<R>, AccountError> {
        self.find_locked(tail, args).await.map(|all| all.into_iter().next())
    }

    /// The records with the sealed bytes that stand beside them, tags and digests checked.
    pub async fn find_sealed<R: Record>(
        &mut self,
        tail: &str,
        args: Vec<Value>,
    ) -> Result<Vec<(R, Vec<u8>)>, AccountError> {
        let sql = sql::select(R::TABLE, true, tail);
        self.read_all(sql, args, true).await
    }

    /// Takes the records out that `tail` finds; each tag is checked.
    pub async fn take<R: Record>(
        &mut self,
        tail: &str,
        args: Vec<Value>,
    ) -> Result<Vec<R>, AccountError> {
        let sql = sql::delete_returning(R::TABLE, tail);
        self.read_all(sql, args, false).await.map(|all| all.into_iter().map(|(r, _)| r).collect())
    }

    async fn read_all<R: Record>(
        &mut self,
        sql: String,
        args: Vec<Value>,
        with_sealed: bool,
    ) -> Result<Vec<(R, Vec<u8>)>, AccountError> {
        let kinds = sql::kinds(R::TABLE, with_sealed);
        let rows = self.rows(sql, args, &kinds).await?;
        rows.into_iter().map(|row| believed(&self.key, row, with_sealed)).collect()
    }

    /// Rows of several tables beside each other, in one statement: of each row the part of each table, to be read by
    /// [`part`].
    pub async fn beside(
        &mut self,
        tables: &[(char, &Table)],
        from: &str,
        args: Vec<Value>,
    ) -> Result<Vec<Vec<Vec<Value>>>, AccountError> {
        let kinds: Vec<Vec<Kind>> =
            tables.iter().map(|(_, table)| sql::kinds(table, false)).collect();
        let rows = self.rows(sql::select_beside(tables, from), args, &kinds.concat()).await?;
        let cut = |row: Vec<Value>| {
            let mut row = row.into_iter();
            kinds.iter().map(|kinds| row.by_ref().take(kinds.len()).collect()).collect()
        };
        Ok(rows.into_iter().map(cut).collect())
    }

    /// Keeps a new record; `what` is named where there is one.
    pub async fn insert<R: Record>(
        &mut self,
        record: &R,
        what: &'static str,
    ) -> Result<(), AccountError> {
        let row = self.tagged(record)?;
        self.run(sql::insert(R::TABLE, false, 1), row).await.map_err(|e| named(e, what))?;
        Ok(())
    }

    /// Keeps a new record with the sealed bytes that stand beside it.
    pub async fn insert_sealed<R: Record>(
        &mut self,
        record: &R,
        sealed: Vec<u8>,
        what: &'static str,
    ) -> Result<(), AccountError> {
        let mut row = self.tagged(record)?;
        row.push(Value::Bytes(Some(sealed)));
        self.run(sql::insert(R::TABLE, true, 1), row).await.map_err(|e| named(e, what))?;
        Ok(())
    }

    /// Keeps many new records in few statements.
    pub async fn insert_all<R: Record>(
        &mut self,
        mut records: Vec<(R, Vec<u8>)>,
    ) -> Result<(), AccountError> {
        for size in sql::sizes(records.len()) {
            let mut args = Vec::new();
            for (record, sealed) in records.drain(..size) {
                args.extend(self.tagged(&record)?);
                args.push(Value::Bytes(Some(sealed)));
            }
            self.run(sql::insert(R::TABLE, true, size), args).await.map_err(fault)?;
        }
        Ok(())
    }

    /// Keeps those of many records whose key is not there yet, in one statement; gives of these what stands in `column`,
    /// which is of bytes.
    pub async fn insert_new<R: Record>(
        &mut self,
        records: &[&R],
        column: &str,
    ) -> Result<Vec<Vec<u8>>, AccountError> {
        let mut args = Vec::new();
        for record in records {
            args.extend(self.tagged(*record)?);
        }
        let sql = sql::insert_new(R::TABLE, records.len(), column);
        let rows = self.rows(sql, args, &[Kind::Bytes]).await?;
        rows.into_iter()
            .map(|mut row| blob(row.pop()).ok_or_else(|| damaged(R::TABLE.name)))
            .collect()
    }

    /// Keeps many records in place of those of the same key, in few statements.
    pub async fn upsert_all<R: Record>(&mut self, records: &[R]) -> Result<(), AccountError> {
        let mut records = records.iter();
        for size in sql::sizes(records.len()) {
            let mut args = Vec::new();
            for record in records.by_ref().take(size) {
                args.extend(self.tagged(record)?);
            }
            self.run(sql::upsert(R::TABLE, size), args).await.map_err(fault)?;
        }
        Ok(())
    }

    /// Writes a record in place of the one of its key, which this transaction read.
    pub async fn update<R: Record>(&mut self, record: &R) -> Result<(), AccountError> {
        self.run(sql::update(R::TABLE), self.tagged(record)?).await.map_err(fault)?;
        Ok(())
    }

    /// Removes what `tail` finds; gives how many.
    pub async fn delete<R: Record>(
        &mut self,
        tail: &str,
        args: Vec<Value>,
    ) -> Result<u64, AccountError> {
        self.run(format!("DELETE FROM {} {tail}", R::TABLE.name), args).await.map_err(fault)
    }

    /// A row's values with its tag behind them.
    fn tagged<R: Record>(&self, record: &R) -> Result<Vec<Value>, AccountError> {
        let mut row = record.values()?;
        let tag = tag(&self.key, R::TABLE, &row);
        row.push(Value::Bytes(Some(tag.0.to_vec())));
        Ok(row)
    }

    /// Ends a transaction, so that it stands.
    pub async fn commit(self) -> Result<(), AccountError> {
        match self.conn {
            Conn::SqliteSnapshot(tx) => tx.commit().await.map_err(fault),
            Conn::PostgresTransaction(tx) => tx.commit().await.map_err(fault),
            Conn::SqliteWriter(c) => c.close().await.map_err(fault),
            Conn::SqliteReader(_) | Conn::Postgres(_) => Ok(()),
        }
    }
}

/// The part of a row of [`Db::beside`] that is one table's, its tag checked; none where nothing of that table stands
/// there.
pub(super) fn part<R: Record>(
    key: &ServerKey,
    part: Option<Vec<Value>>,
) -> Result<Option<R>, AccountError> {
    let is_there = |value: &Value| match value {
        Value::Int(value) => value.is_some(),
        Value::Text(value) => value.is_some(),
        Value::Bytes(value) => value.is_some(),
    };
    match part {
        Some(part) if part.iter().any(is_there) => {
            believed(key, part, false).map(|(record, _)| Some(record))
        }
        _ => Ok(None),
    }
}

/// A row as its record, where the tag, and the digest of what is sealed, hold.
fn believed<R: Record>(
    key: &ServerKey,
    mut row: Vec<Value>,
    with_sealed: bool,
) -> Result<(R, Vec<u8>), AccountError> {
    let wrong = || damaged(R::TABLE.name);
    let sealed = if with_sealed { blob(row.pop()).ok_or_else(wrong)? } else { Vec::new() };
    let tag = blob(row.pop()).ok_or_else(wrong)?;
    let values = checked(key, R::TABLE, row, &tag)?;
    let record = R::read(&mut Cells::new(R::TABLE.name, values))?;
    if with_sealed && record.sealed_digest() != Some(sha256(&sealed)) {
        return Err(wrong());
    }
    Ok((record, sealed))
}

fn blob(value: Option<Value>) -> Option<Vec<u8>> {
    match value {
        Some(Value::Bytes(bytes)) => bytes,
        _ => None,
    }
}

/// That something is there already has the name of what is.
fn named(e: sqlx::Error, what: &'static str) -> AccountError {
    let unique = e.as_database_error().is_some_and(|e| e.is_unique_violation());
    if unique { AccountError::Exists(what) } else { fault(e) }
}
