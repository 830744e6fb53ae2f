//! A workflow as a draft of a flow.

use serde_json::Value;
use symbolon_capability::catalog::Catalog;
use symbolon_import::{Located, LocatedNode};

use super::draft::Draft;
use super::names::{DraftInput, Names, StepName, flow_name, identifier};
use super::steps::{self, Converted, Fields, Handling, OnError, Raw, at, number, text};
use super::template::Templates;
use super::{Notes, shown};
use crate::flow::{CONCURRENCY_MAX, Kind, OnFailure, STEPS_MAX};
use crate::inputs::InputType;

/// Reads a definition; `None` where there is nothing that could be a flow, which is noted.
pub(super) fn definition(
    root: &Located,
    name: &str,
    file: &str,
    catalog: &Catalog,
    notes: &mut Notes,
) -> Option<Draft> {
    if !matches!(root.node, LocatedNode::Map(_)) {
        notes.must(at(root), "a workflow has names with values");
        return None;
    }
    let mut outer = Fields::of(root);
    for name in HEAD {
        outer.get(name);
    }
    let is_manifest = outer.get("manifest").is_some();
    let inner =
        outer.get("workflow").filter(|of| is_manifest && matches!(of.node, LocatedNode::Map(_)));
    let mut fields = match inner {
        // What stands beside the part of the manifest's type is of the whole file.
        Some(inner) => {
            let handling = outer.any(&["on_error", "retry", "rollback"]);
            if let Some(of) = handling {
                notes.say(at(of), "what the whole file says of errors has no counterpart; on_failure and retry have");
            }
            outer.end("a file", notes);
            Fields::of(inner)
        }
        None => outer,
    };
    let mut draft = Draft {
        name: flow_name(title(root).unwrap_or(name)),
        comment: format!("from {file}"),
        kind: Kind::Pipeline,
        description: description(root, &mut fields),
        concurrency: None,
        on_failure: OnFailure::Stop,
        names: Names::default(),
        steps: Vec::new(),
        output: Vec::new(),
        is_broken: false,
    };
    for name in ["name", "type", "version", "id"] {
        fields.get(name);
    }
    if let Some(LocatedNode::Map(all)) = fields.any(&["inputs", "parameters"]).map(|of| &of.node) {
        for (key, of) in all {
            input(&mut draft, &key.name, of, notes);
        }
    }
    let raws = raws(&mut fields, &mut draft, notes)?;
    kind(&mut fields, &raws, &mut draft, notes);
    let handling = Handling::read(fields.get("error_handling"), notes);
    let timeout = steps::timeout(fields.get("timeout_ms"), notes);
    let mut guards = Vec::new();
    let mut failing = Vec::new();
    for raw in &raws {
        match steps::convert(raw, &mut draft.names, catalog, notes) {
            Converted::Step(mut step, own, more) => {
                let own_when = std::mem::take(&mut step.when);
                guards.extend(more);
                step.when = guards.iter().chain(&own_when).cloned().collect();
                step.retry = own.retry.or(handling.retry.filter(|_| own.on_error.is_none()));
                step.timeout = step.timeout.or(timeout);
                failing.push((
                    own.on_error.or(handling.on_error).unwrap_or(OnError::Stop),
                    at(raw.node),
                ));
                draft.steps.push(*step);
            }
            Converted::LeftOut => {}
            Converted::Broken => draft.is_broken = true,
        }
    }
    if draft.steps.is_empty() && !draft.is_broken {
        notes.must(at(root), "it calls nothing");
        return None;
    }
    on_failure(&mut draft, &failing, notes);
    if draft.kind == Kind::Pipeline {
        in_order(&mut draft, notes, at(root));
    }
    if let Some(LocatedNode::Map(all)) = fields.any(&["outputs", "output"]).map(|of| &of.node) {
        for (key, of) in all {
            let mut templates = Templates { names: &mut draft.names, notes, label: None };
            draft.output.extend(templates.value(of, "").map(|value| (key.name.to_string(), value)));
        }
    }
    trigger(fields.get("trigger"), notes);
    fields.end("a workflow", notes);
    Some(draft)
}

