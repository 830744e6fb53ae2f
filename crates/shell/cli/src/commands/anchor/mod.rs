//! `symbolon anchor`

use clap::Subcommand;

use super::Ctx;
use crate::failure::Failure;

mod calendar;
mod create;
mod evm;
mod file;
mod headers;
mod list;
mod upgrade;
mod verify;

/// Have the world's clock say that something existed: OpenTimestamps proofs of files and of this home's log
///
/// A calendar is sent a blinded digest, never the file, and answers at once; some hours later it leads the digest to a block of
/// the Bitcoin chain (`upgrade`), and nobody has to be believed any more. A checkpoint that is anchored cannot be
/// rewritten later, by its operator either. The files are those of every OpenTimestamps client.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon anchor create report.pdf
  symbolon anchor create --log
  symbolon anchor upgrade report.pdf.ots
  symbolon anchor verify report.pdf.ots report.pdf --headers headers.txt
  symbolon anchor ls
  symbolon anchor create --log --every 1d")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Create(create::Create),
    Upgrade(upgrade::Upgrade),
    Verify(verify::Verify),
    Ls(list::Ls),
    Evm(evm::Args),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Create(args) => args.run(ctx),
            Step::Upgrade(args) => args.run(ctx),
            Step::Verify(args) => args.run(ctx),
            Step::Ls(args) => args.run(ctx),
            Step::Evm(args) => args.run(ctx),
        }
    }
}
