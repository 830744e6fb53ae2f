//! Accounts as `serve` and `up` have them: the store, the server's key, the public origin.

use std::net::SocketAddr;

use symbolon_ambient::SystemRng;
use symbolon_server::http::{Accounts, AccountsError, AccountsOptions, PublicOrigin};
use symbolon_store::accounts::{self, KeyFileError, note_place};
use symbolon_store::{DatabaseAddress, Home};
use tokio_util::sync::CancellationToken;

use crate::database::misplaced;
use crate::failure::Failure;

/// What the accounts are kept in, and what serves them.
#[derive(Debug)]
pub struct Kept {
    store: accounts::Accounts,
    /// For the door.
    pub served: Accounts,
}

impl Kept {
    /// Opens the store, in the home or in the database that was given, or makes it and the server's key.
    pub async fn open(
        home: &Home,
        address: Option<DatabaseAddress>,
        origin: PublicOrigin,
        stop: CancellationToken,
    ) -> Result<Self, Failure> {
        let path = home.server_key();
        let key = || match accounts::read_server_key(&path) {
            // Where there were accounts, a new key would make every row of them unreadable.
            Err(KeyFileError::Missing { .. })
                if !home.accounts().exists() && !home.accounts_place().exists() =>
            {
                accounts::make_server_key(&path, &SystemRng)
            }
            read => read,
        };
        let unopened = |error: symbolon_account::AccountError| {
            let next = match address.is_some() {
                true => "symbolon doctor, with the same --database or --database-file",
                false => "symbolon doctor",
            };
            Failure::environment("accounts", format!("the accounts do not open: {error}"))
                .next(next)
        };
        let store = match &address {
            None => {
                let file = home.accounts();
                accounts::Accounts::open_sqlite(&file, key().map_err(no_key)?).await
            }
            Some(address) => {
                accounts::Accounts::open_postgres(address, key().map_err(no_key)?).await
            }
        };
        let store = store.map_err(unopened)?;
        if let Some(address) = &address {
            note_place(home, address).map_err(misplaced)?;
        }
        let options = AccountsOptions::at(origin);
        let served = Accounts::open(store.clone(), key().map_err(no_key)?, &options, stop).await;
        Ok(Self { served: served.map_err(refused)?, store })
    }

    /// Waits for what is under way, and closes the store.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// The origin that was given, or the one that a listener on loopback has.
pub fn origin(given: Option<&str>, listen: SocketAddr, tls: bool) -> Result<PublicOrigin, Failure> {
    match given {
        Some(text) => PublicOrigin::parse(text),
        None => PublicOrigin::of_loopback(listen, tls),
    }
    .map_err(refused)
}

fn refused(error: AccountsError) -> Failure {
    Failure::refused("accounts", error.to_string()).next(error.next())
}

fn no_key(error: KeyFileError) -> Failure {
    Failure::environment("server_key", error.to_string()).next("symbolon doctor")
}
