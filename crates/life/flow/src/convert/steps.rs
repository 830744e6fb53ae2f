//! Steps of a workflow as steps of a flow.

use serde_json::Value;
use symbolon_capability::catalog::{Catalog, Operation};
use symbolon_import::{Key, Located, LocatedNode};

use super::condition::Conditions;
use super::draft::DraftStep;
use super::names::Names;
use super::template::Templates;
use super::tool::{self, Found};
use super::{Notes, shown};

/// Members of a map that were not asked for are named at the end.
pub(super) struct Fields<'l> {
    members: &'l [(Key, Located)],
    asked: Vec<&'static str>,
}

impl<'l> Fields<'l> {
    /// Of anything else than a map: none.
    pub fn of(from: &'l Located) -> Self {
        let members = match &from.node {
            LocatedNode::Map(members) => members.as_slice(),
            _ => &[],
        };
        Self { members, asked: Vec::new() }
    }

    pub fn get(&mut self, name: &'static str) -> Option<&'l Located> {
        self.asked.push(name);
        let found = self.members.iter().find(|(key, _)| *key.name == *name);
        found.map(|(_, value)| value).filter(|value| value.node != LocatedNode::Null)
    }

    /// The first of several names that is there.
    pub fn any(&mut self, names: &[&'static str]) -> Option<&'l Located> {
        // Each is asked for, so that none is said to have no counterpart.
        let found: Vec<_> = names.iter().filter_map(|name| self.get(name)).collect();
        found.first().copied()
    }

    pub fn text(&mut self, name: &'static str) -> Option<&'l str> {
        self.get(name).and_then(text)
    }

    /// Says of every other member that it has no counterpart.
    pub fn end(self, what: &str, notes: &mut Notes) {
        for (key, _) in self.members.iter().filter(|(key, _)| !self.asked.contains(&&*key.name)) {
            let what = format!("{} of {what} has no counterpart", key.name);
            notes.say((key.line, key.column), what);
        }
    }
}

pub(super) fn text(of: &Located) -> Option<&str> {
    match &of.node {
        LocatedNode::Text(text) => Some(text),
        _ => None,
    }
}

pub(super) fn number(of: &Located) -> Option<u64> {
    match &of.node {
        LocatedNode::Number(number) => number.as_u64(),
        _ => None,
    }
}

pub(super) fn at(of: &Located) -> (u64, u64) {
    (of.line, of.column)
}

/// A step as it stands, with the id that templates know it by.
pub(super) struct Raw<'l> {
    pub node: &'l Located,
    /// In the workflow.
    pub id: String,
    /// In the flow.
    pub own: String,
    /// Ids in the flow of the steps that its group waits for.
    pub waits_for: Vec<String>,
}

/// What becomes of the rest where a step fails, in the words of 0nMCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnError {
    Stop,
    Continue,
}

/// `error_handling`, of a workflow or of a step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Handling {
    pub on_error: Option<OnError>,
    /// Times and first pause.
    pub retry: Option<(u64, u64)>,
}

impl Handling {
    pub fn read(from: Option<&Located>, notes: &mut Notes) -> Self {
        let mut handling = Self::default();
        let Some(from) = from else { return handling };
        let mut fields = Fields::of(from);
        let word = match text(from) {
            Some(word) => Some((from, word)),
            None => fields.get("on_error").and_then(|of| Some((of, text(of)?))),
        };
        let times = fields.any(&["retry_count", "retries"]);
        let pause = fields.any(&["retry_delay_ms", "backoff_ms"]);
        handling.on_error = match word {
            None => None,
            Some((_, "continue")) => Some(OnError::Continue),
            Some((_, "stop")) => Some(OnError::Stop),
            Some((_, "retry")) => {
                let bounded =
                    |of: Option<&Located>, otherwise: u64, max: u64, notes: &mut Notes| {
                        let found = of.and_then(number).unwrap_or(otherwise);
                        if let Some(of) = of.filter(|_| found > max) {
                            notes.say(
                                at(of),
                                format!("{found} is more than the {max} that a flow takes"),
                            );
                        }
                        found.min(max)
                    };
                let times = bounded(times, 3, TIMES_MAX, notes);
                let pause = bounded(pause, 1000, PAUSE_MAX_MS, notes).max(1);
                handling.retry = (times > 0).then_some((times, pause));
                Some(OnError::Stop)
            }
            Some((of, other)) => {
                notes.say(at(of), format!("{other} is no way to go on that is known: it stops"));
                Some(OnError::Stop)
            }
        };
        fields.end("error_handling", notes);
        handling
    }
}

/// What a step of a workflow is.
pub(super) enum Converted {
    /// A call, and what must hold for all steps after it.
    Step(Box<DraftStep>, Handling, Vec<String>),
    /// Nothing that is called.
    LeftOut,
    /// It has no counterpart, which is noted.
    Broken,
}

/// Converts one step.
pub(super) fn convert(
    raw: &Raw<'_>,
    names: &mut Names,
    catalog: &Catalog,
    notes: &mut Notes,
) -> Converted {
    let mut fields = Fields::of(raw.node);
    fields.get("id");
    fields.get("output");
    let comment = fields.text("name").or_else(|| fields.text("description")).unwrap_or_default();
    fields.get("description");
    let (service, action) = (fields.text("service"), fields.text("action"));
    let (Some(service), Some(action)) = (service, action) else {
        notes.must(at(raw.node), "a step without service and action calls nothing");
        return Converted::Broken;
    };
    if service == "internal" {
        let what =
            format!("the step {} calculates ({action}), which a flow does not: left out", raw.id);
        notes.say(at(raw.node), what);
        return Converted::LeftOut;
    }
    let mut step =
        DraftStep { id: raw.own.clone(), comment: comment.to_owned(), ..DraftStep::default() };
    let operation = call(&mut step, service, action, raw, catalog, notes);
    if let Some(params) = fields.any(&["params", "parameters", "inputs"]) {
        let mut templates = Templates { names, notes, label: Some(&raw.own) };
        match (&params.node, templates.value(params, "params")) {
            (LocatedNode::Map(_), Some(Value::Object(map))) => {
                step.with = map.into_iter().collect()
            }
            (_, None) => return Converted::Broken,
            _ => {
                notes.must(at(params), "params are names with values");
                return Converted::Broken;
            }
        }
    }
    if let Some(operation) = operation {
        arguments(&step, &operation, raw, notes);
    }
    let mut conditions = Conditions::default();
    for name in ["conditions", "condition", "when", "if"] {
        let Some(from) = fields.get(name) else { continue };
        let Some(read) = Conditions::read(from, names, notes) else { return Converted::Broken };
        conditions.when.extend(read.when);
        conditions.guards.extend(read.guards);
    }
    let handling = Handling::read(fields.any(&["error_handling", "on_error"]), notes);
    step.retry = handling.retry;
    step.timeout = timeout(fields.any(&["timeout_ms"]), notes);
    step.needs.clone_from(&raw.waits_for);
    for need in fields.any(&DEPENDS).into_iter().flat_map(listed) {
        let id = text(need).and_then(|id| names.steps.get(id));
        match id {
            Some(known) if known.is_call => step.needs.push(known.id.clone()),
            // It waits for a calculation, which is over before anything begins.
            Some(_) => {}
            None => {
                notes.must(at(need), "it depends on a step that is not there");
                return Converted::Broken;
            }
        }
    }
    step.when = conditions.when;
    fields.end("a step", notes);
    Converted::Step(Box::new(step), handling, conditions.guards)
}

/// Whether a step says which steps it waits for.
pub(super) fn depends(node: &Located) -> bool {
    Fields::of(node).any(&DEPENDS).is_some()
}

/// A time in milliseconds, within what a flow takes.
pub(super) fn timeout(from: Option<&Located>, notes: &mut Notes) -> Option<u64> {
    let from = from?;
    match number(from).filter(|ms| *ms > 0) {
        Some(ms) if ms <= TIMEOUT_MAX_MS => Some(ms),
        Some(_) => {
            notes.say(at(from), format!("a call takes at most {TIMEOUT_MAX_MS} ms"));
            Some(TIMEOUT_MAX_MS)
        }
        None => {
            notes.say(at(from), "this is no time in milliseconds: left out");
            None
        }
    }
}

fn listed(of: &Located) -> &[Located] {
    match &of.node {
        LocatedNode::List(items) => items,
        _ => std::slice::from_ref(of),
    }
}

/// Names the tool, and says how it was found.
fn call(
    step: &mut DraftStep,
    service: &str,
    action: &str,
    raw: &Raw<'_>,
    catalog: &Catalog,
    notes: &mut Notes,
) -> Option<std::sync::Arc<Operation>> {
    let place = Fields::of(raw.node).get("action").map_or(at(raw.node), at);
    match tool::find(catalog, service, action) {
        Found::Same(operation) => {
            step.call = operation.name().as_str().to_owned();
            Some(operation)
        }
        Found::Taken(operation) => {
            let name = operation.name().as_str();
            notes.say(place, format!("{service}.{action} is taken for the tool {name}"));
            step.call = name.to_owned();
            Some(operation)
        }
        Found::None(near) => {
            step.call = tool::unknown(service, action);
            let near = match near.is_empty() {
                true => "none comes near".to_owned(),
                false => format!("near are {}", near.join(", ")),
            };
            let what = format!("{service}.{action} is no tool of the catalogue; {near}");
            notes.must(place, what);
            None
        }
    }
}

/// Says which arguments the tool does not take, and which it wants: as the broker will.
fn arguments(step: &DraftStep, operation: &Operation, raw: &Raw<'_>, notes: &mut Notes) {
    let schema = operation.input_schema();
    let properties = schema.get("properties").and_then(Value::as_object);
    let place = Fields::of(raw.node).any(&["params", "action"]).map_or(at(raw.node), at);
    for (name, _) in &step.with {
        if properties.is_none_or(|all| !all.contains_key(name)) {
            let all: Vec<&str> =
                properties.into_iter().flat_map(|p| p.keys()).map(String::as_str).collect();
            let (name, all) = (shown(name), all.join(", "));
            notes.must(place, format!("{} takes no argument {name}; it takes {all}", step.call));
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !step.with.iter().any(|(own, _)| own == name) {
            notes.must(place, format!("{} wants the argument {name}", step.call));
        }
    }
}

const DEPENDS: [&str; 5] = ["depends_on", "depends", "dependencies", "needs", "after"];
const TIMES_MAX: u64 = crate::backoff::TIMES_MAX;
const PAUSE_MAX_MS: u64 = 3_600_000;
const TIMEOUT_MAX_MS: u64 = 600_000;
