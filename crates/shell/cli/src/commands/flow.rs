//! `symbolon flow`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use symbolon_broker::{FlowCheck, FlowDecision, FlowRequest, FlowRunRow, FlowRunView};
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::link::Link;
use crate::{out, pairs};

mod progress;
mod stored;

/// Several calls as one run: in order, as a graph, or all at once
///
/// Each step is a call through every gate, with a receipt of its own. A run goes on after a crash
/// without making a call again that happened. A flow runs as an agent, which needs the grants.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon flow check onboarding.yaml
  symbolon flow run onboarding.yaml --input customer=cus_1
  symbolon flow ls
  symbolon flow add onboarding.yaml --as claude --hook
  symbolon flow resume 3f6c0d…")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Look at a definition: names, templates, tools, grants that are missing
    #[command(after_help = "Examples\n  symbolon flow check onboarding.yaml --agent claude")]
    Check {
        /// The definition, in YAML or JSON
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// As which agent it would run
        #[arg(long, visible_alias = "as", value_name = "NAME", default_value = "cli")]
        agent: String,
    },
    Run(Run),
    Add(stored::Add),
    Trigger(stored::Trigger),
    /// Forget a flow that is kept; its runs stay
    #[command(after_help = "Examples\n  symbolon flow rm onboarding")]
    Rm {
        /// Its name
        name: String,
    },
    /// List runs, the newest first; or flows that are kept
    #[command(after_help = "Examples\n  symbolon flow ls --json\n  symbolon flow ls --stored")]
    Ls {
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
        /// Flows that are kept, in place of runs
        #[arg(long, conflicts_with = "limit")]
        stored: bool,
    },
    /// Show a run with its steps
    #[command(after_help = "Examples\n  symbolon flow show 3f6c0d…")]
    Show {
        /// The run's name
        run: String,
    },
    Resume(Resume),
    /// End a run: no new step begins, what is on its way is waited for
    #[command(after_help = "Examples\n  symbolon flow cancel 3f6c0d…")]
    Cancel {
        /// The run's name
        run: String,
    },
    /// Undo what happened in a run, the last first
    #[command(
        after_help = "Examples\n  symbolon flow rollback 3f6c0d…\n  symbolon flow rollback 3f6c0d… --step customer"
    )]
    Rollback {
        /// The run's name
        run: String,
        /// Only this step; may be given more than once
        #[arg(long, value_name = "STEP")]
        step: Vec<String>,
    },
}

/// Run a flow, with one line a step as it goes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon flow run onboarding.yaml --input customer=cus_1 --input seats:=3
  symbolon flow run onboarding.yaml --agent claude --json
  symbolon flow run onboarding.yaml --detach")]
struct Run {
    /// The definition, in YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// An input; NAME:=JSON where it is not what the definition's type makes of the text
    #[arg(long, value_name = "NAME=VALUE")]
    input: Vec<String>,
    /// As which agent
    #[arg(long, visible_alias = "as", value_name = "NAME", default_value = "cli")]
    agent: String,
    /// Do not wait for its end
    #[arg(long)]
    detach: bool,
}

/// Let a run go on that was interrupted, failed, or waits for your word
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon flow resume 3f6c0d…
  symbolon flow resume 3f6c0d… --step charge --as-done
  symbolon flow resume 3f6c0d… --step charge --again")]
struct Resume {
    /// The run's name
    run: String,
    /// The step of which nobody knows whether it happened
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    /// It happened
    #[arg(long, requires = "step", conflicts_with = "again")]
    as_done: bool,
    /// It did not happen, or may happen twice: make its call again
    #[arg(long, requires = "step")]
    again: bool,
    /// With --as-done: what it gave, for the steps after it
    #[arg(long, value_name = "JSON", requires = "as_done")]
    output: Option<String>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Check { file, agent } => check(ctx, &file, agent),
            Step::Run(args) => args.run(ctx),
            Step::Add(args) => args.run(ctx),
            Step::Trigger(args) => args.run(ctx),
            Step::Rm { name } => stored::remove(ctx, name),
            Step::Ls { stored: true, .. } => stored::list(ctx),
            Step::Ls { limit, .. } => list(ctx, limit),
            Step::Show { run } => {
                let view: FlowRunView = ctx.broker()?.ask(&Op::FlowShow { run })?;
                show(ctx, &view)
            }
            Step::Resume(args) => args.run(ctx),
            Step::Cancel { run } => {
                let mut broker = ctx.broker()?;
                let _: FlowRunView = broker.ask(&Op::FlowCancel { run: run.clone() })?;
                progress::follow(ctx, &mut broker, &run, true)
            }
            Step::Rollback { run, step } => {
                let mut broker = ctx.broker()?;
                let op = Op::FlowRollback { run: run.clone(), steps: step };
                let _: FlowRunView = broker.ask(&op)?;
                progress::follow(ctx, &mut broker, &run, true)
            }
        }
    }
}

