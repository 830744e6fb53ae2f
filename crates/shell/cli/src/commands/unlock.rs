//! `symbolon unlock`

use clap::ValueEnum;
use serde_json::json;
use symbolon_broker::Method;
use symbolon_secret::Secret;
use symbolon_server::control::{Op, Unlocked};

use super::Ctx;
use crate::failure::Failure;
use crate::link::{Link, UNLOCK};
use crate::out;
use crate::secrets::{self, NotHere};

/// Open the vault
///
/// Without --method: this machine's key or TPM where the home has one, else the passphrase.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon unlock
  symbolon unlock --from-stdin < passphrase.txt
  symbolon unlock --method recovery")]
pub struct Args {
    /// Which way
    #[arg(long, value_enum)]
    method: Option<Way>,
    /// Read the passphrase or recovery code from standard input
    #[arg(long)]
    from_stdin: bool,
    #[command(flatten)]
    not_here: NotHere,
}

/// A way to unlock, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Way {
    Passphrase,
    Device,
    Tpm,
    Recovery,
}

impl From<Way> for Method {
    fn from(way: Way) -> Self {
        match way {
            Way::Passphrase => Self::Passphrase,
            Way::Device => Self::Device,
            Way::Tpm => Self::Tpm,
            Way::Recovery => Self::Recovery,
        }
    }
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        self.not_here.refuse("passphrase", "symbolon unlock")?;
        let mut broker = ctx.broker()?;
        if !broker.status()?.unlocked {
            self.open(&mut broker)?;
        }
        if ctx.json {
            return out::json(&json!({ "unlocked": true }));
        }
        out::say("Unlocked.");
        Ok(())
    }

    fn open(&self, broker: &mut Link) -> Result<(), Failure> {
        let method = match self.method {
            Some(way) => way.into(),
            None if self.from_stdin => Method::Passphrase,
            None => {
                let methods = broker.status()?.methods;
                let alone = methods.iter().any(|it| matches!(it, Method::Device | Method::Tpm));
                if alone {
                    let Unlocked { unlocked } =
                        broker.ask_as_is(&Op::UnlockUnattended { asked: true })?;
                    if unlocked {
                        return Ok(());
                    }
                }
                if methods.contains(&Method::Passphrase) {
                    Method::Passphrase
                } else {
                    Method::Recovery
                }
            }
        };
        let secret = self.secret(method)?;
        broker.tell(&Op::Unlock { method }, secret.as_ref())?;
        Ok(())
    }

    fn secret(&self, method: Method) -> Result<Option<Secret<[u8]>>, Failure> {
        let (what, question) = match method {
            Method::Passphrase => ("passphrase", "Passphrase (not shown): "),
            Method::Recovery => ("recovery code", "Recovery code, 24 words (not shown): "),
            _ => return Ok(None),
        };
        let secret = if self.from_stdin {
            secrets::from_stdin(what)?
        } else {
            let flag = match method {
                Method::Recovery => "symbolon unlock --method recovery --from-stdin < FILE",
                _ => UNLOCK,
            };
            match secrets::ask(what, question, flag) {
                Err(failure) if failure.code == "usage" => {
                    return Err(Failure::locked(failure.message).next(flag));
                }
                asked => asked?,
            }
        };
        Ok(Some(secret))
    }
}
