//! `symbolon claims add`

use std::path::PathBuf;

use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_proof::{ClaimsError, ClaimsFile, HolderRecord};
use symbolon_vault::Replica;
use symbolon_vault::wire::ItemId;

use super::Ctx;
use crate::failure::Failure;
use crate::vaults::{self, Ask, Which};
use crate::{facts, out};

/// Keep the claims that an issuer gave you
///
/// They are checked before: the issuer signed them, and they are about the secret of one of your requests.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon claims add claims.json")]
pub struct Add {
    /// The issuer's file, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    which: Which,
}

impl Add {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let claims = ClaimsFile::parse(&facts::read_secret(&self.file)?)?;
        let (issuer, until) = (claims.issuer_name().clone(), claims.good_until());
        let is_demo = claims.is_demo();
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let (id, mut record) = of_holder(vault.replica(), &claims)?;
        record.add(claims)?;
        let mut item = vault.replica().open(id)?;
        item.contents = facts::contents(&record)?;
        let title = item.title.to_string();
        vault.replica_mut().update_item(id, &item, &SystemClock, &SystemRng)?;
        vaults::keep(&mut vault)?;
        if ctx.json {
            return out::json(&json!({ "id": id, "name": title, "issuer": issuer.as_str(),
                "until": until.to_string(), "demo": is_demo }));
        }
        let demo = if is_demo { " (demo: anybody can make such claims)" } else { "" };
        out::say(&format!(
            "`{title}` has the claims of `{issuer}`{demo}; you can prove with them until {until}."
        ));
        if self.file.as_os_str() == "-" {
            out::say_next("symbolon prove age --for https://shop.example");
        } else {
            out::say("The file is not needed any more, and says what the claims say.");
            out::say_next(&format!("rm {}", self.file.display()));
        }
        Ok(())
    }
}

/// The record whose holder the claims are about.
fn of_holder(replica: &Replica, claims: &ClaimsFile) -> Result<(ItemId, HolderRecord), Failure> {
    for overview in facts::all(replica) {
        let record = facts::record(replica, overview.id)?;
        if record.request()?.holder == claims.holder() {
            return Ok((overview.id, record));
        }
    }
    Err(ClaimsError::AnotherHolder.into())
}
