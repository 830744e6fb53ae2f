//! The lifecycle in the page: what its owner does there, and what their agent does meanwhile.

use std::path::Path;

use serde_json::{Value, json};

use super::agent::Agent;
use super::browser::{Browser, Found};
use super::stage::{Stage, text};
use super::{AGENT, DELETE, LIST, Narrator, unseen};
use crate::Failure;

/// Plays it and returns the receipt's number.
pub fn play(stage: &mut Stage, said: &mut Narrator, found: &Found) -> Result<u64, Failure> {
    let origin = stage.serve()?;
    said.step(format!("`symbolon up` serves the page at {origin}."));
    let folder = stage.file("browser");
    let mut browser = Browser::start(found, &origin, Path::new(&folder))?;
    browser.step("enter", json!({ "link": stage.json(&["page"])?["url"] }))?;
    said.step("`symbolon page` printed a link that is good once; a headless browser opened it.");

    let words = browser.step("vault", json!({}))?;
    said.step(format!(
        "One tap of a passkey made a vault; its recovery code of {words} words was shown once."
    ));
    browser.step("note", json!({ "title": "Groceries", "text": "Bread, milk, [[Recipes]]" }))?;
    said.step("A note was written; the server has it sealed.");

    let root = stage.read("ca.pem")?;
    let (url, credential) = (&stage.url, &stage.credential);
    let given =
        json!({ "service": "upstream", "url": url, "root": root, "credential": credential });
    browser.step("connect", given)?;
    said.step("The token went into its field once, was tried with one call and sealed.");

    let mut agent = Agent::start(&mut stage.command(&["mcp", "--agent", AGENT]))?;
    let server = agent.initialize()?;
    said.step(format!(
        "An agent, `{AGENT}`, speaks MCP with {server} over standard input and output."
    ));
    let scopes = ["upstream.notes.read", "upstream.notes.write"];
    let sentence = browser.step("grant", json!({ "agent": AGENT, "scopes": scopes }))?;
    said.step(format!("Granted: {}", text(&sentence)));

    let reply = agent.succeed(LIST, json!({}))?;
    browser.step("watch", json!({ "tool": LIST }))?;
    said.step(format!("It called {LIST}, got {}, and the page showed it live.", reply["body"]));

    let (deleted, sentence) = std::thread::scope(|scope| {
        let calls = scope.spawn(|| agent.succeed(DELETE, json!({ "number": 0 })));
        let sentence = browser.step("approve", json!({}));
        let called = calls.join().map_err(|_| Failure::new("the agent's call panicked"))?;
        Ok::<_, Failure>((called?, sentence?))
    })?;
    said.step(format!("Its next call had to wait: {}.", text(&sentence).trim_end_matches('.')));
    said.step(format!("Approved in the page, it ran: HTTP {}.", deleted["status"]));

    let transcript = agent.finish()?;
    unseen(stage, "the agent's transcript", &transcript)?;
    let page = browser.step("seen", json!({}))?;
    unseen(stage, "the page", text(&page).as_bytes())?;
    said.step(format!(
        "The token is nowhere in the {} bytes that the agent saw, nor left in the page.",
        transcript.len()
    ));

    let number =
        deleted["receipt"].as_u64().ok_or_else(|| Failure::new("the call left no receipt"))?;
    let checks = browser.step("receipt", json!({ "number": number, "tool": DELETE }))?;
    said.step(format!("Receipt {number} was verified in the page, against the operator's key:"));
    let lines = checks.as_array().into_iter().flatten().filter_map(Value::as_str);
    let lines: Vec<_> =
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    said.below(lines.iter().map(String::as_str));
    browser.finish()?;
    Ok(number)
}
