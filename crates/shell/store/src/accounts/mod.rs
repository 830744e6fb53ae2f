//! Accounts and vaults in SQLite or PostgreSQL: `specs/accounts.md`.
//!
//! The statements are the same for both; what differs is how a write reaches the disk. In SQLite
//! one writer gathers what waits into a transaction (`lane`); PostgreSQL gathers syncs itself. In
//! both, commits of vaults that wait are taken together in a few long statements (`committer`), and so are
//! the questions of logins (`logins`).

mod address;
mod assistants;
mod audit;
mod authorship;
mod blobs;
mod check;
mod committer;
mod db;
mod delete;
mod dump;
mod engine;
mod fault;
mod gather;
mod keeper;
mod key_file;
mod keys;
mod lane;
mod logins;
mod measure;
mod open;
mod own_server;
mod people;
mod place;
mod proofs;
mod records;
mod rows_of_assistants;
mod rows_of_authorship;
mod rows_of_keys;
mod rows_of_proofs;
mod rows_of_vaults;
mod sessions;
mod shares;
mod sql;
mod value;
mod vaults;

pub use address::{AddressError, DatabaseAddress};
pub(crate) use dump::ROW_BYTES_MAX;
pub use dump::Row;
pub use key_file::{KeyFileError, make_server_key, read_server_key};
pub use measure::plain_sqlite_inserts;
pub use own_server::{Afterwards, OwnPostgres, OwnPostgresError};
pub use place::{PlaceError, check_place, note_place};

use std::sync::Arc;

use committer::Committer;
use engine::Engine;
use logins::Logins;

/// The accounts of one server, in either database. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    engine: Arc<Engine>,
    committer: Arc<Committer>,
    logins: Arc<Logins>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts")
    }
}
