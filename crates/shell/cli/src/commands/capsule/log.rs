//! `symbolon capsule log`

use std::path::PathBuf;

use serde_json::json;
use symbolon_receipt::OperatorKey;
use symbolon_receipt::capsule::{CAPSULE_BYTES_MAX, CapsuleReceipt, verify_capsule};

use super::super::verify::receipt::with_succession;
use super::{Ctx, receipt};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::{facts, out};

/// Show again where a receipt stands in this home's log, with what witnesses have signed since
///
/// A run puts its receipt into the log at once; witnesses sign a moment later, and a reader may want two of them (`symbolon verify
/// --witness`). A receipt that was handed over without its place gets one now, at the end of the log. One that is unlinked has none:
/// the log would say whose it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule log receipt.json --out witnessed.json")]
pub struct Args {
    /// The receipt, of this home
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write it: a new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let bytes = facts::read(&self.file, CAPSULE_BYTES_MAX)?;
        let form = |error: &dyn std::fmt::Display| {
            Failure::refused("receipt_form", format!("{}: {error}", self.file.display()))
                .next("symbolon capsule run FILE --receipt receipt.json")
        };
        let known = CapsuleReceipt::parse(&bytes).map_err(|error| form(&error))?;
        if !known.names_operator() {
            let what = "an unlinked receipt has no place in a log, which would say whose it is";
            return Err(Failure::refused("receipt_unlinked", what)
                .next("symbolon capsule run FILE --receipt FILE, without --unlinked"));
        }
        // What is not this home's, or does not hold, is not put into its log.
        let home = ctx.existing()?;
        let text = std::fs::read_to_string(home.operator_pub())
            .map_err(|error| Failure::file("read", &home.operator_pub(), &error))?;
        let key = OperatorKey::parse(&text).map_err(|error| form(&error))?;
        let line = Some(home.operator_succession()).filter(|path| path.exists());
        let key = with_succession(key, line.as_deref())?;
        verify_capsule(&bytes, Some(&key), None).map_err(|error| {
            Failure::refused("receipt_refused", format!("{}: {error}", self.file.display()))
                .next("symbolon verify FILE --key operator.pub, for each of its facts")
        })?;
        let shown = NewFile::make(&self.out)?;
        let logged = match ctx.broker().and_then(|mut broker| receipt::logged(&mut broker, known)) {
            Ok(logged) => logged,
            Err(failure) => return shown.give_up(failure),
        };
        shown.write(&logged.to_json())?;
        let index = logged.dangerous_log().map(|log| log.index);
        if ctx.json {
            return out::json(&json!({ "out": self.out, "entry": index }));
        }
        let entry = index.map(|index| index.to_string()).unwrap_or_default();
        out::say(&format!("{} is entry {entry} of this home's log.", self.out.display()));
        out::say_next(&format!(
            "symbolon verify {} --key operator.pub --witness KEY",
            self.out.display()
        ));
        Ok(())
    }
}
