//! `symbolon revoke`

use symbolon_broker::RevokedView;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// End a grant now, and all that was made under it
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
        let ended: RevokedView = ctx.broker()?.ask(&Op::Revoke { id: self.id })?;
        if ctx.json {
            return out::json(&ended);
        }
        let RevokedView { grant, fell } = ended;
        out::say(&format!("Grant {} of {} is {}.", grant.id, grant.agent, grant.state));
        let numbers: Vec<String> = fell.iter().map(ToString::to_string).collect();
        match &numbers[..] {
            [] => {}
            [one] => out::say(&format!("1 grant under it falls with it: {one}.")),
            many => out::say(&format!(
                "{} grants under it fall with it: {}.",
                many.len(),
                many.join(", ")
            )),
        }
        Ok(())
    }
}
