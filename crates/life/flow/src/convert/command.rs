//! A workflow, or a command of a SWITCH file that has steps or names one, as a draft of a flow.

use symbolon_capability::catalog::Catalog;
use symbolon_import::foreign::Workflow;
use symbolon_import::{Located, LocatedNode};

use super::Notes;
use super::draft::Draft;
use super::names::flow_name;
use super::steps::{Fields, at, text};
use super::workflow::{definition, items, title};
use crate::inputs::InputType;

/// Reads one; `None` where there is nothing that could be a flow, which is noted.
pub(super) fn read(
    one: &Workflow,
    known: &[&Workflow],
    catalog: &Catalog,
    notes: &mut Notes,
) -> Option<Draft> {
    if !one.is_command {
        return definition(&one.node, &one.name, &one.file, catalog, notes);
    }
    let mut fields = Fields::of(&one.node);
    let items = fields.get("steps").map(items).unwrap_or_default();
    let calls = |step: &Located| Fields::of(step).get("service").is_some();
    if items.iter().any(calls) || fields.any(&["parallel_groups", "targets"]).is_some() {
        return definition(&one.node, &one.name, &one.file, catalog, notes);
    }
    if let Some(workflow) = fields.get("workflow").and_then(text) {
        return command(one, workflow, known, catalog, notes);
    }
    for step in items {
        let action = Fields::of(step).text("action").unwrap_or("?");
        let counterpart = ACTIONS.iter().find(|(own, _)| *own == action);
        let own = counterpart.map_or("no counterpart", |(_, command)| command);
        notes.must(
            at(step),
            format!("the action {action} starts a part of 0nMCP and calls nothing; here: {own}"),
        );
    }
    if items.is_empty() {
        notes.must(at(&one.node), format!("{} has neither steps nor a workflow", one.name));
    }
    None
}

/// A command that runs a workflow: the same flow, with what the command gives it.
fn command(
    one: &Workflow,
    workflow: &str,
    known: &[&Workflow],
    catalog: &Catalog,
    notes: &mut Notes,
) -> Option<Draft> {
    let mut fields = Fields::of(&one.node);
    let wanted = flow_name(file_stem(workflow));
    let is_it = |own: &&&Workflow| {
        flow_name(&own.name) == wanted
            || title(&own.node).is_some_and(|name| flow_name(name) == wanted)
    };
    let place = fields.get("workflow").map_or(at(&one.node), at);
    let Some(of) = known.iter().find(is_it) else {
        notes.must(place, format!("the workflow {workflow} is not among these files"));
        return None;
    };
    // What is to be said of the workflow is said where it is converted itself.
    let mut draft = definition(&of.node, &one.name, &of.file, catalog, &mut Notes::default())?;
    if draft.is_broken {
        notes.must(place, format!("its workflow {workflow} is not converted"));
    }
    draft.name = flow_name(&one.name);
    draft.comment = format!("the command {} of {}, which runs {workflow}", one.name, one.file);
    if let Some(description) = fields.text("description") {
        draft.description = description.to_owned();
    }
    fields.get("type");
    fields.get("name");
    if let Some(LocatedNode::Map(inputs)) = fields.get("inputs").map(|of| &of.node) {
        for (key, value) in inputs {
            given(&mut draft, &key.name, value, notes);
        }
    }
    fields.end("a command", notes);
    Some(draft)
}

/// What a command gives for an input: a value, or an argument of its own.
fn given(draft: &mut Draft, name: &str, value: &Located, notes: &mut Notes) {
    let own = draft.names.input_names.get(name).cloned();
    let Some(input) = own.as_ref().and_then(|own| draft.names.inputs.get_mut(own)) else {
        notes.say(at(value), format!("the workflow has no input {name}: left out"));
        return;
    };
    let own = own.unwrap_or_default();
    if text(value).is_some_and(|text| text.contains("{{")) {
        input.default = None;
        notes.say(at(value), format!("it is given with --input {own}=…"));
        return;
    }
    let value = value.to_json();
    if !input.kind.takes(&value) {
        input.kind = InputType::Any;
    }
    input.default = Some(value);
}

/// A workflow's name without folders and endings.
fn file_stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(file)
}

/// Actions of a command that start parts of 0nMCP, and what does the same here.
const ACTIONS: [(&str, &str); 4] = [
    ("verify", "symbolon connections verify NAME"),
    ("list", "symbolon connections"),
    ("serve", "symbolon serve"),
    ("connect", "symbolon connect SERVICE"),
];