/// All steps in their order, with names for templates: those of `steps`, of groups, and of targets.
fn raws<'l>(fields: &mut Fields<'l>, draft: &mut Draft, notes: &mut Notes) -> Option<Vec<Raw<'l>>> {
    let mut raws: Vec<Raw<'l>> = Vec::new();
    let mut add = |node: &'l Located, like: Option<&str>, waits_for: Vec<String>| {
        let mut own_fields = Fields::of(node);
        let given = own_fields.text("id");
        let id = given.or(like).map_or_else(|| format!("step_{}", raws.len()), str::to_owned);
        let is_free = |own: &str| !raws.iter().any(|raw| raw.own == own);
        let base = identifier(&id, "step");
        let mut own = base.clone();
        let mut n = 1;
        // Two steps of one id are an error; two targets of one service are not.
        while given.is_none() && !is_free(&own) {
            n += 1;
            own = format!("{}_{n}", &base[..base.len().min(56)]);
        }
        let output = own_fields.text("output").map(str::to_owned);
        let is_call = own_fields.text("service") != Some("internal");
        if let Some(output) = &output {
            let one = draft.names.outputs.entry(output.clone());
            one.and_modify(|of| *of = None).or_insert_with(|| Some(id.clone()));
        }
        let name = StepName { id: own.clone(), output, is_call };
        draft.names.steps.insert(id.clone(), name);
        let waits_for = waits_for.into_iter().collect();
        raws.push(Raw { node, id, own: own.clone(), waits_for });
        is_call.then_some(own)
    };
    for node in fields.get("steps").map(items).unwrap_or_default() {
        add(node, None, Vec::new());
    }
    let mut before: Vec<String> = Vec::new();
    for group in fields.get("parallel_groups").map(items).unwrap_or_default() {
        let mut of = Fields::of(group);
        of.get("id");
        let nodes = of.get("steps").map(items).unwrap_or_default();
        let these: Vec<String> =
            nodes.iter().filter_map(|node| add(node, None, before.clone())).collect();
        if let Some(how) = of.get("aggregation").filter(|how| text(how) != Some("merge_all")) {
            notes.say(at(how), "a flow puts nothing together: each step's answer stands by itself");
        }
        of.end("a group", notes);
        before = if these.is_empty() { before } else { these };
    }
    for node in fields.get("targets").map(items).unwrap_or_default() {
        let service = Fields::of(node).text("service").unwrap_or("target");
        add(node, Some(service), Vec::new());
    }
    if let Some(of) = fields.get("completion").filter(|of| text(of) != Some("all_required")) {
        notes.say(at(of), "a flow calls all of them, and has failed where one has");
    }
    if raws.is_empty() || raws.len() > STEPS_MAX {
        notes.must((1, 1), format!("a flow has 1 to {STEPS_MAX} steps, found {}", raws.len()));
        return None;
    }
    Some(raws)
}

fn kind(fields: &mut Fields<'_>, raws: &[Raw<'_>], draft: &mut Draft, notes: &mut Notes) {
    let said = fields.any(&["execution_pattern", "pattern"]);
    draft.kind = match said.and_then(text).map(|word| word.replace('-', "_")).as_deref() {
        Some("pipeline") => Kind::Pipeline,
        Some("assembly_line") => Kind::AssemblyLine,
        Some("radial_burst") => Kind::RadialBurst,
        Some(other) => {
            notes.must(
                said.map_or((1, 1), at),
                format!("{} is no order that a flow has", shown(other)),
            );
            draft.is_broken = true;
            Kind::Pipeline
        }
        None if fields.get("targets").is_some() && fields.get("steps").is_none() => {
            Kind::RadialBurst
        }
        None if fields.get("parallel_groups").is_some() => Kind::AssemblyLine,
        None if raws.iter().any(|raw| steps::depends(raw.node)) => Kind::AssemblyLine,
        None => Kind::Pipeline,
    };
    if let Some(of) = fields.any(&["max_parallel", "concurrency"]) {
        let most = number(of).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        match (1..=CONCURRENCY_MAX).contains(&most) {
            true if draft.kind != Kind::Pipeline => draft.concurrency = Some(most),
            true => {}
            false => {
                notes.say(at(of), format!("1 to {CONCURRENCY_MAX} calls go at once: left out"))
            }
        }
    }
}

/// One word for the whole flow, the one that makes fewer calls where steps disagree.
fn on_failure(draft: &mut Draft, failing: &[(OnError, (u64, u64))], notes: &mut Notes) {
    let goes_on = |(on_error, _): &&(OnError, (u64, u64))| *on_error == OnError::Continue;
    let going_on = failing.iter().filter(goes_on).count();
    if going_on == 0 {
        return;
    }
    if going_on < failing.len() {
        for (_, place) in failing.iter().filter(goes_on) {
            let what = "that others go on where this step fails has no counterpart, since not all steps say so: the run stops";
            notes.say(*place, what);
        }
        return;
    }
    draft.on_failure = OnFailure::Continue;
    if draft.kind == Kind::Pipeline {
        // In a pipeline each step needs the one before, and would be skipped with it.
        (draft.kind, draft.concurrency) = (Kind::AssemblyLine, Some(1));
    }
}

