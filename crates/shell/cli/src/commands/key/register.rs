//! `symbolon key register`: who issued a key registers its point.

use serde_json::json;
use symbolon_ambient::SystemRng;
use symbolon_holder::ServerUrl;
use symbolon_holder::server::{Client, KeyFailure, RelyingService};
use symbolon_possession::{Domain, ServiceId, StrongKey};
use symbolon_secret::Secret;

use super::{Ctx, Whose};
use crate::failure::Failure;
use crate::{out, runtime, secrets};

/// Register an API key that your service issued
///
/// What is registered is a point from which nobody can make the key, or try guesses. Do it where you
/// make keys. The service's secret comes from $SYMBOLON_SERVICE_SECRET, or from a hidden prompt.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon key register https://api.example --server https://keys.example --service ID --name customer-7
  SYMBOLON_SERVICE_SECRET=… symbolon key register https://api.example --server https://keys.example \\
    --service ID --name customer-7 --from-stdin < KEY_FILE")]
pub struct Args {
    #[command(flatten)]
    whose: Whose,
    /// The server that checks your keys
    #[arg(long, value_name = "URL")]
    server: ServerUrl,
    /// Your service's id there, from `symbolon key service ls`
    #[arg(long = "service", value_name = "ID")]
    id: ServiceId,
    /// What you call the key
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What its tokens may be good for [default: everything that the service has]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Read the API key from standard input instead of asking
    #[arg(long)]
    from_stdin: bool,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let secret = secret()?;
        let how = super::How { from_stdin: self.from_stdin };
        let key: StrongKey = how.key("API key (not shown): ", "symbolon key register URL")?;
        let Whose { service: audience, account } = self.whose;
        let issuer = self.server.to_string();
        let domain = Domain { issuer, service: self.id, audience, account };
        let relying = RelyingService { issuer: self.server, domain };
        let (rng, scopes) = (SystemRng, self.scopes.join(" "));
        let id = runtime::single()?.block_on(async {
            let mut client = Client::new(relying.issuer.clone());
            let possessed = relying.derive(&mut client, &key, &rng).await?;
            let point = possessed.point();
            relying.register(&mut client, &secret, &point, &self.name, &scopes).await
        });
        let id: String = id.map_err(|error: KeyFailure| Failure::from(error))?;
        if ctx.json {
            return out::json(&json!({ "key": id, "name": self.name }));
        }
        out::say(&format!("Registered as {id}. Who has the key can prove it now."));
        out::say_next(&format!(
            "symbolon key enrol {}, by who has the key",
            relying.domain.audience
        ));
        Ok(())
    }
}

fn secret() -> Result<Secret<[u8]>, Failure> {
    match std::env::var(VARIABLE) {
        Ok(text) if !text.is_empty() => {
            Ok(Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes())))
        }
        _ => {
            let flag = format!("{VARIABLE}=… symbolon key register URL …");
            secrets::ask("service's secret", "Secret of the service (not shown): ", &flag)
        }
    }
}

const VARIABLE: &str = "SYMBOLON_SERVICE_SECRET";
