//! Flows that are kept.

use std::path::PathBuf;

use serde_json::{Value, json};
use symbolon_broker::{FlowRunView, FlowStored};
use symbolon_server::control::Op;

use super::super::Ctx;
use super::{begun, in_file, read, schema};
use crate::failure::Failure;
use crate::{out, pairs};

/// Keep a flow, so that it runs by name, or when a webhook comes
///
/// With --hook, POST /hooks/NAME at `symbolon serve` begins it, signed as Standard Webhooks say
/// (webhook-id, webhook-timestamp, webhook-signature) with the secret that is shown now and never
/// again; the body is its input `event`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon flow add onboarding.yaml --as claude
  symbolon flow add paid.yaml --as claude --hook
  symbolon flow add report.yaml --cron '0 9 * * mon-fri Europe/Berlin'
  symbolon flow add onboarding.yaml --as claude --replace")]
pub(super) struct Add {
    /// The definition, in YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// As which agent it runs
    #[arg(long, visible_alias = "as", value_name = "NAME", default_value = "cli")]
    agent: String,
    /// In place of the one of its name
    #[arg(long)]
    replace: bool,
    /// Webhooks begin it; prints the secret that signs them
    #[arg(long)]
    hook: bool,
    /// The clock begins it: five cron fields, and a zone where it is not this machine's own. What
    /// comes while no broker runs, or the vault is locked, is missed, and `symbolon flow ls --stored`
    /// counts it
    #[arg(long, value_name = "SCHEDULE")]
    cron: Option<String>,
}

/// Run a flow that is kept, as the agent that it was kept for
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon flow trigger onboarding --input customer=cus_1
  symbolon flow trigger onboarding --detach --json")]
pub(super) struct Trigger {
    /// Its name
    name: String,
    /// An input; NAME:=JSON where it is not what the definition's type makes of the text
    #[arg(long, value_name = "NAME=VALUE")]
    input: Vec<String>,
    /// Do not wait for its end
    #[arg(long)]
    detach: bool,
}

impl Add {
    pub(super) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let definition = read(&self.file)?;
        let op = Op::FlowAdd {
            agent: self.agent,
            definition,
            replace: self.replace,
            hook: self.hook,
            cron: self.cron,
        };
        let answer = ctx.broker()?.exchange(&op, None).map_err(|e| in_file(e, &self.file))?;
        let stored: FlowStored =
            serde_json::from_value(answer.ok).map_err(super::super::unreadable)?;
        let name = stored.flow.clone();
        match (&answer.secret, ctx.json) {
            (Some(secret), true) => {
                let view = serde_json::to_string(&stored).map_err(super::super::unreadable)?;
                // Letters, digits and `+/=_` alone: nothing of it is escaped in JSON.
                let before = format!("{},\"secret\":\"", view.trim_end_matches('}'));
                out::secret(&before, secret, "\"}\n")?;
            }
            (Some(secret), false) => {
                out::secret("", secret, "\n")?;
                out::say("This secret signs webhooks. It is shown now and never again.");
                out::say_next(&format!("send them to POST /hooks/{name} of symbolon serve"));
            }
            (None, true) => out::json(&stored)?,
            (None, false) => {
                out::say(&format!("{name} is kept, to run as {}.", stored.agent));
                out::say_next(&format!("symbolon flow trigger {name}"));
            }
        }
        Ok(())
    }
}

impl Trigger {
    pub(super) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut broker = ctx.broker()?;
        let all: Vec<FlowStored> = broker.ask(&Op::FlowsStored {})?;
        let stored = all.iter().find(|flow| flow.flow == self.name);
        let types = stored.map_or(json!({}), |flow| schema(&flow.inputs));
        let inputs = pairs::arguments(&self.input, Some(&types))?;
        let view: FlowRunView = broker.ask(&Op::FlowStart { name: self.name, inputs })?;
        begun(ctx, &mut broker, &view, self.detach)
    }
}

pub(super) fn remove(ctx: &Ctx, name: String) -> Result<(), Failure> {
    let _: Value = ctx.broker()?.ask(&Op::FlowRemove { name: name.clone() })?;
    if ctx.json {
        return out::json(&json!({ "removed": name }));
    }
    out::say(&format!("{name} is forgotten; its runs stay."));
    Ok(())
}

pub(super) fn list(ctx: &Ctx) -> Result<(), Failure> {
    let all: Vec<FlowStored> = ctx.broker()?.ask(&Op::FlowsStored {})?;
    if ctx.json {
        return out::json(&all);
    }
    if all.is_empty() {
        out::say("No flow is kept.");
        out::say_next("symbolon flow add FILE");
        return Ok(());
    }
    let row = |it: FlowStored| {
        let hook = if it.hook { format!("POST /hooks/{}", it.flow) } else { String::new() };
        let schedule = match (it.schedule, it.missed) {
            (Some(schedule), 0) => schedule,
            (Some(schedule), missed) => format!("{schedule} ({missed} missed)"),
            (None, _) => String::new(),
        };
        vec![it.flow, it.kind, it.agent, hook, schedule, it.created]
    };
    let rows: Vec<_> = all.into_iter().map(row).collect();
    out::table(&["FLOW", "KIND", "AGENT", "WEBHOOK", "SCHEDULE", "KEPT"], &rows)
}
