//! A mount, as a person reads it.

use serde_json::{Value, json};
use symbolon_broker::{MountToolView, MountView};

use crate::commands::Ctx;
use crate::failure::Failure;
use crate::out;

/// After it was mounted.
pub(super) fn added(ctx: &Ctx, view: &MountView) -> Result<(), Failure> {
    if ctx.json {
        return out::json(view);
    }
    table(view)?;
    remarks("left out", &view.left_out);
    remarks("not exactly typed", &view.loosened);
    remarks("MARKED, text that speaks to a model, not shown to any", &view.marked);
    let scope = view.tools.iter().map(|tool| tool.effect.to_string()).find(|e| e == "read");
    let scope =
        scope.map_or_else(|| format!("'{}.*'", view.name), |_| format!("{}.read", view.name));
    out::say_next(&format!("symbolon grant claude {scope} --for 15m"));
    Ok(())
}

/// At any time.
pub(super) fn show(ctx: &Ctx, view: &MountView) -> Result<(), Failure> {
    if ctx.json {
        return out::json(view);
    }
    out::pairs(&[
        ("mount", view.name.clone()),
        ("server", format!("{} ({})", view.place, view.transport)),
        ("mounted", view.created.clone()),
        ("state", if view.running { "running" } else { "at rest" }.to_owned()),
    ])?;
    table(view)?;
    if !view.said.is_empty() {
        out::say("its program said on standard error:");
        out::say(view.said.trim_end());
    }
    Ok(())
}

fn table(view: &MountView) -> Result<(), Failure> {
    let row = |tool: &MountToolView| {
        let word = match json!(tool.word) {
            Value::String(word) => format!("{} ({word}'s word)", tool.effect),
            _ => tool.effect.to_string(),
        };
        let digest: String = tool.definition.chars().take(16).collect();
        vec![tool.name.clone(), word, tool.scope.clone(), digest]
    };
    let rows: Vec<Vec<String>> = view.tools.iter().map(row).collect();
    out::table(&["TOOL", "EFFECT", "SCOPE", "DEFINITION"], &rows)
}

fn remarks(what: &str, all: &[String]) {
    if all.is_empty() {
        return;
    }
    out::say(&format!("{what}: {}", all.len()));
    for line in all.iter().take(SHOWN) {
        out::say(&format!("  {line}"));
    }
    if all.len() > SHOWN {
        out::say(&format!("  and {} more; --json shows them", all.len() - SHOWN));
    }
}

const SHOWN: usize = 8;
