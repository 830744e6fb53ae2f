//! `symbolon claims`

use clap::Subcommand;

use super::Ctx;
use crate::failure::Failure;

mod add;
mod demo;
mod list;
mod remove;
mod request;

/// Claims about you, kept sealed in your vault: what you prove facts by
///
/// An issuer signs what it knows of you once. Others learn what you prove, such as that you are over 18, and nothing else.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon claims request --out request.json
  symbolon claims add claims.json
  symbolon claims ls
  symbolon claims rm \"Demo claims\"
  symbolon claims demo")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Request(request::Request),
    Add(add::Add),
    Demo(demo::Demo),
    Ls(list::Ls),
    Rm(remove::Rm),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Request(args) => args.run(ctx),
            Step::Add(args) => args.run(ctx),
            Step::Demo(args) => args.run(ctx),
            Step::Ls(args) => args.run(ctx),
            Step::Rm(args) => args.run(ctx),
        }
    }
}
