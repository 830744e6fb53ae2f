//! From a document to a flow, each error where it stands.

use std::collections::HashMap;
use std::time::Duration;

use symbolon_import::{Key, Located, LocatedNode};

use crate::backoff::{Backoff, Retry, TIMES_MAX};
use crate::check;
use crate::condition::Condition;
use crate::error::FlowError;
use crate::flow::{
    BURST_AT_ONCE, CONCURRENCY_MAX, Call, Flow, FlowName, Kind, LINE_AT_ONCE, NAME, OnFailure,
    Rollback, STEPS_MAX, Step,
};
use crate::inputs::{INPUTS_MAX, Input, InputType};
use crate::shape::Shape;

type Place = (u64, u64);

/// A step with what is resolved only once all steps are known.
pub(crate) struct Draft {
    pub step: Step,
    pub at: Place,
    /// Ids that `needs` lists, and where.
    pub needs: Vec<(Box<str>, Place)>,
    /// Whether `needs` is there at all.
    pub needs_at: Option<Place>,
}

pub(crate) fn flow(root: &Located) -> Result<Flow, FlowError> {
    let mut map = Members::of(root, "a flow")?;
    let name_at = map.get("flow").map_or(at(root), at);
    let name = map.text("flow")?.ok_or_else(|| {
        FlowError::at(at(root), "the flow has no name").next("begin with  flow: NAME")
    })?;
    let name = FlowName::parse(name).map_err(|what| FlowError::at(name_at, what))?;
    let kind = map.word("kind", &KINDS)?.ok_or_else(|| {
        FlowError::at(at(root), "the flow does not say its kind")
            .next("kind: pipeline, assembly_line or radial_burst")
    })?;
    let description = map.text("description")?.unwrap_or_default();
    if description.len() > DESCRIPTION_BYTES_MAX {
        let what = format!("a description has at most {DESCRIPTION_BYTES_MAX} bytes");
        return Err(FlowError::at(at(root), what));
    }
    let inputs = map.get("inputs").map(inputs).transpose()?.unwrap_or_default();
    let concurrency = concurrency(&mut map, kind)?;
    let on_failure = map.word("on_failure", &ON_FAILURE)?.unwrap_or_default();
    let rollback = map.word("rollback", &ROLLBACK)?.unwrap_or_default();
    let steps_at = map.get("steps").ok_or_else(|| {
        FlowError::at(at(root), "the flow has no steps").next("steps: a list of id and call")
    })?;
    let LocatedNode::List(items) = &steps_at.node else {
        return Err(FlowError::at(at(steps_at), "steps are a list"));
    };
    if items.is_empty() || items.len() > STEPS_MAX {
        let what = format!("a flow has 1 to {STEPS_MAX} steps, found {}", items.len());
        return Err(FlowError::at(at(steps_at), what));
    }
    let drafts = items.iter().map(step).collect::<Result<Vec<_>, _>>()?;
    let output = map.get("output").map(Shape::read).transpose()?;
    map.end()?;
    let description = description.to_owned();
    let flow = Flow {
        name,
        kind,
        description,
        inputs,
        concurrency,
        on_failure,
        rollback,
        steps: Vec::new(),
        output,
    };
    check::resolve(flow, drafts)
}

fn concurrency(map: &mut Members<'_>, kind: Kind) -> Result<usize, FlowError> {
    let given = map.get("concurrency");
    match (kind, given) {
        (Kind::Pipeline, None) => Ok(1),
        (Kind::Pipeline, Some(value)) => {
            Err(FlowError::at(at(value), "a pipeline runs one step after another")
                .next("leave concurrency away, or take  kind: assembly_line"))
        }
        (Kind::AssemblyLine, None) => Ok(LINE_AT_ONCE),
        (Kind::RadialBurst, None) => Ok(BURST_AT_ONCE),
        (_, Some(value)) => number(value, "concurrency", 1, CONCURRENCY_MAX as u64)
            .map(|n| usize::try_from(n).unwrap_or(CONCURRENCY_MAX)),
    }
}

fn inputs(from: &Located) -> Result<Vec<Input>, FlowError> {
    let LocatedNode::Map(members) = &from.node else {
        let what = "inputs are names with types";
        return Err(FlowError::at(at(from), what).next("inputs: {customer: string}"));
    };
    if members.len() > INPUTS_MAX {
        return Err(FlowError::at(at(from), format!("a flow has at most {INPUTS_MAX} inputs")));
    }
    members.iter().map(|(key, value)| input(key, value)).collect()
}

