//! `symbolon prove`

use clap::Subcommand;

use super::Ctx;
use crate::failure::Failure;

mod age;
mod ask;
mod held;
pub(super) mod keys;
mod told;

/// Prove facts about yourself, without showing what they follow from
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon prove age --for https://shop.example
  symbolon prove age --request request.json --out proof.json")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Age(age::Age),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Age(args) => args.run(ctx),
        }
    }
}
