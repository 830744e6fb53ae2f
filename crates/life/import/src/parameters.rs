//! Parameters of an operation: path, query, header, cookie.

use std::collections::HashSet;

use crate::{
    document::{Dialect, Document, shown},
    file::{Fields, Shape},
    name,
    node::Node,
    schema::convert,
    text::{self, Text},
};

/// What the parameters of an operation come to.
#[derive(Default)]
pub(crate) struct Parameters<'n> {
    pub path: String,
    pub segments: Fields<String>,
    pub query: Fields<Shape>,
    pub headers: Fields<String>,
    pub idempotency_key: Option<String>,
    /// Swagger 2 has its body among the parameters.
    pub body: Vec<&'n Node>,
    pub losses: Vec<String>,
    /// Names that are taken.
    pub names: HashSet<String>,
}

/// The name of the query parameter in which the credential travels, if it does.
pub(crate) type OwnQuery<'a> = Option<&'a str>;

/// Reads them all; the operation's own stand above those of its path.
///
/// # Errors
/// Why the operation cannot be called with what can be said of its parameters.
pub(crate) fn read<'n>(
    document: &Document<'n>,
    template: &str,
    shared: &'n [Node],
    own: &'n [Node],
    own_query: OwnQuery<'_>,
) -> Result<Parameters<'n>, String> {
    let all = gather(document, shared, own)?;
    let mut out = Parameters::default();
    let in_path: Vec<&Node> =
        all.iter().filter(|p| p.text("in") == Some("path")).copied().collect();
    out.path = path(document, template, &in_path, &mut out)?;
    for parameter in all {
        let wire = parameter.text("name").unwrap_or_default();
        match parameter.text("in") {
            Some("path") => {}
            Some("query") => query(document, parameter, wire, own_query, &mut out)?,
            Some("header") => header(document, parameter, wire, &mut out)?,
            Some("body" | "formData") if document.dialect == Dialect::Swagger2 => {
                out.body.push(parameter)
            }
            Some("cookie") if !parameter.is_true("required") => {
                out.losses.push(format!("cookie {}: cannot be given", shown(wire)));
            }
            _ => {
                return Err(format!(
                    "the parameter {} stands where none can be given",
                    shown(wire)
                ));
            }
        }
    }
    Ok(out)
}

fn gather<'n>(
    document: &Document<'n>,
    shared: &'n [Node],
    own: &'n [Node],
) -> Result<Vec<&'n Node>, String> {
    if shared.len() + own.len() > PARAMETERS_MAX {
        return Err(format!("more than {PARAMETERS_MAX} parameters"));
    }
    let mut all: Vec<&Node> = Vec::new();
    for parameter in shared.iter().chain(own) {
        let parameter = document.resolve(parameter)?;
        let place = (parameter.text("name"), parameter.text("in"));
        // A later one of the same name and place is the operation's own word.
        all.retain(|other| (other.text("name"), other.text("in")) != place);
        all.push(parameter);
    }
    Ok(all)
}

/// The path with typed holes, and descriptions of what goes there.
fn path<'n>(
    document: &Document<'n>,
    template: &str,
    given: &[&'n Node],
    out: &mut Parameters<'_>,
) -> Result<String, String> {
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (wire, tail) = after.split_once('}').ok_or("its path has a brace without its other")?;
        path.push_str(before);
        let name = name::parameter(wire, "path", &mut out.names);
        let parameter = given.iter().find(|p| p.text("name") == Some(wire));
        let kind = parameter.map_or("any", |parameter| kind(document, parameter, tail.is_empty()));
        if let Some(Text::Plain(text)) =
            parameter.and_then(|p| p.text("description")).map(|t| text::read(t, 300))
            && !text.is_empty()
        {
            out.segments.0.push((name.clone(), text));
        }
        path.push_str(&format!("{{{name}:{kind}}}"));
        rest = tail;
    }
    path.push_str(rest);
    Ok(path)
}

fn kind<'n>(document: &Document<'n>, parameter: &'n Node, is_last: bool) -> &'static str {
    let schema = parameter.get("schema").unwrap_or(parameter);
    let Ok(schema) = document.resolve(schema) else { return "any" };
    let says_many = parameter.is_true("x-multi-segment") || parameter.is_true("allowReserved");
    match (schema.text("type"), schema.text("format")) {
        (Some("integer"), _) => "int",
        (Some("string"), Some("uuid")) => "uuid",
        _ if says_many && is_last => "path",
        _ => "any",
    }
}

/// What is left out: the parameter where it need not be there, else the operation.
fn refuse(parameter: &Node, why: &str, out: &mut Parameters<'_>) -> Result<(), String> {
    let what =
        format!("query parameter {}: {why}", shown(parameter.text("name").unwrap_or_default()));
    if parameter.is_true("required") {
        return Err(what);
    }
    out.losses.push(what);
    Ok(())
}

