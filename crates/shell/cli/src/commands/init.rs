//! `symbolon init`

use std::path::PathBuf;

use serde_json::json;
use symbolon_broker::{Broker, Method};
use symbolon_secret::Secret;

use super::Ctx;
use crate::failure::Failure;
use crate::secrets::{self, NotHere, Shown};
use crate::{home, out, prompt, runtime};

/// Make the home: vault, way to unlock it, operator key
///
/// The home is one folder. Its recovery code is shown once. Its log may be in PostgreSQL instead, which is chosen
/// here and, for a home that is there, by backup and restore.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon init                        asks how to unlock it
  symbolon init --passphrase           asks for a passphrase, hidden
  symbolon init --device               this machine opens it by itself
  symbolon init --device --recovery-file recovery.txt
  symbolon init --device --log-database-file log.url
  symbolon init --passphrase --from-stdin --recovery-file recovery.txt < passphrase.txt")]
pub struct Args {
    /// Unlock with a passphrase (Argon2id)
    #[arg(long, group = "way")]
    passphrase: bool,
    /// Unlock with a key file bound to this machine
    #[arg(long, group = "way")]
    device: bool,
    /// Unlock with this machine's TPM 2.0
    #[arg(long, group = "way")]
    tpm: bool,
    /// Read the passphrase from standard input
    #[arg(long, requires = "passphrase")]
    from_stdin: bool,
    /// Keep the log in PostgreSQL: a file of mode 0600 with the database's URL, password and all [default: in the home]
    #[arg(long, value_name = "FILE")]
    log_database_file: Option<PathBuf>,
    /// Write the recovery code to this new file (0600) instead of the terminal
    #[arg(long, value_name = "FILE")]
    recovery_file: Option<PathBuf>,
    #[command(flatten)]
    not_here: NotHere,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        self.not_here.refuse("passphrase", "symbolon init --passphrase")?;
        let folder = ctx.folder()?;
        home::check_free(&folder)?;
        let method = self.method()?;
        let command = format!("symbolon init {}", flag(method));
        let shown = Shown::plan(self.recovery_file.as_deref(), &command)?;
        let made = self.passphrase(method).and_then(|passphrase| {
            let runtime = runtime::single()?;
            let database = self.log_database_file.as_deref();
            Ok(runtime.block_on(Broker::init_with(&folder, method, passphrase, database))?)
        });
        let code = match made {
            Ok(code) => code,
            Err(failure) => {
                shown.give_up();
                return Err(failure);
            }
        };
        let file = shown.show(&code)?;
        if ctx.json {
            return out::json(&json!({ "home": folder, "method": method, "recovery_file": file }));
        }
        out::say(&format!("Home: {}", folder.display()));
        if let Some(file) = file {
            out::say(&format!("Recovery code: {}; move it off this machine", file.display()));
        }
        out::say_next("symbolon connect github");
        Ok(())
    }

    fn method(&self) -> Result<Method, Failure> {
        match (self.passphrase, self.device, self.tpm) {
            (true, ..) => return Ok(Method::Passphrase),
            (_, true, _) => return Ok(Method::Device),
            (.., true) => return Ok(Method::Tpm),
            _ => {}
        }
        if !prompt::is_possible() {
            return Err(Failure::usage(
                "how to unlock the home is not said, and nobody is at a terminal to ask",
            )
            .next("symbolon init --device --recovery-file FILE"));
        }
        out::say("How should this home be unlocked?");
        out::say("  1  with a passphrase that you type");
        out::say("  2  by this machine itself, with a key file bound to it");
        match prompt::line("1 or 2 [1]: ")?.as_str() {
            "" | "1" => Ok(Method::Passphrase),
            "2" => Ok(Method::Device),
            _ => Err(Failure::usage("the answer is 1 or 2").next("symbolon init --passphrase")),
        }
    }

    fn passphrase(&self, method: Method) -> Result<Option<Secret<[u8]>>, Failure> {
        if method != Method::Passphrase {
            return Ok(None);
        }
        let passphrase = if self.from_stdin {
            let given = secrets::from_stdin("passphrase")?;
            secrets::check_passphrase(&given)?;
            given
        } else {
            secrets::ask_new_passphrase(
                "symbolon init --passphrase --from-stdin --recovery-file FILE < PASSPHRASE_FILE",
            )?
        };
        Ok(Some(passphrase))
    }
}

fn flag(method: Method) -> &'static str {
    match method {
        Method::Device => "--device",
        Method::Tpm => "--tpm",
        _ => "--passphrase",
    }
}
