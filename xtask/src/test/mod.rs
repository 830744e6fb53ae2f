//! `cargo xtask test`: installs what the tests need, starts nothing itself, runs everything.

pub mod debian;
mod setup;
mod stages;
mod tally;

use std::time::{Duration, Instant};

use crate::{Args, Failure};
use stages::{STAGES, Stage};
pub use tally::Tally;

pub const LINE: &str = "install what the tests need and run everything";

pub const HELP: &str = "\
cargo xtask test [--quick] [--only STAGE] [--deny] [-- ARGS]: run everything, in stages

  setup      Debian packages, a Python environment and Node packages, when missing
  web        the page: its core as WASM, its types, its files
  lint       rustfmt, clippy, the graph, the rules of the house
  crates     unit, documentation and crate tests
  tpm        custody by TPM 2.0 against a software TPM
  build      the release, and the instrumented build (fixture tools, holds)
  blackbox   drives the built product against verdaccio, httpbin, the MCP
             conformance suite and the MCP inspector, and its page in Chromium
  demo       `cargo xtask demo`, in the page and by the command line
  deny       licences, bans and sources of every dependency, by cargo-deny

Of crates and blackbox up to 6 tests that fail beside others are run once more,
alone; the closing table says how many passed at the second try.

What is installed goes to target/xtask, the rest of the machine sees only the
Debian packages. A second run installs nothing.

  --quick        only lint and crates: no installs, no release build
  --only STAGE   one stage and what it needs; ARGS go to its `cargo test`
  --deny         install cargo-deny if it is missing

Examples
  cargo xtask test
  cargo xtask test --quick
  cargo xtask test --only blackbox -- --test lifecycle
  cargo xtask test --only crates -- -p symbolon-log
";

/// What was asked for on the command line.
pub struct Asked {
    pub install_deny: bool,
    /// For the `cargo test` of the stage that was asked for alone.
    pub extra: Vec<String>,
}

pub fn run(given: &[String]) -> Result<(), Failure> {
    let args = Args::parse("test", given, &["--quick", "--deny"], &["--only"])?;
    let asked = Asked { install_deny: args.has("--deny"), extra: args.rest().to_vec() };
    let chosen = choose(args.has("--quick"), args.value("--only"))?;
    if !asked.extra.is_empty() && args.value("--only").is_none() {
        return Err(Failure::new("arguments after `--` need a stage to go to")
            .next("cargo xtask test --only crates -- ARGS"));
    }
    let began = Instant::now();
    let mut results: Vec<Finished> = Vec::new();
    for (number, stage) in chosen.iter().enumerate() {
        let blocked_by = stage.needs.iter().find(|need| {
            results.iter().any(|it| it.name == **need && it.outcome != Outcome::Passed)
        });
        println!("\n== {}/{} {}: {}", number + 1, chosen.len(), stage.name, stage.what);
        results.push(match blocked_by {
            Some(need) => Finished::blocked(stage, need),
            None => perform(stage, &asked),
        });
    }
    summarize(&results, began.elapsed())
}

/// The stages to run, with what they need, in their order.
fn choose(quick: bool, only: Option<&str>) -> Result<Vec<&'static Stage>, Failure> {
    let Some(name) = only else {
        return Ok(STAGES.iter().filter(|stage| stage.quick || !quick).collect());
    };
    let Some(wanted) = STAGES.iter().find(|stage| stage.name == name) else {
        let names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        return Err(Failure::new(format!("there is no stage `{name}`"))
            .next(format!("--only with one of: {}", names.join(", "))));
    };
    let needed = |stage: &&Stage| stage.name == name || wanted.needs.contains(&stage.name);
    Ok(STAGES.iter().filter(needed).collect())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Blocked,
}

struct Finished {
    name: &'static str,
    outcome: Outcome,
    tally: Tally,
    took: Duration,
    said: Option<String>,
}

impl Finished {
    fn blocked(stage: &Stage, need: &str) -> Self {
        println!("not run: it needs `{need}`, which failed");
        Self {
            name: stage.name,
            outcome: Outcome::Blocked,
            tally: Tally::default(),
            took: Duration::ZERO,
            said: None,
        }
    }
}

fn perform(stage: &Stage, asked: &Asked) -> Finished {
    let began = Instant::now();
    let mut tally = Tally::default();
    let said = (stage.run)(asked, &mut tally).err().map(|failure| failure.to_string());
    if said.is_some() && tally.failed == 0 {
        // A stage that ended before it counted a failure has failed all the same.
        tally.failed = 1;
    }
    let outcome = if tally.failed == 0 { Outcome::Passed } else { Outcome::Failed };
    let took = began.elapsed();
    if let Some(said) = &said {
        println!("{said}");
    }
    println!("-- {} {} in {}", stage.name, outcome.word(), seconds(took));
    Finished { name: stage.name, outcome, tally, took, said }
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed => "FAILED",
            Self::Blocked => "not run",
        }
    }
}

/// The table, then the closing line that a machine reads, alone and last.
fn summarize(results: &[Finished], took: Duration) -> Result<(), Failure> {
    let mut total = Tally::default();
    println!(
        "\n{:<10} {:<8} {:>7} {:>7} {:>8} {:>10}",
        "stage", "", "passed", "failed", "skipped", "time"
    );
    for it in results {
        let Tally { passed, failed, skipped, alone } = it.tally;
        let (word, time) = (it.outcome.word(), seconds(it.took));
        let alone = if alone > 0 { format!("  {alone} at the second try") } else { String::new() };
        println!(
            "{:<10} {word:<8} {passed:>7} {failed:>7} {skipped:>8} {time:>10}{alone}",
            it.name
        );
        total.add(it.tally);
    }
    println!("{:<44} {:>10}\n", "", seconds(took));
    for it in results.iter().filter(|it| it.outcome == Outcome::Failed) {
        let said = it.said.as_deref().and_then(|said| said.lines().next()).unwrap_or_default();
        println!("{} failed; again with: cargo xtask test --only {}\n  {said}", it.name, it.name);
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    let all_passed = results.iter().all(|it| it.outcome == Outcome::Passed);
    if all_passed { Ok(()) } else { Err(Failure::told()) }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_stage() {
        for stage in STAGES {
            assert!(HELP.contains(&format!("\n  {:<10} ", stage.name)), "{}", stage.name);
        }
    }

    #[test]
    fn what_a_stage_needs_comes_before_it() {
        for (at, stage) in STAGES.iter().enumerate() {
            for need in stage.needs {
                assert!(STAGES[..at].iter().any(|it| it.name == *need), "{}", stage.name);
            }
        }
    }

    #[test]
    fn one_stage_brings_what_it_needs() {
        let names = |quick, only| -> Vec<&str> {
            choose(quick, only).unwrap().iter().map(|stage| stage.name).collect()
        };
        assert_eq!(names(false, Some("blackbox")), ["setup", "web", "build", "blackbox"]);
        assert_eq!(names(true, None), ["lint", "crates"]);
        assert_eq!(names(false, None).len(), STAGES.len());
        assert!(choose(false, Some("nothing")).is_err());
    }

    #[test]
    fn a_failed_stage_counts_even_when_it_ran_no_test() {
        let stage = Stage {
            name: "x",
            what: "",
            quick: false,
            needs: &[],
            run: |_, _| Err(Failure::new("it does not compile")),
        };
        let finished = perform(&stage, &Asked { install_deny: false, extra: Vec::new() });
        assert!(finished.outcome == Outcome::Failed);
        assert_eq!(finished.tally.failed, 1);
        assert!(summarize(&[finished], Duration::ZERO).is_err());
    }
}
