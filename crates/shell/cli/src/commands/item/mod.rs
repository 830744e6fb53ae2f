//! `symbolon item`

use clap::Subcommand;

use super::Ctx;
use crate::failure::Failure;

mod find;
mod list;
mod write;

/// Logins and API keys of your vault: keep, find, show
///
/// An item is named by its title, or by how its id begins. Its secret is typed at a hidden prompt or read from
/// standard input, never an argument, and is shown only where you say --reveal.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon item new login \"Library\" --username amelie --uri https://library.example
  symbolon item new api-key \"Weather\" --service weather --scope read --from-stdin < key.txt
  symbolon item ls
  symbolon item show Library
  symbolon item show Library --reveal")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    New(write::New),
    Ls(list::Ls),
    Show(list::Show),
    Edit(write::Edit),
    Rm(write::Rm),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::New(args) => args.run(ctx),
            Step::Ls(args) => args.run(ctx),
            Step::Show(args) => args.run(ctx),
            Step::Edit(args) => args.run(ctx),
            Step::Rm(args) => args.run(ctx),
        }
    }
}
