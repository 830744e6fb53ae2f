//! `symbolon vault`

use clap::Subcommand;

use super::Ctx;
use crate::failure::Failure;
use crate::vaults::{Ask, Which};

mod create;
mod delete;
mod export;
mod join;
mod lease;
mod rotate;
mod status;
mod ways;

/// Your own vault: make it, open it on another device, sync it
///
/// A vault is sealed on this device; a server keeps a copy that it cannot read. Nothing of its key is
/// kept between two commands: each asks for the password or the seed phrase, unless this device opens the vault
/// by itself (`symbolon vault add device`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon vault create --local --device
  symbolon vault create --server https://vault.example --handle amelie
  symbolon vault join --server https://vault.example --handle amelie
  symbolon vault status
  symbolon vault sync")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Create(create::Args),
    Join(join::Args),
    Status(status::Args),
    /// Take in what the server has, and send what waits
    #[command(after_help = "\
Examples
  symbolon vault sync
  symbolon vault sync --from-stdin < password.txt
  symbolon vault sync --recovery")]
    Sync {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
    Lease(lease::Lease),
    Leases(lease::Leases),
    Methods(ways::Methods),
    Add(ways::Add),
    Remove(ways::Remove),
    RotateKey(rotate::Args),
    Export(export::Args),
    Delete(delete::Args),
}

/// How the vault is opened where this device does not open it by itself.
#[derive(Debug, Clone, clap::Args)]
struct How {
    /// Read the vault's password from standard input
    #[arg(long)]
    from_stdin: bool,
    /// Ask for the recovery code instead of the password
    #[arg(long, conflicts_with = "from_stdin")]
    recovery: bool,
    /// By the seed phrase of a wallet instead of the password
    #[arg(long, conflicts_with = "recovery")]
    seed: bool,
}

impl How {
    fn ask(&self) -> Ask {
        match self {
            Self { seed: true, from_stdin: true, .. } => Ask::SeedOnStdin,
            Self { seed: true, .. } => Ask::Seed,
            Self { from_stdin: true, .. } => Ask::Stdin,
            Self { recovery: true, .. } => Ask::Recovery,
            _ => Ask::Person,
        }
    }
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Create(args) => args.run(ctx),
            Step::Join(args) => args.run(ctx),
            Step::Status(args) => args.run(ctx),
            Step::Sync { which, how } => status::sync(ctx, &which, how.ask()),
            Step::Lease(args) => args.run(ctx),
            Step::Leases(args) => args.run(ctx),
            Step::Methods(args) => args.run(ctx),
            Step::Add(args) => args.run(ctx),
            Step::Remove(args) => args.run(ctx),
            Step::RotateKey(args) => args.run(ctx),
            Step::Export(args) => args.run(ctx),
            Step::Delete(args) => args.run(ctx),
        }
    }
}
