//! Workflows of 0nMCP as definitions of flows (`specs/legacy-0n.md`). What has no counterpart is said
//! with its place; a text that the parser of definitions refuses is given to nobody.

mod command;
mod condition;
mod draft;
mod expression;
mod names;
mod steps;
mod template;
#[cfg(test)]
mod tests;
mod tool;
mod workflow;

use serde::Serialize;
use symbolon_capability::catalog::Catalog;
use symbolon_import::foreign::Workflow;

use crate::flow::{Flow, FlowName};

/// What became of a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    /// Which file it is of.
    pub file: String,
    /// The flow's name.
    pub name: FlowName,
    /// The definition, which [`Flow::parse`] takes; `None` where it would do something else than the
    /// workflow did.
    pub text: Option<String>,
    /// Everything that is not, or not exactly, as it was.
    pub notes: Vec<Note>,
}

/// One thing to know about a conversion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// In the workflow's file, from 1.
    pub line: u64,
    /// In the workflow's file, from 1, in characters.
    pub column: u64,
    /// What is to be known.
    pub what: String,
    /// Whether the flow does not begin, or is not written, before somebody puts this right.
    pub must: bool,
}

/// Notes as they come, each once.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<Note>);

impl Notes {
    /// Something is not exactly as it was.
    fn say(&mut self, (line, column): (u64, u64), what: impl Into<String>) {
        self.add(Note { line, column, what: shown(&what.into()), must: false });
    }

    /// Something must be put right by a person.
    fn must(&mut self, (line, column): (u64, u64), what: impl Into<String>) {
        self.add(Note { line, column, what: shown(&what.into()), must: true });
    }

    fn add(&mut self, note: Note) {
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    fn sorted(mut self) -> Vec<Note> {
        self.0.sort_by_key(|note| (note.line, note.column));
        self.0
    }
}

/// Converts one import's workflows, and its commands that name one of them. Flows of one name get
/// names of their own.
#[must_use]
pub fn convert(all: &[Workflow], catalog: &Catalog) -> Vec<Conversion> {
    let mut made: Vec<Conversion> = Vec::new();
    for one in all {
        let known: Vec<&Workflow> = all.iter().filter(|other| !other.is_command).collect();
        let mut notes = Notes::default();
        let Some(mut draft) = command::read(one, &known, catalog, &mut notes) else {
            let name = names::flow_name(&one.name);
            made.push(Conversion {
                file: one.file.clone(),
                name,
                text: None,
                notes: notes.sorted(),
            });
            continue;
        };
        let base = draft.name.clone();
        let is_taken = |name: &FlowName| made.iter().any(|own| own.name == *name);
        let mut n = 1;
        while is_taken(&draft.name) {
            n += 1;
            draft.name = names::numbered(&base, n);
        }
        let mut text = Some(draft.write()).filter(|_| !draft.is_broken);
        if let Some(Err(error)) = text.as_ref().map(|text| Flow::parse(text.as_bytes())) {
            notes.must((one.node.line, one.node.column), format!("as a flow: {}", error.what));
            text = None;
        }
        let (file, name) = (one.file.clone(), draft.name);
        made.push(Conversion { file, name, text, notes: notes.sorted() });
    }
    made
}

/// Text of a file as a message shows it: one line, short, nothing that a terminal obeys.
fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = text.chars().take(SHOWN_CHARS).map(plain).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

const SHOWN_CHARS: usize = 400;
