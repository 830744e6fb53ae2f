//! `symbolon note`

use clap::Subcommand;

use super::Ctx;
use crate::failure::Failure;

mod attach;
mod authorship;
mod change;
mod compare;
mod files;
mod find;
mod link;
mod list;
mod prove;
mod show;
mod transfer;
mod write;

pub(super) use find::{folder, title};
pub(super) use write::kept;

/// Notes of your vault: write, read, find, keep
///
/// A note is named by its title, or by how its id begins. Every change is kept on this device first, and
/// sent at once where the vault has a server that answers; where it does not, it waits.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note new \"Groceries\"
  symbolon note new \"Plan\" --folder Work --tag idea --body-from-stdin < plan.md
  symbolon note ls
  symbolon note search apples
  symbolon note edit Groceries
  symbolon note history Groceries
  symbolon note prove Groceries")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    New(write::New),
    Today(write::Today),
    Ls(list::Ls),
    Show(show::Show),
    Edit(write::Edit),
    Mv(change::Mv),
    Rm(change::Rm),
    Restore(change::Restore),
    Pin(change::Pin),
    Tag(change::Tag),
    Search(list::Search),
    History(show::History),
    Export(files::Export),
    Import(files::Import),
    Attach(attach::Attach),
    Detach(attach::Detach),
    Attachments(attach::Attachments),
    SaveAttachment(attach::Save),
    Prove(prove::Prove),
    Transfer(transfer::Transfer),
    Compare(compare::Compare),
    Sketch(compare::MakeSketch),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::New(args) => args.run(ctx),
            Step::Today(args) => args.run(ctx),
            Step::Ls(args) => args.run(ctx),
            Step::Show(args) => args.run(ctx),
            Step::Edit(args) => args.run(ctx),
            Step::Mv(args) => args.run(ctx),
            Step::Rm(args) => args.run(ctx),
            Step::Restore(args) => args.run(ctx),
            Step::Pin(args) => args.run(ctx),
            Step::Tag(args) => args.run(ctx),
            Step::Search(args) => args.run(ctx),
            Step::History(args) => args.run(ctx),
            Step::Export(args) => args.run(ctx),
            Step::Import(args) => args.run(ctx),
            Step::Attach(args) => args.run(ctx),
            Step::Detach(args) => args.run(ctx),
            Step::Attachments(args) => args.run(ctx),
            Step::SaveAttachment(args) => args.run(ctx),
            Step::Prove(args) => args.run(ctx),
            Step::Transfer(args) => args.run(ctx),
            Step::Compare(args) => args.run(ctx),
            Step::Sketch(args) => args.run(ctx),
        }
    }
}
