//! `symbolon capsule disclose`

use std::path::PathBuf;

use serde_json::json;
use symbolon_receipt::capsule::{CAPSULE_BYTES_MAX, CapsuleReceipt, FieldName};

use super::Ctx;
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::{facts, out};

/// Make a receipt that shows the named facts, and proves that they belong to it
///
/// The others are withheld: their values are gone from the file, and cannot be guessed from it. Facts: time,
/// capsule, component, publisher, manifest, certificate, policy, measured, input, output, use; of a receipt that is
/// unlinked also identity (whose it is) and run. One that is private has time, measured, input, output and use, shows
/// certificate and policy always, and never the component.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule disclose receipt.json --show time,policy --out shown.json
  symbolon capsule disclose receipt.json --show component,manifest,certificate
  symbolon capsule disclose receipt.json --show identity,time --out shown.json")]
pub struct Args {
    /// The receipt
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What to show, with commas between
    #[arg(long, value_name = "FACTS", value_delimiter = ',', required = true, value_parser = field)]
    show: Vec<FieldName>,
    /// Where to write it: a new file; standard output where none is given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let bytes = facts::read(&self.file, CAPSULE_BYTES_MAX)?;
        let receipt = CapsuleReceipt::parse(&bytes).map_err(|error| {
            Failure::refused("receipt_form", format!("{}: {error}", self.file.display()))
                .next("symbolon capsule run FILE --receipt receipt.json")
        })?;
        if let Some(name) = self.show.iter().find(|it| !receipt.has(**it)) {
            let what = format!("`{name}` is no field of this receipt's form");
            return Err(Failure::refused("receipt_field_unknown", what).next(
                "symbolon verify FILE shows its facts; symbolon capsule run --help, the forms",
            ));
        }
        let gone = self.show.iter().find(|it| receipt.dangerous_unverified(**it).is_none());
        if let Some(name) = gone {
            let what = format!("`{name}` is withheld in this receipt already");
            return Err(Failure::refused("receipt_withheld", what)
                .next("the receipt that the run wrote, from whoever has it"));
        }
        let shown = receipt.disclose(&self.show).to_json();
        let Some(out) = &self.out else {
            return out::text(&String::from_utf8_lossy(&shown));
        };
        NewFile::make(out)?.write(&shown)?;
        let names: Vec<_> = self.show.iter().map(ToString::to_string).collect();
        if ctx.json {
            return out::json(&json!({ "out": out, "shows": names }));
        }
        out::say(&format!("{} shows: {}", out.display(), names.join(", ")));
        // Without `identity` an unlinked receipt is held against nobody's key.
        let is_anyones =
            receipt.has(FieldName::Identity) && !self.show.contains(&FieldName::Identity);
        let key = if is_anyones { "" } else { " --key operator.pub" };
        out::say_next(&format!("symbolon verify {}{key}", out.display()));
        Ok(())
    }
}

fn field(text: &str) -> Result<FieldName, String> {
    text.parse().map_err(|error: symbolon_receipt::capsule::UnknownField| error.to_string())
}
