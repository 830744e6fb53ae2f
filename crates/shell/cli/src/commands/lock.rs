//! `symbolon lock`

use serde_json::{Value, json};
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::{daemon, out};

/// Wipe the keys: no agent can call until `symbolon unlock`
///
/// Nothing unlocks the vault by itself afterwards, this machine's key included. The broker stays,
/// and so do the agents' sessions; calls are refused. With --stop the broker ends as well; a
/// command that needs one starts it again, and a home with a device key or TPM then unlocks by
/// itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon lock
  symbolon lock --stop")]
pub struct Args {
    /// End the broker too
    #[arg(long)]
    stop: bool,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let running = if self.stop {
            daemon::stop_running(&home)?;
            false
        } else {
            daemon::ask_running::<Value>(&home, &Op::Lock {})?.is_some()
        };
        if ctx.json {
            return out::json(&json!({ "unlocked": false, "running": running }));
        }
        out::say(if running { "Locked." } else { "Locked; no broker runs." });
        Ok(())
    }
}
