//! Conditions of a step as `when`, so that they hold where 0nMCP's specification has them hold.

use serde_json::Value;
use symbolon_import::{Key, Located, LocatedNode};

use super::Notes;
use super::expression::{Expression, Operand};
use super::names::Names;
use super::template::dialect;
use crate::inputs::InputType;

/// What conditions of a step say.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    /// All of them must hold for the step.
    pub when: Vec<String>,
    /// All of these must hold for the step and for each step after it.
    pub guards: Vec<String>,
}

impl Conditions {
    /// Reads what stands beside `conditions`; `None` where a condition has no counterpart, which is noted.
    pub fn read(from: &Located, names: &mut Names, notes: &mut Notes) -> Option<Self> {
        let mut all = Self::default();
        let items = match &from.node {
            LocatedNode::List(items) => items.as_slice(),
            LocatedNode::Null => &[],
            _ => std::slice::from_ref(from),
        };
        for item in items {
            all.one(item, names, notes)?;
        }
        Some(all)
    }

    fn one(&mut self, from: &Located, names: &mut Names, notes: &mut Notes) -> Option<()> {
        let at = (from.line, from.column);
        let LocatedNode::Map(members) = &from.node else {
            self.when.push(text(from, names, notes)?);
            return Some(());
        };
        let member = |name: &str| members.iter().find(|(key, _)| *key.name == *name);
        let Some((_, condition)) = member("if") else {
            notes.must(at, "a condition without `if` says nothing");
            return None;
        };
        let condition = text(condition, names, notes)?;
        let is_other = |(key, _): &&(Key, Located)| !matches!(&*key.name, "if" | "else");
        if let Some((key, _)) = members.iter().find(is_other) {
            let what = format!("{} of a condition has no counterpart", key.name);
            notes.must((key.line, key.column), what);
            return None;
        }
        let otherwise = member("else").map(|(_, value)| value);
        match otherwise.map(|value| (value, &value.node)) {
            None | Some((_, LocatedNode::Null)) => self.when.push(condition),
            Some((_, LocatedNode::Text(word))) if matches!(&**word, "skip" | "continue") => {
                self.when.push(condition);
            }
            Some((value, LocatedNode::Text(word)))
                if matches!(&**word, "stop" | "error") || word.starts_with("error:") =>
            {
                let what = "where the condition does not hold, this step and all after it are skipped, and the run ends as done";
                notes.say((value.line, value.column), what);
                self.guards.push(condition);
            }
            Some((value, _)) => {
                let what = "this `else` has no counterpart: skip, stop and error:… have one";
                notes.must((value.line, value.column), what);
                return None;
            }
        }
        Some(())
    }
}

/// One condition in its text.
fn text(from: &Located, names: &mut Names, notes: &mut Notes) -> Option<String> {
    let at = (from.line, from.column);
    let text = match &from.node {
        LocatedNode::Bool(flag) => return Some(always(*flag)),
        LocatedNode::Text(text) => text.trim(),
        _ => {
            notes.must(at, "a condition is a text");
            return None;
        }
    };
    let is_one = text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1;
    let plain = match is_one {
        true => text[2..text.len() - 2].to_owned(),
        false => text.replace("{{", " ").replace("}}", " "),
    };
    if !is_one {
        notes.say(at, "0nMCP fills this in as a text, which always holds; here it is compared");
    }
    let read = dialect(plain.trim()).map_err(str::to_owned);
    match read.and_then(|expression| of(&expression, names)) {
        Ok(condition) => Some(condition),
        Err(why) => {
            notes.must(at, format!("the condition {} {why}", text));
            None
        }
    }
}

fn of(expression: &Expression, names: &mut Names) -> Result<String, String> {
    Ok(match expression {
        Expression::And(a, b) => format!("({} and {})", of(a, names)?, of(b, names)?),
        Expression::Or(a, b) => format!("({} or {})", of(a, names)?, of(b, names)?),
        Expression::Not(a) => format!("not ({})", of(a, names)?),
        Expression::One(Operand::Literal(literal)) => always(is_truthy(literal)),
        Expression::One(Operand::Path(path)) => {
            if let Some(of) = counted(path) {
                let path = names.path(of)?;
                return Ok(has_length(&path));
            }
            let path = names.path(path)?;
            match names.kind(&path) {
                Some(InputType::Boolean) => path,
                // What JavaScript takes for true.
                _ => {
                    format!("(exists {path} and {path} != false and {path} != 0 and {path} != '')")
                }
            }
        }
        Expression::Compare(Operand::Path(path), sign, Operand::Literal(bound))
            if counted(path).is_some() =>
        {
            let path = names.path(counted(path).unwrap_or_default())?;
            match (*sign, bound.as_u64()) {
                (">" | "!=", Some(0)) | (">=", Some(1)) => has_length(&path),
                ("==" | "<=", Some(0)) | ("<", Some(1)) => format!("not {}", has_length(&path)),
                _ => return Err("counts, which a flow does not".to_owned()),
            }
        }
        Expression::Compare(a, sign, b) => {
            let is_flag = |o: &Operand| matches!(o, Operand::Literal(Value::Bool(_) | Value::Null));
            if matches!(*sign, "<" | "<=" | ">" | ">=") && (is_flag(a) || is_flag(b)) {
                return Err("asks whether true, false or null is less or more".to_owned());
            }
            format!("{} {sign} {}", side(a, names)?, side(b, names)?)
        }
    })
}

/// Something is in the list, or in the text.
fn has_length(path: &str) -> String {
    format!("(exists {path}[0] or {path} > '')")
}

/// The path before `.length`.
fn counted(path: &[String]) -> Option<&[String]> {
    let (last, of) = path.split_last()?;
    (last == "length" && !of.is_empty()).then_some(of)
}

fn side(operand: &Operand, names: &mut Names) -> Result<String, String> {
    match operand {
        Operand::Path(path) => names.path(path),
        Operand::Literal(Value::String(text)) => quoted(text),
        Operand::Literal(other) => Ok(other.to_string()),
    }
}

/// A text in a condition, whose quotes have no escapes.
fn quoted(text: &str) -> Result<String, String> {
    match (text.contains('\''), text.contains('"')) {
        (false, _) => Ok(format!("'{text}'")),
        (true, false) => Ok(format!("\"{text}\"")),
        (true, true) => Err("has a text with both kinds of quotes".to_owned()),
    }
}

fn always(holds: bool) -> String {
    format!("1 == {}", if holds { 1 } else { 0 })
}

fn is_truthy(literal: &Value) -> bool {
    match literal {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

impl Names {
    /// The type of an input that a path is, where it is no more than that.
    fn kind(&self, path: &str) -> Option<InputType> {
        let input = self.inputs.get(path.strip_prefix("inputs.")?)?;
        Some(input.kind)
    }
}
