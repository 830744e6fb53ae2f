//! What the databases give without us, for measurements beside us: one row a transaction.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, query};
use symbolon_account::AccountError;

use super::fault::fault;
use super::own_server::{OwnPostgres, OwnPostgresError};

/// Inserts rows of so many bytes into a plain table of a new SQLite file, one a transaction, under the
/// settings that accounts have. Gives how long each took.
///
/// # Errors
/// [`AccountError`].
pub async fn plain_sqlite_inserts(
    file: &Path,
    rows: usize,
    bytes: usize,
) -> Result<Vec<Duration>, AccountError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let mut plain = options.connect().await.map_err(fault)?;
    let table = "CREATE TABLE plain (id INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT";
    query(table).execute(&mut plain).await.map_err(fault)?;
    let mut took = Vec::with_capacity(rows);
    for n in 0..rows {
        let began = Instant::now();
        let insert = query("INSERT INTO plain (content) VALUES ($1)");
        insert.bind(vec![n as u8; bytes]).execute(&mut plain).await.map_err(fault)?;
        took.push(began.elapsed());
    }
    plain.close().await.map_err(fault)?;
    Ok(took)
}

impl OwnPostgres {
    /// What `pgbench` gives for rows of so many bytes, one a transaction, prepared, with so many
    /// clients: transactions a second, and how long each took in the middle.
    ///
    /// # Errors
    /// [`OwnPostgresError`].
    pub fn plain_inserts(
        &self,
        database: &str,
        clients: usize,
        bytes: usize,
        seconds: u32,
    ) -> Result<(f64, Duration), OwnPostgresError> {
        let table = "CREATE TABLE IF NOT EXISTS plain (id BIGSERIAL PRIMARY KEY, content BYTEA)";
        self.said("psql", |psql| psql.args(["-q", "-c", table, "-d", database]))?;
        let script =
            format!("INSERT INTO plain (content) VALUES (decode(repeat('5a', {bytes}), 'hex'));\n");
        let path = self.folder().join("plain.sql");
        std::fs::write(&path, script)?;
        let said = self.said("pgbench", |pgbench| {
            let (clients, seconds) = (clients.to_string(), seconds.to_string());
            pgbench.args(["-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds, "-f"]);
            pgbench.arg(&path).arg(database)
        })?;
        let number = |before: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(before));
            line.and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok())
        };
        match (number("tps = "), number("latency average = ")) {
            (Some(tps), Some(ms)) => Ok((tps, Duration::from_secs_f64(ms / 1e3))),
            _ => Err(OwnPostgresError::Failed { program: "pgbench", said }),
        }
    }

    /// What a program of PostgreSQL says, run as the server's own user.
    fn said(
        &self,
        program: &'static str,
        with: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<String, OwnPostgresError> {
        let mut command = self.program(program);
        let output = with(&mut command).output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(OwnPostgresError::Failed { program, said })
    }
}
