//! The body of an operation.

use std::collections::HashSet;

use crate::{
    document::{Dialect, Document, shown},
    file::{Additional, Body, Fields, Shape},
    name,
    node::Node,
    schema::convert,
};

/// What the body comes to.
#[derive(Default)]
pub(crate) struct Read {
    pub body: Body,
    pub losses: Vec<String>,
}

/// Reads the body of an operation. `room` is how many parameters it may add.
///
/// # Errors
/// Why no call can make a body that the operation takes.
pub(crate) fn read<'n>(
    document: &Document<'n>,
    operation: &'n Node,
    swagger: &[&'n Node],
    names: &mut HashSet<String>,
    room: usize,
) -> Result<Read, String> {
    match document.dialect {
        Dialect::Swagger2 => swagger_body(document, operation, swagger, names, room),
        _ => match operation.get("requestBody") {
            Some(body) => {
                let body = document.resolve(body)?;
                let types = body.get("content").map(Node::members).unwrap_or_default();
                let required = body.is_true("required");
                let offered: Vec<(&str, Option<&Node>)> =
                    types.iter().map(|(name, media)| (&**name, media.get("schema"))).collect();
                of_types(document, &offered, required, names, room)
            }
            None => Ok(Read::default()),
        },
    }
}

fn swagger_body<'n>(
    document: &Document<'n>,
    operation: &'n Node,
    parameters: &[&'n Node],
    names: &mut HashSet<String>,
    room: usize,
) -> Result<Read, String> {
    let consumes = operation.get("consumes").or_else(|| document.root().get("consumes"));
    let types: Vec<&str> =
        consumes.map(Node::items).unwrap_or_default().iter().filter_map(Node::as_text).collect();
    if let Some(body) = parameters.iter().find(|p| p.text("in") == Some("body")) {
        let types = if types.is_empty() { vec!["application/json"] } else { types };
        let offered: Vec<_> = types.iter().map(|name| (*name, body.get("schema"))).collect();
        return of_types(document, &offered, body.is_true("required"), names, room);
    }
    if parameters.is_empty() {
        return Ok(Read::default());
    }
    if parameters.iter().any(|p| p.text("type") == Some("file")) || parameters.len() > room {
        return Err("its form has files, or too many fields".to_owned());
    }
    let mut out = Read::default();
    for field in parameters {
        let wire = field.text("name").unwrap_or_default();
        let converted = convert(document, field);
        out.losses.extend(
            converted.losses.into_iter().map(|why| format!("body member {}: {why}", shown(wire))),
        );
        add(
            &mut out.body.body,
            wire,
            Shape { required: field.is_true("required"), ..converted.shape },
            names,
        )?;
    }
    out.body.body_encoding = Some("form");
    Ok(out)
}

