//! `symbolon grants`

use symbolon_broker::GrantView;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// List grants
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon grants
  symbolon grants --agent claude --json")]
pub struct Args {
    /// Only this agent's
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut all: Vec<GrantView> = ctx.broker()?.ask(&Op::Grants {})?;
        if let Some(agent) = &self.agent {
            all.retain(|it| it.agent == *agent);
        }
        if ctx.json {
            return out::json(&all);
        }
        if all.is_empty() {
            out::say("No grants.");
            out::say_next("symbolon grant claude github.issues.read --for 15m");
            return Ok(());
        }
        let rows: Vec<_> = all.into_iter().map(row).collect();
        out::table(
            &["N", "AGENT", "CONNECTION", "SCOPES", "WITHIN", "ASKS", "EXPIRES", "STATE"],
            &rows,
        )
    }
}

fn row(it: GrantView) -> Vec<String> {
    let mut within = it.limits;
    within.extend(it.budgets.iter().map(|b| {
        let renews = b.renews.as_ref().map(|at| format!(", more at {at}")).unwrap_or_default();
        format!("{} ({} left{renews})", b.budget, b.left)
    }));
    within.extend(it.cooldown_seconds.map(|s| format!("every {s} s")));
    within.extend(it.hours);
    let within = if within.is_empty() { "-".to_owned() } else { within.join("; ") };
    vec![
        it.id.to_string(),
        it.agent,
        it.connection,
        it.scopes.join(" "),
        within,
        it.ask.join("; "),
        it.expires,
        it.state,
    ]
}
