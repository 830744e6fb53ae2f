//! `symbolon capsule sign`

use std::path::PathBuf;

use serde_json::json;
use symbolon_ambient::SystemRng;
use symbolon_capsule::{Envelope, Kind, Manifest};

use super::{Ctx, place};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::{facts, out};

/// Sign a manifest with a publisher's key
///
/// A key that `capsule key` made signs a statement of it too, by which private receipts can be made; a manifest that has one
/// runs under a certificate that names the same key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule sign hello.manifest.json --key publisher.key
  symbolon capsule sign hello.manifest.json --key publisher.key --out hello.capsule.json")]
pub struct Args {
    /// The draft that `capsule build` made and you looked through
    #[arg(value_name = "MANIFEST")]
    manifest: PathBuf,
    /// The publisher's private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where to write it: a new file; NAME.capsule.json where none is given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let draft = facts::read(&self.manifest, facts::FILE_BYTES_MAX)?;
        let mut manifest = Manifest::parse_draft(&draft).map_err(|error| {
            let what = format!("{}: {error}", self.manifest.display());
            Failure::refused("capsule_manifest", what)
                .next(format!("edit {}, then sign it again", self.manifest.display()))
        })?;
        let keys = place::private(&self.key)?;
        manifest.sign_statement(keys.jubjub.as_ref(), &SystemRng);
        let envelope = Envelope::sign(Kind::Manifest, manifest.to_bytes(), &keys)
            .map_err(|error| Failure::refused("capsule_sign", error.to_string()))?;
        let out = self.out.unwrap_or_else(|| place::beside(&self.manifest, "capsule.json"));
        NewFile::make(&out)?.write(&envelope.to_json())?;
        let Manifest { name, version, .. } = &manifest;
        if ctx.json {
            let key = keys.public().ed25519;
            let statement = manifest.statement.is_some();
            return out::json(&json!({
                "out": out, "name": name, "version": version, "key": key, "statement": statement,
            }));
        }
        out::say(&format!("{name} {version} is signed: {}", out.display()));
        out::say_next("symbolon capsule run hello.wasm --input @in.json");
        Ok(())
    }
}
