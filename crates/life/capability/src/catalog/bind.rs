//! From arguments to a request.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    encode::{Pairs, is_spread_name},
    operation::{BodyShape, Operation},
    parameter::{Parameter, Place, QueryStyle},
    path::ExpandError,
};
use crate::url::{CanonicalPath, PathError};

/// The largest query, in bytes.
pub const QUERY_BYTES_MAX: usize = 8 * 1024;

/// The largest body, in bytes.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a call sends: only [`Operation::bind`] makes it, after every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    path: CanonicalPath,
    query: String,
    body: Option<Body>,
}

impl Bound {
    /// The path below the connection's base URL ([`crate::url::BaseUrl::target`]).
    #[must_use]
    pub const fn path(&self) -> &CanonicalPath {
        &self.path
    }

    /// The query without `?`, percent-encoded, in the order of declaration; empty for none.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The body, if there is one.
    #[must_use]
    pub const fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// Takes the body out, to be sent.
    #[must_use]
    pub fn take_body(&mut self) -> Option<Body> {
        self.body.take()
    }

    /// All three parts.
    #[must_use]
    pub fn into_parts(self) -> (CanonicalPath, String, Option<Body>) {
        (self.path, self.query, self.body)
    }
}

/// Bytes and what they are.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    content_type: Arc<str>,
    bytes: Vec<u8>,
}

impl Body {
    pub(super) fn new(content_type: Arc<str>, bytes: Vec<u8>) -> Self {
        Self { content_type, bytes }
    }

    /// The value of the `Content-Type` header.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives up the wrapper.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({}, {} bytes)", self.content_type, self.bytes.len())
    }
}

/// Why arguments do not make a request. The caller is at fault; values are described, never echoed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// An argument that the operation does not have.
    #[error("there is no parameter {parameter:?}; there are: {known}")]
    Unknown {
        /// Its name, at most 64 characters.
        parameter: String,
        /// The names that exist.
        known: String,
    },
    /// A required argument that is not there.
    #[error("the parameter {parameter} is required")]
    Missing {
        /// Its name.
        parameter: String,
    },
    /// A value that does not fit the schema.
    #[error("the parameter {parameter}: expected {expected}, found {found}")]
    Mismatch {
        /// Its name.
        parameter: String,
        /// What the schema says.
        expected: String,
        /// Type and size of the value.
        found: String,
    },
    /// A value that cannot stand in the path.
    #[error("the parameter {parameter} in the path: {cause}")]
    Path {
        /// Its name.
        parameter: String,
        /// What is wrong.
        #[source]
        cause: PathError,
    },
    /// CR, LF, NUL or another control character in a query.
    #[error("the parameter {parameter}: control characters are refused in a query")]
    Control {
        /// Its name.
        parameter: String,
    },
    /// A name of a spread parameter that is a parameter of its own.
    #[error("{parameter} cannot name {name:?}: it is a parameter of its own")]
    Clash {
        /// The spread parameter.
        parameter: String,
        /// The name in it.
        name: String,
    },
    /// A parameter of a list, with none before it.
    #[error("the parameter {parameter} needs {before}, which stands before it")]
    Gap {
        /// The one that is given.
        parameter: String,
        /// The one that is not.
        before: String,
    },
    /// More than the limit.
    #[error("the {what} is larger than {max} bytes")]
    TooLarge {
        /// Query or body.
        what: &'static str,
        /// The limit in bytes.
        max: usize,
    },
    /// The values make the path of another operation, which has its own scope.
    #[error("these values name the path of {operation}; call that operation")]
    Reserved {
        /// The other operation.
        operation: String,
    },
    /// Arguments are not bytes.
    #[error("this operation takes a body of bytes, which only a program can send")]
    Bytes,
}

impl Operation {
    /// Checks the arguments and builds the request.
    ///
    /// No argument can reach the scheme, the host or the shape of the path: values fill typed holes.
    ///
    /// # Errors
    /// [`BindError`] names the first argument that does not fit.
    pub fn bind(&self, arguments: &Map<String, Value>) -> Result<Bound, BindError> {
        if self.takes_bytes() {
            return Err(BindError::Bytes);
        }
        self.bind_with(arguments, None)
    }

