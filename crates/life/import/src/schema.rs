//! Schemas of a document as the catalogue can say them.

use std::collections::HashSet;

use serde_json::{Number, Value};

use crate::{
    document::{Document, reference, shown},
    file::{Additional, Shape},
    node::Node,
    text::{self, Text},
};

/// A shape, and what it does not say of the schema.
pub(crate) struct Converted {
    pub shape: Shape,
    pub losses: Vec<String>,
}

/// Converts the schema of a parameter or a body. What nests deeper than the bounds allow is left open
/// there and named.
pub(crate) fn convert<'n>(document: &Document<'n>, schema: &'n Node) -> Converted {
    for depth_max in (0..=DEPTH_MAX).rev() {
        let mut work = Work::new(document, depth_max);
        let shape = work.shape(schema, 0);
        if work.nodes <= NODES_MAX || depth_max == 0 {
            return Converted { shape, losses: work.losses };
        }
    }
    Converted { shape: Shape::default(), losses: vec!["its schema is too large".to_owned()] }
}

struct Work<'d, 'n> {
    document: &'d Document<'n>,
    depth_max: usize,
    nodes: usize,
    /// References on the way to where we are.
    above: Vec<&'n str>,
    losses: Vec<String>,
}

/// The schemas that hold together: one, and those of its `allOf`.
#[derive(Default)]
struct Parts<'n> {
    all: Vec<&'n Node>,
    /// How many references were followed to gather them.
    references: usize,
}

impl<'n> Parts<'n> {
    fn get(&self, name: &str) -> Option<&'n Node> {
        self.all.iter().find_map(|part| part.get(name))
    }

    fn number(&self, name: &str) -> Option<Number> {
        match self.get(name) {
            Some(Node::Number(number)) if number.as_f64().is_some_and(|f| f.abs() <= LIMIT_MAX) => {
                Some(number.clone())
            }
            _ => None,
        }
    }

    fn count(&self, name: &str) -> Option<u64> {
        self.number(name)?.as_u64()
    }

    fn is_true(&self, name: &str) -> bool {
        self.all.iter().any(|part| part.is_true(name))
    }
}

impl<'d, 'n> Work<'d, 'n> {
    const fn new(document: &'d Document<'n>, depth_max: usize) -> Self {
        Self { document, depth_max, nodes: 0, above: Vec::new(), losses: Vec::new() }
    }

    fn lose(&mut self, why: impl Into<String>) {
        let why = why.into();
        if self.losses.len() < LOSSES_MAX && !self.losses.contains(&why) {
            self.losses.push(why);
        }
    }

