//! `symbolon vault delete`

use serde_json::json;
use symbolon_crypto::opaque::OpaqueError;
use symbolon_holder::server::ClientError;
use symbolon_holder::{Client, ClosedVault, Leaving};

use super::Ctx;
use crate::failure::Failure;
use crate::secrets::NotHere;
use crate::typed::Typed;
use crate::vaults::Which;
use crate::{out, prompt, runtime};

/// Delete the account of a vault, with everything that its server keeps
///
/// The server forgets it all at once: items with their history, attachments, shares from you and to you, ways
/// in, sessions, the record of what happened. It does not come back, links that you gave away stop working, and
/// nobody gets your handle again, you included. The vault on this device stays, with its items, unless you say
/// --local-too; other devices keep what they have and cannot send any more.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon vault delete
  symbolon vault delete --vault personal --confirm personal --from-stdin < password.txt
  symbolon vault delete --local-too")]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// The vault's name again, instead of being asked for it
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// Remove the vault from this device too
    #[arg(long)]
    local_too: bool,
    /// Read the password, or the seed phrase of a vault without one, from standard input
    #[arg(long)]
    from_stdin: bool,
    #[command(flatten)]
    not_here: NotHere,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        self.not_here.refuse("password", "symbolon vault delete")?;
        let closed = self.which.find(ctx)?;
        let name = closed.name().to_string();
        let server = closed.card().account.as_ref().map(|it| it.server.to_string());
        if server.is_none() && !self.local_too {
            let what = format!("no server keeps the vault `{name}`: it is on this device alone");
            return Err(Failure::refused("no_server", what)
                .next(format!("symbolon vault delete --vault {name} --local-too")));
        }
        self.confirm(&closed, server.as_deref())?;
        let typed = Typed::of(&closed, self.from_stdin, "symbolon vault delete --confirm NAME")?;
        let closed = match server {
            Some(_) => leave(closed, &typed)?,
            // Nobody deletes a vault who cannot open it.
            None => {
                closed.unlock(&typed.unlocking())?;
                closed
            }
        };
        if self.local_too {
            closed.remove()?;
        }
        if ctx.json {
            return out::json(&json!({
                "vault": name, "deleted_at": server, "removed_here": self.local_too,
            }));
        }
        if let Some(server) = &server {
            out::say(&format!("The account is deleted; {server} keeps nothing of it."));
        }
        match self.local_too {
            true => out::say(&format!("The vault `{name}` is removed from this device.")),
            false => {
                out::say(&format!("The vault `{name}` goes on here, on this device alone."));
                out::say_next(&format!("symbolon vault delete --vault {name} --local-too"));
            }
        }
        Ok(())
    }

    /// Has the vault's name typed: what follows is not undone by anything.
    fn confirm(&self, closed: &ClosedVault, server: Option<&str>) -> Result<(), Failure> {
        let name = closed.name().as_str();
        let typed = match &self.confirm {
            Some(typed) => typed.clone(),
            None if !prompt::is_possible() => {
                let what = "nobody is at a terminal to say that the vault is really to be deleted";
                return Err(Failure::usage(what)
                    .next("symbolon vault delete --confirm NAME --from-stdin < PASSWORD_FILE"));
            }
            None => {
                if let Some(server) = server {
                    out::say(&format!("{server} will forget this vault and all that is in it."));
                }
                if self.local_too {
                    out::say("It will be removed from this device as well.");
                }
                prompt::line(&format!("Type the vault's name to go on ({name}): "))?
            }
        };
        if typed == name {
            return Ok(());
        }
        let what = format!("this is not the vault's name, which is `{name}`; nothing was changed");
        Err(Failure::usage(what).next(format!("symbolon vault delete --vault {name}")))
    }
}

/// Deletes the account, or finds that an earlier run did.
fn leave(closed: ClosedVault, typed: &Typed) -> Result<ClosedVault, Failure> {
    // For the question whether an earlier run got through; a password that is wrong here is no failure yet.
    let unlocked = closed.unlock(&typed.unlocking()).ok();
    let leaving = closed.begin_leaving()?;
    let Some(account) = leaving.account().cloned() else { return Ok(leaving.finish()?) };
    let mut client = Client::new(account.server.clone());
    let deleted: Result<(), Failure> = runtime::single()?.block_on(async {
        match typed.sign_in(&mut client, &account).await {
            Ok(signed_in) => Ok(client.delete_account(&signed_in.session).await?),
            Err(error) if is_unknown(&error) => match &unlocked {
                Some(unlocked) if leaving.is_gone(&mut client, unlocked).await? => Ok(()),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    });
    end(leaving, deleted)
}

/// What a server says of a password that is wrong, and of an account that is not there.
fn is_unknown(error: &ClientError) -> bool {
    matches!(error, ClientError::Opaque(OpaqueError::Refused)) || error.is_code("bad_proof")
}

fn end(leaving: Leaving, deleted: Result<(), Failure>) -> Result<ClosedVault, Failure> {
    match deleted {
        Ok(()) => Ok(leaving.finish()?),
        // The server may have done it, and its answer is lost: the next run asks again.
        Err(failure) if failure.code == "server_away" => {
            Err(failure.next("symbolon vault delete, when it is back"))
        }
        Err(failure) => {
            leaving.give_up()?;
            Err(failure)
        }
    }
}
