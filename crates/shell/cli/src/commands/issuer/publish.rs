//! `symbolon issuer publish`

use std::path::PathBuf;

use symbolon_proof::IssuerFile;

use super::{Ctx, find};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::out;
use crate::vaults::{Ask, Which};

/// Show an issuer's name and public key, for relying parties
///
/// Hand the file over in a way that nobody else can put theirs in its place: the file is not signed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon issuer publish
  symbolon issuer publish --out issuer.json")]
pub struct Publish {
    /// Write to this new file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Which issuer, where the vault has several
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    #[command(flatten)]
    which: Which,
}

impl Publish {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let issuer = find(vault.replica(), self.issuer.as_deref())?;
        let file = IssuerFile { name: issuer.name, key: issuer.key.public() }.to_value();
        let Some(path) = &self.out else { return out::json(&file) };
        NewFile::make(path)?.write(format!("{file}\n").as_bytes())?;
        if ctx.json {
            return out::json(&file);
        }
        out::say(&format!("{} has the name and the public key.", path.display()));
        out::say_next("symbolon issuer issue --request request.json --form --out claims.json");
        Ok(())
    }
}
