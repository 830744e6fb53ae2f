//! `symbolon container`: sealed bundles for other homes.

pub(super) mod create;
mod look;
pub(super) mod open;
pub(super) mod signers;

use std::path::PathBuf;

use clap::Subcommand;
use symbolon_broker::ContainerKeys;
use symbolon_container::CONTAINER_BYTES_MAX;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::link::{Asking, Link};
use crate::out;

/// Pass credentials, flows and settings on, sealed to other homes
///
/// A container has up to seven layers, each sealed under a key of its own to the homes that may open
/// it (eight at most), and is signed. Credentials are sealed by a passphrase as well; opening them
/// takes up to half a second by design, so that guessing does too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon container key                                     (on the other machine)
  symbolon container create --layer credentials=.env --to KEY --out shop.box
  symbolon container trust SIGNER --name acme
  symbolon container open shop.box")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Show the keys that others seal to and know you by
    #[command(after_help = "Examples\n  symbolon container key --json")]
    Key,
    /// Seal layers to other homes
    #[command(after_help = "\
Examples
  symbolon container create --layer credentials=.env --to KEY --out shop.box
  symbolon container create --layer workflows=flows.yaml --layer credentials=.env \\
      --to KEY --to KEY2=workflows --out shop.box")]
    Create(create::Args),
    /// Show what a container says of itself, without opening it
    #[command(after_help = "Examples\n  symbolon container inspect shop.box")]
    Inspect {
        /// The container
        file: PathBuf,
    },
    /// Check a container's signature, and whether its signer is one that you know
    #[command(after_help = "Examples\n  symbolon container verify shop.box --signer KEY")]
    Verify {
        /// The container
        file: PathBuf,
        /// The key that must have signed it, instead of those that you trust
        #[arg(long, value_name = "KEY")]
        signer: Option<String>,
    },
    /// Open a container: credentials become connections, other layers files
    #[command(after_help = "\
Examples
  symbolon container open shop.box
  symbolon container open shop.box --into shop --signer KEY
  symbolon container open shop.box --dry-run")]
    Open(open::Args),
    /// Seal layers to one home and make the deed that hands them over
    #[command(after_help = "\
Examples
  symbolon container send --layer credentials=.env --to KEY --owner SIGNER --out shop.box")]
    Send(create::SendArgs),
    /// Trust containers that a key signed
    #[command(after_help = "Examples\n  symbolon container trust SIGNER --name acme")]
    Trust {
        /// The signer's key: what `symbolon container key` shows there
        key: String,
        /// What to call it
        #[arg(long)]
        name: String,
    },
    /// List the signers that you trust
    #[command(after_help = "Examples\n  symbolon container signers --json")]
    Signers,
    /// Trust a signer no longer
    #[command(after_help = "Examples\n  symbolon container untrust SIGNER")]
    Untrust {
        /// The signer's key
        key: String,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Key => key(ctx),
            Step::Create(args) => args.run(ctx),
            Step::Inspect { file } => look::inspect(ctx, &file),
            Step::Verify { file, signer } => look::verify(ctx, &file, signer.as_deref()),
            Step::Open(args) => args.run(ctx),
            Step::Send(args) => args.run(ctx),
            Step::Trust { key, name } => signers::trust(ctx, &key, &name),
            Step::Signers => signers::list(ctx),
            Step::Untrust { key } => signers::distrust(ctx, &key),
        }
    }
}

fn key(ctx: &Ctx) -> Result<(), Failure> {
    let keys = keys(&mut unlocked(ctx)?)?;
    if ctx.json {
        return out::json(&keys);
    }
    out::pairs(&[("seal to", keys.recipient.clone()), ("signed by", keys.signer.clone())])?;
    out::say("Both are public. Whoever pins the second should have it from you, not from a file.");
    out::say_next(&format!("symbolon container trust {} --name NAME   (there)", keys.signer));
    Ok(())
}

/// The home's broker, open.
pub(super) fn unlocked(ctx: &Ctx) -> Result<Link, Failure> {
    let mut broker = ctx.broker()?;
    broker.ensure_unlocked(Asking::Person)?;
    Ok(broker)
}

pub(super) fn keys(broker: &mut Link) -> Result<ContainerKeys, Failure> {
    broker.ask(&Op::ContainerKeys {})
}

/// A whole container, or as much of it as shows that it is too long.
pub(super) fn read(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let failed = |e: std::io::Error| Failure::file("read", path, &e);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(CONTAINER_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Writes a new file of mode 0600, whole or not at all.
pub(in crate::commands) fn write_new(path: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let failed = |e: std::io::Error| Failure::file("write", path, &e);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|e| {
        // Half a file is worse than none.
        let _ = std::fs::remove_file(path);
        failed(e)
    })
}

/// A file that is not there yet: asked before anything is signed or sealed.
pub(super) fn must_be_new(path: &std::path::Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() {
        return Err(Failure::refused("exists", format!("{} is there already", path.display()))
            .next("the same command with another --out"));
    }
    Ok(())
}
