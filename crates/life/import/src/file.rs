//! The file that an import writes: a catalogue file in JSON (`specs/catalog.md`).

use serde::{Serialize, Serializer};
use serde_json::{Number, Value};
use symbolon_codec::Digest32;

/// Named values in their order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fields<V>(pub Vec<(String, V)>);

impl<V> Default for Fields<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Fields<V> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<V: Serialize> Serialize for Fields<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct File<'f> {
    pub service: &'f ServicePart,
    pub operation: &'f [&'f Tool],
}

#[derive(Debug, Serialize)]
pub(crate) struct ServicePart {
    pub id: String,
    pub name: String,
    pub base_url: String,
    pub self_hosted: bool,
    pub docs: String,
    pub auth: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<String>,
    pub rate: RatePart,
}

#[derive(Debug, Serialize)]
pub(crate) struct RatePart {
    pub burst: u32,
    pub per_second: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Effect {
    Read,
    Write,
    Destructive,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tool {
    pub id: String,
    pub title: String,
    pub description: String,
    pub method: &'static str,
    pub path: String,
    pub scope: String,
    pub effect: Effect,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub segments: Fields<String>,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub query: Fields<Shape>,
    #[serde(flatten)]
    pub body: Body,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub headers: Fields<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp: Option<McpPart>,
}

/// What an operation asks of a mounted MCP server: a tool as it was pinned, or the list of tools.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct McpPart {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<Digest32>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Body {
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub body: Fields<Shape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "is_false")]
    pub body_whole: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub streams: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// A parameter or a part of one, in the catalogue's keywords.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shape {
    #[serde(rename = "type", skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Self>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    #[serde(skip_serializing_if = "is_false")]
    pub unique_items: bool,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub properties: Fields<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_properties: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_properties: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_properties: Option<Additional>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<Self>>,
    #[serde(skip_serializing_if = "is_false")]
    pub required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wire: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<&'static str>,
}

impl Shape {
    pub fn is(&self, one: &str) -> bool {
        self.types.contains(&one)
    }

    pub fn of(one: &'static str) -> Self {
        Self { types: vec![one], ..Self::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Additional {
    Flag(bool),
    Shape(Box<Shape>),
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature.
const fn is_false(flag: &bool) -> bool {
    !*flag
}
