//! `cargo xtask demo`: the whole lifecycle in a throw-away home, one sentence a step.

mod agent;
mod browser;
mod commands;
mod page;
mod stage;

use std::fmt::Display;

use symbolon_tests::canary::Canaries;

use crate::test::Tally;
use crate::{Args, Failure, process, web, workspace};
use browser::Found;
use stage::Stage;

pub const LINE: &str = "watch an agent use a credential that it never sees";

pub const HELP: &str = "\
cargo xtask demo [--keep] [--commands]: watch an agent use a credential that it never sees

Builds the release, makes a throw-away home and a small HTTPS service, stores a
credential, and lets an MCP client call the service with it. Each step is said
in one sentence; the last one verifies the receipt.

Where Chromium and npm are on this machine, a headless browser does in the page
what its owner would do: a vault by a passkey, a note, a connection, a grant, an
approval, the receipt. Elsewhere the command line does it, and no network is
needed.

  --keep       leave the home, the server and the service running, and print
               what to do next
  --commands   by the command line, browser or not

Examples
  cargo xtask demo
  cargo xtask demo --keep
";

/// The tools of the service that the demo calls.
const LIST: &str = "upstream.notes.list";
const DELETE: &str = "upstream.notes.delete";
/// The agent's name.
const AGENT: &str = "demo";

pub fn run(given: &[String]) -> Result<(), Failure> {
    let args = Args::parse("demo", given, &["--keep", "--commands"], &[])?;
    let found = if args.has("--commands") { None } else { browser::find() };
    if found.is_some() {
        web::build()?;
    }
    let packages = ["--package", "symbolon-cli", "--package", "symbolon-upstream"];
    process::run(process::cargo().args(["build", "--release"]).args(packages))?;

    let (stage, number) = play(found.as_ref())?;
    if args.has("--keep") { keep(stage, number) } else { Ok(()) }
}

/// The demo of the product that is built already, in the page where there is a browser and by the command line.
pub fn check(tally: &mut Tally) -> Result<(), Failure> {
    match browser::find() {
        Some(found) => {
            play(Some(&found))?;
            tally.pass();
        }
        None => tally.skip(),
    }
    play(None)?;
    tally.pass();
    Ok(())
}

/// The stage as it was left, and the number of the receipt.
fn play(found: Option<&Found>) -> Result<(Stage, u64), Failure> {
    let mut stage = Stage::set(
        &workspace::release_binary("symbolon")?,
        &workspace::release_binary("symbolon-upstream")?,
    )?;
    let mut said = Narrator::default();
    said.step(format!("An HTTPS service runs at {} and wants a bearer token.", stage.url));
    stage.symbolon(&["init", "--device", "--recovery-file", &stage.file("recovery-code")])?;
    said.step(format!(
        "`symbolon init` made a home in {}, opened by this device's key.",
        stage.home()
    ));
    stage.teach()?;
    let number = match found {
        Some(found) => page::play(&mut stage, &mut said, found)?,
        None => commands::play(&stage, &mut said)?,
    };
    Ok((stage, number))
}

/// Errs if a piece of the token is in what somebody saw. The control finds it where it is known
/// to be, so that a search that finds nothing means something.
fn unseen(stage: &Stage, place: &str, bytes: &[u8]) -> Result<(), Failure> {
    let canaries = Canaries::new().plant("the token", stage.credential.as_bytes());
    let control = [b"authorization: Bearer ", stage.credential.as_bytes()].concat();
    if canaries.find(&control).is_empty() {
        return Err(Failure::new("the search does not find a token that is there"));
    }
    match canaries.find_in(place, bytes).first() {
        Some(hit) => Err(Failure::new(format!("the token was seen: {hit}"))),
        None => Ok(()),
    }
}

fn keep(stage: Stage, number: u64) -> Result<(), Failure> {
    let stage = stage.keep();
    println!("\nThe home, the server and the service go on. Next:\n");
    println!("  export SYMBOLON_HOME={} PATH={}:$PATH", stage.home, stage.programs);
    if stage.is_served {
        println!("  symbolon page       # a link that opens the page as its owner");
    }
    println!("  symbolon call {LIST} --agent {AGENT}");
    println!("  symbolon receipts show {number}");
    println!("  symbolon grant {AGENT} upstream.notes.write --for 15m");
    println!("\nTo end it: symbolon lock --stop; kill {}; rm -r {}", stage.pids, stage.folder);
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

    /// Lines that belong to the step before.
    fn below<'a>(&self, lines: impl IntoIterator<Item = &'a str>) {
        for line in lines {
            println!("       {line}");
        }
    }
}
