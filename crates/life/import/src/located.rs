//! A small document that people write, with the place of each value: for errors that say where.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

use crate::read::shown;

/// A value of a document, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// Whether a text stands in the document letter by letter as it is, from the column on.
    pub is_literal: bool,
    /// The value.
    pub node: LocatedNode,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum LocatedNode {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number of JSON.
    Number(Number),
    /// A text.
    Text(Box<str>),
    /// A list.
    List(Vec<Located>),
    /// Members in the order of the document, each name once.
    Map(Vec<(Key, Located)>),
}

/// The name of a member, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The name.
    pub name: Box<str>,
    /// From 1.
    pub line: u64,
    /// From 1.
    pub column: u64,
}

/// Not YAML, or beyond a bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct LocatedError {
    /// From 1; 0 where the reader did not say.
    pub line: u64,
    /// From 1; 0 where the reader did not say.
    pub column: u64,
    /// What the reader said.
    pub what: String,
}

impl Located {
    /// The value alone, as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.node {
            LocatedNode::Null => Value::Null,
            LocatedNode::Bool(flag) => Value::Bool(*flag),
            LocatedNode::Number(number) => Value::Number(number.clone()),
            LocatedNode::Text(text) => Value::String(text.to_string()),
            LocatedNode::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            LocatedNode::Map(members) => {
                let member = |(key, value): &(Key, Self)| (key.name.to_string(), value.to_json());
                Value::Object(members.iter().map(member).collect::<Map<_, _>>())
            }
        }
    }
}

/// Reads a YAML document of at most `bytes_max` bytes; JSON is YAML. Without anchors and aliases:
/// what a person reads is what there is.
///
/// # Errors
/// [`LocatedError`]: too long, not UTF-8, not YAML, more than [`NODES_MAX`] values, deeper than
/// [`DEPTH_MAX`], a key twice, an anchor.
pub fn read_located(bytes: &[u8], bytes_max: usize) -> Result<Located, LocatedError> {
    if bytes.len() > bytes_max {
        let what = format!("at most {bytes_max} bytes are taken, found {}", bytes.len());
        return Err(LocatedError { line: 0, column: 0, what });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let (line, column) = crate::read::place(bytes, e.valid_up_to());
        LocatedError { line, column, what: "this is not UTF-8".to_owned() }
    })?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 4 * NODES_MAX,
            max_nodes: NODES_MAX,
            max_depth: DEPTH_MAX,
            max_documents: 1,
            max_aliases: 0,
            max_anchors: 0,
            max_total_scalar_bytes: bytes_max,
            max_merge_keys: 0,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    let read = serde_saphyr::from_str_with_options::<Located>(text, options);
    let mut root = read.map_err(|e| {
        let (line, column) = e.location().map_or((0, 0), |at| (at.line(), at.column()));
        let what = e.without_snippet().to_string();
        let what = what.lines().next().unwrap_or_default();
        let what = what.rsplit_once(" at line ").map_or(what, |(what, _)| what);
        LocatedError { line, column, what: shown(what) }
    })?;
    let lines: Vec<&str> = text.lines().collect();
    root.find_literals(&lines);
    Ok(root)
}

impl Located {
    fn find_literals(&mut self, lines: &[&str]) {
        match &mut self.node {
            LocatedNode::Text(text) => {
                let line =
                    usize::try_from(self.line).ok().and_then(|n| lines.get(n.checked_sub(1)?));
                let before = usize::try_from(self.column).unwrap_or(usize::MAX).saturating_sub(1);
                let Some(line) = line else { return };
                let Some((at, _)) = line.char_indices().nth(before) else { return };
                let rest = &line[at..];
                self.is_literal = rest.starts_with(&**text);
                if let Some(quoted) = rest.strip_prefix(['"', '\''])
                    && quoted.starts_with(&**text)
                {
                    (self.is_literal, self.column) = (true, self.column + 1);
                }
            }
            LocatedNode::List(items) => items.iter_mut().for_each(|i| i.find_literals(lines)),
            LocatedNode::Map(members) => {
                members.iter_mut().for_each(|(_, value)| value.find_literals(lines));
            }
            _ => {}
        }
    }
}

