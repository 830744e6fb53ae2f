//! Paths: what a template or a condition names.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;
use symbolon_import::Located;

use crate::state::Scope;

/// A root, and the way from it to a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    root: Root,
    parts: Vec<Part>,
    /// Where it begins: the byte of its text, and once that is read its line and column.
    begin: usize,
    at: (u64, u64),
}

/// Where a path begins. There is nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// `inputs.NAME`
    Inputs,
    /// `steps.ID`: what the step gave. The place of the step is found once all steps are known.
    Steps {
        /// The step's id.
        id: Box<str>,
        /// The step's place in the flow.
        place: usize,
    },
    /// `now`: when the run began, RFC 3339.
    Now,
    /// `id`: a UUID of this step in this run.
    Id,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Name(Box<str>),
    Index(usize),
}

/// Text that is read from left to right, with the place of what is wrong in it.
pub(crate) struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

/// What is wrong, at which byte of the text, and what to write instead.
pub(crate) type PathError = (usize, String, Option<String>);

impl<'t> Cursor<'t> {
    pub fn new(text: &'t str, at: usize) -> Self {
        Self { text, at }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    pub fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Letters, digits, `_` and `-`, the first a letter or `_`; empty where there are none.
    pub fn name(&mut self) -> &'t str {
        let rest = self.rest();
        let starts = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let is_in = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let len = if starts { rest.find(|c| !is_in(c)).unwrap_or(rest.len()) } else { 0 };
        self.at += len;
        &rest[..len]
    }

    pub fn digits(&mut self) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    /// A text in single or double quotes, without escapes; `None` where none begins.
    pub fn quoted(&mut self) -> Result<Option<&'t str>, PathError> {
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            return Ok(None);
        };
        let inner = &self.rest()[1..];
        let end = inner.find(quote);
        let end = end.ok_or_else(|| self.wrong(format!("the {quote} is not closed")))?;
        self.at += end + 2;
        Ok(Some(&inner[..end]))
    }

    pub fn wrong(&self, what: impl Into<String>) -> PathError {
        (self.at, what.into(), None)
    }
}

impl Path {
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, PathError> {
        let begin = cursor.at();
        let root = match cursor.name() {
            "inputs" => Root::Inputs,
            "steps" => {
                if !cursor.take(".") {
                    return Err(cursor.wrong("a step is named as steps.ID"));
                }
                let id = cursor.name();
                if id.is_empty() {
                    return Err(cursor.wrong("a step is named as steps.ID"));
                }
                Root::Steps { id: id.into(), place: usize::MAX }
            }
            "now" => Root::Now,
            "id" => Root::Id,
            "" => return Err((begin, "here a name is wanted".to_owned(), Some(ROOTS.to_owned()))),
            other => {
                let shown: String = other.chars().take(40).collect();
                let what = format!("{shown} is nothing that a flow can reach");
                return Err((begin, what, Some(ROOTS.to_owned())));
            }
        };
        if cursor.rest().starts_with('(') {
            return Err((cursor.at(), "there are no functions".to_owned(), Some(ROOTS.to_owned())));
        }
        let mut parts = Vec::new();
        loop {
            if cursor.take(".") {
                let name = cursor.name();
                if name.is_empty() {
                    return Err(cursor.wrong("after a dot a name is wanted; others go as ['NAME']"));
                }
                parts.push(Part::Name(name.into()));
            } else if cursor.take("[") {
                parts.push(bracket(cursor)?);
            } else {
                break;
            }
            if parts.len() > PARTS_MAX {
                return Err(cursor.wrong(format!("a path has at most {PARTS_MAX} parts")));
            }
        }
        let path = Self { root, parts, begin, at: (0, 0) };
        path.check().map_err(|what| (begin, what.to_owned(), None))?;
        Ok(path)
    }

    fn check(&self) -> Result<(), &'static str> {
        match (&self.root, self.parts.first()) {
            (Root::Inputs, None) => Err("an input is named as inputs.NAME"),
            (Root::Inputs, Some(Part::Index(_))) => Err("an input is named as inputs.NAME"),
            (Root::Steps { .. }, Some(Part::Name(name)))
                if matches!(&**name, "status" | "body" | "receipt") =>
            {
                Ok(())
            }
            (Root::Steps { .. }, _) => Err("a step gives status, body and receipt"),
            (Root::Now | Root::Id, Some(_)) => Err("now and id have no parts"),
            _ => Ok(()),
        }
    }

    /// Where it begins.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Where it stands in the document, as line and column.
    pub(crate) fn at(&self) -> (u64, u64) {
        self.at
    }

    /// The text that it is read of begins there.
    pub(crate) fn locate(&mut self, from: &Located, text: &str) {
        self.at = place_in(from, text, self.begin);
    }

    pub(crate) fn root_mut(&mut self) -> &mut Root {
        &mut self.root
    }

    /// The input that it begins with.
    pub(crate) fn input(&self) -> Option<&str> {
        match (&self.root, self.parts.first()) {
            (Root::Inputs, Some(Part::Name(name))) => Some(name),
            _ => None,
        }
    }

    /// The value there; `None` where there is none.
    pub(crate) fn find<'s>(&self, scope: &Scope<'s>) -> Option<Cow<'s, Value>> {
        let (mut value, parts) = match &self.root {
            Root::Now => return Some(Cow::Owned(scope.now())),
            Root::Id => return Some(Cow::Owned(scope.id())),
            Root::Inputs => {
                let (first, parts) = self.parts.split_first()?;
                let Part::Name(name) = first else { return None };
                (scope.inputs.get(&**name)?, parts)
            }
            Root::Steps { place, .. } => (scope.outputs.get(*place)?.as_ref()?, &self.parts[..]),
        };
        for part in parts {
            value = match part {
                Part::Name(name) => value.as_object()?.get(&**name)?,
                Part::Index(index) => value.as_array()?.get(*index)?,
            };
        }
        Some(Cow::Borrowed(value))
    }
}

fn bracket(cursor: &mut Cursor<'_>) -> Result<Part, PathError> {
    let part = match cursor.quoted()? {
        Some(name) => Part::Name(name.into()),
        None => {
            let index = cursor.digits().parse();
            Part::Index(index.map_err(|_| cursor.wrong("here a number or a 'NAME' is wanted"))?)
        }
    };
    if cursor.take("]") { Ok(part) } else { Err(cursor.wrong("here ] is wanted")) }
}

/// Line and column of a byte of a text. Where the text does not stand in the document letter by
/// letter, its beginning.
pub(crate) fn place_in(from: &Located, text: &str, at: usize) -> (u64, u64) {
    let before = text.get(..at).unwrap_or_default();
    let is_here = from.is_literal && !before.contains('\n');
    let past = if is_here { before.chars().count() as u64 } else { 0 };
    (from.line, from.column + past)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Root::Inputs => f.write_str("inputs")?,
            Root::Steps { id, .. } => write!(f, "steps.{id}")?,
            Root::Now => f.write_str("now")?,
            Root::Id => f.write_str("id")?,
        }
        self.parts.iter().try_for_each(|part| match part {
            Part::Index(index) => write!(f, "[{index}]"),
            Part::Name(name) if Cursor::new(name, 0).name().len() == name.len() => {
                write!(f, ".{name}")
            }
            Part::Name(name) => write!(f, "['{name}']"),
        })
    }
}

const PARTS_MAX: usize = 32;
const ROOTS: &str = "inputs.NAME (given with --input NAME=VALUE), steps.ID.body, steps.ID.status, \
                     now and id are all there is";
