//! `symbolon capsule show`

use std::path::PathBuf;

use serde_json::{Value, json};
use symbolon_capsule::{Certificate, Envelope, Kind, Manifest, Revocations};

use super::{Ctx, place};
use crate::failure::Failure;
use crate::out;

/// Show what a signed manifest, certificate or revocation list says, whoever signed it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule show hello.capsule.json
  symbolon capsule show acme.certificate.json --json")]
pub struct Args {
    /// The signed file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let bytes = place::envelope(&self.file)?;
        let mut why = None;
        for kind in [Kind::Manifest, Kind::Certificate, Kind::Revocations] {
            let envelope = match Envelope::parse(kind, &bytes) {
                Ok(envelope) => envelope,
                Err(error) => {
                    why = Some(error.to_string());
                    continue;
                }
            };
            let payload = envelope.dangerous_unverified();
            let says = match kind {
                Kind::Manifest => Manifest::parse(payload).map(|it| as_value(&it)),
                Kind::Certificate => Certificate::parse(payload).map(|it| as_value(&it)),
                Kind::Revocations => Revocations::parse(payload).map(|it| as_value(&it)),
            };
            let says = says.map_err(|error| refused(&self, &error.to_string()))?;
            if ctx.json {
                return out::json(&json!({ "kind": kind.name(), "verified": false, "says": says }));
            }
            out::text(&serde_json::to_string_pretty(&says).unwrap_or_default())?;
            out::say(&format!("A {}. Nobody's signature over it was checked here.", kind.name()));
            return Ok(());
        }
        Err(refused(&self, &why.unwrap_or_default()))
    }
}

fn as_value(says: &impl serde::Serialize) -> Value {
    serde_json::to_value(says).unwrap_or_default()
}

fn refused(args: &Args, why: &str) -> Failure {
    Failure::refused("capsule_form", format!("{}: {why}", args.file.display()))
        .next("a file that capsule sign, certify or revoke wrote")
}