impl<'de> Deserialize<'de> for Located {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: node, referenced, .. } = Spanned::deserialize(deserializer)?;
        let (line, column) = (referenced.line(), referenced.column());
        Ok(Self { line, column, is_literal: false, node })
    }
}

impl<'de> Deserialize<'de> for LocatedNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = LocatedNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<LocatedNode, E> {
        Ok(LocatedNode::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<LocatedNode, E> {
        Ok(LocatedNode::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<LocatedNode, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<LocatedNode, E> {
        Ok(LocatedNode::Bool(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<LocatedNode, E> {
        Ok(LocatedNode::Number(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<LocatedNode, E> {
        Ok(LocatedNode::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<LocatedNode, E> {
        let number = Number::from_f64(number);
        number.map(LocatedNode::Number).ok_or_else(|| E::custom("this number is none of JSON's"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<LocatedNode, E> {
        Ok(LocatedNode::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<LocatedNode, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(LocatedNode::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LocatedNode, A::Error> {
        let mut members = Vec::new();
        while let Some(Spanned { value, referenced, .. }) = map.next_key::<Spanned<String>>()? {
            let (line, column) = (referenced.line(), referenced.column());
            let key = Key { name: value.into(), line, column };
            members.push((key, map.next_value()?));
        }
        Ok(LocatedNode::Map(members))
    }
}

/// The most values of a document.
pub const NODES_MAX: usize = 400_000;
/// How deep a document nests.
pub const DEPTH_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Located {
        read_located(text.as_bytes(), 4096).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn member<'a>(of: &'a Located, name: &str) -> (&'a Key, &'a Located) {
        let LocatedNode::Map(members) = &of.node else { panic!("{of:?}") };
        let (key, value) = members.iter().find(|(key, _)| *key.name == *name).expect(name);
        (key, value)
    }

    #[test]
    fn each_value_and_key_says_where_it_is() {
        let root = read("a: 1\nb:\n  - x\n  - 'qu\"oted'\nlong: |\n  two\n  lines\n");
        let (key, value) = member(&root, "b");
        assert_eq!((key.line, key.column), (2, 1));
        let LocatedNode::List(items) = &value.node else { panic!() };
        assert_eq!((items[0].line, items[0].column, items[0].is_literal), (3, 5, true));
        assert_eq!((items[1].line, items[1].column, items[1].is_literal), (4, 6, true));
        assert!(!member(&root, "long").1.is_literal);
        assert_eq!(root.to_json(), json!({"a": 1, "b": ["x", "qu\"oted"], "long": "two\nlines\n"}));
    }

    #[test]
    fn json_is_yaml_too() {
        let root =
            read("{\n\t\"a\": [1, -2.5, true, null, \"x\\ny\"],\n\t\"on\": {\"200\": {}}\n}");
        assert_eq!(root.to_json(), json!({"a": [1, -2.5, true, null, "x\ny"], "on": {"200": {}}}));
    }

    #[test]
    fn what_is_not_taken_is_refused_where_it_stands() {
        let refused = |text: &[u8]| read_located(text, 4096).expect_err("refused");
        let twice = refused(b"a: 1\nb: 2\na: 3\n");
        assert_eq!(twice.line, 3, "{twice}");
        assert_eq!(refused(b"a: \xff").column, 4);
        for text in ["a: &x 1\nb: *x\n", "a: *nothing", "a: [1\nb: {", "--- 1\n--- 2\n", "a: .nan"]
        {
            assert!(!refused(text.as_bytes()).what.is_empty(), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        refused(deep.as_bytes());
        refused(&[b' '; 4097]);
    }
}
