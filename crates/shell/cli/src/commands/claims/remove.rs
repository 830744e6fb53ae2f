//! `symbolon claims rm`

use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_vault::item::Details;

use super::Ctx;
use crate::failure::Failure;
use crate::vaults::{self, Ask, Reached, Which};
use crate::{facts, out, prompt};

/// Put claims into the trash, with the secret that they are about
///
/// Nothing is proven with them any more; what was proven stays. Claims about the same person again need a new request,
/// and the issuer.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon claims rm \"Demo claims\"
  symbolon claims rm 1f2e3d4c --yes")]
pub struct Rm {
    /// Title, or how the id begins
    claims: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    which: Which,
}

impl Rm {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let id = facts::find(vault.replica(), &self.claims)?;
        let it = vault.replica().overview(id).map(|it| (it.title.to_string(), by(it.details)));
        let (title, by) = it.unwrap_or_default();
        // Nobody holds the vault while a person thinks.
        let unlocked = vault.close();
        self.confirm(&title, &by)?;
        let mut vault = vaults::open(self.which.find(ctx)?, unlocked)?;
        vault.replica_mut().trash(id, &SystemClock, &SystemRng)?;
        let on_server = vaults::keep(&mut vault)? == Reached::Server;
        if ctx.json {
            return out::json(&json!({ "id": id, "name": title, "trashed": true,
                "on_server": on_server }));
        }
        out::say(&format!("`{title}`{by} is in the trash. Nothing is proven with it any more."));
        out::say_next("symbolon claims ls");
        Ok(())
    }

    fn confirm(&self, title: &str, by: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !prompt::is_possible() {
            let what = "nobody is at a terminal to say that the claims are really to go";
            return Err(Failure::usage(what).next("the same command with --yes"));
        }
        out::say("Nothing can be proven with these claims then; the issuer can make others.");
        let answer = prompt::line(&format!("Put `{title}`{by} into the trash? [y/N] "))?;
        if matches!(answer.as_str(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(Failure::refused("not_agreed", "you did not agree; nothing was changed")
            .next("symbolon claims ls"))
    }
}

/// Whose they are, in words; nothing where they wait for an issuer.
fn by(details: &Details) -> String {
    match details {
        Details::Claims { issuer, .. } if !issuer.as_str().is_empty() => format!(", by {issuer},"),
        _ => String::new(),
    }
}
