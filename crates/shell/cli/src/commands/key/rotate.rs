//! `symbolon key rotate`: a new key in the place of an old one.

use serde_json::json;
use symbolon_ambient::SystemRng;
use symbolon_holder::server::{Client, KeyFailure, RelyingService};

use super::{Ctx, How, Whose};
use crate::failure::Failure;
use crate::{out, runtime};

/// Put a new API key in the place of the one that this device proves
///
/// Both are proven; neither is sent. The old one is worth nothing from then on. Your other devices
/// stay in the list, and each has to be told the new key: `symbolon key enrol URL`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon key rotate https://api.example
  symbolon key rotate https://api.example --from-stdin < NEW_KEY_FILE")]
pub struct Args {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    how: How,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let (ring, card) = self.whose.find(ctx)?;
        let command = format!("symbolon key rotate {}", card.audience);
        let key = self.how.key("New API key (not shown): ", &command)?;
        let old = ring.open(&card)?;
        // The service is not asked again: the key stays with the server where it was enrolled.
        let relying = RelyingService::of(&card)?;
        let rng = SystemRng;
        let new = runtime::single()?.block_on(async {
            let mut client = Client::new(card.issuer.clone());
            let new = relying.derive(&mut client, &key, &rng).await?;
            old.rotate(&mut client, &card, &new, &rng).await?;
            Ok::<_, KeyFailure>(new)
        })?;
        // Where this is cut short here, nothing is lost: the person has the new key, and enrols again with it.
        let next = ring.keep(card, &key, &new, &old.seed, &rng)?;
        if ctx.json {
            return out::json(&json!({ "rotated": next.key, "device": next.device }));
        }
        out::say(&format!("The new key stands in the old one's place at {}.", next.audience));
        out::say("Your other devices need it too: symbolon key enrol there.");
        Ok(())
    }
}
