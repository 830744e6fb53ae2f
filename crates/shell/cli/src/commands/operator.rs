//! `symbolon operator`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use symbolon_ambient::{Clock, SystemClock};
use symbolon_broker::{OperatorView, RevocationView, RotationView, finish_rotation};
use symbolon_codec::time::{parse_rfc3339, rfc3339};
use symbolon_server::control::Op;
use symbolon_trust::REVOCATION_BYTES_MAX;

use super::Ctx;
use crate::failure::Failure;
use crate::link::Asking;
use crate::{facts, out, prompt, runtime};

/// Who this home is to others, and how that ends
///
/// The operator's key signs the log, receipts, capsules' receipts and this home's place in the mesh. It can give way to another
/// key, and the log goes on. If somebody else may have it, revoke it: whoever checks a receipt with the revocation beside it believes nothing under the key that their own
/// witnesses did not see before.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon operator
  symbolon operator rotate
  symbolon operator export-revocation --out operator.revocation
  symbolon operator revoke operator.revocation
  symbolon operator revoke --since 2026-11-20T08:00:00Z
  symbolon verify receipt.json --key operator.pub --revocation operator.revocation")]
pub struct Args {
    #[command(subcommand)]
    step: Option<Step>,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Show the operator's key, log and onion address, and whether it is revoked
    #[command(after_help = "Examples\n  symbolon operator show --json")]
    Show,
    /// Make another key the operator's: the log goes on under it, and the key of before is wiped
    ///
    /// The log's last checkpoint by the key of before names the next one, and both sign it: operator.succession in the home has
    /// that, for whoever checks receipts by one key or the other. The broker, a server too, ends and is to be started again, and
    /// so is `symbolon node`. Witnesses and monitors that run follow by themselves. Receipts of calls are handed out under the
    /// new key; what else is signed already stays under the key that signed it. In the mesh the new key is another operator's,
    /// and who believes it begins anew. What the key of before holds, a deed or money on a chain, is to be handed on before:
    /// nobody can afterwards.
    #[command(after_help = "\
Examples
  symbolon operator rotate
  symbolon operator rotate --yes --json
  symbolon verify receipt.json --key operator.pub --succession operator.succession")]
    Rotate {
        /// Do not ask whether it may be
        #[arg(long)]
        yes: bool,
    },
    /// Sign a revocation now, for the day on which the key may be somebody else's
    ///
    /// Keep it apart from this home, on paper or with somebody you trust: it works without the home and its vault. It shows
    /// nothing secret, but whoever has it can end this operator with it.
    #[command(after_help = "\
Examples
  symbolon operator export-revocation --out operator.revocation")]
    ExportRevocation {
        /// A new file, its owner's alone (0600)
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Revoke the operator: this home does nothing under it any more, and cannot take it back
    ///
    /// Receipts that are there are handed over as before, but what shows that one is older is the copy that its reader has. Give the revocation to whoever checks them, with
    /// `symbolon operator show`.
    #[command(after_help = "\
Examples
  symbolon operator revoke operator.revocation
  symbolon operator revoke --since 2026-11-20T08:00:00Z --out operator.revocation")]
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// A revocation that was signed before
    #[arg(value_name = "FILE", required_unless_present = "since")]
    file: Option<PathBuf>,
    /// Sign one now: receipts stand that the verifier's own witnesses saw before this time (RFC 3339)
    #[arg(long, value_name = "TIME", conflicts_with = "file", value_parser = time, requires = "out")]
    since: Option<u64>,
    /// Where the one that is signed now goes, a new file
    #[arg(long, value_name = "FILE", requires = "since")]
    out: Option<PathBuf>,
    /// Do not ask whether it may be
    #[arg(long)]
    yes: bool,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step.unwrap_or(Step::Show) {
            Step::Show => show(ctx, &ctx.broker()?.ask_as_is(&Op::Operator {})?),
            Step::ExportRevocation { out } => {
                let view = sign(ctx, 0, &out)?;
                told(
                    ctx,
                    &out,
                    &view,
                    "Keep it apart from this home; say nothing with it before you must.",
                )
            }
            Step::Rotate { yes } => rotate(ctx, yes),
            Step::Revoke(revoke) => revoke.run(ctx),
        }
    }
}

