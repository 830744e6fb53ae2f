//! `symbolon up`

use std::net::SocketAddr;

use super::{Ctx, serve};
use crate::database::Database;
use crate::failure::Failure;

/// Run everything for one person: broker, accounts, API, on this machine alone
///
/// The same as `symbolon serve --accounts` on loopback, with everything in the home, or with its
/// accounts in PostgreSQL. Opens no browser; prints the address.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon up
  symbolon up --listen 127.0.0.1:8080
  symbolon up --database postgres://symbolon@localhost/symbolon")]
pub struct Args {
    /// Address and port, on loopback
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    #[command(flatten)]
    database: Database,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        if !self.listen.ip().is_loopback() {
            let says = format!("{} is not on this machine alone", self.listen);
            return Err(Failure::usage(says)
                .next("symbolon serve --accounts --origin https://NAME --listen ADDRESS"));
        }
        serve::Args::for_one_person(self.listen, self.database).run(ctx)
    }
}