impl Run {
    fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut broker = ctx.broker()?;
        let definition = read(&self.file)?;
        let check = Op::FlowCheck { agent: self.agent.clone(), definition: definition.clone() };
        let found: FlowCheck = broker.ask(&check).map_err(|e| in_file(e, &self.file))?;
        let inputs = pairs::arguments(&self.input, Some(&schema(&found.inputs)))?;
        let request = FlowRequest { agent: self.agent, definition, inputs };
        let view: FlowRunView = broker.ask(&Op::FlowRun { request })?;
        begun(ctx, &mut broker, &view, self.detach)
    }
}

impl Resume {
    fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut decisions = Vec::new();
        if let Some(step) = self.step {
            if !self.as_done && !self.again {
                let what = "say what became of the step: --as-done, or --again";
                return Err(Failure::usage(what).next("symbolon flow resume --help"));
            }
            let output = self.output.as_deref().map(serde_json::from_str).transpose();
            let output =
                output.map_err(|e| Failure::usage(format!("--output is not JSON: {e}")))?;
            decisions.push(FlowDecision { step, as_done: self.as_done, output });
        }
        let mut broker = ctx.broker()?;
        let op = Op::FlowResume { run: self.run.clone(), decisions };
        let _: FlowRunView = broker.ask(&op)?;
        progress::follow(ctx, &mut broker, &self.run, false)
    }
}

/// A run has begun: follows it, or says its name.
fn begun(ctx: &Ctx, broker: &mut Link, view: &FlowRunView, detach: bool) -> Result<(), Failure> {
    let run = &view.row.run;
    if !detach {
        return progress::follow(ctx, broker, run, false);
    }
    if ctx.json {
        return out::json(view);
    }
    out::text(run)?;
    out::say_next(&format!("symbolon flow show {run}"));
    Ok(())
}

fn check(ctx: &Ctx, file: &Path, agent: String) -> Result<(), Failure> {
    let op = Op::FlowCheck { agent, definition: read(file)? };
    let found: FlowCheck = ctx.broker()?.ask(&op).map_err(|e| in_file(e, file))?;
    if ctx.json {
        return out::json(&found);
    }
    let inputs: Vec<String> =
        found.inputs.iter().map(|(n, kind)| format!("{n} ({kind})")).collect();
    let inputs = if inputs.is_empty() { "none".to_owned() } else { inputs.join(", ") };
    out::pairs(&[
        ("flow", found.flow),
        ("kind", found.kind),
        ("steps", found.steps.to_string()),
        ("at once", found.concurrency.to_string()),
        ("inputs", inputs),
    ])?;
    found.missing.iter().for_each(|grant| out::say_next(grant));
    Ok(())
}

fn list(ctx: &Ctx, limit: Option<u32>) -> Result<(), Failure> {
    let all: Vec<FlowRunRow> = ctx.broker()?.ask(&Op::FlowRuns { limit })?;
    if ctx.json {
        return out::json(&all);
    }
    if all.is_empty() {
        out::say("No flow has run.");
        out::say_next("symbolon flow run FILE");
        return Ok(());
    }
    let row = |it: FlowRunRow| vec![it.run, it.flow, it.agent, it.state, it.created, it.changed];
    let rows: Vec<_> = all.into_iter().map(row).collect();
    out::table(&["RUN", "FLOW", "AGENT", "STATE", "BEGAN", "CHANGED"], &rows)
}

fn show(ctx: &Ctx, view: &FlowRunView) -> Result<(), Failure> {
    if ctx.json {
        return out::json(view);
    }
    let row = &view.row;
    out::text(&format!(
        "{}  {} ({}) as {}: {}",
        row.run, row.flow, view.kind, row.agent, row.state
    ))?;
    let cells = |it: &symbolon_broker::FlowStepView| {
        let receipt = it.receipt.map_or_else(String::new, |n| n.to_string());
        let why = it.why.clone().unwrap_or_default();
        vec![it.id.clone(), it.tool.clone(), it.state.clone(), receipt, why]
    };
    let rows: Vec<_> = view.steps.iter().map(cells).collect();
    out::table(&["STEP", "TOOL", "STATE", "RECEIPT", "WHY"], &rows)?;
    if let Some(output) = &view.output {
        out::text(&serde_json::to_string_pretty(output).unwrap_or_default())?;
    }
    if let Some(next) = &view.next {
        out::say_next(next);
    }
    Ok(())
}

/// The definition's types as a schema, so that `--input` reads texts by them.
fn schema(inputs: &[(String, String)]) -> Value {
    let of = |kind: &str| if kind == "any" { json!({}) } else { json!({"type": kind}) };
    let properties = inputs.iter().map(|(name, kind)| (name.clone(), of(kind)));
    json!({"properties": properties.collect::<serde_json::Map<_, _>>()})
}

fn read(file: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(file).map_err(|e| Failure::file("read", file, &e))?;
    String::from_utf8(bytes).map_err(|_| {
        let what = format!("{} is not UTF-8", file.display());
        Failure::refused("flow", what).next("a definition is YAML or JSON")
    })
}

/// An error of a definition names its file, as compilers do.
fn in_file(mut failure: Failure, file: &Path) -> Failure {
    if failure.code == "flow" {
        failure.message = format!("{}: {}", file.display(), failure.message);
        if failure.next.as_deref() == Some("symbolon flow check FILE") {
            failure.next = Some(format!("symbolon flow check {}", file.display()));
        }
    }
    failure
}