impl Revoke {
    fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        if self.since.is_some_and(|since| since > SystemClock.unix_ms()) {
            let what = "a revocation is of what was, and --since is yet to come";
            return Err(Failure::usage(what)
                .next("--since with the last time at which the key was yours alone"));
        }
        self.confirm()?;
        let revocation = match (&self.file, self.since, &self.out) {
            (Some(file), ..) => {
                let bytes = facts::read(file, REVOCATION_BYTES_MAX)?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
            // Handed to its owner before it is in force: what was said must not be lost.
            (None, Some(since), Some(out)) => sign(ctx, since, out)?.revocation,
            _ => {
                return Err(Failure::usage("nothing says what to revoke by")
                    .next("symbolon operator revoke --help"));
            }
        };
        let view: OperatorView = ctx.broker()?.ask_as_is(&Op::RevokeOperator { revocation })?;
        if !ctx.json {
            out::say("Revoked: nothing is done under this operator any more.");
        }
        show(ctx, &view)?;
        if !ctx.json {
            out::say_next(
                "symbolon verify FILE --key operator.pub --revocation FILE, by whoever has a receipt of yours",
            );
        }
        Ok(())
    }

    fn confirm(&self) -> Result<(), Failure> {
        let what = "This home's agents will be refused every call, and this cannot be taken back.";
        if self.yes { Ok(()) } else { confirm("revoke", what) }
    }
}

/// Has a person type a word, for what cannot be taken back.
fn confirm(word: &str, what: &str) -> Result<(), Failure> {
    let again = "the same command with --yes";
    if !prompt::is_possible() {
        let what = "this cannot be taken back, and nobody was asked whether it may be";
        return Err(Failure::usage(what).next(again));
    }
    out::say(what);
    if prompt::line(&format!("Type `{word}` to go on: "))? == word {
        return Ok(());
    }
    Err(Failure::refused("stopped", "nothing was changed").next(again))
}

fn rotate(ctx: &Ctx, yes: bool) -> Result<(), Failure> {
    let home = ctx.existing()?;
    let mut broker = ctx.broker()?;
    broker.ensure_unlocked(Asking::Person)?;
    if !yes {
        let what = "The key of now is wiped, and what it alone can do is over: hand on the deeds and the money that it \
                    holds before. Calls on their way end, and the broker with them.";
        confirm("rotate", what)?;
    }
    let view: RotationView = broker.into_client().ask_and_wait(&Op::RotateOperator {})?;
    // A server that somebody watches over may be there again, and has finished it.
    match runtime::single()?.block_on(finish_rotation(home.path())) {
        Err(error) if error.code != "home_in_use" => return Err(error.into()),
        _ => {}
    }
    let line = home.operator_succession();
    if ctx.json {
        return out::json(&json!({ "rotation": view, "succession": line }));
    }
    out::say("Rotated: the log goes on under another key.");
    out::pairs(&[
        ("key", view.key),
        ("before", view.before),
        ("entries", view.entries.to_string()),
        ("succession", line.display().to_string()),
    ])?;
    out::say_next(
        "operator.pub and operator.succession to whoever checks your receipts; start what ended; then symbolon operator \
         export-revocation, since the one on paper is of the key before",
    );
    Ok(())
}

/// Has the broker sign one, into a new file.
fn sign(ctx: &Ctx, since_ms: u64, out: &Path) -> Result<RevocationView, Failure> {
    let file = facts::NewFile::make(out)?;
    let view: Result<RevocationView, Failure> =
        ctx.broker().and_then(|mut link| link.ask(&Op::SignRevocation { since_ms }));
    match view {
        Ok(view) => file.write(view.revocation.as_bytes()).map(|()| view),
        Err(failure) => file.give_up(failure),
    }
}

fn told(ctx: &Ctx, file: &Path, view: &RevocationView, word: &str) -> Result<(), Failure> {
    if ctx.json {
        return out::json(&json!({ "file": file, "revocation": view.revocation }));
    }
    out::say(&format!("{} ends this operator, whoever hands it over. {word}", file.display()));
    out::say_next(&format!("symbolon operator revoke {}, on the day", file.display()));
    Ok(())
}

fn show(ctx: &Ctx, view: &OperatorView) -> Result<(), Failure> {
    if ctx.json {
        return out::json(view);
    }
    let revoked = match view.revoked_since {
        None => "no".to_owned(),
        Some(0) => "yes, as if it had never been believed".to_owned(),
        Some(since) => format!("yes, since {}", rfc3339(since)),
    };
    out::pairs(&[
        ("operator", view.operator.to_string()),
        ("key", view.key.clone()),
        ("log", view.log.clone()),
        ("onion", view.onion.clone()),
        ("revoked", revoked),
    ])
}

fn time(text: &str) -> Result<u64, String> {
    match parse_rfc3339(text) {
        Ok(0) => Err("a time after 1970; without --since a revocation is for always".into()),
        Ok(ms) => Ok(ms),
        Err(_) => Err("a time such as 2026-11-20T08:00:00Z".into()),
    }
}
