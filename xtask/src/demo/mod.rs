//! `cargo xtask demo`: the whole lifecycle in a throw-away home, one sentence a step.

mod agent;
mod stage;

use std::fmt::Display;

use serde_json::{Value, json};
use symbolon_tests::canary::Canaries;

use crate::{Args, Failure, process, workspace};
use agent::Agent;
use stage::Stage;

pub const LINE: &str = "watch an agent use a credential that it never sees";

pub const HELP: &str = "\
cargo xtask demo [--keep]: watch an agent use a credential that it never sees

Builds the release, makes a throw-away home and a small HTTPS service, stores a
credential, and lets an MCP client call the service with it. Each step is said
in one sentence; the last one verifies the receipt. Needs no network.

  --keep   leave the home, the broker and the service running, and print the
           next three commands

Examples
  cargo xtask demo
  cargo xtask demo --keep
";

const TOOL: &str = "upstream.notes.list";

pub fn run(given: &[String]) -> Result<(), Failure> {
    let args = Args::parse("demo", given, &["--keep"], &[])?;
    let packages = ["--package", "symbolon-cli", "--package", "symbolon-upstream"];
    process::run(process::cargo().args(["build", "--release"]).args(packages))?;

    let stage = Stage::set(
        &workspace::release_binary("symbolon")?,
        &workspace::release_binary("symbolon-upstream")?,
    )?;
    let number = play(&stage)?;
    if args.has("--keep") { keep(stage, number) } else { Ok(()) }
}

/// Plays it and returns the receipt's number.
fn play(stage: &Stage) -> Result<u64, Failure> {
    let mut said = Narrator::default();
    said.step(format!("An HTTPS service runs at {} and wants a bearer token.", stage.url));

    stage.symbolon(&["init", "--device", "--recovery-file", &stage.file("recovery-code")])?;
    said.step(format!(
        "`symbolon init` made a home in {}, opened by this device's key.",
        stage.home()
    ));

    stage.connect()?;
    said.step(
        "`symbolon connect` took the token from standard input, tried it once and sealed it.",
    );

    let mut agent = Agent::start(&mut stage.command(&["mcp", "--agent", "demo"]))?;
    let server = agent.initialize()?;
    said.step(format!(
        "An agent, `demo`, speaks MCP with {server} over standard input and output."
    ));

    let refusal = agent.call("symbolon.call_tool", json!({ "tool": TOOL, "arguments": {} }))?;
    let reason = refusal["structuredContent"]["message"].as_str().unwrap_or("it was refused");
    if refusal["isError"] != json!(true) {
        return Err(Failure::new("the agent called a tool that it was not granted"));
    }
    said.step(format!("Without a grant its call is refused: {reason}"));

    let granted = stage.json(&["grant", "demo", "upstream.notes.read", "--for", "15m"])?;
    said.step(format!("`symbolon grant`: {}.", text(&granted["sentence"]).trim_end_matches('.')));

    let tools = agent.tools()?;
    let (all, ours) = (tools.len(), tools.iter().filter(|it| it.starts_with("upstream.")).count());
    said.step(format!("The agent now sees {all} tools, {ours} of them calls to the service."));

    let result = agent.call(TOOL, json!({}))?;
    let reply = &result["structuredContent"];
    if reply["status"] != json!(200) {
        return Err(Failure::new(format!("the call did not succeed: {result}")));
    }
    said.step(format!("It called {TOOL} and got HTTP 200 with {}.", reply["body"]));

    let transcript = agent.finish()?;
    unseen(stage, &transcript)?;
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
    for line in verified.lines() {
        println!("       {line}");
    }
    Ok(number)
}

/// Errs if a piece of the token is in what the agent saw. The control finds it where it is known
/// to be, so that a search that finds nothing means something.
fn unseen(stage: &Stage, transcript: &[u8]) -> Result<(), Failure> {
    let canaries = Canaries::new().plant("the token", stage.credential.as_bytes());
    let control = [b"authorization: Bearer ", stage.credential.as_bytes()].concat();
    if canaries.find(&control).is_empty() {
        return Err(Failure::new("the search does not find a token that is there"));
    }
    match canaries.find_in("the transcript", transcript).first() {
        Some(hit) => Err(Failure::new(format!("the agent saw the token: {hit}"))),
        None => Ok(()),
    }
}

fn keep(stage: Stage, number: u64) -> Result<(), Failure> {
    let stage = stage.keep();
    println!("\nThe home, the broker and the service go on. Next:\n");
    println!("  export SYMBOLON_HOME={} PATH={}:$PATH", stage.home, stage.programs);
    println!("  symbolon call {TOOL} --agent demo");
    println!("  symbolon receipts show {number}");
    println!("  symbolon grant demo upstream.notes.write --for 15m");
    println!(
        "\nTo end it: symbolon lock --stop; kill {}; rm -r {}",
        stage.upstream_pid, stage.folder
    );
    Ok(())
}

/// One numbered sentence a step.
#[derive(Default)]
struct Narrator {
    steps: usize,
}

impl Narrator {
    fn step(&mut self, sentence: impl Display) {
        self.steps += 1;
        println!("{:>4}.  {sentence}", self.steps);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
