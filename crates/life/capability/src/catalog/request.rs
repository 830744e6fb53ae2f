//! From a raw HTTP request back to an operation and its arguments.

use std::{collections::BTreeMap, sync::Arc};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};

use super::{
    bind::{BODY_BYTES_MAX, BindError, Bound, QUERY_BYTES_MAX},
    bytes::read_bytes,
    encode::is_spread_name,
    jsonrpc::Call,
    method::Method,
    operation::{BodyShape, Operation},
    parameter::{Parameter, Place, QueryStyle},
    service::Service,
};
use crate::url::{CanonicalPath, PathError};

/// A request as it arrived at an HTTP door, below the service's base URL.
#[derive(Clone, Copy, Debug)]
pub struct RawRequest<'r> {
    /// The method of the request line.
    pub method: &'r str,
    /// The path of the request line, without query.
    pub path: &'r str,
    /// The query without `?`; empty for none.
    pub query: &'r str,
    /// The value of `Content-Type`.
    pub content_type: Option<&'r str>,
    /// The whole body.
    pub body: &'r [u8],
}

/// What a raw request means: the operation it names, its arguments, and the request that is sent in its
/// place. The sent one is built from the arguments, so two readings of the raw bytes cannot differ.
#[derive(Debug)]
pub struct Matched {
    operation: Arc<Operation>,
    arguments: Map<String, Value>,
    bound: Bound,
}

impl Matched {
    /// The operation that the request names.
    #[must_use]
    pub const fn operation(&self) -> &Arc<Operation> {
        &self.operation
    }

    /// The arguments, as [`Operation::bind`] takes them.
    #[must_use]
    pub const fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }

    /// The request to send.
    #[must_use]
    pub const fn bound(&self) -> &Bound {
        &self.bound
    }

    /// Gives up the wrapper.
    #[must_use]
    pub fn into_parts(self) -> (Arc<Operation>, Map<String, Value>, Bound) {
        (self.operation, self.arguments, self.bound)
    }
}

