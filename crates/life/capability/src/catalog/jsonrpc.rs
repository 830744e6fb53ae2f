//! Operations of a JSON-RPC 2.0 server: one path, and the method's name in the body says which.
//!
//! Source: <https://www.jsonrpc.org/specification>.

use serde_json::{Map, Value};

use super::{
    bind::{BODY_BYTES_MAX, BindError, Body, bounded, write_json, write_object},
    error::Problem,
    file::{RawBodyEncoding, RawOperation, RawParams},
    method::Method,
    operation::{BodyShape, Operation},
    parameter::{Parameter, Place},
    request::{RawRequest, RequestError, check_content_type, name_members, read_json},
};

/// How the parameters of a call stand in `params` (section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParamsShape {
    /// By position, in the order of declaration.
    List,
    /// By name.
    Object,
}

/// Reads `jsonrpc` of an operation.
pub(super) fn read(
    raw: &RawOperation,
    name: &str,
    parameters: &[Parameter],
) -> Result<BodyShape, Problem> {
    let rule = |holds: bool, text| if holds { Ok(()) } else { Err(Problem::Rule(text)) };
    let is_json = raw.body_encoding == RawBodyEncoding::Json && !raw.body_whole;
    rule(is_json && raw.graphql.is_none(), "a jsonrpc operation has a JSON body of its own")?;
    rule(raw.method == Method::Post, "a jsonrpc operation is a POST")?;
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/');
    rule(
        (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_name),
        "jsonrpc is a method's name: 1 to 128 letters, digits, _, -, . or /",
    )?;
    let params = match raw.jsonrpc_params {
        None | Some(RawParams::List) => ParamsShape::List,
        Some(RawParams::Object) => ParamsShape::Object,
    };
    let body = || parameters.iter().filter(|p| p.place() == Place::Body);
    let last_required = body().filter(|p| p.is_required()).count();
    let is_ordered = body().take(last_required).all(Parameter::is_required);
    rule(
        params == ParamsShape::Object || is_ordered,
        "in a list of params the required ones come first",
    )?;
    Ok(BodyShape::JsonRpc { method: name.into(), params })
}

/// A call as a program sent it.
pub(super) struct Call {
    pub method: String,
    params: Value,
    id: Value,
}

impl Call {
    /// Reads a request's body. A batch is refused: each of its calls would need a grant, a budget and
    /// a receipt of its own, and its answer is one.
    pub(super) fn read(
        operation: &Operation,
        request: &RawRequest<'_>,
    ) -> Result<Self, RequestError> {
        if request.body.len() > BODY_BYTES_MAX {
            return Err(BindError::TooLarge { what: "body", max: BODY_BYTES_MAX }.into());
        }
        check_content_type(operation, request)?;
        let mut members = match read_json(request.body)? {
            Value::Object(members) => members,
            Value::Array(_) => {
                return Err(RequestError::Body("a JSON-RPC batch; send each call by itself"));
            }
            _ => return Err(RequestError::Body("it is not a JSON object")),
        };
        let version = members.remove("jsonrpc");
        let method = members.remove("method");
        let params = members.remove("params").unwrap_or_else(|| Value::Array(Vec::new()));
        let id = members.remove("id").filter(is_id);
        match (version, method, id) {
            (Some(Value::String(version)), Some(Value::String(method)), Some(id))
                if version == "2.0" && members.is_empty() =>
            {
                Ok(Self { method, params, id })
            }
            _ => Err(RequestError::Body(
                "a JSON-RPC call has jsonrpc \"2.0\", a method, an id (a whole number, or text of at \
                 most 128 bytes), perhaps params, and nothing else",
            )),
        }
    }

    /// The error for a method that no operation has.
    pub(super) fn not_listed(&self, service: &str) -> RequestError {
        let (service, method) = (service.to_owned(), bounded(&self.method, 64));
        RequestError::CallNotListed { service, method }
    }

    /// Names the parameters by their operation, and makes the body that is sent, under the id that
    /// the program waits for.
    pub(super) fn fill(
        self,
        operation: &Operation,
        arguments: &mut Map<String, Value>,
    ) -> Result<Body, RequestError> {
        let BodyShape::JsonRpc { params, .. } = operation.body_shape() else {
            return Err(RequestError::Body("it is no JSON-RPC call"));
        };
        match (params, self.params) {
            // Section 4.2: params may be left out, and then there are none.
            (_, Value::Array(values)) if values.is_empty() => {}
            (ParamsShape::List, Value::Array(values)) => {
                let mut own = operation.parameters().iter().filter(|p| p.place() == Place::Body);
                for value in values {
                    let Some(parameter) = own.next() else {
                        return Err(RequestError::Body("params has more than the method takes"));
                    };
                    arguments.insert(parameter.name().to_owned(), value);
                }
            }
            (ParamsShape::Object, Value::Object(members)) => {
                name_members(operation, members, arguments)?;
            }
            (ParamsShape::List, _) => {
                return Err(RequestError::Body("params of this method is a list"));
            }
            (ParamsShape::Object, _) => {
                return Err(RequestError::Body("params of this method is an object"));
            }
        }
        Ok(operation.call_body(arguments, &self.id)?)
    }
}

impl Operation {
    /// The body of a call: members in one order, parameters in theirs.
    pub(super) fn call_body(
        &self,
        arguments: &Map<String, Value>,
        id: &Value,
    ) -> Result<Body, BindError> {
        let mut out = Vec::with_capacity(256);
        if let BodyShape::JsonRpc { method, params } = self.body_shape() {
            out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
            write_json(id, &mut out);
            out.extend_from_slice(b",\"method\":");
            write_json(&**method, &mut out);
            out.extend_from_slice(b",\"params\":");
            match params {
                ParamsShape::List => self.write_list(arguments, &mut out)?,
                ParamsShape::Object => {
                    let own = self.parameters().iter().filter(|p| p.place() == Place::Body);
                    write_object(own.filter_map(|p| Some((p, arguments.get(p.name())?))), &mut out);
                }
            }
            out.push(b'}');
        }
        self.body_of(out)
    }

    /// A list has no names, so nothing can be left out before what is given.
    fn write_list(
        &self,
        arguments: &Map<String, Value>,
        out: &mut Vec<u8>,
    ) -> Result<(), BindError> {
        let mut absent: Option<&Parameter> = None;
        out.push(b'[');
        for (at, parameter) in
            self.parameters().iter().filter(|p| p.place() == Place::Body).enumerate()
        {
            match (arguments.get(parameter.name()), absent) {
                (None, _) => absent = absent.or(Some(parameter)),
                (Some(_), Some(gap)) => {
                    return Err(BindError::Gap {
                        parameter: parameter.name().to_owned(),
                        before: gap.name().to_owned(),
                    });
                }
                (Some(value), None) => {
                    if at > 0 {
                        out.push(b',');
                    }
                    write_json(value, out);
                }
            }
        }
        out.push(b']');
        Ok(())
    }
}

/// Section 4: text, a whole number or null. A call with null, or without an id, gets no answer, and a
/// receipt needs one.
fn is_id(id: &Value) -> bool {
    match id {
        Value::String(text) => text.len() <= ID_BYTES_MAX,
        Value::Number(number) => number.is_u64() || number.is_i64(),
        _ => false,
    }
}

const NAME_BYTES_MAX: usize = 128;
const ID_BYTES_MAX: usize = 128;
