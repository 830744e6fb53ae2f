//! One document: its version, and references within it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use crate::{error::ImportError, node::Node};

/// Which of the three it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Swagger2,
    OpenApi30,
    OpenApi31,
}

impl Dialect {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Swagger2 => "Swagger 2.0",
            Self::OpenApi30 => "OpenAPI 3.0",
            Self::OpenApi31 => "OpenAPI 3.1",
        }
    }
}

pub(crate) struct Document<'n> {
    root: &'n Node,
    pub dialect: Dialect,
    /// What references lead to. Large documents name the same few thousand again and again.
    found: RefCell<HashMap<&'n str, Option<&'n Node>>>,
    /// Patterns that were tried, and whether they are of linear time.
    patterns: RefCell<HashMap<&'n str, bool>>,
    /// How many schemas may still be walked through: a small document can repeat a large one often.
    work_left: Cell<u32>,
}

impl<'n> Document<'n> {
    pub fn new(root: &'n Node) -> Result<Self, ImportError> {
        let version = |name: &str| match root.get(name) {
            Some(Node::Text(text)) => Some(text.to_string()),
            // `swagger: 2.0` without quotes is a number in YAML.
            Some(Node::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let dialect = match (version("openapi"), version("swagger")) {
            (Some(v), None) if v.starts_with("3.0") => Dialect::OpenApi30,
            (Some(v), None) if v.starts_with("3.1") => Dialect::OpenApi31,
            (None, Some(v)) if v == "2.0" || v == "2" => Dialect::Swagger2,
            _ => return Err(ImportError::NotOpenApi),
        };
        Ok(Self {
            root,
            dialect,
            found: RefCell::default(),
            patterns: RefCell::default(),
            work_left: Cell::new(WORK_MAX),
        })
    }

    /// A schema that stands alone, with its definitions in it. `work`: how many schemas may be
    /// walked through.
    pub fn of_schema(root: &'n Node, work: u32) -> Self {
        Self {
            root,
            dialect: Dialect::OpenApi31,
            found: RefCell::default(),
            patterns: RefCell::default(),
            work_left: Cell::new(work),
        }
    }

    pub const fn root(&self) -> &'n Node {
        self.root
    }

    /// What a node is behind its references.
    ///
    /// # Errors
    /// Why it leads nowhere. A document elsewhere is never fetched.
    pub fn resolve(&self, node: &'n Node) -> Result<&'n Node, String> {
        let mut node = node;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = reference(node) else { return Ok(node) };
            node = self.follow(reference)?;
        }
        Err("references lead in a circle".to_owned())
    }

    /// What one reference names.
    ///
    /// # Errors
    /// As [`Document::resolve`].
    pub fn follow(&self, reference: &'n str) -> Result<&'n Node, String> {
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err(format!("{} is another document, which is not fetched", shown(reference)));
        };
        let mut found = self.found.borrow_mut();
        found
            .entry(reference)
            .or_insert_with(|| self.walk(pointer))
            .ok_or_else(|| format!("{} leads nowhere", shown(reference)))
    }

    /// Takes one step of the work that a document may cost; `false` where none is left.
    pub fn work(&self) -> bool {
        let left = self.work_left.get().checked_sub(1);
        left.inspect(|left| self.work_left.set(*left)).is_some()
    }

    /// Whether a pattern can be checked in linear time.
    pub fn is_pattern(&self, pattern: &'n str) -> bool {
        let mut patterns = self.patterns.borrow_mut();
        if patterns.len() >= PATTERNS_MAX && !patterns.contains_key(pattern) {
            return false;
        }
        *patterns.entry(pattern).or_insert_with(|| {
            pattern.len() <= 256 && symbolon_capability::catalog::is_pattern(pattern)
        })
    }

    /// A JSON pointer (RFC 6901), percent-encoded as in a fragment.
    fn walk(&self, pointer: &str) -> Option<&'n Node> {
        let mut node = self.root;
        if pointer.is_empty() {
            return Some(node);
        }
        for (n, part) in pointer.strip_prefix('/')?.split('/').enumerate() {
            if n == POINTER_PARTS_MAX {
                return None;
            }
            let part = percent_decoded(part)?.replace("~1", "/").replace("~0", "~");
            node = match node {
                Node::List(items) => items.get(part.parse::<usize>().ok()?)?,
                other => other.get(&part)?,
            };
        }
        Some(node)
    }
}

/// The reference of a node, if it is one.
pub(crate) fn reference(node: &Node) -> Option<&str> {
    node.text("$ref")
}

fn percent_decoded(part: &str) -> Option<String> {
    if !part.contains('%') {
        return Some(part.to_owned());
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |b: u8| char::from(b).to_digit(16).and_then(|n| u8::try_from(n).ok());
        let [high, low, tail @ ..] = tail else { return None };
        bytes.push(digit(*high)? * 16 + digit(*low)?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// A reference or a name as it may stand in a report.
pub(crate) fn shown(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    crate::text::cut(&plain, 120)
}

const WORK_MAX: u32 = 20_000_000;
const PATTERNS_MAX: usize = 2000;
const REFERENCES_MAX: usize = 16;
const POINTER_PARTS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::read;

    #[test]
    fn references_stay_in_the_document() {
        let root = read(
            br##"{"openapi": "3.0.0", "a~b": {"c/d": [7]}, "r": {"$ref": "#/a~0b/c~1d/0"},
              "s": {"$ref": "#/a~0b/c%7E1d/0"}, "x": {"$ref": "#/x"}, "y": {"$ref": "https://e.example/"},
              "z": {"$ref": "#/nowhere"}, "two": {"$ref": "#/r"}}"##,
        )
        .expect("JSON");
        let document = Document::new(&root).expect("a document");
        let resolve = |name| document.resolve(root.get(name).expect(name));
        for name in ["r", "s", "two"] {
            assert_eq!(resolve(name), Ok(&Node::Number(7.into())), "{name}");
        }
        assert!(resolve("x").is_err_and(|e| e.contains("circle")));
        assert!(resolve("y").is_err_and(|e| e.contains("not fetched")));
        assert!(resolve("z").is_err_and(|e| e.contains("nowhere")));
    }

    #[test]
    fn a_reference_that_is_too_long_leads_nowhere_and_not_part_of_the_way() {
        let nested = |levels: usize| {
            let (open, close) = ("{\"a\":".repeat(levels), "}".repeat(levels));
            let way = "/a".repeat(levels);
            let json = format!(
                "{{\"openapi\":\"3.0.0\",\"a\":{open}7{close},\"r\":{{\"$ref\":\"#/a{way}\"}}}}"
            );
            let root = read(json.as_bytes()).expect("JSON");
            let document = Document::new(&root).expect("a document");
            document.resolve(root.get("r").expect("r")).is_ok()
        };
        assert!(nested(POINTER_PARTS_MAX - 1));
        assert!(!nested(POINTER_PARTS_MAX));
    }
}
