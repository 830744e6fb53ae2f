//! `symbolon policy`

use clap::Subcommand;
use symbolon_broker::{
    CheckView, ExplainRequest, ExplanationView, ResolveRequest, Resolved, ShadowView, ToolView,
};
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::{out, pairs, prompt};

/// See what is let through and why; let everything through for a while
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon policy explain github.issues.list owner=acme repo=anvil --agent claude
  symbolon policy explain -- POST https://api.stripe.com/v1/refunds amount=5000
  symbolon policy shadow on")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Explain(Explain),
    Shadow(ShadowArgs),
}

/// Say what every gate and rule makes of a call; nothing is called
///
/// The call is a tool's name, or a method and URL; then its parameters as KEY=VALUE.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon policy explain github.issues.list owner=acme repo=anvil
  symbolon policy explain --agent claude -- POST https://api.stripe.com/v1/refunds amount=5000
  symbolon policy explain --json stripe.refunds.create charge=ch_1 amount=5000")]
struct Explain {
    /// A tool's name, or METHOD URL; then KEY=VALUE
    #[arg(required = true, value_name = "CALL")]
    words: Vec<String>,
    /// As which agent
    #[arg(long, visible_alias = "as", value_name = "NAME", default_value = "cli")]
    agent: String,
    /// The connection, where the agent was granted several of the service
    #[arg(long, value_name = "CONNECTION")]
    on: Option<String>,
}

/// Shadow mode: nothing within a connection is refused, and what would have been is listed
///
/// Scope, rate, end, limits, budgets, cooldown and time windows refuse nothing while it is on, for
/// any agent on any connection. Approvals and what keeps a credential in its place hold as ever.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon policy shadow on           until the broker ends
  symbolon policy shadow on --keep    until it is turned off
  symbolon policy shadow list
  symbolon policy shadow off")]
struct ShadowArgs {
    #[command(subcommand)]
    what: Shadow,
}

#[derive(Debug, Subcommand)]
enum Shadow {
    /// Let everything through that a connection allows
    #[command(
        after_help = "Examples\n  symbolon policy shadow on\n  symbolon policy shadow on --yes --keep"
    )]
    On {
        /// Come back after a restart too
        #[arg(long)]
        keep: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Refuse again what is not granted
    #[command(after_help = "Examples\n  symbolon policy shadow off")]
    Off,
    /// Show whether it is on
    #[command(after_help = "Examples\n  symbolon policy shadow status --json")]
    Status,
    /// List what would have been refused, and the grants that are missing
    #[command(
        after_help = "Examples\n  symbolon policy shadow list\n  symbolon policy shadow list --clear"
    )]
    List {
        /// Forget it after it was shown
        #[arg(long)]
        clear: bool,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.what {
            What::Explain(explain) => explain.run(ctx),
            What::Shadow(ShadowArgs { what }) => what.run(ctx),
        }
    }
}

impl Explain {
    fn run(mut self, ctx: &Ctx) -> Result<(), Failure> {
        let mut broker = ctx.broker()?;
        let is_url = |word: &String| word.contains("://");
        let (tool, connection, mut arguments) = if self.words.get(1).is_some_and(is_url) {
            let mut words = self.words.drain(..2);
            let method = words.next().unwrap_or_default().to_ascii_uppercase();
            let url = words.next().unwrap_or_default();
            drop(words);
            let request = ResolveRequest { method, url, connection: self.on.take() };
            let found: Resolved = broker.ask(&Op::Resolve { request })?;
            let Some(tool) = found.tool.clone() else { return nothing_named(ctx, &found) };
            (tool, found.connection, found.arguments)
        } else {
            (self.words.remove(0), self.on.take(), serde_json::Map::new())
        };
        let describe = Op::DescribeTool { agent: self.agent.clone(), name: tool.clone() };
        let schema = broker.ask::<ToolView>(&describe)?.input_schema;
        arguments.extend(pairs::arguments(&self.words, schema.as_deref())?);
        let request = ExplainRequest { agent: self.agent, tool, arguments, connection };
        let told: ExplanationView = broker.ask(&Op::Explain { request })?;
        if ctx.json {
            return out::json(&told);
        }
        out::text(&told.sentence)?;
        let grant = told.grant.map_or_else(|| "none".to_owned(), |n| n.to_string());
        out::pairs(&[
            ("scope", told.scope.clone()),
            ("effect", told.effect.clone()),
            ("grant", grant),
        ])?;
        out::text("")?;
        checks(&told.checks)?;
        out::text("")?;
        out::text(match &*told.outcome {
            "allowed" => "It would be let through.",
            "shadowed" => "It would be let through by shadow mode alone.",
            _ => "It would be refused.",
        })?;
        if let Some(next) = &told.next {
            out::say_next(next);
        }
        Ok(())
    }
}

