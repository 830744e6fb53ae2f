//! A document as a tree, read once within bounds, in the order of the file.

use std::{cell::Cell, collections::HashSet, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A value of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Vec<Node>),
    Map(Vec<(Box<str>, Node)>),
}

impl Node {
    /// A member of a map; `None` too where this is no map.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(own, _)| **own == *name).map(|(_, node)| node)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some(&Self::Bool(true))
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Members of a map, none of another value.
    pub fn members(&self) -> &[(Box<str>, Self)] {
        match self {
            Self::Map(members) => members,
            _ => &[],
        }
    }

    /// Items of a list, none of another value.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub const fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    /// The value as JSON where it is a scalar.
    pub fn scalar(&self) -> Option<serde_json::Value> {
        match self {
            Self::Null => Some(serde_json::Value::Null),
            Self::Bool(flag) => Some((*flag).into()),
            Self::Number(number) => Some(serde_json::Value::Number(number.clone())),
            Self::Text(text) => Some((&**text).into()),
            Self::List(_) | Self::Map(_) => None,
        }
    }
}

/// Reads a [`Node`]: at most so many values and so deep.
pub(crate) struct Seed<'b> {
    nodes_left: &'b Cell<usize>,
    depth: usize,
}

impl<'b> Seed<'b> {
    pub const fn new(nodes_left: &'b Cell<usize>) -> Self {
        Self { nodes_left, depth: 0 }
    }

    fn inner<E: de::Error>(&self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom(format_args!("nested more than {DEPTH_MAX} deep")));
        }
        let left = self.nodes_left.get().checked_sub(1);
        self.nodes_left.set(left.ok_or_else(|| E::custom("more values than are taken"))?);
        Ok(Self { nodes_left: self.nodes_left, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Bool(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Node, E> {
        // Not a number in YAML's sense of the word is none in JSON's.
        Ok(Number::from_f64(number).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.into()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self.inner()?)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members: Vec<(Box<str>, Node)> = Vec::new();
        let mut names: HashSet<Box<str>> = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            // Two readers take two different ones: what a person reviewed is not what is imported.
            if !names.insert(name.as_str().into()) {
                let shown: String = name.chars().take(64).collect();
                return Err(de::Error::custom(format_args!("the key {shown:?} stands twice")));
            }
            members.push((name.into(), map.next_value_seed(self.inner()?)?));
        }
        members.shrink_to_fit();
        Ok(Node::Map(members))
    }
}

/// How deep a document nests. Public documents need about 30.
pub(crate) const DEPTH_MAX: usize = 96;
