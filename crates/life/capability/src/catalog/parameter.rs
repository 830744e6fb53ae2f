//! Parameters of operations.

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::{
    bind::BindError,
    check::Flat,
    error::Problem,
    file::RawSchema,
    name::is_parameter_name,
    schema::{self, Types, compile, describe, to_json},
    segment::SegmentKind,
};

/// One argument of an operation.
#[derive(Debug)]
pub struct Parameter {
    name: Box<str>,
    wire: Box<str>,
    place: Place,
    required: bool,
    schema: Value,
    check: Check,
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A segment of the path.
    Path(SegmentKind),
    /// The query string.
    Query(QueryStyle),
    /// The body.
    Body,
}

/// How a list or an object stands in a query; scalars are `name=value` in every style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryStyle {
    /// `a=1&a=2`.
    #[default]
    Repeat,
    /// `a[]=1&a[]=2`.
    Brackets,
    /// `a=1,2`; a value cannot hold a comma.
    Comma,
    /// `a[b]=1&a[c][d]=2`.
    Deep,
    /// The members of the object are the names in the query.
    Spread,
}

#[derive(Debug)]
enum Check {
    Segment,
    Flat(Flat),
    /// Compiled at first use: most calls never meet a nested parameter.
    Nested(OnceLock<Option<jsonschema::Validator>>),
}

impl Parameter {
    /// The name as a caller writes it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name in the request.
    #[must_use]
    pub fn wire(&self) -> &str {
        &self.wire
    }

    /// Where it goes.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Whether a call must have it.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        self.required
    }

    /// Its JSON Schema (draft 2020-12, without references).
    #[must_use]
    pub const fn schema(&self) -> &Value {
        &self.schema
    }

    pub(super) fn segment(name: &str, kind: SegmentKind, description: Option<&str>) -> Self {
        let mut schema = kind.schema();
        if let (Some(text), Value::Object(members)) = (description, &mut schema) {
            members.insert("description".to_owned(), text.into());
        }
        Self {
            name: name.into(),
            wire: name.into(),
            place: Place::Path(kind),
            required: true,
            schema,
            check: Check::Segment,
        }
    }

    pub(super) fn read(name: &str, raw: &RawSchema, in_query: bool) -> Result<Self, Problem> {
        if !is_parameter_name(name) {
            return Err(Problem::Rule("a parameter's name is a letter, then letters, digits or _"));
        }
        schema::check(raw, 0)?;
        let types = Types::read(raw)?;
        let wire = raw.wire.as_deref().unwrap_or(name);
        if wire.is_empty() || wire.len() > 128 || !wire.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Problem::Rule("wire has 1 to 128 printable ASCII characters"));
        }
        let place = if in_query {
            Place::Query(query_style(raw, types)?)
        } else if raw.style.is_some() {
            return Err(Problem::Rule("style is for query parameters"));
        } else {
            Place::Body
        };
        let check = match Flat::new(raw, types) {
            Some(flat) => Check::Flat(flat),
            None => Check::Nested(OnceLock::new()),
        };
        Ok(Self {
            name: name.into(),
            wire: wire.into(),
            place,
            required: raw.required,
            schema: to_json(raw),
            check,
        })
    }

    /// Checks a value. Path values are checked where the template is filled.
    pub(super) fn check(&self, value: &Value) -> Result<(), BindError> {
        match &self.check {
            Check::Segment => Ok(()),
            Check::Flat(flat) => {
                flat.check(value).map_err(|unfit| self.mismatch(flat.expected(unfit), value))
            }
            Check::Nested(cell) => {
                // `load` has compiled it once, so `None` cannot be; if it were, nothing would fit.
                let Some(validator) = cell.get_or_init(|| compile(&self.schema).ok()) else {
                    return Err(self.mismatch("a schema that compiles".to_owned(), value));
                };
                validator.validate(value).map_err(|error| {
                    let at = error.instance_path().as_str();
                    let place = if at.is_empty() { "" } else { " at " };
                    let rule = error.masked_with("the value").to_string();
                    self.mismatch(format!("{rule}{place}{at}"), error.instance().as_ref())
                })
            }
        }
    }

    /// Compiles the nested schema now, to find a bad pattern while loading.
    pub(super) fn compile(&self) -> Result<(), Problem> {
        match &self.check {
            Check::Nested(_) => compile(&self.schema).map(drop),
            Check::Segment | Check::Flat(_) => Ok(()),
        }
    }

    pub(super) fn mismatch(&self, expected: String, found: &Value) -> BindError {
        BindError::Mismatch {
            parameter: self.name.to_string(),
            expected: super::bind::bounded(&expected, 256),
            found: describe(found),
        }
    }
}

fn query_style(raw: &RawSchema, types: Types) -> Result<QueryStyle, Problem> {
    let style = raw.style.unwrap_or_default();
    if types.is_empty() || types.has(Types::NULL) {
        return Err(Problem::Rule("a query parameter has a type, and not null"));
    }
    let by_key = matches!(style, QueryStyle::Deep | QueryStyle::Spread);
    if types.has(Types::OBJECT) != by_key {
        return Err(Problem::Rule("an object in the query has the style deep or spread"));
    }
    let items = raw.items.as_ref().map(|items| Types::read(items)).transpose()?;
    let has_nested = items.is_some_and(|t| t.has(Types::OBJECT) || t.has(Types::ARRAY));
    if has_nested && style != QueryStyle::Deep {
        return Err(Problem::Rule("a list in the query holds scalars"));
    }
    Ok(style)
}
