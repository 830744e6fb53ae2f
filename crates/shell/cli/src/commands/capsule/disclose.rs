//! `symbolon capsule disclose`

use std::path::PathBuf;

use serde_json::json;
use symbolon_ambient::SystemRng;
use symbolon_receipt::Time;
use symbolon_receipt::capsule::{
    CAPSULE_BYTES_MAX, CapsuleReceipt, Disclosure, FieldName, SealError, Terms,
};

use super::{Ctx, peer};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::{facts, out};

/// Make a receipt that shows the named facts, and proves that they belong to it
///
/// The others are withheld: their values are gone from the file, and cannot be guessed from it. Its place in the log goes with
/// time, which it tells. Facts: time,
/// capsule, component, publisher, manifest, certificate, policy, measured, input, output, use; of a receipt that is
/// unlinked also identity (whose it is) and run. One that is private has time, measured, input, output and use, shows
/// certificate and policy always, and never the component. With --to they are sealed: only these keys open them, each
/// alone, or so many of them together (--threshold), from a time on (--not-before) that the holders' own software holds to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule disclose receipt.json --show time,policy --out shown.json
  symbolon capsule disclose receipt.json --show component,manifest,certificate
  symbolon capsule disclose receipt.json --show identity,time --out shown.json
  symbolon capsule disclose receipt.json --show input,output --to peer.pub --out sealed.json
  symbolon capsule disclose receipt.json --show output --to a.pub --to b.pub --to c.pub --threshold 2 \
    --not-before 2027-01-31 --out sealed.json")]
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
    /// Seal them to this peer's key, as `capsule peer` wrote it; can be repeated
    #[arg(long, value_name = "FILE")]
    to: Vec<PathBuf>,
    /// How many of these peers it takes to open them
    #[arg(long, value_name = "COUNT", default_value_t = 1, requires = "to")]
    threshold: u8,
    /// From when on the peers release them, in UTC: 2027-01-31 or 2027-01-31T14:05:00Z
    #[arg(long, value_name = "TIME", value_parser = time, requires = "to")]
    not_before: Option<u64>,
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
        if !self.to.is_empty() {
            return self.seal(ctx, &receipt);
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

    /// For the peers alone.
    fn seal(&self, ctx: &Ctx, receipt: &CapsuleReceipt) -> Result<(), Failure> {
        let holders = self.to.iter().map(|it| peer::public(it)).collect::<Result<_, _>>()?;
        let (threshold, not_before_ms) = (self.threshold, self.not_before.unwrap_or(0));
        let terms = Terms { threshold, not_before_ms, holders };
        let sealed = Disclosure::seal(receipt, &self.show, terms, &SystemRng);
        let sealed = sealed.map_err(|error| match error {
            SealError::Terms => Failure::usage(error.to_string())
                .next("--to once for each peer, and --threshold of at most so many"),
            SealError::Withheld(_) | SealError::Field(_) => {
                Failure::refused("receipt_field", error.to_string())
                    .next("the receipt that the run wrote, from whoever has it")
            }
            _ => Failure::environment("memory", error.to_string()).next("ulimit -l"),
        })?;
        let Some(out) = &self.out else {
            return out::text(&String::from_utf8_lossy(&sealed.to_json()));
        };
        NewFile::make(out)?.write(&sealed.to_json())?;
        let names: Vec<_> = self.show.iter().map(ToString::to_string).collect();
        if ctx.json {
            return out::json(&json!({
                "out": out, "seals": names, "peers": self.to.len(), "threshold": threshold,
                "not_before_ms": self.not_before,
            }));
        }
        let peers = self.to.len();
        out::say(&format!(
            "{} seals {}; it takes {threshold} of {peers}.",
            out.display(),
            names.join(", ")
        ));
        let key = match threshold {
            1 => "open",
            _ => "release",
        };
        out::say_next(&format!(
            "symbolon capsule {key} {} --key peer.key, by a peer",
            out.display()
        ));
        Ok(())
    }
}

/// Unix milliseconds of a day, or of a moment, in UTC.
fn time(text: &str) -> Result<u64, String> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00.000Z"),
        20 => format!("{}.000Z", text.trim_end_matches('Z')),
        _ => text.to_owned(),
    };
    let time: Result<Time, _> = serde_json::from_value(whole.into());
    time.map(Time::unix_ms).map_err(|_| "a time is 2027-01-31 or 2027-01-31T14:05:00Z".to_owned())
}

fn field(text: &str) -> Result<FieldName, String> {
    text.parse().map_err(|error: symbolon_receipt::capsule::UnknownField| error.to_string())
}
