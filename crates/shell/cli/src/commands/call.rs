//! `symbolon call`

use symbolon_broker::{BodyEncoding, CallReply, CallRequest, Context, ToolView};
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::{out, pairs};

/// Call a tool as an agent, through every gate
///
/// It runs as the agent `cli`, which needs a grant as any other does: being the owner opens no
/// gate, so that what works here works for an agent. A value takes the type that the tool's schema
/// says; key:=JSON gives it as JSON.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon grant cli github.issues.read --for 15m
  symbolon call github.issues.list owner=acme repo=anvil per_page=5
  symbolon call github.issues.create owner=acme repo=anvil title='It breaks' labels:='[\"bug\"]'
  symbolon call github.issues.list owner=acme repo=anvil --agent claude --json")]
pub struct Args {
    /// The tool, such as github.issues.list
    tool: String,
    /// Its parameters
    #[arg(value_name = "KEY=VALUE")]
    arguments: Vec<String>,
    /// As which agent
    #[arg(long, visible_alias = "as", value_name = "NAME", default_value = "cli")]
    agent: String,
    /// The connection, where the agent was granted several of the service
    #[arg(long, value_name = "CONNECTION")]
    on: Option<String>,
    /// Send what this placeholder stands for, in place of the connection's credential: the agent got
    /// it in an answer (see symbolon minted)
    #[arg(long, value_name = "PLACEHOLDER")]
    minted: Option<String>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut broker = ctx.broker()?;
        let schema = if self.arguments.iter().any(|it| is_typed_by_schema(it)) {
            let describe = Op::DescribeTool { agent: self.agent.clone(), name: self.tool.clone() };
            broker.ask::<ToolView>(&describe)?.input_schema
        } else {
            None
        };
        let arguments = pairs::arguments(&self.arguments, schema.as_deref())?;
        let request =
            CallRequest { tool: self.tool, arguments, connection: self.on, minted: self.minted };
        let call = Op::Call { agent: self.agent, request, context: Context::Direct };
        let reply: CallReply = broker.ask(&call)?;
        if ctx.json {
            out::json(&reply)?;
        } else {
            show(&reply)?;
        }
        if !reply.is_failure() {
            return Ok(());
        }
        let what = match reply.status {
            ..400 => "the tool answered with an error".to_owned(),
            status => format!("the service answered {status}"),
        };
        let next = format!("symbolon receipts show {}", reply.receipt);
        Err(Failure::refused("upstream_status", what).next(next).already_told())
    }
}

fn show(reply: &CallReply) -> Result<(), Failure> {
    let body = match reply.encoding {
        BodyEncoding::None => None,
        BodyEncoding::Json | BodyEncoding::ToolResult => {
            serde_json::to_string_pretty(&reply.body).ok()
        }
        BodyEncoding::Text | BodyEncoding::Base64 => reply.body.as_str().map(str::to_owned),
    };
    if let Some(body) = body {
        out::text(&body)?;
    }
    let redacted = match reply.redactions {
        0 => String::new(),
        n => format!(", credential taken out {n} times"),
    };
    let (status, receipt) = (reply.status, reply.receipt);
    out::say(&format!("{status} in {} ms{redacted}, receipt {receipt}", reply.duration_ms));
    if !reply.is_failure() {
        out::say_next(&format!("symbolon receipts show {receipt}"));
    }
    Ok(())
}

/// `key:=JSON` needs no schema, and so no question.
fn is_typed_by_schema(word: &str) -> bool {
    word.split_once('=').is_some_and(|(key, _)| !key.ends_with(':'))
}
