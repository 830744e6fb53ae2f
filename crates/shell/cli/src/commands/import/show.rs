//! What an import makes, what it leaves, and what is unsafe.

use serde::Serialize;
use serde_json::json;
use symbolon_import::foreign::{Draft, Findings};

use super::flows::MadeFlow;
use crate::commands::Ctx;
use crate::failure::Failure;
use crate::out;

/// What becomes of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::commands) enum State {
    Made,
    Replaced,
    /// There is one of its name, which stays.
    Kept,
    /// A workflow that is no flow, for a reason that is said.
    Left,
}

/// A draft without its credential.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct Made {
    name: String,
    service: String,
    from: String,
    state: State,
}

impl Made {
    pub(super) fn of(draft: &Draft, state: State) -> Self {
        let (name, service) = (draft.name.clone(), draft.service.clone());
        Self { name, service, from: draft.from.clone(), state }
    }
}

/// The connections, before any is made.
pub(super) fn plan(made: &[Made], dry_run: bool) -> Result<(), Failure> {
    if made.is_empty() {
        out::say("No credential of a service in the catalogue is in there.");
        return Ok(());
    }
    let state = |state| match (state, dry_run) {
        (State::Made, false) => "make",
        (State::Made, true) => "would make",
        (State::Replaced, false) => "replace",
        (State::Replaced, true) => "would replace",
        (State::Kept | State::Left, _) => "keep the one that is there",
    };
    let rows: Vec<Vec<String>> = made
        .iter()
        .map(|it| {
            vec![it.name.clone(), it.service.clone(), state(it.state).into(), it.from.clone()]
        })
        .collect();
    out::table(&["CONNECTION", "SERVICE", "", "FROM"], &rows)
}

/// The report, after they were made.
pub(in crate::commands) fn result(
    ctx: &Ctx,
    made: &[Made],
    flows: &[MadeFlow],
    all: &Findings,
    dry_run: bool,
) -> Result<(), Failure> {
    let count = |state| made.iter().filter(|it| it.state == state).count();
    if ctx.json {
        return out::json(&json!({
            "connections": made, "flows": flows, "written": !dry_run, "left_out": all.left_out,
            "risks": all.risks,
        }));
    }
    show_flows(flows, dry_run);
    if !all.left_out.is_empty() {
        out::say(&format!("not converted: {}", all.left_out.len()));
        for one in &all.left_out {
            out::say(&format!("  {}: {}", one.at, one.why));
        }
    }
    let mut risks: Vec<_> = all.risks.iter().collect();
    risks.sort_by_key(|risk| risk.severity);
    out::say(&format!("security report: {}", risks.len()));
    for risk in risks {
        out::say(&format!("  {}: {}: {}", risk.severity, risk.at, risk.what));
        out::say(&format!("    {}", risk.next));
    }
    if dry_run {
        out::say("nothing was made (--dry-run)");
        return Ok(());
    }
    let (new, over, kept) = (count(State::Made), count(State::Replaced), count(State::Kept));
    out::say(&format!("{new} made, {over} replaced, {kept} kept as they were"));
    let first = flows.iter().find_map(|flow| flow.file.as_ref());
    match first {
        _ if kept > 0 => out::say_next("the same command with --replace, or --only NAME --replace"),
        Some(file) => out::say_next(&format!("symbolon flow check {}", file.display())),
        None => out::say_next("symbolon connections"),
    }
    Ok(())
}

/// Each flow with where it is, and what is to be known of it where it stands in its workflow.
fn show_flows(flows: &[MadeFlow], dry_run: bool) {
    for flow in flows {
        let file = flow.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        let what = match (flow.state, dry_run) {
            (State::Made | State::Replaced, true) => format!("would be written to {file}"),
            (State::Made, false) => format!("is {file}"),
            (State::Replaced, false) => format!("replaces {file}"),
            (State::Kept, _) => format!("is kept as {file} has it"),
            (State::Left, _) => "is not converted".to_owned(),
        };
        let open = if flow.is_open() { "; put right what is marked ! before it runs" } else { "" };
        out::say(&format!("flow {} of {}: {what}{open}", flow.name, flow.from));
        for note in &flow.notes {
            let mark = if note.must { "!" } else { " " };
            let (line, column) = (note.line, note.column);
            out::say(&format!("{mark} {}:{line}:{column}: {}", flow.from, note.what));
        }
    }
}