/// A method and URL that name no tool: why not.
fn nothing_named(ctx: &Ctx, found: &Resolved) -> Result<(), Failure> {
    if ctx.json {
        return out::json(found);
    }
    checks(&found.checks)?;
    out::text("")?;
    out::text("It would be refused.")?;
    if let Some(next) = found.checks.iter().find_map(|c| c.next.as_ref()) {
        out::say_next(next);
    }
    Ok(())
}

fn checks(checks: &[CheckView]) -> Result<(), Failure> {
    let row = |check: &CheckView| {
        let held = match check.held {
            Some(true) => "held",
            Some(false) => "NOT HELD",
            None => "not asked",
        };
        vec![check.rule.clone(), held.to_owned(), check.why.clone()]
    };
    out::table(&["RULE", "", "WHY"], &checks.iter().map(row).collect::<Vec<_>>())
}

impl Shadow {
    fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self {
            Self::On { keep, yes } => {
                if !yes {
                    confirm(keep)?;
                }
                let view: ShadowView = ctx.broker()?.ask(&Op::SetShadow { on: true, keep })?;
                show(ctx, &view)
            }
            Self::Off => {
                let view: ShadowView =
                    ctx.broker()?.ask_as_is(&Op::SetShadow { on: false, keep: false })?;
                if ctx.json {
                    return out::json(&view);
                }
                out::text("Shadow mode is off: what is not granted is refused.")?;
                next(&view);
                Ok(())
            }
            Self::Status => show(ctx, &ctx.broker()?.ask_as_is(&Op::Shadow {})?),
            Self::List { clear } => {
                let mut broker = ctx.broker()?;
                let view: ShadowView = broker.ask_as_is(&Op::Shadow {})?;
                list(ctx, &view)?;
                if clear {
                    broker.ask_as_is::<serde_json::Value>(&Op::ClearShadowed {})?;
                }
                Ok(())
            }
        }
    }
}

fn confirm(keep: bool) -> Result<(), Failure> {
    let until = if keep { "until it is turned off" } else { "until the broker ends" };
    let again = if keep {
        "symbolon policy shadow on --yes --keep"
    } else {
        "symbolon policy shadow on --yes"
    };
    if !prompt::is_possible() {
        let what =
            "shadow mode lets every agent use all that is connected: nobody is here to confirm it";
        return Err(Failure::refused("not_confirmed", what).next(again));
    }
    out::say(&format!(
        "Every agent may then use everything that is connected, {until}. It is written down, not refused."
    ));
    let typed = prompt::line("Type yes to go on: ")?;
    if typed.trim() == "yes" {
        return Ok(());
    }
    Err(Failure::refused("not_confirmed", "nothing was changed").next(again))
}

fn show(ctx: &Ctx, view: &ShadowView) -> Result<(), Failure> {
    if ctx.json {
        return out::json(view);
    }
    out::text(match (view.on, view.kept) {
        (true, true) => {
            "SHADOW MODE IS ON, also after a restart: grants, limits and budgets refuse nothing."
        }
        (true, false) => {
            "SHADOW MODE IS ON until the broker ends: grants, limits and budgets refuse nothing."
        }
        (false, _) => "Shadow mode is off.",
    })?;
    if view.on {
        out::say(&format!("{} refusals were passed over.", view.passed_over));
        out::say_next("symbolon policy shadow list, then symbolon policy shadow off");
    } else {
        next(view);
    }
    Ok(())
}

fn next(view: &ShadowView) {
    if let Some(command) = view.missing.first() {
        out::say_next(command);
    }
}

fn list(ctx: &Ctx, view: &ShadowView) -> Result<(), Failure> {
    if ctx.json {
        return out::json(view);
    }
    if view.rows.is_empty() {
        out::say("Nothing was passed over.");
        return Ok(());
    }
    let row = |it: &symbolon_broker::ShadowRow| {
        vec![
            it.count.to_string(),
            it.agent.clone(),
            it.tool.clone(),
            it.connection.clone(),
            it.gate.clone(),
            it.message.clone(),
            it.last.clone(),
        ]
    };
    let rows: Vec<_> = view.rows.iter().map(row).collect();
    out::table(
        &["TIMES", "AGENT", "TOOL", "CONNECTION", "RULE", "WOULD HAVE SAID", "LAST"],
        &rows,
    )?;
    if !view.missing.is_empty() {
        out::text("\nMissing grants")?;
        for command in &view.missing {
            out::text(&format!("  {command}"))?;
        }
    }
    next(view);
    Ok(())
}
