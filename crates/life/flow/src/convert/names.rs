//! Names of a workflow, and those that they get in a flow.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::flow::FlowName;
use crate::inputs::{INPUTS_MAX, InputType};

/// An input of the flow.
#[derive(Debug)]
pub(super) struct DraftInput {
    pub kind: InputType,
    pub default: Option<Value>,
    /// What it is for, in one line; may be empty.
    pub comment: String,
}

/// What a template can lead to.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Inputs of the flow by their names in the flow.
    pub inputs: BTreeMap<String, DraftInput>,
    /// The workflow's name of an input, and the flow's.
    pub input_names: HashMap<String, String>,
    /// Steps by the workflow's ids.
    pub steps: HashMap<String, StepName>,
    /// What a step calls its output; `None` where two steps call theirs so.
    pub outputs: HashMap<String, Option<String>>,
}

/// A step as templates name it.
#[derive(Debug)]
pub(super) struct StepName {
    /// Its id in the flow.
    pub id: String,
    /// What the workflow calls its output.
    pub output: Option<String>,
    /// Whether it is a call; what only calculated has no counterpart.
    pub is_call: bool,
}

impl Names {
    /// The flow's name of a workflow's input, declared where it was not.
    pub fn input(&mut self, name: &str) -> Option<String> {
        if let Some(own) = self.input_names.get(name) {
            return Some(own.clone());
        }
        let own =
            self.new_input(name, InputType::Any, "the workflow names it and does not declare it")?;
        self.input_names.insert(name.to_owned(), own.clone());
        Some(own)
    }

    /// A new input with a name like this one; `None` where a flow can have no more.
    pub fn new_input(&mut self, like: &str, kind: InputType, comment: &str) -> Option<String> {
        if self.inputs.len() == INPUTS_MAX {
            return None;
        }
        let base = identifier(like, "input");
        let mut name = base.clone();
        let mut n = 1;
        while self.inputs.contains_key(&name) {
            n += 1;
            name = format!("{}_{n}", &base[..base.len().min(56)]);
        }
        let comment = comment.to_owned();
        self.inputs.insert(name.clone(), DraftInput { kind, default: None, comment });
        Some(name)
    }
}

/// An id of a flow's step or input: letters, digits, `_` and `-`, a letter first.
pub(super) fn identifier(text: &str, otherwise: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let mut id: String = text.chars().take(64).map(plain).collect();
    if !id.starts_with(|c: char| c.is_ascii_alphabetic()) {
        id = format!("{otherwise}_{id}").chars().take(64).collect();
    }
    id
}

/// A flow's name of any text.
pub(super) fn flow_name(text: &str) -> FlowName {
    let mut name = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' | '_' => name.push(c),
            _ if !name.ends_with('-') && !name.is_empty() => name.push('-'),
            _ => {}
        }
    }
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name.insert_str(0, "workflow-");
    }
    name.truncate(60);
    FlowName::parse(name.trim_end_matches('-')).unwrap_or_else(|_| plain_name())
}

/// The same name with a number.
pub(super) fn numbered(name: &FlowName, n: usize) -> FlowName {
    let base: String = name.as_str().chars().take(56).collect();
    FlowName::parse(&format!("{base}-{n}")).unwrap_or_else(|_| plain_name())
}

fn plain_name() -> FlowName {
    // INFALLIBLE: letters only.
    FlowName::parse("workflow").expect("a plain name")
}
