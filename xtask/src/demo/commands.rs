//! The lifecycle by the command line.

use serde_json::json;

use super::agent::Agent;
use super::stage::{Stage, text};
use super::{AGENT, LIST, Narrator, unseen};
use crate::Failure;

/// Plays it and returns the receipt's number.
pub fn play(stage: &Stage, said: &mut Narrator) -> Result<u64, Failure> {
    stage.connect()?;
    said.step(
        "`symbolon connect` took the token from standard input, tried it once and sealed it.",
    );

    let mut agent = Agent::start(&mut stage.command(&["mcp", "--agent", AGENT]))?;
    let server = agent.initialize()?;
    said.step(format!(
        "An agent, `{AGENT}`, speaks MCP with {server} over standard input and output."
    ));

    let refusal = agent.call("symbolon.call_tool", json!({ "tool": LIST, "arguments": {} }))?;
    let reason = refusal["structuredContent"]["message"].as_str().unwrap_or("it was refused");
    if refusal["isError"] != json!(true) {
        return Err(Failure::new("the agent called a tool that it was not granted"));
    }
    said.step(format!("Without a grant its call is refused: {reason}"));

    let granted = stage.json(&["grant", AGENT, "upstream.notes.read", "--for", "15m"])?;
    said.step(format!("`symbolon grant`: {}.", text(&granted["sentence"]).trim_end_matches('.')));

    let tools = agent.tools()?;
    let (all, ours) = (tools.len(), tools.iter().filter(|it| it.starts_with("upstream.")).count());
    said.step(format!("The agent now sees {all} tools, {ours} of them calls to the service."));

    let reply = agent.succeed(LIST, json!({}))?;
    said.step(format!("It called {LIST} and got HTTP 200 with {}.", reply["body"]));

    let transcript = agent.finish()?;
    unseen(stage, "the transcript", &transcript)?;
    said.step(format!(
        "The token is nowhere in the {} bytes that went between them, raw, in base64 or in hex.",
        transcript.len()
    ));

    let number =
        reply["receipt"].as_u64().ok_or_else(|| Failure::new("the call left no receipt"))?;
    said.step(format!(
        "Receipt {number} says what happened; `symbolon receipts show` wrote it out."
    ));
    stage.export_receipt(number)?;

    let verified = stage.verify()?;
    said.step(
        "`symbolon verify` checked it with nothing but the file and the operator's public key:",
    );
    said.below(verified.lines());
    Ok(number)
}
