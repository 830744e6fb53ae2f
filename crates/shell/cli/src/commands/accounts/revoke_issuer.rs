//! `symbolon accounts revoke-issuer`

use serde_json::json;
use symbolon_ambient::{Clock, SystemClock};
use symbolon_proof::{IssuerPublicKey, read_issuer};
use symbolon_store::Home;
use symbolon_store::accounts::{Accounts, read_server_key};

use super::super::Ctx;
use super::{no_key, unopened};
use crate::database::Database;
use crate::failure::Failure;
use crate::{out, runtime};

/// Believe an issuer's key no more, at once and at every server of the database
///
/// What it signed shows nothing from now on: a proof with such claims is refused, in sessions that
/// are open too. What was accepted before stays so. There is no way back: an issuer goes on with
/// another key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon accounts revoke-issuer 5d6c0f83…
  symbolon accounts revoke-issuer 5d6c0f83… --database-file /etc/symbolon/database")]
pub(super) struct Args {
    /// The issuer's public key, 64 hex digits
    #[arg(value_name = "KEY", value_parser = issuer)]
    key: IssuerPublicKey,
    #[command(flatten)]
    database: Database,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let address = self.database.of(&home)?;
        if address.is_none() && !home.accounts().exists() {
            return Err(nothing(&home));
        }
        let key = read_server_key(&home.server_key()).map_err(no_key)?;
        let is_new = runtime::single()?.block_on(async {
            let store = match &address {
                Some(address) => Accounts::open_postgres(address, key).await?,
                None => Accounts::open_sqlite(&home.accounts(), key).await?,
            };
            let is_new = store.revoke_issuer(self.key, SystemClock.unix_ms()).await;
            store.close().await;
            is_new
        });
        let is_new = is_new.map_err(|error| unopened(&error, address.is_some()))?;
        if ctx.json {
            return out::json(&json!({ "revoked": true, "was_revoked": !is_new }));
        }
        out::say(match is_new {
            true => "The key is revoked: nothing that it signed shows anything from now on.",
            false => "The key was revoked before.",
        });
        Ok(())
    }
}

/// As the options of `serve` have it too.
pub fn issuer(text: &str) -> Result<IssuerPublicKey, String> {
    read_issuer(text).map_err(|error| error.to_string())
}

fn nothing(home: &Home) -> Failure {
    let says = format!("there are no accounts in {}", home.path().display());
    Failure::refused("no_accounts", says)
        .next("symbolon serve --accounts, or the --database where they are")
}