fn input(key: &Key, from: &Located) -> Result<Input, FlowError> {
    let here = (key.line, key.column);
    if !is_id(&key.name) {
        return Err(FlowError::at(here, ID));
    }
    let name = key.name.clone();
    if !matches!(from.node, LocatedNode::Map(_)) {
        return Ok(Input { name, kind: input_type(from)?, default: None });
    }
    let mut map = Members::of(from, "an input")?;
    let kind = map.get("type").map(input_type).transpose()?.unwrap_or(InputType::Any);
    let default = map.get("default");
    map.end()?;
    if let Some(wrong) = default.filter(|value| !kind.takes(&value.to_json())) {
        let what = format!("the default is not of the type {}", kind.as_str());
        return Err(FlowError::at(at(wrong), what));
    }
    Ok(Input { name, kind, default: default.map(Located::to_json) })
}

fn input_type(from: &Located) -> Result<InputType, FlowError> {
    let words = InputType::ALL.map(|kind| (kind.as_str(), kind));
    word(from, "type", &words)
}

fn step(from: &Located) -> Result<Draft, FlowError> {
    let mut map = Members::of(from, "a step")?;
    let id_at = map.get("id").map_or(at(from), at);
    let id = map.text("id")?.ok_or_else(|| FlowError::at(at(from), "a step has an id"))?;
    if !is_id(id) {
        return Err(FlowError::at(id_at, ID));
    }
    let call = call(&mut map, from, "step")?;
    let when = map.get("when").map(Condition::read).transpose()?;
    let retry = map.get("retry").map(retry).transpose()?.unwrap_or(Retry::NONE);
    let timeout = map.get("timeout").map(|t| duration(t, "timeout", TIMEOUT_MAX)).transpose()?;
    let undo = map.get("undo").map(|from| {
        let mut map = Members::of(from, "an undo")?;
        let call = self::call(&mut map, from, "undo")?;
        map.end().map(|()| call)
    });
    let undo = undo.transpose()?;
    let needs_from = map.get("needs");
    let needs = needs_from.map(needs).transpose()?.unwrap_or_default();
    map.end()?;
    let step = Step {
        id: id.into(),
        call,
        when,
        retry,
        timeout_ms: timeout.map(|t| u64::try_from(t.as_millis()).unwrap_or(u64::MAX)),
        undo,
        needs: Vec::new(),
        wave: 0,
        is_named: false,
    };
    Ok(Draft { step, at: id_at, needs, needs_at: needs_from.map(at) })
}

fn call(map: &mut Members<'_>, from: &Located, what: &str) -> Result<Call, FlowError> {
    let tool_at = map.get("call").map_or(at(from), at);
    let tool = map.text("call")?.ok_or_else(|| {
        FlowError::at(at(from), format!("the {what} calls nothing"))
            .next("call: TOOL, such as github.issues.list")
    })?;
    let is_tool = tool.len() <= 64
        && tool.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'));
    if tool.is_empty() || !is_tool {
        let what = "a tool's name has a-z, 0-9, _ and dots, at most 64 of them, and no templates";
        return Err(FlowError::at(tool_at, what).next("symbolon tools search WORD"));
    }
    let connection_at = map.get("connection").map_or(at(from), at);
    let connection = map.text("connection")?;
    if connection.is_some_and(|name| FlowName::parse(name).is_err()) {
        return Err(FlowError::at(connection_at, NAME));
    }
    let with = match map.get("with") {
        None => Shape::Map(Vec::new()),
        Some(value) if matches!(value.node, LocatedNode::Map(_)) => Shape::read(value)?,
        Some(value) => return Err(FlowError::at(at(value), "arguments are names with values")),
    };
    Ok(Call { tool: tool.into(), connection: connection.map(Into::into), with, at: tool_at })
}

fn retry(from: &Located) -> Result<Retry, FlowError> {
    let mut map = Members::of(from, "retry")?;
    let times = map.get("times").ok_or_else(|| {
        FlowError::at(at(from), "retry does not say how often").next("retry: {times: 3}")
    })?;
    let times = number(times, "times", 1, TIMES_MAX)?;
    let backoff = map.word("backoff", &BACKOFF)?.unwrap_or_default();
    let mut time = |name: &'static str, default: Duration| {
        map.get(name).map_or(Ok(default), |value| duration(value, name, PAUSE_MAX))
    };
    let delay = time("delay", Retry::NONE.delay)?;
    let max = time("max", Retry::NONE.max.max(delay))?;
    let jitter = map.word("jitter", &[("full", true), ("none", false)])?.unwrap_or(true);
    map.end()?;
    let times = u32::try_from(times).unwrap_or(u32::MAX);
    Ok(Retry { times, backoff, delay, max, jitter })
}

fn needs(from: &Located) -> Result<Vec<(Box<str>, Place)>, FlowError> {
    let LocatedNode::List(items) = &from.node else {
        return Err(FlowError::at(at(from), "needs is a list of ids").next("needs: [a, b]"));
    };
    let id = |item: &Located| match &item.node {
        LocatedNode::Text(id) => Ok((id.clone(), at(item))),
        _ => Err(FlowError::at(at(item), "a step is needed by its id")),
    };
    items.iter().map(id).collect()
}

