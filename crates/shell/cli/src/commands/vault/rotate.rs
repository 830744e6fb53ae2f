//! `symbolon vault rotate-key`

use std::path::PathBuf;

use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_crypto::RecoveryCode;
use symbolon_custody::Method;
use symbolon_holder::server::{By, no_server};
use symbolon_holder::{Account, Client, ClosedVault, OpenVault, Rotation, Ways};

use super::Ctx;
use crate::failure::Failure;
use crate::secrets::{NotHere, Shown};
use crate::typed::{SignedIn, Typed};
use crate::vaults::{self, Which};
use crate::{out, runtime};

/// Give the vault another data key, and seal everything in it anew
///
/// For when somebody may know the key of now: a lost device, a seen recovery code. The password or seed phrase that
/// is typed and this device open the vault as before; there is a new recovery code, and every other way (passkeys, wallets) has to be added
/// again, as other devices have to join again. What somebody copied before stays readable to them. A run that was
/// cut short, at any step, is finished by the same command.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon vault rotate-key
  symbolon vault rotate-key --recovery-file recovery.txt --from-stdin < password.txt")]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Read the password, or the seed phrase of a vault without one, from standard input
    #[arg(long)]
    from_stdin: bool,
    /// Write the new recovery code to this new file (0600) instead of the terminal
    #[arg(long, value_name = "FILE")]
    recovery_file: Option<PathBuf>,
    #[command(flatten)]
    not_here: NotHere,
}

/// What a rotation came to.
struct Rotated {
    epoch: u32,
    dropped: Vec<Method>,
    /// Where the new recovery code is; none where an earlier run showed it.
    code_file: Option<PathBuf>,
    was_begun: bool,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        self.not_here.refuse("password", "symbolon vault rotate-key")?;
        let closed = self.which.find(ctx)?;
        let typed = Typed::of(&closed, self.from_stdin, "symbolon vault rotate-key")?;
        let done = match closed.card().account.clone() {
            Some(account) => self.with_server(closed, &account, &typed)?,
            None => self.alone(closed, &typed)?,
        };
        if ctx.json {
            let dropped: Vec<String> = done.dropped.iter().map(ToString::to_string).collect();
            return out::json(&json!({
                "epoch": done.epoch, "dropped": dropped, "recovery_file": done.code_file,
                "finished_earlier_run": done.was_begun,
            }));
        }
        if done.was_begun {
            out::say(
                "A rotation that was cut short is finished; its recovery code was shown then.",
            );
        }
        out::say(&format!("The vault has its data key number {}.", done.epoch));
        for method in &done.dropped {
            out::say(&format!("It no longer opens by: {method}. Add it again where you want it."));
        }
        if let Some(file) = done.code_file {
            out::say(&format!("Recovery code: {}; move it off this machine", file.display()));
        }
        out::say("The recovery code of before opens it no longer; other devices join again.");
        Ok(())
    }

    /// A vault of this device alone: one file is replaced.
    fn alone(&self, closed: ClosedVault, typed: &Typed) -> Result<Rotated, Failure> {
        // What was written down and not put in place opens nothing yet.
        closed.drop_rotation()?;
        let unlocked = closed.unlock(&typed.unlocking())?;
        let mut vault = vaults::open(closed, unlocked)?;
        let (code, shown) = self.new_code()?;
        let origin = no_server();
        let ways = match typed {
            Typed::Password(it) => Ways { password: Some(it), ..Ways::none_but(&code) },
            Typed::Seed(it) => Ways { seed: Some((&origin, it)), ..Ways::none_but(&code) },
        };
        let made = vault.make_rotation(&ways, &SystemRng, &SystemClock);
        let rotation = match made {
            Ok(rotation) => rotation,
            Err(error) => {
                shown.give_up();
                return Err(error.into());
            }
        };
        let (epoch, dropped) = (rotation.epoch(), rotation.dropped.clone());
        vault.begin_rotation(&rotation)?;
        let code_file = shown.show(&code.phrase())?;
        vault.take_rotation(rotation)?;
        vault.reseal(&SystemRng, &SystemClock)?;
        Ok(Rotated { epoch, dropped, code_file, was_begun: false })
    }

    /// A vault that a server keeps too: the server's keys change first, then ours.
    fn with_server(
        &self,
        closed: ClosedVault,
        account: &Account,
        typed: &Typed,
    ) -> Result<Rotated, Failure> {
        let mut client = Client::new(account.server.clone());
        let runtime = runtime::single()?;
        let (signed_in, view) = runtime.block_on(async {
            let signed_in = typed.sign_in(&mut client, account).await?;
            let view = client.vault(By::Session(&signed_in.session)).await?;
            Ok::<_, Failure>((signed_in, view))
        })?;
        let begun = closed.begun_rotation()?;
        let closed = match begun {
            Some(epoch) if epoch == view.epoch => closed.adopt_rotation()?,
            Some(_) => {
                closed.drop_rotation()?;
                closed
            }
            None => closed,
        };
        let unlocked = closed.unlock(&typed.unlocking())?;
        let mut vault = vaults::open(closed, unlocked)?;
        vaults::sync(&mut vault)?;
        if begun == Some(view.epoch) {
            vault.reseal(&SystemRng, &SystemClock)?;
            vaults::keep(&mut vault)?;
            let epoch = view.epoch;
            return Ok(Rotated { epoch, dropped: Vec::new(), code_file: None, was_begun: true });
        }
        let (rotation, code_file) = self.prepare(&vault, account, &signed_in, typed)?;
        let (epoch, dropped) = (rotation.epoch(), rotation.dropped.clone());
        let done = Rotated { epoch, dropped, code_file, was_begun: false };
        let (session, ambient) = (&signed_in.session, (&SystemRng as _, &SystemClock as _));
        // The connection lives on the runtime that it was made on.
        runtime.block_on(vault.send_rotation(&mut client, (session, &view), rotation, ambient))?;
        vault.reseal(&SystemRng, &SystemClock)?;
        vaults::keep(&mut vault)?;
        // It ends by itself where this is not heard.
        let _ = runtime.block_on(client.sign_out(signed_in.session));
        Ok(done)
    }

    /// The new key with its wraps; the recovery code is shown before anything opens by it.
    fn prepare(
        &self,
        vault: &OpenVault,
        account: &Account,
        signed_in: &SignedIn,
        typed: &Typed,
    ) -> Result<(Rotation, Option<PathBuf>), Failure> {
        let origin = account.server.origin().map_err(|error| Failure::usage(error.to_string()))?;
        let (code, shown) = self.new_code()?;
        let export_key = signed_in.export_key.as_ref();
        let ways = match typed {
            Typed::Password(it) => Ways { password: Some(it), export_key, ..Ways::none_but(&code) },
            Typed::Seed(it) => Ways { seed: Some((&origin, it)), ..Ways::none_but(&code) },
        };
        match vault.make_rotation(&ways, &SystemRng, &SystemClock) {
            Ok(rotation) => Ok((rotation, shown.show(&code.phrase())?)),
            Err(error) => {
                shown.give_up();
                Err(error.into())
            }
        }
    }

    fn new_code(&self) -> Result<(RecoveryCode, Shown), Failure> {
        let shown = Shown::plan(self.recovery_file.as_deref(), "symbolon vault rotate-key")?;
        Ok((RecoveryCode::make(&SystemRng), shown))
    }
}