fn query<'n>(
    document: &Document<'n>,
    parameter: &'n Node,
    wire: &str,
    own_query: OwnQuery<'_>,
    out: &mut Parameters<'n>,
) -> Result<(), String> {
    let required = parameter.is_true("required");
    if !(1..=128).contains(&wire.len()) || !wire.bytes().all(|b| b.is_ascii_graphic()) {
        return refuse(parameter, "its name cannot be sent", out);
    }
    if own_query == Some(wire) {
        return refuse(parameter, "it is the credential's", out);
    }
    let schema = match document.dialect {
        Dialect::Swagger2 => parameter,
        _ => match parameter.get("schema") {
            Some(schema) => schema,
            None => return refuse(parameter, "it is said by `content`", out),
        },
    };
    let converted = convert(document, schema);
    let Some(mut shape) = sendable(converted.shape) else {
        return refuse(parameter, "its value cannot stand in a query", out);
    };
    let Some(style) = style(document.dialect, parameter, &shape) else {
        return refuse(parameter, "its style cannot be written", out);
    };
    if style == Some("spread")
        && (own_query.is_some() || out.query.0.iter().any(|(_, p)| p.style == style))
    {
        return refuse(parameter, "its members would be names of the query", out);
    }
    shape.style = style;
    shape.required = required;
    if let Some(Text::Plain(text)) = parameter.text("description").map(|t| text::read(t, 300)) {
        shape.description = Some(text).filter(|text| !text.is_empty());
    }
    let name = name::parameter(wire, "query", &mut out.names);
    shape.wire = (name != wire).then(|| wire.to_owned());
    let at = shown(wire);
    out.losses
        .extend(converted.losses.into_iter().map(|why| format!("query parameter {at}: {why}")));
    out.query.0.push((name, shape));
    Ok(())
}

/// A shape whose values can stand in a query: one type or several scalars, never null.
fn sendable(mut shape: Shape) -> Option<Shape> {
    if let Some(variants) = shape.any_of.take() {
        let description = shape.description.take();
        let mut variants: Vec<Shape> = variants.into_iter().filter_map(sendable).collect();
        let is_scalar = |s: &Shape| !s.is("object") && !s.is("array");
        // Of several forms one can be written; the one that says most, if they are not all scalars.
        shape = if variants.iter().all(is_scalar) {
            let mut types: Vec<&'static str> =
                variants.iter().flat_map(|s| s.types.clone()).collect();
            types.sort_unstable();
            types.dedup();
            Shape { types, ..Shape::default() }
        } else {
            let at = variants.iter().position(|s| !is_scalar(s))?;
            variants.swap_remove(at)
        };
        shape.description = description;
    }
    shape.types.retain(|t| *t != "null");
    if let Some(allowed) = &mut shape.allowed {
        allowed.retain(|v| !v.is_null());
        if allowed.is_empty() {
            shape.allowed = None;
        }
    }
    if shape.default.as_ref().is_some_and(serde_json::Value::is_null) {
        shape.default = None;
    }
    if shape.types.is_empty() {
        shape.types.push("string");
        shape.allowed = None;
        shape.default = shape.default.filter(serde_json::Value::is_string);
    }
    let is_nested = shape.is("object") || shape.is("array");
    if is_nested && shape.types.len() > 1 {
        return None;
    }
    if let Some(items) = shape.items.take() {
        let items = sendable(*items)?;
        shape.items = Some(Box::new(items));
    }
    Some(shape)
}

/// The catalogue's style; the outer `None` where it has none.
#[allow(clippy::option_option)] // No style is a style: the catalogue's default.
fn style(dialect: Dialect, parameter: &Node, shape: &Shape) -> Option<Option<&'static str>> {
    let items_nest = shape.items.as_ref().is_some_and(|i| i.is("object") || i.is("array"));
    if dialect == Dialect::Swagger2 {
        return match parameter.text("collectionFormat") {
            _ if shape.is("object") => None,
            _ if !shape.is("array") => Some(None),
            _ if items_nest => None,
            Some("multi") => Some(None),
            None | Some("csv") => Some(Some("comma")),
            Some(_) => None,
        };
    }
    let explode = parameter.get("explode") != Some(&Node::Bool(false));
    match parameter.text("style").unwrap_or("form") {
        "deepObject" if shape.is("object") => Some(Some("deep")),
        // The style is for objects alone; who writes it on a list means `a[]=1` (Stripe).
        "deepObject" if shape.is("array") && !items_nest => Some(Some("brackets")),
        "form" if shape.is("object") => {
            explode.then_some(Some("spread")).filter(|_| {
                // Only scalars are names and values of a query.
                shape.properties.0.iter().all(|(_, p)| {
                    !p.is("object") && !p.is("array") && p.any_of.is_none() && !p.types.is_empty()
                })
            })
        }
        "form" | "deepObject" if shape.is("array") && items_nest => None,
        "form" if shape.is("array") => Some((!explode).then_some("comma")),
        "form" | "deepObject" => Some(None),
        _ => None,
    }
}

fn header<'n>(
    document: &Document<'n>,
    parameter: &'n Node,
    wire: &str,
    out: &mut Parameters<'_>,
) -> Result<(), String> {
    let name = wire.to_ascii_lowercase();
    // OpenAPI says that these are ignored: the body, the answer and the credential decide them.
    if matches!(name.as_str(), "accept" | "content-type" | "authorization") {
        return Ok(());
    }
    if name == "idempotency-key" {
        out.idempotency_key = Some(name);
        return Ok(());
    }
    let schema = parameter.get("schema").unwrap_or(parameter);
    let schema = document.resolve(schema)?;
    let only = match schema.get("enum") {
        Some(Node::List(values)) if values.len() == 1 => values[0].as_text(),
        _ => schema.get("const").and_then(Node::as_text),
    };
    match (only, parameter.is_true("required")) {
        (Some(value), true) => {
            out.headers.0.push((name, value.to_owned()));
            Ok(())
        }
        (None, true) => Err(format!("the header {} must be given, and a call cannot", shown(wire))),
        (_, false) => {
            out.losses.push(format!("header {}: cannot be given", shown(wire)));
            Ok(())
        }
    }
}

/// The catalogue takes 64; some of a document's are left out.
const PARAMETERS_MAX: usize = 256;
