//! `symbolon revoke`

use symbolon_broker::GrantView;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// End a grant now
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon grants
  symbolon revoke 3")]
pub struct Args {
    /// The grant's number in `symbolon grants`
    #[arg(value_name = "N")]
    id: u64,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let ended: GrantView = ctx.broker()?.ask(&Op::Revoke { id: self.id })?;
        if ctx.json {
            return out::json(&ended);
        }
        out::say(&format!("Grant {} of {} is {}.", ended.id, ended.agent, ended.state));
        Ok(())
    }
}
