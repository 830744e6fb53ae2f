//! `symbolon issuer init`

use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_circuits::IssuerKey;
use symbolon_codec::hex;
use symbolon_proof::IssuerName;
use symbolon_secret::Secret;
use symbolon_vault::item::{Body, Contents, Item, Marks, Name};

use super::{Ctx, SERVICE, all};
use crate::failure::Failure;
use crate::vaults::{self, Ask, Which};
use crate::{facts, out};

/// Make an issuer's key, sealed in your vault
///
/// Relying parties believe claims by the public key that is printed. The private one never leaves the vault in the
/// clear.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon issuer init --name \"City of Ulm\"")]
pub struct Init {
    /// What holders and relying parties are shown
    #[arg(long, value_name = "NAME", default_value = "My issuer", value_parser = facts::issuer_name)]
    name: IssuerName,
    #[command(flatten)]
    which: Which,
}

impl Init {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        if all(vault.replica()).iter().any(|it| it.title.as_str() == self.name.as_str()) {
            let what = format!("this vault has an issuer `{}` already", self.name);
            return Err(Failure::refused("exists", what).next("symbolon issuer publish"));
        }
        let key = IssuerKey::make(&SystemRng);
        let sealed = Secret::<[u8]>::make_slice(32, |page| {
            // EXPOSE: copied from one secret page to another, to be sealed.
            page.copy_from_slice(key.secret().expose());
        });
        let item = Item {
            title: facts::title_of(self.name.as_str())?,
            marks: Marks::default(),
            body: Body::default(),
            contents: Contents::ApiKey {
                service: Name::lossy(SERVICE),
                scopes: Vec::new(),
                expires_unix_ms: None,
                key: facts::hidden(sealed)?,
            },
        };
        let id = vault.replica_mut().create_item(&item, None, &SystemClock, &SystemRng)?;
        vaults::keep(&mut vault)?;
        let public = hex::encode(key.public().to_bytes());
        if ctx.json {
            return out::json(&json!({ "id": id, "name": self.name.as_str(), "key": public }));
        }
        out::say(&format!("`{}` can issue claims. Its public key:", self.name));
        out::text(&public)?;
        out::say_next("symbolon issuer publish --out issuer.json");
        Ok(())
    }
}