/// A pipeline lists no needs; one of a later step could not be met.
fn in_order(draft: &mut Draft, notes: &mut Notes, place: (u64, u64)) {
    let mut seen: Vec<String> = Vec::new();
    for step in &mut draft.steps {
        let needs = std::mem::take(&mut step.needs);
        if let Some(late) = needs.iter().find(|need| !seen.contains(need)) {
            notes
                .must(place, format!("{} depends on {late}, which a pipeline runs later", step.id));
            draft.is_broken = true;
        }
        seen.push(step.id.clone());
    }
}

fn input(draft: &mut Draft, name: &str, of: &Located, notes: &mut Notes) {
    let mut fields = Fields::of(of);
    let word = fields.text("type").or_else(|| text(of)).unwrap_or("any");
    let kind = InputType::ALL.into_iter().find(|kind| kind.as_str() == word);
    if kind.is_none() {
        notes.say(
            at(of),
            format!("{} is no type of a flow's input: it takes any value", shown(word)),
        );
    }
    let mut kind = kind.unwrap_or(InputType::Any);
    let comment = fields.text("description").unwrap_or_default().to_owned();
    let is_required = fields.get("required").is_some_and(|of| of.node == LocatedNode::Bool(true));
    let given = fields.get("default").map(Located::to_json);
    let is_plain = matches!(of.node, LocatedNode::Text(_));
    let default = match given {
        Some(value) if kind.takes(&value) => Some(value),
        Some(value) => {
            notes.say(
                at(of),
                format!("the default of {name} is not of its type: it takes any value"),
            );
            kind = InputType::Any;
            Some(value)
        }
        None if is_required || is_plain => None,
        None if kind == InputType::String => Some(Value::String(String::new())),
        None => {
            kind = InputType::Any;
            Some(Value::Null)
        }
    };
    if fields.get("default").is_none() && default.is_some() {
        notes.say(
            at(of),
            format!(
                "{name} need not be given: without, it is {}",
                default.clone().unwrap_or_default()
            ),
        );
    }
    fields.end("an input", notes);
    let Some(own) = draft.names.new_input(name, kind, &comment) else {
        notes.must(at(of), "a flow has no room for another input");
        draft.is_broken = true;
        return;
    };
    if own != name {
        notes.say(at(of), format!("the input {name} is called {own}"));
    }
    draft.names.inputs.insert(own.clone(), DraftInput { kind, default, comment });
    draft.names.input_names.insert(name.to_owned(), own);
}

/// What begins it is said where the flow is kept.
fn trigger(from: Option<&Located>, notes: &mut Notes) {
    let Some(from) = from else { return };
    let mut fields = Fields::of(from);
    let word = fields.text("type").or_else(|| text(from)).unwrap_or("manual");
    let config = fields.get("config").unwrap_or(from);
    let cron = Fields::of(config).any(&["cron", "expression", "schedule"]).and_then(text);
    let what = match (word, cron) {
        ("manual", _) => return,
        ("schedule", Some(cron)) => {
            format!("the clock begins it: symbolon flow add FILE --as AGENT --cron '{cron}'")
        }
        ("schedule", None) => "the clock begins it: symbolon flow add FILE --as AGENT --cron '…'".to_owned(),
        ("webhook", _) => {
            "a webhook begins it, whose body is the input event: symbolon flow add FILE --as AGENT --hook".to_owned()
        }
        (other, _) => format!("what begins it ({other}) has no counterpart: by hand, the clock and webhooks have"),
    };
    notes.say(at(from), what);
}

pub(super) fn items(of: &Located) -> &[Located] {
    match &of.node {
        LocatedNode::List(items) => items,
        _ => &[],
    }
}

/// What a workflow calls itself.
pub(super) fn title(root: &Located) -> Option<&str> {
    let mut fields = Fields::of(root);
    let head = fields.any(&["$0n", "manifest"]);
    head.and_then(|head| Fields::of(head).text("name")).or_else(|| fields.text("name"))
}

fn description(root: &Located, fields: &mut Fields<'_>) -> String {
    let head = Fields::of(root).any(&["$0n", "manifest"]);
    let said = head.and_then(|head| Fields::of(head).text("description"));
    let said = said.or_else(|| fields.text("description")).unwrap_or_default();
    fields.get("description");
    said.chars().take(DESCRIPTION_CHARS).collect()
}

/// Of the file, not of what it does. Signatures are reported where the file is read.
const HEAD: [&str; 10] = [
    "$0n",
    "manifest",
    "schema_version",
    "file_id",
    "created_at",
    "updated_at",
    "author",
    "signature",
    "content_hash",
    "$schema",
];
/// A description has at most 1,024 bytes.
const DESCRIPTION_CHARS: usize = 256;
