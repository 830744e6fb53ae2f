//! Templates of a workflow as templates of a flow. What a flow cannot work out becomes an input of it,
//! so that whoever runs it says what it is.

use serde_json::{Map, Value};
use symbolon_import::{Located, LocatedNode};

use super::Notes;
use super::expression::{Expression, Operand};
use super::names::Names;
use crate::inputs::InputType;
use crate::path::place_in;

/// Where templates stand: names that they can use, and what the place is called.
pub(super) struct Templates<'n> {
    pub names: &'n mut Names,
    pub notes: &'n mut Notes,
    /// Beginning of the name of an input that is made here, such as the step's id; `None` where none
    /// may be made, and what has no counterpart is left out.
    pub label: Option<&'n str>,
}

impl Templates<'_> {
    /// A value with its templates; `None` where it cannot be one of a flow, which is noted.
    pub fn value(&mut self, from: &Located, label: &str) -> Option<Value> {
        Some(match &from.node {
            LocatedNode::Text(text) => Value::String(self.text(from, text, label)?),
            LocatedNode::List(items) => {
                let items = items.iter().map(|item| self.value(item, label));
                Value::Array(items.collect::<Option<_>>()?)
            }
            LocatedNode::Map(members) => {
                let mut map = Map::new();
                for (key, value) in members {
                    if key.name.contains("{{") {
                        let what = "a name of an argument with a template in it has no counterpart";
                        self.notes.must((key.line, key.column), what);
                        return None;
                    }
                    map.insert(key.name.to_string(), self.value(value, &key.name)?);
                }
                Value::Object(map)
            }
            _ => from.to_json(),
        })
    }

    fn text(&mut self, from: &Located, text: &str, label: &str) -> Option<String> {
        let mut out = String::new();
        let mut at = 0;
        // Theirs are `{{`, at least one character of the same line, and the next `}}`.
        while let Some(begin) = text[at..].find("{{").map(|n| at + n) {
            let inner = begin + 2;
            let end = text[inner..]
                .char_indices()
                .skip(1)
                .map(|(n, _)| inner + n)
                .find(|n| text[*n..].starts_with("}}"));
            let Some(end) = end.filter(|end| !text[inner..*end].contains('\n')) else { break };
            out.push_str(&plain(&text[at..begin]));
            let place = place_in(from, text, begin);
            out.push_str(&self.template(&text[inner..end], place, label)?);
            at = end + 2;
        }
        out.push_str(&plain(&text[at..]));
        Some(out)
    }

    fn template(&mut self, inner: &str, place: (u64, u64), label: &str) -> Option<String> {
        let why = match dialect(inner.trim()) {
            Ok(Expression::One(Operand::Literal(literal))) => {
                return Some(match literal {
                    Value::String(text) => plain(&text),
                    Value::Null => String::new(),
                    other => other.to_string(),
                });
            }
            Ok(Expression::One(Operand::Path(path))) => match self.names.path(&path) {
                Ok(path) => return Some(format!("{{{{ {path} }}}}")),
                Err(why) => why,
            },
            Ok(_) => "is a comparison, which stands in a condition only".to_owned(),
            Err(why) => why.to_owned(),
        };
        let Some(step) = self.label else {
            self.notes.say(place, format!("{{{{{inner}}}}} {why}: left out"));
            return None;
        };
        let like = format!("{step}_{label}");
        let comment = format!("in place of {{{{{}}}}}", inner.trim());
        let Some(input) = self.names.new_input(&like, InputType::Any, &comment) else {
            let what = format!("{{{{{inner}}}}} {why}, and a flow has no room for another input");
            self.notes.must(place, what);
            return None;
        };
        let what = format!("{{{{{inner}}}}} {why}: it is the input {input}, to be given");
        self.notes.say(place, what);
        Some(format!("{{{{ inputs.{input} }}}}"))
    }
}

/// An expression of any of the three dialects, or why a flow has no such.
pub(super) fn dialect(text: &str) -> Result<Expression, &'static str> {
    if let Some((kind, name)) = text.split_once(':') {
        let is_name = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        match kind {
            "param" if is_name => {
                return Ok(Expression::One(Operand::Path(vec![
                    "inputs".to_owned(),
                    name.to_owned(),
                ])));
            }
            "env" => return Err(ENVIRONMENT),
            "vault" => return Err(VAULT),
            _ if kind.starts_with("NEW_") => return Err("has something made when it is deployed"),
            _ => {}
        }
    }
    Expression::read(text).ok_or("calculates, which a flow does not")
}

impl Names {
    /// A path of a workflow as a path of the flow, or why there is none.
    pub fn path(&mut self, path: &[String]) -> Result<String, String> {
        let (first, rest) = path.split_first().ok_or("names nothing")?;
        if path.last().is_some_and(|last| last == "length") && rest.len() > 1 {
            return Err("counts, which a flow does not".to_owned());
        }
        match (first.as_str(), rest) {
            ("now", []) => return Ok("now".to_owned()),
            ("uuid", []) => return Ok("id".to_owned()),
            ("env", _) => return Err(ENVIRONMENT.to_owned()),
            ("vault", _) => return Err(VAULT.to_owned()),
            ("inputs" | "input" | "params", [name, rest @ ..])
                if !self.steps.contains_key(first) =>
            {
                let name = self.input(name).ok_or("names an input more than a flow can have")?;
                return Ok(format!("inputs.{name}{}", tail(rest)));
            }
            ("steps", [id, rest @ ..]) if self.steps.contains_key(id) => {
                return self.step(id, rest);
            }
            _ => {}
        }
        if self.steps.contains_key(first) {
            return self.step(first, rest);
        }
        match self.outputs.get(first) {
            Some(Some(id)) => {
                let id = id.clone();
                self.step(&id, rest)
            }
            Some(None) => Err("names the output of two steps".to_owned()),
            None => Err("names nothing of this workflow".to_owned()),
        }
    }

    fn step(&self, id: &str, rest: &[String]) -> Result<String, String> {
        let step = self.steps.get(id).ok_or("names no step")?;
        if !step.is_call {
            return Err("is of a step that only calculates".to_owned());
        }
        // `ID.OUTPUT.field`, `ID.output.field` and `ID.field` are one: what the step gave.
        let rest = match rest.split_first() {
            Some((name, behind)) if name == "output" || step.output.as_ref() == Some(name) => {
                behind
            }
            _ => rest,
        };
        Ok(format!("steps.{}.body{}", step.id, tail(rest)))
    }
}

fn tail(rest: &[String]) -> String {
    let mut out = String::new();
    for part in rest {
        let is_name = part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        match part.parse::<usize>() {
            Ok(index) => out.push_str(&format!("[{index}]")),
            Err(_) if is_name => out.push_str(&format!(".{part}")),
            Err(_) => out.push_str(&format!("['{part}']")),
        }
    }
    out
}

/// Text that no template of a flow is taken for.
fn plain(text: &str) -> String {
    text.replace("{{", "{{ '{{' }}")
}

const ENVIRONMENT: &str = "reads the environment, which a flow cannot";
const VAULT: &str = "reads a vault, which a flow cannot";
