//! `symbolon mount refresh`

use symbolon_broker::{MountChange, MountRefreshed};
use symbolon_server::control::Op;

use crate::commands::Ctx;
use crate::failure::Failure;
use crate::{out, prompt};

/// Ask a mounted server for its tools anew, see what differs, and accept it or not
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon mount refresh files
  symbolon mount refresh files --yes")]
pub(super) struct Args {
    /// Its name
    name: String,
    /// Accept what differs without a question
    #[arg(long)]
    yes: bool,
}

impl Args {
    pub(super) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut broker = ctx.broker()?;
        let look = Op::MountRefresh { name: self.name.clone(), accept: None };
        let found: MountRefreshed = broker.ask(&look)?;
        if found.changes.is_empty() {
            return tell(ctx, &found);
        }
        if !ctx.json {
            show(&found)?;
        }
        if !self.yes && !confirmed(&self.name)? {
            return Err(Failure::refused("not_confirmed", "nothing was changed")
                .next(format!("symbolon mount refresh {} --yes", self.name)));
        }
        // By its name: what was shown is what is accepted, or nothing is.
        let accept = Op::MountRefresh { name: self.name, accept: Some(found.list) };
        let done: MountRefreshed = broker.ask(&accept)?;
        tell(ctx, &done)
    }
}

fn confirmed(name: &str) -> Result<bool, Failure> {
    if !prompt::is_possible() {
        let what = "the server's tools differ, and nobody is here to accept that";
        return Err(Failure::refused("not_confirmed", what)
            .next(format!("symbolon mount refresh {name} --yes")));
    }
    Ok(prompt::line("Type yes to accept this: ")?.trim() == "yes")
}

fn show(found: &MountRefreshed) -> Result<(), Failure> {
    for change in &found.changes {
        out::say(&format!("{} {}", change.kind, change.tool));
        lines("effect", &effects(change));
        lines("does", &change.descriptions);
        lines("takes", &change.parameters);
    }
    for text in &found.marked {
        out::say(&format!("MARKED, text that speaks to a model, not shown to any: {text}"));
    }
    Ok(())
}

fn effects(change: &MountChange) -> (Option<String>, Option<String>) {
    let text = |effect: &Option<_>| effect.as_ref().map(ToString::to_string);
    (text(&change.effects.0), text(&change.effects.1))
}

fn lines(what: &str, (before, now): &(Option<String>, Option<String>)) {
    if before == now {
        return;
    }
    if let Some(before) = before {
        out::say(&format!("  - {what}: {before}"));
    }
    if let Some(now) = now {
        out::say(&format!("  + {what}: {now}"));
    }
}

fn tell(ctx: &Ctx, done: &MountRefreshed) -> Result<(), Failure> {
    if ctx.json {
        return out::json(done);
    }
    out::text(&match done.changes.len() {
        0 => format!("{} is as it was", done.name),
        n => format!("{}: {n} changes are in force", done.name),
    })
}
