//! `symbolon key enrol`: this device learns to prove a key.

use serde_json::json;
use symbolon_ambient::{Rng, SystemRng};
use symbolon_crypto::SigningKey;
use symbolon_holder::possession::KeyRing;
use symbolon_holder::server::{Client, RelyingService};
use symbolon_secret::Secret;

use super::{Ctx, How, Whose};
use crate::failure::Failure;
use crate::{out, runtime};

/// Let this device prove an API key, once
///
/// The service says who checks its keys. The key is sealed on this device and sent to nobody; a key
/// of this device's own is made beside it. The service must have registered the key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon key enrol https://api.example
  symbolon key enrol https://api.example --account acct_7 --name laptop
  symbolon key enrol https://api.example --from-stdin < KEY_FILE")]
pub struct Args {
    #[command(flatten)]
    whose: Whose,
    /// What this device is called in the key's list
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    how: How,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let Whose { service, account } = self.whose;
        let command = format!("symbolon key enrol {service}");
        let key = self.how.key("API key (not shown): ", &command)?;
        let name = self.name.unwrap_or_else(host_name);
        let ring = KeyRing::of(&ctx.folder()?);
        let seed = Secret::<[u8; 32]>::make(|bytes| SystemRng.fill(bytes));
        // EXPOSE: the seed is copied, to be sealed when the server has said yes.
        let kept = Secret::<[u8; 32]>::make(|bytes| bytes.copy_from_slice(seed.expose()));
        let device = SigningKey::from_seed(seed);
        let rng = SystemRng;
        let enrolled = runtime::single()?.block_on(async {
            let relying = RelyingService::discover(&service, account).await?;
            let mut client = Client::new(relying.issuer.clone());
            let possessed = relying.derive(&mut client, &key, &rng).await?;
            let card = relying.enrol(&mut client, &possessed, &device, &name, &rng).await?;
            Ok::<_, symbolon_holder::server::KeyFailure>((possessed, card))
        });
        let (possessed, card) = enrolled?;
        let card = ring.keep(card, &key, &possessed, &kept, &rng)?;
        if ctx.json {
            return out::json(
                &json!({ "service": card.audience, "issuer": card.issuer.to_string(),
                "key": card.key, "key_name": card.key_name, "device": card.device,
                "device_name": card.device_name, "scopes": card.scopes }),
            );
        }
        out::say(&format!(
            "This device proves the key \"{}\" to {} for {}. The key is sealed here and was sent to nobody.",
            card.key_name, card.issuer, card.audience
        ));
        let scope = card.scopes.split(' ').next().unwrap_or_default();
        out::say_next(&format!("symbolon key login {} --scope {scope}", card.audience));
        Ok(())
    }
}

/// The machine's name, as its owner knows it.
fn host_name() -> String {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(60).collect();
    if name.trim().is_empty() { "this device".to_owned() } else { name.trim().to_owned() }
}
