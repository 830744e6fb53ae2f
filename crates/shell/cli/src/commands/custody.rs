//! `symbolon custody`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};
use symbolon_broker::{Method, WrapView};
use symbolon_secret::Secret;
use symbolon_server::control::{Answer, Op};

use super::Ctx;
use super::unlock::Way;
use crate::failure::Failure;
use crate::link::{Asking, Link};
use crate::out;
use crate::secrets::{self, NotHere, Shown};

/// Ways to unlock the home: list, add, remove, rotate
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon custody list
  symbolon custody add passphrase
  symbolon custody rotate ID")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// List the ways
    #[command(after_help = "Examples\n  symbolon custody list --json")]
    List,
    /// Add a way
    #[command(after_help = "\
Examples
  symbolon custody add device
  symbolon custody add passphrase --from-stdin < passphrase.txt
  symbolon custody add recovery --recovery-file recovery.txt")]
    Add {
        /// Which
        #[arg(value_enum)]
        method: Way,
        #[command(flatten)]
        how: How,
    },
    /// Remove a way; the last is refused
    #[command(after_help = "Examples\n  symbolon custody remove ID")]
    Remove {
        /// Its id in `symbolon custody list`
        id: String,
    },
    /// Replace a way by a new one of its kind: another passphrase, key or recovery code
    #[command(after_help = "\
Examples
  symbolon custody rotate ID
  symbolon custody rotate ID --recovery-file recovery.txt")]
    Rotate {
        /// Its id in `symbolon custody list`
        id: String,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, clap::Args)]
struct How {
    /// Read the new passphrase from standard input
    #[arg(long)]
    from_stdin: bool,
    /// Write a new recovery code to this new file (0600) instead of the terminal
    #[arg(long, value_name = "FILE")]
    recovery_file: Option<PathBuf>,
    #[command(flatten)]
    not_here: NotHere,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::List => list(ctx),
            Step::Add { method, how } => {
                let method = Method::from(method);
                let again = format!("symbolon custody add {}", method.as_str());
                let mut broker = ctx.broker()?;
                how.make(ctx, &mut broker, method, Op::AddWrap { method }, &again)
            }
            Step::Remove { id } => {
                let _: Value = ctx.broker()?.ask(&Op::RemoveWrap { id: id.clone() })?;
                if ctx.json {
                    return out::json(&json!({ "removed": id }));
                }
                out::say(&format!("{id} opens this home no longer."));
                Ok(())
            }
            Step::Rotate { id, how } => {
                let mut broker = ctx.broker()?;
                let wraps: Vec<WrapView> = broker.ask(&Op::Wraps {})?;
                let Some(found) = wraps.into_iter().find(|it| it.id == id) else {
                    let none = format!("no way to unlock has the id {id}");
                    return Err(Failure::refused("no_wrap", none).next("symbolon custody list"));
                };
                let method = match found.method.as_str() {
                    "device" => Method::Device,
                    "tpm" => Method::Tpm,
                    "recovery" => Method::Recovery,
                    "passkey" => return Err(in_the_page()),
                    _ => Method::Passphrase,
                };
                let again = format!("symbolon custody rotate {id}");
                how.make(ctx, &mut broker, method, Op::RotateWrap { id }, &again)
            }
        }
    }
}

impl How {
    fn make(
        self,
        ctx: &Ctx,
        broker: &mut Link,
        method: Method,
        op: Op,
        again: &str,
    ) -> Result<(), Failure> {
        self.not_here.refuse("passphrase", again)?;
        broker.ensure_unlocked(Asking::Person)?;
        let passphrase = self.passphrase(method, again)?;
        let shown = match method {
            Method::Recovery => Some(Shown::plan(self.recovery_file.as_deref(), again)?),
            _ => None,
        };
        let Answer { ok, secret } = match broker.exchange(&op, passphrase.as_ref()) {
            Ok(answer) => answer,
            Err(failure) => {
                if let Some(shown) = shown {
                    shown.give_up();
                }
                return Err(failure);
            }
        };
        let file = match (shown, &secret) {
            (Some(shown), Some(code)) => shown.show(code)?,
            _ => None,
        };
        let made: WrapView = serde_json::from_value(ok).map_err(super::unreadable)?;
        if ctx.json {
            let made = json!({
                "id": made.id, "method": made.method, "created": made.created,
                "recovery_file": file,
            });
            return out::json(&made);
        }
        out::say(&format!("{} ({}) opens this home now.", made.id, made.method));
        Ok(())
    }

    fn passphrase(&self, method: Method, again: &str) -> Result<Option<Secret<[u8]>>, Failure> {
        if method != Method::Passphrase {
            return Ok(None);
        }
        if !self.from_stdin {
            let flag = format!("{again} --from-stdin < FILE");
            return secrets::ask_new_passphrase(&flag).map(Some);
        }
        let given = secrets::from_stdin("passphrase")?;
        secrets::check_passphrase(&given)?;
        Ok(Some(given))
    }
}

/// A terminal cannot ask a passkey.
fn in_the_page() -> Failure {
    let what =
        "a passkey is added in the page; the old one is removed with symbolon custody remove";
    Failure::refused("in_the_page", what).next("symbolon page")
}

fn list(ctx: &Ctx) -> Result<(), Failure> {
    let all: Vec<WrapView> = ctx.broker()?.ask(&Op::Wraps {})?;
    if ctx.json {
        return out::json(&all);
    }
    let rows: Vec<_> = all.into_iter().map(|it| vec![it.id, it.method, it.created]).collect();
    out::table(&["ID", "METHOD", "CREATED"], &rows)
}