    fn shape(&mut self, schema: &'n Node, depth: usize) -> Shape {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Shape::default();
        }
        if !self.document.work() {
            self.lose("the document's schemas repeat too much: left open");
            return Shape::default();
        }
        let height = self.above.len();
        let mut parts = Parts::default();
        self.gather(schema, &mut parts);
        let shape = self.join(&parts, depth);
        self.above.truncate(height);
        shape
    }

    /// Follows references and `allOf`.
    fn gather(&mut self, schema: &'n Node, parts: &mut Parts<'n>) {
        let mut schema = schema;
        while let Some(name) = reference(schema) {
            if self.above.contains(&name) {
                self.lose(format!("{} holds itself: left open there", shown(name)));
                return;
            }
            parts.references += 1;
            if parts.references > PARTS_MAX {
                self.lose("too many parts of one schema");
                return;
            }
            self.above.push(name);
            match self.document.follow(name) {
                Ok(next) => schema = next,
                Err(why) => return self.lose(why),
            }
        }
        if parts.all.len() >= PARTS_MAX {
            return self.lose("too many parts of one schema");
        }
        parts.all.push(schema);
        for part in schema.get("allOf").map(Node::items).unwrap_or_default().iter().take(PARTS_MAX)
        {
            // Parts stand side by side: one does not hold another.
            let height = self.above.len();
            self.gather(part, parts);
            self.above.truncate(height);
        }
    }

    fn join(&mut self, parts: &Parts<'n>, depth: usize) -> Shape {
        for word in
            ["not", "if", "patternProperties", "dependentSchemas", "prefixItems", "contains"]
        {
            if parts.get(word).is_some() {
                self.lose(format!("`{word}` is not checked"));
            }
        }
        let nullable = parts.is_true("nullable") || parts.is_true("x-nullable");
        let alternatives = self.alternatives(parts);
        let description = parts.get("description").and_then(Node::as_text).and_then(|said| {
            let max = if depth == 0 { 300 } else { 120 };
            match text::read(said, max) {
                Text::Plain(text) if !text.is_empty() => Some(text),
                Text::Plain(_) => None,
                Text::Marked(_) => {
                    self.lose("its description speaks to a model: left out");
                    None
                }
            }
        });
        let mut shape = match alternatives {
            Some((own, variants)) => self.any_of(parts, own, &variants, nullable, depth),
            None => self.single(parts, nullable, depth),
        };
        shape.description = description;
        shape
    }

    /// What `oneOf` or `anyOf` says, if it says more than which members must be there.
    fn alternatives(&mut self, parts: &Parts<'n>) -> Option<(&'n Node, Vec<&'n Node>)> {
        let mut found = None;
        for part in &parts.all {
            for word in ["oneOf", "anyOf"] {
                let Some(Node::List(variants)) = part.get(word) else { continue };
                if variants.len() > VARIANTS_MAX || found.is_some() {
                    self.lose(format!("`{word}` is left open"));
                    continue;
                }
                let says_more = |v: &Node| {
                    v.members()
                        .iter()
                        .any(|(k, _)| !matches!(&**k, "required" | "description" | "title"))
                };
                if !variants.iter().any(says_more) {
                    self.lose(format!("`{word}` of required members is not checked"));
                } else {
                    if word == "oneOf" && variants.len() > 1 {
                        self.lose("`oneOf` is read as `anyOf`");
                    }
                    found = Some((*part, variants.iter().collect()));
                }
            }
        }
        found
    }

    fn any_of(
        &mut self,
        parts: &Parts<'n>,
        own: &'n Node,
        variants: &[&'n Node],
        nullable: bool,
        depth: usize,
    ) -> Shape {
        let says = |part: &Node| {
            part.get("type").is_some()
                || part.get("properties").is_some()
                || part.get("items").is_some()
        };
        let mut shapes: Vec<Shape> = Vec::new();
        let mut has_null = nullable;
        if depth >= self.depth_max {
            self.lose(format!("nested more than {} deep: left open there", self.depth_max));
            return Shape::default();
        }
        for variant in variants {
            if variant.text("type") == Some("null") {
                has_null = true;
                continue;
            }
            self.nodes += 1;
            if self.nodes > NODES_MAX {
                return Shape::default();
            }
            let height = self.above.len();
            let mut joined = Parts::default();
            self.gather(variant, &mut joined);
            if joined.all.is_empty() {
                // It holds itself, so anything may stand there.
                return Shape::default();
            }
            joined
                .all
                .extend(parts.all.iter().filter(|part| says(part) || !std::ptr::eq(**part, own)));
            let inner = joined
                .all
                .iter()
                .take(1)
                .any(|part| part.get("oneOf").or(part.get("anyOf")).is_some());
            let shape = if inner {
                let alone = Parts { all: joined.all[..1].to_vec(), references: 0 };
                self.join(&alone, depth + 1)
            } else {
                self.single(&joined, false, depth + 1)
            };
            self.above.truncate(height);
            if !shapes.contains(&shape) {
                shapes.push(shape);
            }
        }
        if has_null
            && shapes.len() == 1
            && shapes[0].any_of.is_none()
            && !shapes[0].types.is_empty()
        {
            let mut shape = shapes.swap_remove(0);
            add_null(&mut shape);
            return shape;
        }
        if has_null {
            shapes.push(Shape::of("null"));
        }
        match shapes.len() {
            0 => Shape::default(),
            1 => shapes.swap_remove(0),
            _ => Shape { any_of: Some(shapes), ..Shape::default() },
        }
    }

    fn single(&mut self, parts: &Parts<'n>, nullable: bool, depth: usize) -> Shape {
        let mut types = types(parts);
        let mut shape = Shape::default();
        if let Some(allowed) = self.allowed(parts) {
            if types.is_empty() {
                types = allowed.iter().map(type_of).collect::<HashSet<_>>().into_iter().collect();
                types.sort_unstable();
            }
            let fitting: Vec<Value> = allowed.into_iter().filter(|v| fits(&types, v)).collect();
            shape.allowed = (!fitting.is_empty()).then_some(fitting);
        }
        shape.types = types;
        if nullable && !shape.types.is_empty() {
            add_null(&mut shape);
        }
        let default = parts.get("default").and_then(Node::scalar);
        shape.default = default.filter(|v| {
            (shape.types.is_empty() || fits(&shape.types, v)) && v.to_string().len() <= 256
        });
        if shape.is("integer") || shape.is("number") {
            (shape.minimum, shape.maximum) = limits(parts, shape.is("number"));
        }
        if shape.is("string") {
            self.text_rules(parts, &mut shape);
        }
        if shape.is("array") {
            self.list_rules(parts, &mut shape, depth);
        }
        if shape.is("object") {
            self.object_rules(parts, &mut shape, depth);
        }
        shape
    }

    fn allowed(&mut self, parts: &Parts<'n>) -> Option<Vec<Value>> {
        let values: Vec<&Node> = match (parts.get("const"), parts.get("enum")) {
            (Some(one), _) => vec![one],
            (None, Some(Node::List(many))) => many.iter().take(257).collect(),
            _ => return None,
        };
        let scalars: Option<Vec<Value>> = values.iter().map(|v| v.scalar()).collect();
        match scalars {
            Some(scalars) if (1..=256).contains(&scalars.len()) => Some(scalars),
            _ => {
                self.lose("`enum` of more than 256 values, or of lists, is not checked");
                None
            }
        }
    }

    fn text_rules(&mut self, parts: &Parts<'n>, shape: &mut Shape) {
        shape.min_length = parts.count("minLength");
        shape.max_length = parts.count("maxLength");
        let format = parts.get("format").and_then(Node::as_text);
        shape.format = format
            .filter(|f| f.len() <= 32 && f.bytes().all(|b| b.is_ascii_graphic()))
            .map(str::to_owned);
        if let Some(pattern) = parts.get("pattern").and_then(Node::as_text) {
            if self.document.is_pattern(pattern) {
                shape.pattern = Some(pattern.to_owned());
            } else {
                self.lose("a pattern that is long or no linear-time one is not checked");
            }
        }
    }

    fn list_rules(&mut self, parts: &Parts<'n>, shape: &mut Shape, depth: usize) {
        shape.min_items = parts.count("minItems");
        shape.max_items = parts.count("maxItems");
        shape.unique_items = parts.is_true("uniqueItems");
        let items = match parts.get("items") {
            Some(items) if items.is_map() && depth < self.depth_max => self.shape(items, depth + 1),
            Some(items) if !items.members().is_empty() => {
                self.lose(format!("nested more than {} deep: left open there", self.depth_max));
                Shape::default()
            }
            _ => Shape::default(),
        };
        shape.items = Some(Box::new(items));
    }

    fn object_rules(&mut self, parts: &Parts<'n>, shape: &mut Shape, depth: usize) {
        let members: Vec<&(Box<str>, Node)> = parts
            .all
            .iter()
            .filter_map(|p| p.get("properties"))
            .flat_map(Node::members)
            .take(PROPERTIES_MAX + 1)
            .collect();
        let additional = parts.get("additionalProperties");
        if depth >= self.depth_max {
            if !members.is_empty() || additional.is_some_and(Node::is_map) {
                self.lose(format!("nested more than {} deep: left open there", self.depth_max));
            }
            return;
        }
        if members.len() > PROPERTIES_MAX {
            return self
                .lose(format!("an object of more than {PROPERTIES_MAX} members is left open"));
        }
        let required: HashSet<&str> = parts
            .all
            .iter()
            .filter_map(|part| part.get("required"))
            .flat_map(Node::items)
            .filter_map(Node::as_text)
            .take(REQUIRED_MAX)
            .collect();
        let mut names: HashSet<&str> = HashSet::new();
        for (name, schema) in members {
            if !names.insert(name) || schema.is_true("readOnly") {
                continue;
            }
            let is_name =
                (1..=128).contains(&name.chars().count()) && !name.chars().any(char::is_control);
            if !is_name {
                return self.lose("an object with a hostile member's name is left open");
            }
            let mut member = self.shape(schema, depth + 1);
            member.required = required.contains(&**name);
            shape.properties.0.push((name.to_string(), member));
        }
        shape.min_properties = parts.count("minProperties");
        shape.max_properties = parts.count("maxProperties");
        shape.additional_properties = match additional {
            Some(Node::Bool(flag)) if *flag || shape.properties.is_empty() => {
                Some(Additional::Flag(*flag))
            }
            Some(Node::Map(members)) if members.is_empty() => Some(Additional::Flag(true)),
            Some(map @ Node::Map(_)) => {
                Some(Additional::Shape(Box::new(self.shape(map, depth + 1))))
            }
            _ => None,
        };
    }
}

