//! `symbolon grant`

use symbolon_broker::{GrantView, NewGrant};
use symbolon_codec::parse_duration_seconds;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// Let an agent use scopes of a connection for a while
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon grant claude github.issues.read --for 15m
  symbolon grant claude github.issues.read github.issues.write --for 8h --limit owner=acme
  symbolon grant claude 'github.*' --for 30d --on work --limit 'owner in acme,example'
  symbolon grant claude github.issues.read --for 1h --limit 'per_page<=50'
  symbolon grant claude 'stripe.*' --for 8h --ask 'amount>10000' --ask first-use
  symbolon grant claude github.issues.read --for 30d --budget '100 calls/day' --cooldown 2s
  symbolon grant claude stripe.refunds.write --for 30d \\
      --budget 'stripe.refunds: 500 usd/day of amount/100' --hours 'mon-fri 09:00-17:00 local'
  symbolon grant claude 'github.*' --for 8h --delegable
  symbolon grant tester github.issues.read --under 7

A grant under another gives nothing that the other does not, spends its budgets, and ends with it.

Budgets: [SCOPES:] AMOUNT UNIT/PERIOD [of PARAMETER[/N|*N]]
  hour, day and week are those of the calendar in UTC; 90m, 24h or 7d are the last so many;
  total is for as long as the grant lives. UNIT calls counts calls; any other counts PARAMETER.")]
pub struct Args {
    /// To whom, as in `symbolon mcp --agent NAME`
    agent: String,
    /// Scopes, such as github.issues.read or github.issues.*
    #[arg(required = true, value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How long: 90s, 15m, 8h, 30d
    #[arg(long = "for", value_name = "TIME", value_parser = seconds, required_unless_present = "under")]
    for_seconds: Option<u64>,
    /// As part of another grant, by its number; without --for it lasts as long
    #[arg(long, value_name = "N")]
    under: Option<u64>,
    /// Let the agent hand on parts of it to sub-agents
    #[arg(long)]
    delegable: bool,
    /// How many levels of sub-agents there may be
    #[arg(long, value_name = "N", default_value_t = 1, requires = "delegable",
          value_parser = clap::value_parser!(u8).range(1..=7))]
    depth: u8,
    /// The connection [default: the one named as the service]
    #[arg(long, value_name = "CONNECTION")]
    on: Option<String>,
    /// A limit on a parameter; can be repeated
    #[arg(long = "limit", value_name = "LIMIT")]
    limits: Vec<String>,
    /// Which calls wait for your approval; can be repeated: destructive, write, first-use, always,
    /// never, or a parameter and a bound such as 'amount>10000' [default: destructive]
    #[arg(long = "ask", value_name = "RULE")]
    ask: Vec<String>,
    /// Who may approve: owner, or client for the person at the agent's MCP client too
    #[arg(long, value_name = "WHO", default_value = "owner")]
    ask_via: String,
    /// How much it may use up, such as '100 calls/day'; can be repeated
    #[arg(long = "budget", value_name = "BUDGET")]
    budgets: Vec<String>,
    /// The pause between two calls of a scope: 2s, 5m
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    cooldown: Option<u64>,
    /// When it is good, such as 'mon-fri 09:00-17:00 +02:00'; can be repeated
    #[arg(long = "hours", value_name = "HOURS")]
    hours: Vec<String>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let new = NewGrant {
            agent: self.agent,
            scopes: self.scopes,
            for_seconds: self.for_seconds.unwrap_or(0),
            connection: self.on,
            limits: self.limits,
            ask: self.ask,
            ask_via: Some(self.ask_via),
            budgets: self.budgets,
            cooldown_seconds: self.cooldown,
            hours: self.hours,
            under: self.under,
            delegable: if self.delegable { self.depth } else { 0 },
        };
        let made: GrantView = ctx.broker()?.ask(&Op::Grant { new })?;
        if ctx.json {
            return out::json(&made);
        }
        out::text(&format!("{}  {}", made.id, made.sentence))?;
        let flag = match made.agent.as_str() {
            host @ ("claude" | "cursor" | "vscode") => format!("--print-config {host}"),
            "cli" => {
                out::say_next("symbolon tools search WORDS");
                return Ok(());
            }
            other => format!("--agent {other} --print-config claude"),
        };
        out::say_next(&format!("symbolon mcp {flag}"));
        Ok(())
    }
}

fn seconds(text: &str) -> Result<u64, String> {
    parse_duration_seconds(text).map_err(|error| error.to_string())
}
