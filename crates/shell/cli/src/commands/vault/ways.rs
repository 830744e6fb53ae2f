//! `symbolon vault methods`, `add` and `remove`: how a vault opens on this device.

use clap::ValueEnum;
use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_codec::time::rfc3339;
use symbolon_crypto::Seed;
use symbolon_holder::{Account, Client, OpenVault, Protect};

use super::{Ctx, How};
use crate::failure::Failure;
use crate::secrets::{self, NotHere};
use crate::typed::Typed;
use crate::vaults::{self, Which};
use crate::{out, runtime, seeds};

/// List the ways to open a vault
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon vault methods")]
pub struct Methods {
    #[command(flatten)]
    which: Which,
}

/// Add a way to open the vault
///
/// What opens it now is asked for first. A seed phrase opens the vault everywhere, and signs in at its server; with
/// --from-stdin the first line is the password, the second the words, the third the passphrase beside them, where
/// there is one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon vault add device
  symbolon vault add device --from-stdin < password.txt
  symbolon vault add seed
  symbolon vault add seed --generate")]
pub struct Add {
    /// Which
    #[arg(value_enum)]
    method: New,
    /// Make a new seed phrase: it is shown once, and two of its words are asked back
    #[arg(long, conflicts_with = "from_stdin")]
    generate: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    not_here: NotHere,
}

/// What a vault can be opened by further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum New {
    /// A key file bound to this machine: nobody is asked any more, on this device alone
    Device,
    /// The seed phrase of a wallet (BIP-39), everywhere
    Seed,
}

/// Remove a way to open the vault on this device
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon vault remove ID")]
pub struct Remove {
    /// Its id, or how it begins, in `symbolon vault methods`
    id: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

impl Methods {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let closed = self.which.find(ctx)?;
        let card = closed.card();
        let place = |id| if card.here.contains(&id) { "this device" } else { "anywhere" };
        let wraps = card.custody.wraps();
        if ctx.json {
            let row = |it: &symbolon_custody::Wrap| {
                let made = rfc3339(it.created_unix_ms());
                json!({ "id": it.id(), "method": it.method(), "opens": place(it.id()), "created": made })
            };
            let rows: Vec<_> = wraps.iter().map(row).collect();
            return out::json(&rows);
        }
        let rows: Vec<_> = wraps
            .iter()
            .map(|it| {
                let made = rfc3339(it.created_unix_ms());
                vec![it.id().to_string(), it.method().to_string(), place(it.id()).to_owned(), made]
            })
            .collect();
        out::table(&["ID", "METHOD", "OPENS ON", "CREATED"], &rows)
    }
}

impl Add {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        self.not_here.refuse("password or seed phrase", "symbolon vault add METHOD")?;
        match self.method {
            New::Device if self.generate => {
                let what = "a device has no words; --generate is for a seed phrase";
                Err(Failure::usage(what).next("symbolon vault add seed --generate"))
            }
            New::Device => self.device(ctx),
            New::Seed => self.seed(ctx),
        }
    }

    fn device(&self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, self.how.ask())?;
        let id = vault.protect(&Protect::Device, &SystemRng, &SystemClock)?;
        if ctx.json {
            return out::json(&json!({ "id": id, "method": "device" }));
        }
        out::say("This device opens the vault by itself now.");
        Ok(())
    }

    /// A server lets nobody add a way in but who signs in anew, so what is typed is asked for also where this
    /// device opens the vault.
    fn seed(&self, ctx: &Ctx) -> Result<(), Failure> {
        if self.how.recovery {
            let what = "a recovery code opens the vault and signs in nowhere from here";
            return Err(Failure::usage(what).next("symbolon vault add seed, with the password"));
        }
        let closed = self.which.find(ctx)?;
        let (typed, seed) = match self.how.from_stdin {
            true => {
                let mut lines = secrets::lines_from_stdin("password and seed phrase")?.into_iter();
                let first = lines.next().unwrap_or_else(seeds::nothing);
                let rest: Vec<_> = lines.collect();
                let typed = match self.how.seed || !closed.has_password() {
                    true => Typed::Seed(seeds::of_lines(std::slice::from_ref(&first))?),
                    false => Typed::Password(first),
                };
                (typed, seeds::of_lines(&rest)?)
            }
            false => {
                let command = "symbolon vault add seed";
                let typed = match self.how.seed {
                    true => Typed::Seed(seeds::ask(command)?),
                    false => Typed::of(&closed, false, command)?,
                };
                let seed = match self.generate {
                    true => seeds::generate(command)?,
                    false => {
                        out::say("Now the seed phrase that is to open the vault.");
                        seeds::ask(command)?
                    }
                };
                (typed, seed)
            }
        };
        let unlocked = closed.unlock(&typed.unlocking())?;
        let mut vault = vaults::open(closed, unlocked)?;
        match vault.card().account.clone() {
            Some(account) => send(&mut vault, &account, &typed, &seed)?,
            None => vault.add_seed(&seed, (&SystemRng, &SystemClock))?,
        }
        if ctx.json {
            let address = seed.ethereum_key().address().to_string();
            return out::json(&json!({ "method": "seed", "address": address }));
        }
        out::say("The seed phrase opens the vault now, here and in the page.");
        Ok(())
    }
}

fn send(
    vault: &mut OpenVault,
    account: &Account,
    typed: &Typed,
    seed: &Seed,
) -> Result<(), Failure> {
    let mut client = Client::new(account.server.clone());
    runtime::single()?.block_on(async {
        let session = typed.sign_in(&mut client, account).await?.session;
        vault.send_seed(&mut client, &session, seed, (&SystemRng, &SystemClock)).await?;
        // It ends by itself where this is not heard.
        let _ = client.sign_out(session).await;
        Ok(())
    })
}

impl Remove {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, self.how.ask())?;
        let card = vault.card();
        let mut found = card
            .custody
            .wraps()
            .iter()
            .map(symbolon_custody::Wrap::id)
            .filter(|id| id.to_string().starts_with(&self.id));
        let (first, second) = (found.next(), found.next());
        drop(found);
        let (Some(id), None) = (first, second) else {
            let none =
                format!("no way to open the vault, or more than one, has the id {}", self.id);
            return Err(Failure::refused("no_wrap", none).next("symbolon vault methods"));
        };
        if !card.here.contains(&id) {
            let what = "this way opens the vault on every device, and stays with the account";
            return Err(Failure::refused("not_here", what).next("symbolon vault methods"));
        }
        vault.unprotect(id)?;
        if ctx.json {
            return out::json(&json!({ "removed": id }));
        }
        out::say("It opens the vault on this device no longer.");
        Ok(())
    }
}