fn types(parts: &Parts<'_>) -> Vec<&'static str> {
    let named: Vec<&str> = match parts.get("type") {
        Some(Node::Text(one)) => vec![one],
        Some(Node::List(many)) => many.iter().filter_map(Node::as_text).collect(),
        _ => Vec::new(),
    };
    let mut types: Vec<&'static str> = Vec::new();
    for name in named {
        // `file` is Swagger 2's word for bytes.
        let name = if name == "file" { "string" } else { name };
        if let Some(own) =
            TYPES.iter().find(|own| **own == name).filter(|own| !types.contains(*own))
        {
            types.push(own);
        }
    }
    if types.is_empty() {
        if parts.get("properties").is_some() || parts.get("additionalProperties").is_some() {
            types.push("object");
        } else if parts.get("items").is_some() {
            types.push("array");
        }
    }
    types
}

/// Both limits. An exclusive one is given as the nearest that can be said.
fn limits(parts: &Parts<'_>, has_fractions: bool) -> (Option<Number>, Option<Number>) {
    let one = |name: &str, exclusive: &str, step: i64| {
        let plain = parts.number(name);
        let number = parts.number(exclusive).or_else(|| plain.clone())?;
        let is_exclusive = parts.is_true(exclusive) || parts.number(exclusive).is_some();
        match number.as_i64() {
            Some(n) if is_exclusive && !has_fractions => Some(Number::from(n.saturating_add(step))),
            _ => Some(number),
        }
    };
    let minimum = one("minimum", "exclusiveMinimum", 1);
    (minimum, one("maximum", "exclusiveMaximum", -1))
}

fn add_null(shape: &mut Shape) {
    if !shape.is("null") {
        shape.types.push("null");
        if let Some(allowed) = &mut shape.allowed
            && allowed.len() < 256
            && !allowed.contains(&Value::Null)
        {
            allowed.push(Value::Null);
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        _ => "string",
    }
}

fn fits(types: &[&str], value: &Value) -> bool {
    let own = type_of(value);
    types.contains(&own) || (own == "integer" && types.contains(&"number"))
}

const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "null", "array", "object"];
/// The catalogue takes 8 below the parameter.
const DEPTH_MAX: usize = 7;
/// Of one parameter: a model reads them all.
const NODES_MAX: usize = 192;
const PARTS_MAX: usize = 64;
const VARIANTS_MAX: usize = 31;
const PROPERTIES_MAX: usize = 128;
const REQUIRED_MAX: usize = 1024;
const LOSSES_MAX: usize = 8;
const LIMIT_MAX: f64 = 9_007_199_254_740_992.0;
