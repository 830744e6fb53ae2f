//! A definition on its way, and as it is written.

use serde_json::Value;

use super::names::Names;
use crate::flow::{FlowName, Kind, OnFailure};

/// A flow that nobody has checked yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub name: FlowName,
    /// Where it comes from, in one line.
    pub comment: String,
    pub kind: Kind,
    pub description: String,
    pub concurrency: Option<usize>,
    pub on_failure: OnFailure,
    pub names: Names,
    pub steps: Vec<DraftStep>,
    pub output: Vec<(String, Value)>,
    /// Something has no counterpart without which it would do something else.
    pub is_broken: bool,
}

/// A step.
#[derive(Debug, Default)]
pub(super) struct DraftStep {
    pub id: String,
    /// What it is called, in one line; may be empty.
    pub comment: String,
    pub call: String,
    pub with: Vec<(String, Value)>,
    pub when: Vec<String>,
    pub needs: Vec<String>,
    /// How often it is tried again, and the first pause in milliseconds.
    pub retry: Option<(u64, u64)>,
    /// In milliseconds.
    pub timeout: Option<u64>,
}

impl Draft {
    /// The definition in YAML. Texts are JSON's, which YAML takes, so nothing in them is syntax.
    pub fn write(&self) -> String {
        let mut out = format!("# {}\n", line(&self.comment));
        let mut put = |indent: usize, text: String| {
            out.push_str(&" ".repeat(indent));
            out.push_str(&text);
            out.push('\n');
        };
        put(0, format!("flow: {}", self.name));
        put(0, format!("kind: {}", self.kind.as_str()));
        if !self.description.is_empty() {
            put(0, format!("description: {}", text(&self.description)));
        }
        if !self.names.inputs.is_empty() {
            put(0, "inputs:".to_owned());
        }
        for (name, input) in &self.names.inputs {
            if !input.comment.is_empty() {
                put(2, format!("# {}", line(&input.comment)));
            }
            let kind = input.kind.as_str();
            put(
                2,
                match &input.default {
                    None => format!("{name}: {kind}"),
                    Some(default) => {
                        format!("{name}: {{type: {kind}, default: {}}}", value(default))
                    }
                },
            );
        }
        if let Some(concurrency) = self.concurrency {
            put(0, format!("concurrency: {concurrency}"));
        }
        if self.on_failure == OnFailure::Continue {
            put(0, "on_failure: continue".to_owned());
        }
        put(0, "steps:".to_owned());
        for step in &self.steps {
            if !step.comment.is_empty() {
                put(2, format!("# {}", line(&step.comment)));
            }
            put(2, format!("- id: {}", text(&step.id)));
            put(4, format!("call: {}", text(&step.call)));
            if !step.with.is_empty() {
                put(4, "with:".to_owned());
            }
            for (name, of) in &step.with {
                put(6, format!("{}: {}", text(name), value(of)));
            }
            if !step.when.is_empty() {
                put(4, format!("when: {}", text(&step.when.join(" and "))));
            }
            if !step.needs.is_empty() {
                let needs: Vec<String> = step.needs.iter().map(|id| text(id)).collect();
                put(4, format!("needs: [{}]", needs.join(", ")));
            }
            if let Some((times, ms)) = step.retry {
                let pauses = "backoff: linear, jitter: none";
                put(4, format!("retry: {{times: {times}, delay: {ms}ms, {pauses}}}"));
            }
            if let Some(ms) = step.timeout {
                put(4, format!("timeout: {ms}ms"));
            }
        }
        if !self.output.is_empty() {
            put(0, "output:".to_owned());
        }
        for (name, of) in &self.output {
            put(2, format!("{}: {}", text(name), value(of)));
        }
        out
    }
}

/// A text in quotes.
fn text(text: &str) -> String {
    value(&Value::String(text.to_owned()))
}

/// JSON on one line, with escapes for what YAML takes for a line's end or no character.
fn value(value: &Value) -> String {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    let json = value.to_string();
    if json.chars().all(is_plain) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match is_plain(c) {
            true => out.push(c),
            // Only within texts: JSON has no such character elsewhere on its one line.
            false => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out
}

/// A comment's text: one line, and not endless.
fn line(text: &str) -> String {
    let plain = |c: char| {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') { ' ' } else { c }
    };
    text.chars().take(COMMENT_CHARS).map(plain).collect::<String>().trim_end().to_owned()
}

const COMMENT_CHARS: usize = 200;
