//! `symbolon capsule open` and `release`

use std::path::{Path, PathBuf};

use serde_json::json;
use symbolon_ambient::{Clock, SystemClock};
use symbolon_receipt::Time;
use symbolon_receipt::capsule::{
    CapsuleReceipt, DISCLOSURE_BYTES_MAX, Disclosure, DisclosureError, FieldName,
    RELEASE_BYTES_MAX, Release,
};

use super::{Ctx, peer};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::{facts, out};

/// Open facts of a receipt that were sealed to your key, or that holders released
///
/// What is written is the receipt with these facts shown; each is held against what the receipt commits to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule open sealed.json --key peer.key --out shown.json
  symbolon capsule open sealed.json --release one.json --release two.json --out shown.json
  symbolon verify shown.json --key operator.pub")]
pub struct Args {
    /// What `capsule disclose --to` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Your private key, where one holder opens it alone
    #[arg(long, value_name = "FILE", required_unless_present = "release")]
    key: Option<PathBuf>,
    /// What a holder released; can be repeated
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    release: Vec<PathBuf>,
    /// Where to write it: a new file; standard output where none is given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Release your share of facts that were sealed for later: for everybody to see
///
/// It is refused before the time that the disclosure is bound to, by this device's clock. It cannot be taken back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule release sealed.json --key holder.key --out one.json
  symbolon capsule open sealed.json --release one.json --release two.json")]
pub struct ReleaseArgs {
    /// What `capsule disclose --to` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Your private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where to write it: a new file; standard output where none is given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let disclosure = read(&self.file)?;
        let shown = match &self.key {
            Some(key) => disclosure.open(&peer::private(key)?, SystemClock.unix_ms()),
            None => {
                let releases = self.release.iter().map(|it| released(it));
                disclosure.open_released(&releases.collect::<Result<Vec<_>, _>>()?)
            }
        };
        let shown = shown.map_err(|error| refused(&self.file, &error))?;
        let Some(out) = &self.out else {
            return out::text(&String::from_utf8_lossy(&shown.to_json()));
        };
        NewFile::make(out)?.write(&shown.to_json())?;
        let names = names(&shown);
        if ctx.json {
            return out::json(&json!({ "out": out, "shows": names }));
        }
        out::say(&format!("{} shows: {}", out.display(), names.join(", ")));
        out::say_next(&format!("symbolon verify {} --key operator.pub", out.display()));
        Ok(())
    }
}

impl ReleaseArgs {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let disclosure = read(&self.file)?;
        let key = peer::private(&self.key)?;
        let release = disclosure.release(&key, SystemClock.unix_ms());
        let release = release.map_err(|error| refused(&self.file, &error))?;
        let Some(out) = &self.out else {
            return out::text(&String::from_utf8_lossy(&release.to_json()));
        };
        NewFile::make(out)?.write(&release.to_json())?;
        let threshold = disclosure.terms().threshold;
        if ctx.json {
            return out::json(&json!({
                "out": out, "holder": release.holder(), "threshold": threshold,
            }));
        }
        out::say(&format!(
            "Holder {} released its share; it takes {threshold} of {}.",
            release.holder(),
            disclosure.terms().holders.len()
        ));
        let (file, out) = (self.file.display(), out.display());
        out::say_next(&format!("symbolon capsule open {file} --release {out}"));
        Ok(())
    }
}

fn names(receipt: &CapsuleReceipt) -> Vec<&'static str> {
    let shown = |it: &FieldName| receipt.dangerous_unverified(*it).is_some();
    FieldName::ALL.into_iter().filter(shown).map(FieldName::as_str).collect()
}

fn read(path: &Path) -> Result<Disclosure, Failure> {
    let bytes = facts::read(path, DISCLOSURE_BYTES_MAX)?;
    Disclosure::parse(&bytes).map_err(|error| {
        Failure::refused("disclosure_form", format!("{}: {error}", path.display()))
            .next("the whole file, as symbolon capsule disclose --to wrote it")
    })
}

fn released(path: &Path) -> Result<Release, Failure> {
    let bytes = facts::read(path, RELEASE_BYTES_MAX)?;
    Release::parse(&bytes).map_err(|error| {
        Failure::refused("release_form", format!("{}: {error}", path.display()))
            .next("the whole file, as symbolon capsule release wrote it")
    })
}

fn refused(path: &Path, error: &DisclosureError) -> Failure {
    let what = format!("{}: {error}", path.display());
    match error {
        DisclosureError::Holder => Failure::refused("disclosure_holder", what)
            .next("--key with the private key whose public half it was sealed to"),
        DisclosureError::Early { not_before_ms } => Failure::refused("disclosure_early", what)
            .next(format!("the same command from {} on", Time::from_unix_ms(*not_before_ms))),
        DisclosureError::TooFew { .. } => {
            Failure::refused("disclosure_shares", what).next(format!(
                "symbolon capsule release {} --key holder.key, by more of its holders",
                path.display()
            ))
        }
        DisclosureError::OtherRelease { .. }
        | DisclosureError::NoHolder { .. }
        | DisclosureError::Release { .. } => Failure::refused("disclosure_release", what)
            .next("the other releases, without this one"),
        _ => Failure::refused("disclosure_changed", what)
            .next("the file again, from whoever made it"),
    }
}
