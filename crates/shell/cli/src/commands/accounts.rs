//! `symbolon accounts`, and accounts as `serve` and `up` have them: the store, the server's key, the public origin.

use std::net::SocketAddr;

use clap::Subcommand;
use symbolon_account::AccountError;
use symbolon_ambient::SystemRng;
use symbolon_server::http::{Accounts, AccountsError, AccountsOptions, ProofIssuers, PublicOrigin};
use symbolon_store::accounts::{self, KeyFileError, note_place};
use symbolon_store::{DatabaseAddress, Home};
use tokio_util::sync::CancellationToken;

use super::Ctx;
use crate::database::misplaced;
use crate::failure::Failure;

mod revoke_issuer;

pub use revoke_issuer::issuer;

/// Look after the accounts that a server of yours keeps
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon accounts revoke-issuer 5d6c0f83…")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    RevokeIssuer(revoke_issuer::Args),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::RevokeIssuer(args) => args.run(ctx),
        }
    }
}

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
        (origin, issuers): (PublicOrigin, ProofIssuers),
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
        let store = match &address {
            None => {
                let file = home.accounts();
                accounts::Accounts::open_sqlite(&file, key().map_err(no_key)?).await
            }
            Some(address) => {
                accounts::Accounts::open_postgres(address, key().map_err(no_key)?).await
            }
        };
        let store = store.map_err(|error| unopened(&error, address.is_some()))?;
        if let Some(address) = &address {
            note_place(home, address).map_err(misplaced)?;
        }
        let options = AccountsOptions { proof_issuers: issuers, ..AccountsOptions::at(origin) };
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

fn unopened(error: &AccountError, is_elsewhere: bool) -> Failure {
    let next = match is_elsewhere {
        true => "symbolon doctor, with the same --database or --database-file",
        false => "symbolon doctor",
    };
    Failure::environment("accounts", format!("the accounts do not open: {error}")).next(next)
}

fn no_key(error: KeyFileError) -> Failure {
    Failure::environment("server_key", error.to_string()).next("symbolon doctor")
}
