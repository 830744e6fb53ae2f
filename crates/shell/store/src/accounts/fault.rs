//! What a database says, as what it means. No text of it names the address or the password that a
//! connection was made with.

use symbolon_account::AccountError;

/// Any error of a statement, a connection or the pool.
pub(super) fn fault(e: sqlx::Error) -> AccountError {
    match &e {
        sqlx::Error::Database(said) => {
            let code = said.code().unwrap_or_default();
            if said.is_unique_violation() {
                AccountError::Conflict("a row")
            } else if said.is_foreign_key_violation() {
                AccountError::Missing("the account or vault")
            } else if FULL.contains(&code.as_ref()) {
                AccountError::Full
            } else if passes(&code) {
                AccountError::Unavailable(said.message().to_owned())
            } else if BROKEN.contains(&code.as_ref()) {
                AccountError::Damaged(said.message().to_owned())
            } else {
                AccountError::Database(e.into())
            }
        }
        sqlx::Error::PoolTimedOut => {
            AccountError::Unavailable("no connection was free in time".into())
        }
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            AccountError::Unavailable("it was closed".into())
        }
        sqlx::Error::Io(e) => AccountError::Unavailable(e.to_string()),
        sqlx::Error::Tls(e) => AccountError::Unavailable(format!("TLS: {e}")),
        _ => AccountError::Database(e.into()),
    }
}

/// An error of reading a column: the row is of another shape than this server writes.
pub(super) fn unread(e: sqlx::Error) -> AccountError {
    AccountError::Damaged(e.to_string())
}

/// SQLite's `SQLITE_FULL`, PostgreSQL's `disk_full`.
const FULL: [&str; 2] = ["13", "53100"];

/// SQLite's `SQLITE_CORRUPT` and `SQLITE_NOTADB`, PostgreSQL's `data_corrupted` and
/// `index_corrupted`.
const BROKEN: [&str; 4] = ["11", "26", "XX001", "XX002"];

/// Whether a later try may succeed: SQLite's `SQLITE_BUSY`; of PostgreSQL's, connections (08),
/// rollbacks by conflict (40), resources (53), timeouts of locks (55P03) and statements (57).
fn passes(code: &str) -> bool {
    code == "5"
        || code == "55P03"
        || code.len() == 5 && ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
}

/// An error of all is an error of each.
pub(super) fn same(error: &AccountError) -> AccountError {
    match error {
        AccountError::Full => AccountError::Full,
        AccountError::Damaged(what) => AccountError::Damaged(what.clone()),
        AccountError::Unavailable(what) => AccountError::Unavailable(what.clone()),
        other => AccountError::Unavailable(other.to_string()),
    }
}
