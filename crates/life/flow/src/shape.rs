//! Values with templates in them: a step's arguments, a flow's output.

use serde_json::{Map, Value};
use symbolon_import::{Located, LocatedNode};

use crate::error::{ExpandError, FlowError, kind_of};
use crate::path::{Cursor, Path, place_in};
use crate::state::Scope;

/// A value whose texts may hold templates.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// No template in it.
    Plain(Value),
    /// `"{{ path }}"` alone: the value that is there, of whatever type.
    Value(Path),
    /// A text with templates in it.
    Text(Vec<Piece>),
    /// A list.
    List(Vec<Shape>),
    /// Members in their order.
    Map(Vec<(Box<str>, Shape)>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// As it stands.
    Text(Box<str>),
    /// `{{ path }}`
    Path(Path),
}

impl Shape {
    /// Reads a value. `{{` begins a template and `}}` ends it; `{{ '{{' }}` is `{{` itself.
    pub(crate) fn read(from: &Located) -> Result<Self, FlowError> {
        Ok(match &from.node {
            LocatedNode::Text(text) if text.contains("{{") => template(from, text)?,
            LocatedNode::List(items) => {
                Self::List(items.iter().map(Self::read).collect::<Result<_, _>>()?)
            }
            LocatedNode::Map(members) => {
                let member = |(key, value): &(symbolon_import::Key, Located)| {
                    Ok((key.name.clone(), Self::read(value)?))
                };
                Self::Map(members.iter().map(member).collect::<Result<_, FlowError>>()?)
            }
            _ => Self::Plain(from.to_json()),
        })
    }

    /// Each path in it.
    pub(crate) fn each_path(&mut self, visit: &mut dyn FnMut(&mut Path)) {
        match self {
            Self::Plain(_) => {}
            Self::Value(path) => visit(path),
            Self::Text(pieces) => pieces.iter_mut().for_each(|piece| {
                if let Piece::Path(path) = piece {
                    visit(path);
                }
            }),
            Self::List(items) => items.iter_mut().for_each(|item| item.each_path(visit)),
            Self::Map(members) => members.iter_mut().for_each(|(_, item)| item.each_path(visit)),
        }
    }

    /// The value with what its templates name. `left` is how many bytes it may still have.
    pub(crate) fn expand(&self, scope: &Scope<'_>, left: &mut usize) -> Result<Value, ExpandError> {
        Ok(match self {
            Self::Plain(value) => {
                spend(left, size(value))?;
                value.clone()
            }
            Self::Value(path) => {
                let value = found(path, scope)?;
                spend(left, size(&value))?;
                value.into_owned()
            }
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    let before = text.len();
                    match piece {
                        Piece::Text(plain) => text.push_str(plain),
                        Piece::Path(path) => push(&mut text, path, scope)?,
                    }
                    spend(left, text.len() - before)?;
                }
                Value::String(text)
            }
            Self::List(items) => {
                spend(left, 2 + items.len())?;
                let items = items.iter().map(|item| item.expand(scope, left));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Map(members) => {
                let mut map = Map::new();
                for (name, member) in members {
                    spend(left, name.len() + 4)?;
                    map.insert(name.to_string(), member.expand(scope, left)?);
                }
                Value::Object(map)
            }
        })
    }
}

fn found<'s>(path: &Path, scope: &Scope<'s>) -> Result<std::borrow::Cow<'s, Value>, ExpandError> {
    path.find(scope).ok_or_else(|| ExpandError::Nothing(path.to_string()))
}

fn push(text: &mut String, path: &Path, scope: &Scope<'_>) -> Result<(), ExpandError> {
    match &*found(path, scope)? {
        Value::String(plain) => text.push_str(plain),
        value @ (Value::Bool(_) | Value::Number(_)) => text.push_str(&value.to_string()),
        other => {
            return Err(ExpandError::NotText { path: path.to_string(), found: kind_of(other) });
        }
    }
    Ok(())
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), ExpandError> {
    *left = left.checked_sub(bytes).ok_or(ExpandError::TooLong { max: EXPANDED_BYTES_MAX })?;
    Ok(())
}

/// About how many bytes a value has as JSON.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| size(item) + 1).sum::<usize>(),
        Value::Object(members) => {
            2 + members.iter().map(|(name, item)| name.len() + 4 + size(item)).sum::<usize>()
        }
    }
}

fn template(from: &Located, text: &str) -> Result<Shape, FlowError> {
    if text.len() > TEMPLATE_BYTES_MAX {
        let what = format!("a text with templates has at most {TEMPLATE_BYTES_MAX} bytes");
        return Err(FlowError::at((from.line, from.column), what));
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let mut cursor = Cursor::new(text, 0);
    let read = (|| {
        while let Some(begin) = cursor.rest().find("{{") {
            let plain = &cursor.rest()[..begin];
            if !plain.is_empty() {
                pieces.push(Piece::Text(plain.into()));
            }
            cursor = Cursor::new(text, cursor.at() + begin + 2);
            cursor.skip_space();
            match cursor.quoted()? {
                Some(plain) => pieces.push(Piece::Text(plain.into())),
                None => pieces.push(Piece::Path(Path::read(&mut cursor)?)),
            }
            cursor.skip_space();
            if !cursor.take("}}") {
                return Err(cursor.wrong("here }} is wanted: a template holds one path"));
            }
        }
        Ok(())
    })();
    read.map_err(|wrong| wrong_at(from, text, wrong))?;
    if !cursor.rest().is_empty() {
        pieces.push(Piece::Text(cursor.rest().into()));
    }
    for piece in &mut pieces {
        if let Piece::Path(path) = piece {
            path.locate(from, text);
        }
    }
    match <[Piece; 1]>::try_from(pieces) {
        Ok([Piece::Path(path)]) => Ok(Shape::Value(path)),
        Ok([Piece::Text(text)]) => Ok(Shape::Plain(Value::String(text.into()))),
        Err(pieces) => Ok(Shape::Text(pieces)),
    }
}

/// Where in the document something in a text is wrong.
pub(crate) fn wrong_at(
    from: &Located,
    text: &str,
    (at, what, next): crate::path::PathError,
) -> FlowError {
    let (line, column) = place_in(from, text, at);
    FlowError { line, column, what, next }
}

/// A text with templates, before they are filled in.
const TEMPLATE_BYTES_MAX: usize = 16 * 1024;
/// A step's arguments, with templates filled in.
pub(crate) const EXPANDED_BYTES_MAX: usize = 1024 * 1024;
