//! From a file's bytes to a tree: JSON or YAML, each error with its line and column.

use std::cell::Cell;

use serde::de::DeserializeSeed;

use crate::{
    error::ImportError,
    node::{DEPTH_MAX, Node, Seed},
};

/// The largest document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most values of a document, those that aliases repeat counted each time.
const NODES_MAX: usize = 4_000_000;

/// Reads a document. What begins with `{` is JSON; everything else is YAML.
pub(crate) fn read(bytes: &[u8]) -> Result<Node, ImportError> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(ImportError::TooLarge { max: DOCUMENT_BYTES_MAX, found: bytes.len() });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let (line, column) = place(bytes, e.valid_up_to());
        ImportError::Syntax { line, column, what: "this is not UTF-8".to_owned() }
    })?;
    let left = Cell::new(NODES_MAX);
    let root = if text.trim_start().starts_with('{') {
        json(text, Seed::new(&left))?
    } else {
        yaml(text, Seed::new(&left))?
    };
    if root.is_map() { Ok(root) } else { Err(ImportError::NotOpenApi) }
}

fn json(text: &str, seed: Seed<'_>) -> Result<Node, ImportError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    seed.deserialize(&mut deserializer).and_then(|node| deserializer.end().map(|()| node)).map_err(
        |e| {
            let (line, column) = (e.line() as u64, e.column() as u64);
            let what = e.to_string();
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
            ImportError::Syntax { line, column, what: shown(what) }
        },
    )
}

fn yaml(text: &str, seed: Seed<'_>) -> Result<Node, ImportError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 16_000_000,
            max_nodes: NODES_MAX,
            max_depth: DEPTH_MAX + 8,
            max_documents: 1,
            max_aliases: 100_000,
            max_anchors: 100_000,
            max_total_scalar_bytes: DOCUMENT_BYTES_MAX,
            max_merge_keys: 10_000,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 1_000_000,
            max_replay_stack_depth: 16,
        },
        with_snippet: false,
    };
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |de| seed.deserialize(de))
        .map_err(|e| {
            let (line, column) = e.location().map_or((0, 0), |at| (at.line(), at.column()));
            let what = e.without_snippet().to_string();
            let what = what.lines().next().unwrap_or_default();
            let what = what.rsplit_once(" at line ").map_or(what, |(what, _)| what);
            ImportError::Syntax { line, column, what: shown(what) }
        })
}

/// Line and column, from 1, of a byte.
pub(crate) fn place(bytes: &[u8], at: usize) -> (u64, u64) {
    let before = &bytes[..at];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    (line as u64, column as u64)
}

/// A parser may quote the document, which may hold anything.
pub(crate) fn shown(what: &str) -> String {
    what.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syntax(bytes: &[u8]) -> (u64, u64, String) {
        match read(bytes) {
            Err(ImportError::Syntax { line, column, what }) => (line, column, what),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_say_where() {
        let (line, column, what) = syntax(b"{\n  \"a\": 1,\n  \"a\": 2\n}");
        assert_eq!((line, what.as_str()), (3, "the key \"a\" stands twice"), "column {column}");
        let (line, _, what) = syntax(b"a: 1\nb: 2\na: 3\n");
        assert_eq!(line, 3, "{what}");
        let (line, column, what) = syntax(b"a: 1\nb: \xff\n");
        assert_eq!((line, column, what.as_str()), (2, 4, "this is not UTF-8"));
        let (line, _, _) = syntax(b"{\n\"a\": ]\n}");
        assert_eq!(line, 2);
        let (line, _, what) = syntax(b"a: [1\nb: {\n");
        assert!(line >= 1, "{what}");
    }

    #[test]
    fn depth_and_aliases_are_bounded() {
        let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        assert!(syntax(deep.as_bytes()).2.contains("deep"));
        let deep = format!("a: {}1{}", "[".repeat(5000), "]".repeat(5000));
        let (_, _, what) = syntax(deep.as_bytes());
        assert!(!what.is_empty());
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 1..20 {
            let before = format!("*a{},", n - 1).repeat(10);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", before.trim_end_matches(',')));
        }
        let (line, _, what) = syntax(bomb.as_bytes());
        assert!(line > 1, "{what}");
    }

    #[test]
    fn both_languages_read_alike() {
        let json = read(br#"{"a": [1, -2.5, true, null, "x"], "200": {}}"#).expect("JSON");
        let yaml = read(b"a: [1, -2.5, true, null, x]\n200: {}\n").expect("YAML");
        assert_eq!(json, yaml);
    }
}
