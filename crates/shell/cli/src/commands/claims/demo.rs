//! `symbolon claims demo`

use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_proof::{HolderRecord, IssuerName, demo_issuer};

use super::{Ctx, request};
use crate::commands::issuer::{KnownFrom, known};
use crate::failure::Failure;
use crate::vaults::{self, Ask, Which};
use crate::{facts, out};

/// Make claims about yourself, to try proofs out
///
/// They are by the demo issuer, whose key everybody has: they say nothing to anybody, and are marked as demo wherever
/// they are shown. What is typed stays in your vault.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon claims demo
  symbolon claims demo --from me.json")]
pub struct Demo {
    #[command(flatten)]
    from: KnownFrom,
    #[command(flatten)]
    which: Which,
}

impl Demo {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let known = known(&self.from, "symbolon claims demo", facts::today())?;
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let mut record = HolderRecord::make(request::until(None)?, &SystemRng);
        let name = IssuerName::new("Demo issuer")
            .map_err(|error| Failure::refused("internal", error.to_string()))?;
        record.add(known.issue(&demo_issuer(), name, &record.request()?, &SystemRng)?)?;
        let title = facts::free_title(vault.replica(), "Demo claims");
        let item = facts::item(&title, &record)?;
        let id = vault.replica_mut().create_item(&item, None, &SystemClock, &SystemRng)?;
        vaults::keep(&mut vault)?;
        if ctx.json {
            return out::json(&json!({ "id": id, "name": title, "demo": true }));
        }
        out::say(&format!(
            "`{title}` is in your vault. It is a demo: no service that means it takes such claims."
        ));
        out::say_next("symbolon prove age --for https://symbolon.example");
        Ok(())
    }
}