/// Why a raw request names no operation. The caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A method that no operation uses.
    #[error("this method is not offered")]
    Method,
    /// A path that normalises elsewhere; refused before any matching.
    #[error("the path is refused: {0}")]
    Path(#[from] PathError),
    /// Nothing in the catalogue fits.
    #[error("no operation of {service} has this method and path")]
    NotListed {
        /// The service.
        service: String,
    },
    /// A JSON-RPC call of a method that the catalogue does not have.
    #[error("no operation of {service} is the JSON-RPC method {method:?}")]
    CallNotListed {
        /// The service.
        service: String,
        /// The method, at most 64 characters.
        method: String,
    },
    /// A query or form that is not `name=value` pairs in percent-encoded UTF-8.
    #[error("the {what} is not name=value pairs in percent-encoded UTF-8")]
    Pairs {
        /// Query or body.
        what: &'static str,
    },
    /// A parameter that came twice and is not a list.
    #[error("the parameter {parameter} came twice")]
    Twice {
        /// Its name.
        parameter: String,
    },
    /// Another media type than the operation sends.
    #[error("this operation takes a body of type {expected}")]
    ContentType {
        /// The operation's type.
        expected: String,
    },
    /// A body that cannot be read: not JSON, a name twice, too deep, not an object.
    #[error("the body cannot be read: {0}")]
    Body(&'static str),
    /// The arguments do not fit.
    #[error(transparent)]
    Bind(#[from] BindError),
}

impl Service {
    /// Which operation a raw request names, with its arguments typed back and checked as any others.
    ///
    /// # Errors
    /// [`RequestError`]; what is not listed is refused.
    pub fn matches_request(&self, request: &RawRequest<'_>) -> Result<Matched, RequestError> {
        let method = Method::from_wire(request.method).ok_or(RequestError::Method)?;
        let path = CanonicalPath::from_wire(request.path)?;
        let mut captured =
            self.match_order.iter().map(|at| &self.operations[*at]).filter_map(|o| {
                (o.method() == method).then(|| o.path().matches(&path)).flatten().map(|c| (o, c))
            });
        let Some((operation, captures)) = captured.next() else {
            // Somebody may have hidden a slash where no type allows one: say so.
            if path.as_str().contains("%2F") {
                return Err(PathError::EncodedSlash.into());
            }
            return Err(RequestError::NotListed { service: self.id().to_string() });
        };
        let mut arguments = Map::new();
        captures.fill(&mut arguments);
        // One path may be many operations, which the body tells apart.
        let mut candidates = std::iter::once(operation).chain(captured.map(|(o, _)| o));
        let mut body = None;
        let operation = match operation.body_shape() {
            BodyShape::GraphQl { .. } => {
                let (document, variables) = read_graphql(operation, request)?;
                let operation = candidates
                    .find(|o| has_document(o, &document))
                    .ok_or_else(|| RequestError::NotListed { service: self.id().to_string() })?;
                name_members(operation, variables, &mut arguments)?;
                operation
            }
            BodyShape::JsonRpc { .. } => {
                let call = Call::read(operation, request)?;
                let operation = candidates
                    .find(|o| is_call(o, &call.method))
                    .ok_or_else(|| call.not_listed(self.id().as_str()))?;
                body = Some(call.fill(operation, &mut arguments)?);
                operation
            }
            // Its endpoint is a session's, which the broker holds: a tool is called by its name.
            BodyShape::Mcp(_) => {
                return Err(RequestError::NotListed { service: self.id().to_string() });
            }
            _ => {
                read_body(operation, request, &mut arguments)?;
                operation
            }
        };
        read_query(operation, request.query, &mut arguments)?;
        if operation.takes_bytes() {
            body = read_bytes(operation, request)?;
        }
        let bound = operation.bind_with(&arguments, body)?;
        Ok(Matched { operation: Arc::clone(operation), arguments, bound })
    }
}

fn has_document(operation: &Operation, asked: &str) -> bool {
    matches!(operation.body_shape(), BodyShape::GraphQl { document } if **document == *asked.trim())
}

fn is_call(operation: &Operation, asked: &str) -> bool {
    matches!(operation.body_shape(), BodyShape::JsonRpc { method, .. } if **method == *asked)
}

pub(super) fn read_query(
    operation: &Operation,
    raw: &str,
    arguments: &mut Map<String, Value>,
) -> Result<(), RequestError> {
    if raw.len() > QUERY_BYTES_MAX {
        return Err(BindError::TooLarge { what: "query", max: QUERY_BYTES_MAX }.into());
    }
    let in_query = |p: &&Parameter| matches!(p.place(), Place::Query(_));
    let mut trees: BTreeMap<&str, (&Parameter, Tree)> = BTreeMap::new();
    let mut spread = Map::new();
    for (key, value) in pairs(raw, "query")? {
        let own =
            operation.parameters().iter().filter(in_query).find_map(|p| Some((p, steps(p, &key)?)));
        match own {
            Some((parameter, steps)) => {
                let (_, tree) =
                    trees.entry(parameter.name()).or_insert_with(|| (parameter, Tree::default()));
                put(tree, parameter, &steps, value)?;
            }
            None => {
                let free = operation.parameters().iter().find(|p| p.place() == SPREAD);
                let Some(parameter) = free.filter(|_| is_spread_name(&key)) else {
                    return Err(operation.unknown(&key).into());
                };
                let (name, value) = (parameter.name().to_owned(), Value::String(value));
                let members =
                    spread.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
                let is_new =
                    members.as_object_mut().is_some_and(|m| m.insert(key, value).is_none());
                if !is_new {
                    return Err(RequestError::Twice { parameter: name });
                }
            }
        }
    }
    for (name, (parameter, tree)) in trees {
        arguments.insert(name.to_owned(), tree.into_value(parameter.schema()));
    }
    arguments.extend(spread);
    Ok(())
}

const SPREAD: Place = Place::Query(QueryStyle::Spread);

/// Where below a query parameter a key points; `None` where it is of another parameter.
fn steps(parameter: &Parameter, key: &str) -> Option<Vec<String>> {
    let style = match parameter.place() {
        Place::Query(style) => style,
        _ => return None,
    };
    let wire = parameter.wire();
    match style {
        QueryStyle::Spread => None,
        QueryStyle::Deep => brackets(wire, key),
        QueryStyle::Brackets if is_list(parameter) => {
            (key.strip_suffix("[]")? == wire).then(|| vec![String::new()])
        }
        QueryStyle::Repeat | QueryStyle::Comma if is_list(parameter) => {
            (key == wire).then(|| vec![String::new()])
        }
        _ => (key == wire).then(Vec::new),
    }
}

fn is_list(parameter: &Parameter) -> bool {
    has_type(parameter.schema(), "array")
}

fn put(
    tree: &mut Tree,
    parameter: &Parameter,
    at: &[String],
    value: String,
) -> Result<(), RequestError> {
    let twice = || RequestError::Twice { parameter: parameter.name().to_owned() };
    if parameter.place() == Place::Query(QueryStyle::Comma) && is_list(parameter) {
        if !matches!(tree, Tree::None) {
            return Err(twice());
        }
        return value.split(',').try_for_each(|one| tree.put(at, one.to_owned()).ok_or_else(twice));
    }
    tree.put(at, value).ok_or_else(twice)
}

fn read_body(
    operation: &Operation,
    request: &RawRequest<'_>,
    arguments: &mut Map<String, Value>,
) -> Result<(), RequestError> {
    if request.body.len() > BODY_BYTES_MAX {
        return Err(BindError::TooLarge { what: "body", max: BODY_BYTES_MAX }.into());
    }
    if request.body.is_empty() {
        return Ok(());
    }
    if operation.takes_bytes() {
        return Ok(());
    }
    if *operation.body_shape() == BodyShape::None {
        return Err(RequestError::Body("this operation has none"));
    }
    check_content_type(operation, request)?;
    let whole = operation.parameters().iter().find(|p| p.place() == Place::Body);
    match operation.body_shape() {
        BodyShape::None
        | BodyShape::GraphQl { .. }
        | BodyShape::JsonRpc { .. }
        | BodyShape::Mcp(_)
        | BodyShape::Bytes { .. } => Ok(()),
        BodyShape::Json => match read_json(request.body)? {
            Value::Object(members) => name_members(operation, members, arguments),
            _ => Err(RequestError::Body("it is not a JSON object")),
        },
        BodyShape::Whole => {
            let value = read_json(request.body)?;
            arguments.extend(whole.map(|p| (p.name().to_owned(), value)));
            Ok(())
        }
        BodyShape::Text => {
            let text = str_of(request.body)?.to_owned();
            arguments.extend(whole.map(|p| (p.name().to_owned(), Value::String(text))));
            Ok(())
        }
        BodyShape::Form => {
            let mut trees: BTreeMap<&str, (&Parameter, Tree)> = BTreeMap::new();
            for (key, value) in pairs(str_of(request.body)?, "body")? {
                let body = operation.parameters().iter().filter(|p| p.place() == Place::Body);
                let own = body.into_iter().find_map(|p| Some((p, brackets(p.wire(), &key)?)));
                let Some((parameter, steps)) = own else {
                    return Err(operation.unknown(&key).into());
                };
                let (_, tree) =
                    trees.entry(parameter.name()).or_insert_with(|| (parameter, Tree::default()));
                put(tree, parameter, &steps, value)?;
            }
            for (name, (parameter, tree)) in trees {
                arguments.insert(name.to_owned(), tree.into_value(parameter.schema()));
            }
            Ok(())
        }
    }
}

fn read_graphql(
    operation: &Operation,
    request: &RawRequest<'_>,
) -> Result<(String, Map<String, Value>), RequestError> {
    if request.body.len() > BODY_BYTES_MAX {
        return Err(BindError::TooLarge { what: "body", max: BODY_BYTES_MAX }.into());
    }
    check_content_type(operation, request)?;
    let Value::Object(mut members) = read_json(request.body)? else {
        return Err(RequestError::Body("it is not a JSON object"));
    };
    let document = members.remove("query");
    let variables = members.remove("variables").unwrap_or(Value::Null);
    // Only a hint to servers: the document names its one operation.
    members.remove("operationName");
    match (document, variables) {
        (Some(Value::String(document)), Value::Null) if members.is_empty() => {
            Ok((document, Map::new()))
        }
        (Some(Value::String(document)), Value::Object(variables)) if members.is_empty() => {
            Ok((document, variables))
        }
        _ => Err(RequestError::Body("a GraphQL body has query and variables, and nothing else")),
    }
}

/// Members of a JSON object by the names of their parameters.
pub(super) fn name_members(
    operation: &Operation,
    members: Map<String, Value>,
    arguments: &mut Map<String, Value>,
) -> Result<(), RequestError> {
    for (wire, value) in members {
        let is_own = |p: &&Parameter| p.place() == Place::Body && p.wire() == wire;
        let Some(parameter) = operation.parameters().iter().find(is_own) else {
            return Err(operation.unknown(&wire).into());
        };
        arguments.insert(parameter.name().to_owned(), value);
    }
    Ok(())
}

pub(super) fn check_content_type(
    operation: &Operation,
    request: &RawRequest<'_>,
) -> Result<(), RequestError> {
    let essence = |text: &str| text.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let expected = operation.content_type();
    match request.content_type {
        Some(found) if essence(found) == essence(expected) => Ok(()),
        _ => Err(RequestError::ContentType { expected: essence(expected) }),
    }
}

pub(super) fn read_json(bytes: &[u8]) -> Result<Value, RequestError> {
    symbolon_codec::json::parse_bounded(bytes, BODY_BYTES_MAX, JSON_DEPTH_MAX)
        .map_err(|_| RequestError::Body("it is not JSON, names a member twice, or is too deep"))
}

fn str_of(bytes: &[u8]) -> Result<&str, RequestError> {
    std::str::from_utf8(bytes).map_err(|_| RequestError::Body("it is not UTF-8"))
}

const JSON_DEPTH_MAX: usize = 64;
const PAIRS_MAX: usize = 1000;
const STEPS_MAX: usize = 8;

/// Splits and decodes `a=b&c=d`; `+` is a blank, as in every form.
fn pairs(raw: &str, what: &'static str) -> Result<Vec<(String, String)>, RequestError> {
    let decode = |text: &str| {
        let bytes = text.as_bytes();
        let is_escape = |at: usize| matches!(bytes.get(at + 1..at + 3), Some(two) if two.iter().all(u8::is_ascii_hexdigit));
        let is_sound = bytes.iter().enumerate().all(|(at, b)| match b {
            b'%' => is_escape(at),
            b => b.is_ascii_graphic() && *b != b'#',
        });
        let plain = text.replace('+', " ");
        let decoded = percent_decode_str(&plain).decode_utf8().ok().map(|text| text.into_owned());
        decoded.filter(|_| is_sound).ok_or(RequestError::Pairs { what })
    };
    let pieces: Vec<&str> = raw.split('&').filter(|piece| !piece.is_empty()).collect();
    if pieces.len() > PAIRS_MAX {
        return Err(RequestError::Pairs { what });
    }
    pieces
        .into_iter()
        .map(|piece| {
            let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
            Ok((decode(key)?, decode(value)?))
        })
        .collect()
}

/// The steps of `wire[a][0][]` after `wire`.
fn brackets(wire: &str, key: &str) -> Option<Vec<String>> {
    let mut rest = key.strip_prefix(wire)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = rest.strip_prefix('[')?.split_once(']')?;
        steps.push(step.to_owned());
        rest = after;
    }
    (steps.len() <= STEPS_MAX).then_some(steps)
}

/// Values by their steps, before they have types.
#[derive(Debug, Default)]
enum Tree {
    #[default]
    None,
    Leaf(String),
    Node(BTreeMap<String, Tree>),
}

impl Tree {
    /// Puts a value; `None` where one stands there already.
    fn put(&mut self, steps: &[String], value: String) -> Option<()> {
        let Some((step, rest)) = steps.split_first() else {
            return match self {
                Self::None => {
                    *self = Self::Leaf(value);
                    Some(())
                }
                _ => None,
            };
        };
        if matches!(self, Self::None) {
            *self = Self::Node(BTreeMap::new());
        }
        let Self::Node(members) = self else { return None };
        // `[]` is the next place of a list. Fixed width keeps the order of numbers in the map.
        let key = match step.as_str() {
            "" => format!("{:08}", members.len()),
            digits if digits.len() < 8 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                format!("{digits:0>8}")
            }
            name => name.to_owned(),
        };
        members.entry(key).or_default().put(rest, value)
    }

    /// Reads the values as the schema types them; what does not fit stays text, and `bind` refuses it.
    fn into_value(self, schema: &Value) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Leaf(text) => typed(schema, text),
            Self::Node(members) if has_type(schema, "array") => {
                let item = schema.get("items").unwrap_or(&Value::Null);
                members.into_values().map(|tree| tree.into_value(item)).collect()
            }
            Self::Node(members) => members
                .into_iter()
                .map(|(key, tree)| {
                    let key = match key.trim_start_matches('0') {
                        // Undo the fixed width for a member whose name is a number.
                        bare if key.len() == 8 && key.bytes().all(|b| b.is_ascii_digit()) => {
                            if bare.is_empty() { "0".to_owned() } else { bare.to_owned() }
                        }
                        _ => key,
                    };
                    let own = schema.get("properties").and_then(|p| p.get(&key));
                    let any = schema.get("additionalProperties");
                    let value = tree.into_value(own.or(any).unwrap_or(&Value::Null));
                    (key, value)
                })
                .collect(),
        }
    }
}

/// A text as the type that the schema names. A schema that takes text gets text.
fn typed(schema: &Value, text: String) -> Value {
    let read = || {
        if has_type(schema, "string") {
            return None;
        }
        if has_type(schema, "boolean") && matches!(text.as_str(), "true" | "false") {
            return Some(Value::Bool(text == "true"));
        }
        if has_type(schema, "null") && text.is_empty() {
            return Some(Value::Null);
        }
        let is_number = has_type(schema, "integer") || has_type(schema, "number");
        // JSON's own grammar of numbers, without the blanks that its reader skips.
        let is_bare = !text.contains(char::is_whitespace);
        (is_number && is_bare)
            .then(|| serde_json::from_str::<Number>(&text).ok())
            .flatten()
            .map(Value::Number)
    };
    read().unwrap_or(Value::String(text))
}

fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(many)) => many.iter().any(|one| one == name),
        _ => false,
    }
}
