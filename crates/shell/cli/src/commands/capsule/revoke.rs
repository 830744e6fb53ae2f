//! `symbolon capsule revoke`

use std::path::PathBuf;

use serde_json::json;
use symbolon_ambient::{Clock, SystemClock};
use symbolon_capsule::{ComponentDigest, Envelope, Kind, Revocations};

use super::{Ctx, place};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::out;

/// Take back certificates or components, in a list that a root signs
///
/// A list says all that is taken back, what was on the one before too, and has a higher number.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule revoke --certificate 7 --number 2 --root root.key --out revoked.json
  symbolon capsule revoke --component HASH --number 3 --root root.key --out revoked.json")]
pub struct Args {
    /// The number of a certificate; can be repeated
    #[arg(long = "certificate", value_name = "N")]
    certificates: Vec<u64>,
    /// The SHA3-512 of a component, 128 hex digits; can be repeated
    #[arg(long = "component", value_name = "HASH", value_parser = digest)]
    components: Vec<ComponentDigest>,
    /// The list's number: higher than that of the one before
    #[arg(long, value_name = "N")]
    number: u64,
    /// The root's private key
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// Where to write it: a new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let Self { mut certificates, mut components, number, .. } = self;
        certificates.sort_unstable();
        certificates.dedup();
        components.sort_unstable();
        components.dedup();
        let issued_ms = SystemClock.unix_ms();
        let list = Revocations { certificates, components, issued_ms, number };
        let bytes = list.to_bytes();
        Revocations::parse(&bytes).map_err(|error| {
            Failure::usage(format!("this is no revocation list: {error}"))
                .next("symbolon capsule revoke --help")
        })?;
        let envelope = Envelope::sign(Kind::Revocations, bytes, &place::private(&self.root)?)
            .map_err(|error| Failure::refused("capsule_sign", error.to_string()))?;
        NewFile::make(&self.out)?.write(&envelope.to_json())?;
        if ctx.json {
            return out::json(&json!({ "number": number, "out": self.out }));
        }
        out::say(&format!("List {number} is in {}.", self.out.display()));
        out::say_next(&format!("symbolon capsule trust --revocations {}", self.out.display()));
        Ok(())
    }
}

fn digest(text: &str) -> Result<ComponentDigest, String> {
    ComponentDigest::try_from(text.to_owned()).map_err(|_| "128 hex digits".to_owned())
}
