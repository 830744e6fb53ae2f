//! What an import makes, what it leaves, and what is unsafe.

use serde::Serialize;
use serde_json::json;
use symbolon_import::foreign::{Draft, Findings};

use crate::commands::Ctx;
use crate::failure::Failure;
use crate::out;

/// What becomes of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Made,
    Replaced,
    /// There is one of its name, which stays.
    Kept,
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
        (State::Kept, _) => "keep the one that is there",
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
    all: &Findings,
    dry_run: bool,
) -> Result<(), Failure> {
    let count = |state| made.iter().filter(|it| it.state == state).count();
    if ctx.json {
        return out::json(&json!({
            "connections": made, "written": !dry_run, "left_out": all.left_out, "risks": all.risks,
        }));
    }
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
    if kept > 0 {
        out::say_next("the same command with --replace, or --only NAME --replace");
    } else {
        out::say_next("symbolon connections");
    }
    Ok(())
}
