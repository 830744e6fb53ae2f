//! `symbolon minted`

use clap::Subcommand;
use serde_json::{Value, json};
use symbolon_broker::MintedView;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// Credentials that services made for your agents
///
/// Where a call makes a new credential (a login, a token), the agent gets a placeholder that begins
/// with symmint_, and the credential is sealed here. The agent sends the placeholder where the
/// service wants the credential, and the broker exchanges it, on the same connection and under the
/// same grants. It lasts until it ends, you revoke it, or its connection is gone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon minted
  symbolon minted list --json
  symbolon minted revoke 4c7a31d09e5b2f68")]
pub struct Args {
    #[command(subcommand)]
    step: Option<Step>,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// List them, the oldest first
    #[command(after_help = "Examples\n  symbolon minted list --json")]
    List,
    /// Forget one, so that its placeholder is refused; revoke it at the service too
    #[command(after_help = "Examples\n  symbolon minted revoke 4c7a31d09e5b2f68")]
    Revoke {
        /// Its id in `symbolon minted`, and in receipts
        id: String,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step.unwrap_or(Step::List) {
            Step::List => list(ctx),
            Step::Revoke { id } => {
                let _: Value = ctx.broker()?.ask(&Op::RevokeMinted { id: id.clone() })?;
                if ctx.json {
                    return out::json(&json!({ "revoked": id }));
                }
                out::say(&format!("{id} is forgotten; revoke the credential at the service too"));
                Ok(())
            }
        }
    }
}

fn list(ctx: &Ctx) -> Result<(), Failure> {
    let all: Vec<MintedView> = ctx.broker()?.ask(&Op::Minted {})?;
    if ctx.json {
        return out::json(&all);
    }
    if all.is_empty() {
        out::say("No service has made a credential for an agent.");
        return Ok(());
    }
    let row = |it: MintedView| {
        let ends = match (it.expires, it.ended) {
            (None, _) => "not said".to_owned(),
            (Some(at), false) => at,
            (Some(at), true) => format!("{at}, over"),
        };
        vec![it.id, it.connection, it.agent, it.tool, it.intent.to_string(), it.created, ends]
    };
    let rows: Vec<_> = all.into_iter().map(row).collect();
    out::table(&["ID", "CONNECTION", "AGENT", "MADE BY", "INTENT", "CREATED", "ENDS"], &rows)
}