fn of_types<'n>(
    document: &Document<'n>,
    offered: &[(&str, Option<&'n Node>)],
    required: bool,
    names: &mut HashSet<String>,
    room: usize,
) -> Result<Read, String> {
    let bare = |name: &str| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let find = |fits: &dyn Fn(&str) -> bool| offered.iter().find(|(name, _)| fits(&bare(name)));
    let json = find(&|n| n == "application/json")
        .or_else(|| find(&|n| n == "application/merge-patch+json"))
        .or_else(|| find(&|n| n.ends_with("+json") && n.starts_with("application/")))
        .or_else(|| find(&|n| n == "*/*"));
    if let Some((name, schema)) = json {
        let mut read = json_body(document, *schema, required, "json", names, room)?;
        let name = bare(name);
        if !read.body.body.is_empty() && name != "application/json" && name != "*/*" {
            read.body.content_type = Some(name);
        }
        return Ok(read);
    }
    if let Some((_, schema)) = find(&|n| n == "application/x-www-form-urlencoded") {
        return json_body(document, *schema, required, "form", names, room);
    }
    if find(&|n| n == "text/plain").is_some() && room > 0 {
        let shape = Shape { required, ..Shape::of("string") };
        let mut out = Read::default();
        add(&mut out.body.body, "body", shape, names)?;
        out.body.body_encoding = Some("text");
        out.body.body_whole = true;
        return Ok(out);
    }
    match offered.first() {
        None => Ok(Read::default()),
        Some((name, _)) if bare(name).starts_with("multipart/") => {
            Err("its body is multipart, which arguments cannot make".to_owned())
        }
        Some((name, _)) => {
            let name = bare(name);
            let is_type = name.len() <= 128
                && name.contains('/')
                && name.bytes().all(|b| b.is_ascii_graphic());
            if !is_type {
                return Err("its body is of no media type".to_owned());
            }
            let body = Body {
                body_encoding: Some("bytes"),
                streams: true,
                content_type: Some(name),
                ..Body::default()
            };
            let losses =
                vec!["its body is bytes: only a program can send them, through a door".to_owned()];
            Ok(Read { body, losses })
        }
    }
}

/// Members of an object become parameters; any other value is one parameter, `body`.
fn json_body<'n>(
    document: &Document<'n>,
    schema: Option<&'n Node>,
    required: bool,
    encoding: &'static str,
    names: &mut HashSet<String>,
    room: usize,
) -> Result<Read, String> {
    let mut out = Read::default();
    let mut shape = Shape::default();
    if let Some(schema) = schema {
        let converted = convert(document, schema);
        shape = converted.shape;
        out.losses = converted.losses.into_iter().map(|why| format!("body: {why}")).collect();
    }
    let is_flat = shape.types == ["object"]
        && shape.additional_properties.is_none()
        && (1..=room).contains(&shape.properties.0.len())
        && (encoding == "form" || shape.properties.0.iter().all(|(name, _)| is_wire(name)));
    out.body.body_encoding = (encoding != "json").then_some(encoding);
    if is_flat {
        for (wire, member) in shape.properties.0 {
            let required = member.required && required;
            add(&mut out.body.body, &wire, Shape { required, ..member }, names)?;
        }
        return Ok(out);
    }
    if shape.types == ["object"]
        && shape.properties.is_empty()
        && !required
        && matches!(shape.additional_properties, None | Some(Additional::Flag(false)))
    {
        // An object of which nothing is said, or that has no members, and which need not be there.
        out.body.body_encoding = None;
        if schema.is_none() || encoding == "form" || shape.additional_properties.is_some() {
            return Ok(out);
        }
    }
    if encoding == "form" {
        return Err("its form is no object of named fields".to_owned());
    }
    if room == 0 {
        return Err("it has too many parameters".to_owned());
    }
    out.body.body_whole = true;
    add(&mut out.body.body, "body", Shape { required, ..shape }, names)?;
    Ok(out)
}

/// Arguments of a tool of an MCP server: members of an object become parameters; what else there is
/// is one parameter, `arguments`.
///
/// # Errors
/// Why no call can make arguments that the tool takes.
pub(crate) fn arguments<'n>(
    document: &Document<'n>,
    schema: &'n Node,
    names: &mut HashSet<String>,
) -> Result<Read, String> {
    let converted = convert(document, schema);
    let mut shape = converted.shape;
    let losses: Vec<String> =
        converted.losses.into_iter().map(|why| format!("arguments: {why}")).collect();
    let mut out = Read { losses, ..Read::default() };
    let is_object = shape.types == ["object"];
    let is_closed = matches!(shape.additional_properties, None | Some(Additional::Flag(false)));
    if is_object && is_closed && shape.properties.is_empty() {
        // No members, and no others beside them.
        return Ok(out);
    }
    let is_flat = is_object
        && shape.additional_properties.is_none()
        && shape.properties.0.len() <= PARAMETERS_MAX
        && shape.properties.0.iter().all(|(name, _)| is_wire(name));
    if is_flat {
        for (wire, member) in shape.properties.0 {
            add(&mut out.body.body, &wire, member, names)?;
        }
        return Ok(out);
    }
    if !is_object {
        // The protocol has an object there, whatever the schema says.
        shape =
            Shape { additional_properties: Some(Additional::Flag(true)), ..Shape::of("object") };
        out.losses.push("arguments: their schema is no object's: left open".to_owned());
    }
    out.body.body_whole = true;
    add(&mut out.body.body, "arguments", Shape { required: true, ..shape }, names)?;
    Ok(out)
}

fn is_wire(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
}

fn add(
    fields: &mut Fields<Shape>,
    wire: &str,
    mut shape: Shape,
    names: &mut HashSet<String>,
) -> Result<(), String> {
    if !is_wire(wire) {
        return Err(format!("the body member {} has a name that cannot be sent", shown(wire)));
    }
    let name = name::parameter(wire, "body", names);
    shape.wire = (name != wire).then(|| wire.to_owned());
    fields.0.push((name, shape));
    Ok(())
}

/// The catalogue takes as many.
const PARAMETERS_MAX: usize = 64;