    /// As [`bind`](Self::bind), with the bytes of an operation that takes some.
    pub(super) fn bind_with(
        &self,
        arguments: &Map<String, Value>,
        bytes: Option<Body>,
    ) -> Result<Bound, BindError> {
        let mut query = Pairs::default();
        let mut known = 0;
        for parameter in self.parameters() {
            let Some(value) = arguments.get(parameter.name()) else {
                if parameter.is_required() {
                    return Err(BindError::Missing { parameter: parameter.name().to_owned() });
                }
                continue;
            };
            known += 1;
            parameter.check(value)?;
            if let Place::Query(style) = parameter.place() {
                if style == QueryStyle::Spread {
                    self.check_spread(parameter, value)?;
                }
                query.query(parameter, style, value)?;
            }
        }
        if known != arguments.len() {
            return Err(self.unknown(self.stranger(arguments)));
        }
        let path = self
            .path()
            .expand(arguments)
            .map_err(|ExpandError { parameter, cause }| BindError::Path { parameter, cause })?;
        if let Some(other) = self.reserved().iter().find(|(t, _)| t.matches(&path).is_some()) {
            return Err(BindError::Reserved { operation: other.1.to_string() });
        }
        let query = query.into_string();
        if query.len() > QUERY_BYTES_MAX {
            return Err(BindError::TooLarge { what: "query", max: QUERY_BYTES_MAX });
        }
        let body = match bytes {
            Some(bytes) => Some(bytes),
            None => self.bind_body(arguments)?,
        };
        Ok(Bound { path, query, body })
    }

    fn bind_body(&self, arguments: &Map<String, Value>) -> Result<Option<Body>, BindError> {
        let parameters = || self.parameters().iter().filter(|p| p.place() == Place::Body);
        let given = || parameters().filter_map(|p| Some((p, arguments.get(p.name())?)));
        let bytes = match self.body_shape() {
            BodyShape::None | BodyShape::Bytes { .. } => return Ok(None),
            BodyShape::Json => {
                let mut out = Vec::with_capacity(128);
                write_object(given(), &mut out);
                out
            }
            BodyShape::GraphQl { document, .. } => {
                let mut out = Vec::with_capacity(document.len() + 128);
                out.extend_from_slice(b"{\"query\":");
                write_json(&Value::from(&**document), &mut out);
                out.extend_from_slice(b",\"variables\":");
                write_object(given(), &mut out);
                out.push(b'}');
                out
            }
            BodyShape::JsonRpc { .. } => {
                return self.call_body(arguments, &Value::from(1)).map(Some);
            }
            BodyShape::Mcp(_) => return self.mcp_body(arguments).map(Some),
            BodyShape::Form => {
                let mut pairs = Pairs::default();
                given().for_each(|(parameter, value)| pairs.deep(parameter.wire(), value));
                pairs.into_string().into_bytes()
            }
            BodyShape::Whole => match given().next() {
                None => return Ok(None),
                Some((_, value)) => {
                    let mut out = Vec::new();
                    write_json(value, &mut out);
                    out
                }
            },
            BodyShape::Text => match given().next() {
                Some((_, Value::String(text))) => text.clone().into_bytes(),
                _ => return Ok(None),
            },
        };
        self.body_of(bytes).map(Some)
    }

    /// A body of the operation's own type, unless it is too large.
    pub(super) fn body_of(&self, bytes: Vec<u8>) -> Result<Body, BindError> {
        if bytes.len() > BODY_BYTES_MAX {
            return Err(BindError::TooLarge { what: "body", max: BODY_BYTES_MAX });
        }
        Ok(Body { content_type: Arc::clone(self.content_type()), bytes })
    }

    fn check_spread(&self, parameter: &Parameter, value: &Value) -> Result<(), BindError> {
        let is_own = |name: &&String| {
            let is_query = |p: &&Parameter| matches!(p.place(), Place::Query(_));
            self.parameters().iter().filter(is_query).any(|p| p.wire() == name.as_str())
        };
        match value.as_object().and_then(|members| members.keys().find(is_own)) {
            Some(name) if is_spread_name(name) => {
                Err(BindError::Clash { parameter: parameter.name().to_owned(), name: name.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The first argument that the operation does not have.
    fn stranger<'a>(&self, arguments: &'a Map<String, Value>) -> &'a str {
        let is_own = |name: &str| self.parameters().iter().any(|p| p.name() == name);
        arguments.keys().find(|name| !is_own(name)).map_or("", String::as_str)
    }

    pub(super) fn unknown(&self, name: &str) -> BindError {
        let own: Vec<&str> = self.parameters().iter().map(Parameter::name).collect();
        BindError::Unknown {
            parameter: bounded(name, 64),
            known: if own.is_empty() { "none".to_owned() } else { bounded(&own.join(", "), 512) },
        }
    }
}

/// Text for an error: cut, and without control characters.
pub(super) fn bounded(text: &str, chars_max: usize) -> String {
    let mut chars = text.chars().filter(|c| !c.is_control());
    let mut out: String = chars.by_ref().take(chars_max).collect();
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

pub(super) fn write_object<'v>(
    members: impl Iterator<Item = (&'v Parameter, &'v Value)>,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    for (at, (parameter, value)) in members.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_json(parameter.wire(), out);
        out.push(b':');
        write_json(value, out);
    }
    out.push(b'}');
}

pub(super) fn write_json<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // Writing a `Value` or a `str` into memory cannot fail: no I/O, and keys are strings.
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok());
}
