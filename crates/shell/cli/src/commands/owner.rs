//! `symbolon owner`

use clap::Subcommand;
use serde_json::{Value, json};
use symbolon_broker::OwnerTokenView;
use symbolon_server::control::{Answer, Op};

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// Tokens with which you answer over HTTP
///
/// A token opens /api/owner of `symbolon serve`: seeing, approving and denying calls that wait. No
/// agent's key does, and the token opens nothing else.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon owner
  symbolon owner token > owner.token
  symbolon owner revoke 1")]
pub struct Args {
    #[command(subcommand)]
    step: Option<Step>,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// List tokens
    #[command(after_help = "Examples\n  symbolon owner list --json")]
    List,
    /// Make a token and show it once; only its hash is kept
    #[command(after_help = "Examples\n  symbolon owner token > owner.token")]
    Token,
    /// End a token
    #[command(after_help = "Examples\n  symbolon owner revoke 1")]
    Revoke {
        /// The token's number in `symbolon owner`
        #[arg(value_name = "N")]
        id: u64,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step.unwrap_or(Step::List) {
            Step::List => list(ctx),
            Step::Token => token(ctx),
            Step::Revoke { id } => {
                let _: Value = ctx.broker()?.ask(&Op::RemoveOwnerToken { id })?;
                if ctx.json {
                    return out::json(&json!({ "revoked": id }));
                }
                out::say(&format!("Token {id} ends."));
                Ok(())
            }
        }
    }
}

fn list(ctx: &Ctx) -> Result<(), Failure> {
    let all: Vec<OwnerTokenView> = ctx.broker()?.ask(&Op::OwnerTokens {})?;
    if ctx.json {
        return out::json(&all);
    }
    if all.is_empty() {
        out::say("You have no token for HTTP.");
        out::say_next("symbolon owner token");
        return Ok(());
    }
    let row = |it: OwnerTokenView| vec![it.id.to_string(), it.key_id, it.created];
    let rows: Vec<_> = all.into_iter().map(row).collect();
    out::table(&["N", "KEY ID", "CREATED"], &rows)
}

fn token(ctx: &Ctx) -> Result<(), Failure> {
    let Answer { ok, secret } = ctx.broker()?.exchange(&Op::AddOwnerToken {}, None)?;
    let Some(token) = secret else {
        return Err(Failure::refused("answer", "the broker sent no token"));
    };
    if ctx.json {
        // The token's alphabet (base64url) needs no escapes.
        let mut before = serde_json::to_string(&ok).map_err(super::unreadable)?;
        before.truncate(before.len() - 1);
        return out::secret(&format!("{before},\"token\":\""), &token, "\"}\n");
    }
    out::say(
        "The token is shown once; send it as `Authorization: Bearer TOKEN`. Give it to no agent.",
    );
    out::secret("", &token, "\n")?;
    out::say_next("GET /api/owner/approvals at the address of symbolon serve");
    Ok(())
}
