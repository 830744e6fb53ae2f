//! What can be wrong with a catalogue file.

use super::{base_url_template::BaseUrlTemplateError, name::NameError, path::TemplateError};

/// Why a catalogue could not be loaded. The author of the file is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// The file is larger than the limit.
    #[error("a catalogue file must have at most {max} bytes, found {found}")]
    TooLarge {
        /// The limit in bytes.
        max: usize,
        /// The size in bytes.
        found: usize,
    },
    /// Not TOML, or a field that is missing, unknown or of another type; says line and column.
    #[error("a catalogue file is not in its format (specs/catalog.md)")]
    Format(#[from] toml::de::Error),
    /// Not JSON, or a field that is missing, unknown or of another type; says line and column.
    #[error("an imported catalogue file is not in its format (specs/openapi.md)")]
    Json(#[from] serde_json::Error),
    /// The service's own part.
    #[error("service {service:?}: {problem}")]
    Service {
        /// The service's id as written.
        service: String,
        /// What is wrong.
        #[source]
        problem: Problem,
    },
    /// One operation.
    #[error("operation {operation:?}: {problem}")]
    Operation {
        /// The full name as written.
        operation: String,
        /// What is wrong.
        #[source]
        problem: Problem,
    },
    /// One parameter of an operation.
    #[error("operation {operation:?}, parameter {parameter:?}: {problem}")]
    Parameter {
        /// The full name as written.
        operation: String,
        /// The parameter.
        parameter: String,
        /// What is wrong.
        #[source]
        problem: Problem,
    },
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A path template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The base URL.
    #[error(transparent)]
    BaseUrl(#[from] BaseUrlTemplateError),
    /// A text that is empty, too long, or has control characters.
    #[error("a text must have 1 to {max} characters and no control characters")]
    Text {
        /// The limit in characters.
        max: usize,
    },
    /// A name that is already taken.
    #[error("the name {0:?} is taken already")]
    Duplicate(String),
    /// Two operations that one request could name.
    #[error("no request can tell it from {0:?}: same method and same path")]
    Ambiguous(String),
    /// A schema that does not compile.
    #[error("the schema does not compile: {0}")]
    Schema(String),
    /// Any other rule of the format.
    #[error("{0}")]
    Rule(&'static str),
}
