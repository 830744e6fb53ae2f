//! What is wrong with a definition, with inputs, or with what a template found.

use symbolon_import::LocatedError;

/// A definition that is not taken, and where it goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct FlowError {
    /// From 1; 0 where the reader did not say.
    pub line: u64,
    /// From 1; 0 where the reader did not say.
    pub column: u64,
    /// What is wrong.
    pub what: String,
    /// What to write in its place.
    pub next: Option<String>,
}

impl FlowError {
    pub(crate) fn at((line, column): (u64, u64), what: impl Into<String>) -> Self {
        Self { line, column, what: what.into(), next: None }
    }

    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

impl From<LocatedError> for FlowError {
    fn from(error: LocatedError) -> Self {
        Self { line: error.line, column: error.column, what: error.what, next: None }
    }
}

/// Inputs that do not fit the definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// One without a default was not given.
    #[error("the input {0} is missing")]
    Missing(String),
    /// One that the definition does not name.
    #[error("the flow has no input {0}")]
    Unknown(String),
    /// One of another type.
    #[error("the input {name} is of type {wanted}")]
    Type {
        /// Its name.
        name: String,
        /// What the definition says.
        wanted: &'static str,
    },
    /// All together are too long.
    #[error("inputs have at most {max} bytes as JSON, found {found}")]
    TooLong {
        /// The limit in bytes.
        max: usize,
        /// The size in bytes.
        found: usize,
    },
}

/// A template or a condition that cannot be worked out with what there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandError {
    /// Nothing stands at the path.
    #[error("{{{{ {0} }}}} leads to nothing")]
    Nothing(String),
    /// A list, an object or null within a text.
    #[error("{{{{ {path} }}}} is {found}, which cannot stand within a text")]
    NotText {
        /// The path.
        path: String,
        /// What it leads to.
        found: &'static str,
    },
    /// A condition that is neither true nor false.
    #[error("{path} is {found}, and a condition is true or false")]
    NotBoolean {
        /// The path.
        path: String,
        /// What it leads to.
        found: &'static str,
    },
    /// More than a step's arguments may have.
    #[error("the arguments have more than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
}

pub(crate) const fn kind_of(value: &serde_json::Value) -> &'static str {
    use serde_json::Value;
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
