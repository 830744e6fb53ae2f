//! Where accounts are kept, as the commands that open them are told: no password in an argument or the environment.

use std::path::PathBuf;

use symbolon_store::accounts::{PlaceError, check_place};
use symbolon_store::{DatabaseAddress, Home};

use crate::failure::Failure;

/// A PostgreSQL database, where the home does not keep the accounts itself.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Database {
    /// The PostgreSQL database of the accounts, without a password: that comes from ~/.pgpass [default: the home's own]
    #[arg(long, value_name = "URL", conflicts_with = "database_file")]
    database: Option<String>,
    /// A file of mode 0600 with the database's URL, password and all
    #[arg(long, value_name = "FILE")]
    database_file: Option<PathBuf>,
}

impl Database {
    /// The address, where one was given.
    pub fn address(&self) -> Result<Option<DatabaseAddress>, Failure> {
        let parsed = match (&self.database, &self.database_file) {
            (Some(url), _) => Some(DatabaseAddress::from_argument(url)),
            (None, Some(file)) => Some(DatabaseAddress::from_file(file)),
            (None, None) => None,
        };
        parsed.transpose().map_err(|e| Failure::usage(e.to_string()).next(e.next()))
    }

    /// The address, where the accounts of this home are there.
    pub fn of(&self, home: &Home) -> Result<Option<DatabaseAddress>, Failure> {
        let address = self.address()?;
        check_place(home, address.as_ref()).map_err(misplaced)?;
        Ok(address)
    }

    /// Whether one was given.
    pub fn is_given(&self) -> bool {
        self.database.is_some() || self.database_file.is_some()
    }
}

/// That the accounts are elsewhere.
pub fn misplaced(error: PlaceError) -> Failure {
    Failure::refused("accounts_elsewhere", error.to_string()).next(error.next())
}
