//! `symbolon key service`: services whose keys a server checks, by their operator's account.

use clap::Subcommand;
use serde_json::json;
use symbolon_holder::server::NewService;
use symbolon_possession::Audience;
use symbolon_secret::Secret;

use super::{Ctx, audience};
use crate::failure::Failure;
use crate::vaults::{self, Ask, Which};
use crate::{out, runtime};

/// Set up a service whose API keys are proven to your server
///
/// The service belongs to the account of your vault, at your vault's server. Its secret is shown
/// once: the service shows it to register keys, and to ask whether a token is good.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon key service add https://api.example --scope read --scope write
  symbolon key service ls
  symbolon key service rm ID")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Set a service up, and show its secret once
    #[command(after_help = "Examples\n  symbolon key service add https://api.example --scope read")]
    Add {
        /// The service's address
        #[arg(value_name = "URL", value_parser = audience)]
        service: Audience,
        /// What tokens may be good for; several with several flags
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// What you call it [default: its address]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// How long a token lives: 5 to 15 minutes
        #[arg(long, value_name = "MINUTES", default_value = "10", value_parser = clap::value_parser!(u64).range(5..=15))]
        minutes: u64,
        #[command(flatten)]
        which: Which,
    },
    /// List your services
    #[command(after_help = "Examples\n  symbolon key service ls --json")]
    Ls {
        #[command(flatten)]
        which: Which,
    },
    /// Remove a service, with all of its keys and their devices
    #[command(after_help = "Examples\n  symbolon key service rm ID")]
    Rm {
        /// Its id in `symbolon key service ls`
        id: String,
        #[command(flatten)]
        which: Which,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Add { service, scopes, name, minutes, which } => {
                let new = NewService {
                    name: name.unwrap_or_else(|| service.to_string()),
                    audience: service.to_string(),
                    scopes: scopes.join(" "),
                    token_seconds: minutes * 60,
                };
                add(ctx, &which, &new)
            }
            Step::Ls { which } => list(ctx, &which),
            Step::Rm { id, which } => remove(ctx, &which, &id),
        }
    }
}

fn add(ctx: &Ctx, which: &Which, new: &NewService) -> Result<(), Failure> {
    let vault = which.open(ctx, Ask::Person)?;
    let mut client = vaults::client(&vault)?;
    let shown = runtime::single()?.block_on(vault.add_service(&mut client, new))?;
    let issuer = client.url().to_string();
    if ctx.json {
        return out::json(&json!({ "service": shown.id, "secret": shown.secret, "issuer": issuer,
            "audience": new.audience }));
    }
    out::say(&format!("Issuer   {issuer}\nAddress  {}\nService  {}", new.audience, shown.id));
    out::say("Secret, shown once:");
    let bytes = shown.secret.as_bytes();
    let secret = Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes));
    out::secret("", &secret, "\n")?;
    out::say_next(&format!(
        "symbolon key register {} --server {issuer} --service {} --name NAME",
        new.audience, shown.id
    ));
    Ok(())
}

fn list(ctx: &Ctx, which: &Which) -> Result<(), Failure> {
    let vault = which.open(ctx, Ask::Person)?;
    let mut client = vaults::client(&vault)?;
    let all = runtime::single()?.block_on(vault.services(&mut client))?;
    if ctx.json {
        return out::json(&all);
    }
    if all.is_empty() {
        out::say("No service is set up.");
        out::say_next("symbolon key service add https://api.example --scope read");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|it| vec![it.id, it.audience, it.scopes, format!("{} min", it.token_seconds / 60)])
        .collect();
    out::table(&["SERVICE", "ADDRESS", "SCOPES", "TOKENS"], &rows)
}

fn remove(ctx: &Ctx, which: &Which, id: &str) -> Result<(), Failure> {
    let vault = which.open(ctx, Ask::Person)?;
    let mut client = vaults::client(&vault)?;
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(
            Failure::usage("a service's id is 32 hex digits").next("symbolon key service ls")
        );
    }
    runtime::single()?.block_on(vault.remove_service(&mut client, id))?;
    if ctx.json {
        return out::json(&json!({ "removed": id }));
    }
    out::say("The service is removed, with its keys: no token of it is good any more.");
    Ok(())
}
