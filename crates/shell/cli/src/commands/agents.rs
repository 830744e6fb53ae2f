//! `symbolon agents`

use clap::Subcommand;
use serde_json::{Value, json};
use symbolon_broker::AgentView;
use symbolon_server::control::{Answer, Op};

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// Agents that come over HTTP, and their keys
///
/// An agent behind `symbolon mcp` needs no key: the owner of the process is checked instead.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon agents
  symbolon agents add ci > ci.key
  symbolon agents remove ci")]
pub struct Args {
    #[command(subcommand)]
    step: Option<Step>,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// List agents that have a key
    #[command(after_help = "Examples\n  symbolon agents list --json")]
    List,
    /// Make a key and show it once; only its hash is kept
    #[command(after_help = "Examples\n  symbolon agents add ci > ci.key")]
    Add {
        /// The agent's name, as grants name it
        name: String,
    },
    /// End an agent's key
    #[command(after_help = "Examples\n  symbolon agents remove ci")]
    Remove {
        /// The agent's name
        name: String,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step.unwrap_or(Step::List) {
            Step::List => list(ctx),
            Step::Add { name } => add(ctx, name),
            Step::Remove { name } => {
                let _: Value = ctx.broker()?.ask(&Op::RemoveAgent { name: name.clone() })?;
                if ctx.json {
                    return out::json(&json!({ "removed": name }));
                }
                out::say(&format!("The key of {name} ends."));
                Ok(())
            }
        }
    }
}

fn list(ctx: &Ctx) -> Result<(), Failure> {
    let all: Vec<AgentView> = ctx.broker()?.ask(&Op::Agents {})?;
    if ctx.json {
        return out::json(&all);
    }
    if all.is_empty() {
        out::say("No agent has a key for HTTP.");
        out::say_next("symbolon agents add NAME");
        return Ok(());
    }
    let by = |it: &AgentView| it.made_by.clone().unwrap_or_else(|| "owner".to_owned());
    let rows: Vec<_> =
        all.into_iter().map(|it| vec![it.name.clone(), by(&it), it.key_id, it.created]).collect();
    out::table(&["NAME", "MADE BY", "KEY ID", "CREATED"], &rows)
}

fn add(ctx: &Ctx, name: String) -> Result<(), Failure> {
    let Answer { ok, secret } = ctx.broker()?.exchange(&Op::AddAgent { name }, None)?;
    let Some(key) = secret else {
        return Err(Failure::refused("answer", "the broker sent no key"));
    };
    if ctx.json {
        // The key's alphabet (base64url) needs no escapes.
        let mut before = serde_json::to_string(&ok).map_err(super::unreadable)?;
        before.truncate(before.len() - 1);
        return out::secret(&format!("{before},\"key\":\""), &key, "\"}\n");
    }
    out::say("The key is shown once; give it to the agent as `Authorization: Bearer KEY`.");
    out::secret("", &key, "\n")?;
    let name = ok.get("agent").and_then(Value::as_str).unwrap_or("AGENT");
    out::say_next(&format!("symbolon grant {name} github.issues.read --for 15m"));
    Ok(())
}
