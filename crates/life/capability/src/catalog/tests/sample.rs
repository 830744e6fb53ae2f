//! Arguments made from schemas.

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};

use crate::catalog::{Operation, Place, SegmentKind};

/// Arguments that fit: the required ones, or all.
pub fn arguments(operation: &Operation, all: bool) -> Map<String, Value> {
    operation
        .parameters()
        .iter()
        .filter(|p| all || p.is_required())
        .map(|p| {
            let value = match p.place() {
                Place::Path(kind) => segment(kind),
                Place::Query(_) | Place::Body => value(p.schema(), all),
            };
            (p.name().to_owned(), value)
        })
        .collect()
}

fn segment(kind: SegmentKind) -> Value {
    match kind {
        SegmentKind::Int => json!(42),
        SegmentKind::Uuid => json!("01234567-89ab-cdef-0123-456789abcdef"),
        SegmentKind::Hex => json!("0123abcd"),
        SegmentKind::Id => json!("cus_9-Z"),
        SegmentKind::Slug => json!("some.slug-1"),
        SegmentKind::Npm => json!("@scope/some-name"),
        SegmentKind::Any => json!("good first issue: 100% ok"),
        SegmentKind::Packed => json!("group/sub group/project"),
        SegmentKind::Path => json!("src/a b/main.rs"),
    }
}

fn value(schema: &Value, all: bool) -> Value {
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
        return allowed[0].clone();
    }
    let number = |key: &str| schema.get(key).and_then(Value::as_u64);
    let types = schema.get("type").map(|t| t.as_array().map_or(t, |many| &many[0]));
    match types.and_then(Value::as_str).unwrap_or("object") {
        "string" => json!(text(schema, number("minLength"), number("maxLength"))),
        "integer" => json!(schema.get("minimum").and_then(Value::as_i64).unwrap_or(7)),
        "number" => json!(schema.get("maximum").and_then(Value::as_f64).unwrap_or(0.5)),
        "boolean" => json!(true),
        "null" => Value::Null,
        "array" => {
            let count = number("minItems").unwrap_or(0).max(u64::from(all));
            (0..count).map(|_| value(&schema["items"], all)).collect()
        }
        _ => {
            let required: Vec<&str> = schema
                .get("required")
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default();
            let mut members: Map<String, Value> = schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .filter(|(name, _)| all || required.contains(&name.as_str()))
                .map(|(name, schema)| (name.clone(), value(schema, all)))
                .collect();
            let wanted = number("minProperties").unwrap_or(0);
            let extra = schema.get("additionalProperties").filter(|s| s.is_object());
            if extra.is_some() && (all || wanted > members.len() as u64) {
                members.insert("extra".to_owned(), value(&schema["additionalProperties"], all));
            }
            if wanted > members.len() as u64 {
                match schema
                    .get("properties")
                    .and_then(Value::as_object)
                    .and_then(|p| p.iter().next())
                {
                    Some((name, schema)) => members.insert(name.clone(), value(schema, all)),
                    None => members.insert("some".to_owned(), json!("thing")),
                };
            }
            Value::Object(members)
        }
    }
}

fn text(schema: &Value, min: Option<u64>, max: Option<u64>) -> String {
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        return proptest::string::string_regex(
            pattern.trim_start_matches('^').trim_end_matches('$'),
        )
        .expect("a pattern")
        .new_tree(&mut TestRunner::deterministic())
        .expect("a text")
        .current();
    }
    if schema.get("format").and_then(Value::as_str) == Some("date-time") {
        return "2026-01-02T03:04:05Z".to_owned();
    }
    let wanted = min.unwrap_or(0).max(1).min(max.unwrap_or(u64::MAX));
    let base = "a&b=c d é+%2e/..\"x";
    base.chars().cycle().take(wanted.max(max.unwrap_or(18).min(18)) as usize).collect()
}