/// Members of a map; what nobody asked for at the end is refused.
struct Members<'l> {
    what: &'static str,
    of: HashMap<&'l str, (&'l Key, &'l Located)>,
    asked: Vec<&'static str>,
}

impl<'l> Members<'l> {
    fn of(from: &'l Located, what: &'static str) -> Result<Self, FlowError> {
        let LocatedNode::Map(members) = &from.node else {
            return Err(FlowError::at(at(from), format!("{what} has names with values")));
        };
        let of = members.iter().map(|(key, value)| (&*key.name, (key, value))).collect();
        Ok(Self { what, of, asked: Vec::new() })
    }

    fn get(&mut self, name: &'static str) -> Option<&'l Located> {
        self.asked.push(name);
        self.of.get(name).map(|(_, value)| *value)
    }

    fn text(&mut self, name: &'static str) -> Result<Option<&'l str>, FlowError> {
        self.get(name).map(|value| text(value, name)).transpose()
    }

    fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, FlowError> {
        self.get(name).map(|value| word(value, name, words)).transpose()
    }

    fn end(mut self) -> Result<(), FlowError> {
        self.asked.sort_unstable();
        self.asked.dedup();
        let unknown = self.of.values().filter(|(key, _)| !self.asked.contains(&&*key.name));
        let Some((key, _)) = unknown.min_by_key(|(key, _)| (key.line, key.column)) else {
            return Ok(());
        };
        let shown: String = key.name.chars().take(40).collect();
        let what = format!("{} has no {shown}", self.what);
        let next = format!("it can have {}", self.asked.join(", "));
        Err(FlowError::at((key.line, key.column), what).next(next))
    }
}

fn at(value: &Located) -> Place {
    (value.line, value.column)
}

fn text<'l>(value: &'l Located, name: &str) -> Result<&'l str, FlowError> {
    match &value.node {
        LocatedNode::Text(text) => Ok(text),
        _ => Err(FlowError::at(at(value), format!("{name} is a text"))),
    }
}

fn word<T: Copy>(value: &Located, name: &str, words: &[(&'static str, T)]) -> Result<T, FlowError> {
    let found = match &value.node {
        LocatedNode::Text(text) => words.iter().find(|(word, _)| **word == **text),
        _ => None,
    };
    found.map(|(_, value)| *value).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        FlowError::at(at(value), format!("{name} is one of {}", all.join(", ")))
    })
}

fn number(value: &Located, name: &str, min: u64, max: u64) -> Result<u64, FlowError> {
    let found = match &value.node {
        LocatedNode::Number(number) => number.as_u64().filter(|n| (min..=max).contains(n)),
        _ => None,
    };
    let what = || FlowError::at(at(value), format!("{name} is a whole number from {min} to {max}"));
    found.ok_or_else(what)
}

/// `200ms`, `5s`, `10m`, `2h`.
fn duration(value: &Located, name: &str, max: Duration) -> Result<Duration, FlowError> {
    let wrong = || {
        let what = format!("{name} is a time such as 200ms, 5s or 2m, at most {} s", max.as_secs());
        FlowError::at(at(value), what)
    };
    let LocatedNode::Text(text) = &value.node else { return Err(wrong()) };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let ms = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
    let time = ms.filter(|ms| *ms > 0).map(Duration::from_millis);
    time.filter(|time| *time <= max).ok_or_else(wrong)
}

/// An id of a step, or the name of an input, can stand in a path.
fn is_id(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

const ID: &str = "an id begins with a letter and has only letters, digits, _ and -, at most 64";
const KINDS: [(&str, Kind); 3] = [
    ("pipeline", Kind::Pipeline),
    ("assembly_line", Kind::AssemblyLine),
    ("radial_burst", Kind::RadialBurst),
];
const ON_FAILURE: [(&str, OnFailure); 3] = [
    ("stop", OnFailure::Stop),
    ("continue", OnFailure::Continue),
    ("rollback", OnFailure::Rollback),
];
const ROLLBACK: [(&str, Rollback); 3] = [
    ("reverse", Rollback::Reverse),
    ("selective", Rollback::Selective),
    ("manual", Rollback::Manual),
];
const BACKOFF: [(&str, Backoff); 3] =
    [("exponential", Backoff::Exponential), ("linear", Backoff::Linear), ("fixed", Backoff::Fixed)];
const DESCRIPTION_BYTES_MAX: usize = 1024;
const PAUSE_MAX: Duration = Duration::from_secs(3600);
const TIMEOUT_MAX: Duration = Duration::from_secs(600);
