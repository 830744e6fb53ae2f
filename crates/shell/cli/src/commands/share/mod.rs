//! `symbolon share`

use clap::Subcommand;
use symbolon_holder::server::ShareFailure;
use symbolon_vault::share::ShareError;

use super::Ctx;
use crate::failure::Failure;

mod give;
mod list;
mod open;

/// Give others a copy of a note, a login or an API key
///
/// To another account, sealed to its vault: compare its fingerprint with the person first. Or by a link whose key
/// is in the link alone, with an end and a number of views. A copy is of now: later changes do not follow it, and
/// who has seen it has it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon share key
  symbolon share with \"Plan\" berta
  symbolon share link \"Plan\" --for 7d --views 3
  symbolon share ls
  symbolon share open
  symbolon share revoke ID")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Key(list::Key),
    With(give::With),
    Link(give::Link),
    Ls(list::Ls),
    Open(open::Args),
    Revoke(list::Revoke),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Key(args) => args.run(ctx),
            Step::With(args) => args.run(ctx),
            Step::Link(args) => args.run(ctx),
            Step::Ls(args) => args.run(ctx),
            Step::Open(args) => args.run(ctx),
            Step::Revoke(args) => args.run(ctx),
        }
    }
}

impl From<ShareFailure> for Failure {
    fn from(failure: ShareFailure) -> Self {
        let says = failure.to_string();
        match failure {
            ShareFailure::Sync(failure) => {
                let failure = Self::from(failure);
                // One word for all: it never was, is over, was seen often enough, or is for somebody else.
                if failure.code == "missing" {
                    let what = "there is nothing to see: it is over, was taken back, or is for somebody else";
                    return Self::refused("missing", what).next("ask who shared it for another");
                }
                failure
            }
            ShareFailure::Item(error) => error.into(),
            ShareFailure::Share(ShareError::Kind) => {
                Self::refused("not_shared", says).next("symbolon note ls")
            }
            ShareFailure::Share(ShareError::Link) => {
                Self::usage(says).next("the whole link, with what stands behind the #")
            }
            _ => Self::refused("share", says).next("ask who shared it for another"),
        }
    }
}
