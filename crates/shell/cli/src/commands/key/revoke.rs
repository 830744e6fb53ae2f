//! `symbolon key revoke`: the end of a key.

use serde_json::json;
use symbolon_ambient::SystemRng;
use symbolon_holder::server::Client;

use super::{Ctx, Whose};
use crate::failure::Failure;
use crate::{out, runtime};

/// Revoke a key, with all of its devices and tokens
///
/// At once, at every server. The service has to give you another key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon key revoke https://api.example")]
pub struct Args {
    #[command(flatten)]
    whose: Whose,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let (ring, card) = self.whose.find(ctx)?;
        let key = ring.open(&card)?;
        let mut client = Client::new(card.issuer.clone());
        let revoked = key.manage(&mut client, &card, "revoke", &SystemRng);
        runtime::single()?.block_on(revoked)?;
        ring.forget(&card)?;
        if ctx.json {
            return out::json(&json!({ "revoked": card.key }));
        }
        out::say(&format!(
            "The key \"{}\" is revoked; no token of it is good any more, and this device forgot it.",
            card.key_name
        ));
        Ok(())
    }
}
