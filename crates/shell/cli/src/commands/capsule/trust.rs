//! `symbolon capsule trust`, and what of it is in the home.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use symbolon_ambient::{Clock, SystemClock};
use symbolon_capsule::{Known, PublicKeys, Revocations};

use super::{Ctx, place};
use crate::failure::Failure;
use crate::out;

/// Trust a root, whose publishers' capsules may run here; or take a newer revocation list of it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule trust root.pub
  symbolon capsule trust --revocations revoked.json")]
pub struct Args {
    /// The root's public keys, from whoever holds the private ones
    #[arg(value_name = "FILE", required_unless_present = "revocations")]
    root: Option<PathBuf>,
    /// A revocation list that the root signed: an older one than was seen is refused
    #[arg(long, value_name = "FILE")]
    revocations: Option<PathBuf>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let trusted = Trusted::of(home.path());
        if let Some(path) = &self.root {
            let keys = place::public(path)?;
            let text = serde_json::to_vec(&keys).unwrap_or_default();
            trusted.write(&trusted.root, &text)?;
        }
        let mut number = None;
        if let Some(path) = &self.revocations {
            let root = trusted.root(None)?;
            let known = trusted.revocations(&root)?.map(|(_, known)| known);
            let bytes = place::envelope(path)?;
            let (_, seen) = open(&bytes, &root, known)?;
            trusted.write(&trusted.revocations, &bytes)?;
            number = Some(seen.number);
        }
        if ctx.json {
            return out::json(&json!({ "root": self.root, "revocations": number }));
        }
        match number {
            Some(number) => out::say(&format!("Revocation list {number} is in force.")),
            None => out::say("Capsules of publishers that this root certified may run here."),
        }
        out::say_next("symbolon capsule run hello.wasm --input @in.json");
        Ok(())
    }
}

/// What a home trusts.
pub struct Trusted {
    root: PathBuf,
    revocations: PathBuf,
}

impl Trusted {
    pub fn of(home: &Path) -> Self {
        let folder = home.join("capsules");
        Self { root: folder.join("root.pub"), revocations: folder.join("revocations.json") }
    }

    /// The root that was named, else the home's.
    pub fn root(&self, named: Option<&Path>) -> Result<PublicKeys, Failure> {
        match named {
            Some(path) => place::public(path),
            None if self.root.exists() => place::public(&self.root),
            None => Err(no_root()),
        }
    }

    /// The newest list that was seen.
    pub fn revocations(&self, root: &PublicKeys) -> Result<Option<(Revocations, Known)>, Failure> {
        if !self.revocations.exists() {
            return Ok(None);
        }
        open(&place::envelope(&self.revocations)?, root, None).map(Some)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        let folder = path.parent().unwrap_or(path);
        // A home is its owner's alone, each folder of it too.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .and_then(|()| symbolon_store::replace_file(path, bytes))
            .map_err(|error| Failure::file("write", path, &error))
    }
}

/// A list of this root, not older than what is known.
pub fn open(
    bytes: &[u8],
    root: &PublicKeys,
    known: Option<Known>,
) -> Result<(Revocations, Known), Failure> {
    Revocations::open(bytes, root, known, SystemClock.unix_ms()).map_err(|error| {
        Failure::refused("capsule_revocations", error.to_string())
            .next("the newest list, from whoever holds the root's key")
    })
}

/// Nothing is believed without one.
pub fn no_root() -> Failure {
    Failure::refused("capsule_root", "no root is trusted, so no publisher is believed")
        .next("symbolon capsule trust root.pub, or --root root.pub")
}
