//! `symbolon claims request`

use std::path::PathBuf;

use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_circuits::Date;
use symbolon_proof::HolderRecord;

use super::Ctx;
use crate::facts::{self, NewFile};
use crate::failure::Failure;
use crate::out;
use crate::vaults::{self, Ask, Which};

/// Make what an issuer needs to sign claims about you
///
/// A secret is made that claims are about; it stays sealed in your vault. The request says nothing of it, but show it to
/// the issuer alone: who sees it again knows that it is the same holder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon claims request --out request.json
  symbolon claims request --out request.json --until 2028-12-31 --name \"City of Ulm\"")]
pub struct Request {
    /// Where the request goes: a new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The last day on which you can prove with it [default: in a year]
    #[arg(long, value_name = "DAY", value_parser = facts::day)]
    until: Option<Date>,
    /// What you call the claims
    #[arg(long, value_name = "NAME", default_value = "Claims")]
    name: String,
    #[command(flatten)]
    which: Which,
}

impl Request {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let until = until(self.until)?;
        let file = NewFile::make(&self.out)?;
        let mut vault = match self.which.open(ctx, Ask::Person) {
            Ok(vault) => vault,
            Err(failure) => return file.give_up(failure),
        };
        let record = HolderRecord::make(until, &SystemRng);
        let title = facts::free_title(vault.replica(), &self.name);
        let item = facts::item(&title, &record)?;
        let id = vault.replica_mut().create_item(&item, None, &SystemClock, &SystemRng)?;
        vaults::keep(&mut vault)?;
        file.write(format!("{}\n", record.request()?.to_value()).as_bytes())?;
        if ctx.json {
            return out::json(&json!({ "id": id, "name": title, "file": self.out,
                "until": until.to_string() }));
        }
        out::say(&format!(
            "`{title}` waits for an issuer; it is good until {until}. Hand {} to the issuer.",
            self.out.display()
        ));
        out::say_next("symbolon claims add claims.json, with what the issuer gives you");
        Ok(())
    }
}

/// The last day of a secret: the one that was typed, else the same day next year.
pub fn until(typed: Option<Date>) -> Result<Date, Failure> {
    let today = facts::today();
    match typed {
        Some(day) if day < today => {
            Err(Failure::usage("--until is a day that is over").next("a day that has not been"))
        }
        Some(day) => Ok(day),
        // The 29th of February is the 28th in the next year.
        None => Date::new(today.year() + 1, today.month(), today.day())
            .or_else(|_| Date::new(today.year() + 1, today.month(), 28))
            .map_err(|error| Failure::usage(error.to_string()).next("--until DAY")),
    }
}
