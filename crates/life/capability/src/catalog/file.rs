//! The shape of a catalogue file, as it is read. Nothing here is checked beyond its shape; `load` does.

use std::{collections::HashSet, fmt, marker::PhantomData};

use serde::{
    Deserialize,
    de::{self, Deserializer, MapAccess, Visitor},
};

use super::{method::Method, operation::Effect, parameter::QueryStyle};

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub service: RawService,
    #[serde(default)]
    pub operation: Vec<RawOperation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawService {
    pub id: String,
    pub name: String,
    pub base_url: String,
    #[serde(default)]
    pub self_hosted: bool,
    pub docs: String,
    pub auth: RawAuth,
    #[serde(default)]
    pub headers: Ordered<String>,
    /// Absent where nothing can be called without arguments.
    pub verify: Option<String>,
    /// What the answer of that operation says of the credential.
    pub tells: Option<super::tells::RawTells>,
    pub rate: RawRate,
    pub run: Option<RawRun>,
}

/// What `symbolon run` puts into a program's environment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRun {
    pub placeholder: Option<String>,
    #[serde(default)]
    pub env: Ordered<String>,
    #[serde(default)]
    pub git_config: Ordered<String>,
    #[serde(default)]
    pub files: Ordered<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "scheme", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum RawAuth {
    None {},
    Bearer {},
    Header {
        name: String,
        #[serde(default)]
        prefix: String,
    },
    Query {
        name: String,
    },
    Cookie {
        name: String,
    },
    Form {
        name: String,
    },
    Aws4 {
        service: String,
        region: Option<String>,
    },
    Hmac(super::hmac::RawHmac),
    OAuth2(super::oauth2::RawProvider),
    Basic {
        username: Option<String>,
        #[serde(default)]
        username_from: Option<RawUsernameFrom>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawUsernameFrom {
    Connection,
    Credential,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRate {
    pub burst: u32,
    pub per_second: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOperation {
    pub id: String,
    pub title: String,
    pub description: String,
    pub method: Method,
    pub path: String,
    pub scope: String,
    pub effect: Effect,
    /// Descriptions of the path's parameters.
    #[serde(default)]
    pub segments: Ordered<String>,
    #[serde(default)]
    pub query: Ordered<RawSchema>,
    #[serde(default)]
    pub body: Ordered<RawSchema>,
    #[serde(default)]
    pub body_encoding: RawBodyEncoding,
    /// The one body parameter is the whole body.
    #[serde(default)]
    pub body_whole: bool,
    /// The body is sent on as it comes: it need not fit into memory.
    #[serde(default)]
    pub streams: bool,
    /// It opens a WebSocket.
    #[serde(default)]
    pub websocket: bool,
    /// It is a method of a gRPC service.
    #[serde(default)]
    pub grpc: bool,
    pub content_type: Option<String>,
    pub graphql: Option<String>,
    /// Name of a method of a JSON-RPC server.
    pub jsonrpc: Option<String>,
    /// How its parameters stand.
    pub jsonrpc_params: Option<RawParams>,
    /// What it asks of a mounted MCP server.
    pub mcp: Option<super::mcp::RawMcp>,
    pub idempotency_key: Option<String>,
    #[serde(default)]
    pub headers: Ordered<String>,
    pub response: Option<RawSchema>,
    /// Answers of bytes that pass undecoded.
    pub binary: Option<super::binary::RawBinary>,
    /// Credentials in a successful answer.
    #[serde(default)]
    pub mints: Vec<super::mints::RawMint>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawBodyEncoding {
    #[default]
    Json,
    Form,
    Text,
    Bytes,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawParams {
    List,
    Object,
}

/// A parameter or a part of one: the keywords of JSON Schema that the catalogue takes, in its spelling.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawSchema {
    #[serde(rename = "type")]
    pub types: Option<RawTypes>,
    pub description: Option<String>,
    #[serde(rename = "enum")]
    pub allowed: Option<Vec<serde_json::Value>>,
    pub default: Option<serde_json::Value>,
    pub minimum: Option<serde_json::Number>,
    pub maximum: Option<serde_json::Number>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub pattern: Option<String>,
    pub format: Option<String>,
    pub items: Option<Box<RawSchema>>,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
    pub unique_items: Option<bool>,
    #[serde(default)]
    pub properties: Ordered<RawSchema>,
    pub min_properties: Option<u64>,
    pub max_properties: Option<u64>,
    pub additional_properties: Option<RawAdditional>,
    /// The value fits one of these at least. Nothing else that says what fits stands beside it.
    pub any_of: Option<Vec<RawSchema>>,
    /// Whether the parent must have it. (JSON Schema lists names in the parent; this is generated.)
    #[serde(default)]
    pub required: bool,
    /// The name in the request, where it differs. Only on parameters.
    pub wire: Option<String>,
    /// How a list or an object stands in the query. Only on query parameters.
    pub style: Option<QueryStyle>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub(super) enum RawTypes {
    One(String),
    Many(Vec<String>),
}

impl RawTypes {
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub(super) enum RawAdditional {
    Flag(bool),
    Schema(Box<RawSchema>),
}

/// A table in the order of the file: parameters are sent in the order in which they are declared.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ordered<V>(pub Vec<(String, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Ordered<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries: Vec<(String, V)> = Vec::new();
                let mut names = HashSet::new();
                while let Some((name, value)) = map.next_entry::<String, V>()? {
                    // TOML refuses a second one itself; a reader of JSON would take it.
                    if !names.insert(name.clone()) {
                        let shown: String = name.chars().take(64).collect();
                        return Err(de::Error::custom(format!("{shown:?} stands twice")));
                    }
                    entries.push((name, value));
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once() {
        let twice = serde_json::from_str::<Ordered<i64>>(r#"{"a": 1, "b": 2, "a": 3}"#);
        assert!(twice.is_err_and(|e| e.to_string().contains("\"a\" stands twice at line 1")));
    }

    #[test]
    fn tables_keep_the_order_of_the_file() {
        let table: Ordered<i64> =
            toml::from_str("zeta = 1\nalpha = 2\nmid = 3\n").expect("a table");
        let names: Vec<&str> = table.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["zeta", "alpha", "mid"]);
        let table: Ordered<i64> =
            serde_json::from_str(r#"{"zeta": 1, "alpha": 2, "mid": 3}"#).expect("an object");
        let names: Vec<&str> = table.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["zeta", "alpha", "mid"]);
    }
}
