//! `key=value` words as arguments of a tool, typed by its JSON Schema.

use serde_json::{Map, Number, Value};

use crate::failure::Failure;

/// Reads `key=value` (typed by the schema) and `key:=JSON` words.
///
/// Keys that the schema does not know are passed as strings: the broker refuses them with its own
/// words.
pub fn arguments(words: &[String], schema: Option<&Value>) -> Result<Map<String, Value>, Failure> {
    let mut out = Map::new();
    for word in words {
        let (key, value) = argument(word, schema)?;
        if out.insert(key.clone(), value).is_some() {
            return Err(Failure::usage(format!("`{key}` is given twice"))
                .next(format!("{key}=VALUE once, or {key}:=[…] for a list")));
        }
    }
    Ok(out)
}

fn argument(word: &str, schema: Option<&Value>) -> Result<(String, Value), Failure> {
    let Some((key, text)) = word.split_once('=') else {
        return Err(Failure::usage(format!("`{word}` is not key=value"))
            .next("key=value, or key:=JSON for other than text"));
    };
    if let Some(key) = key.strip_suffix(':') {
        let value = serde_json::from_str(text)
            .map_err(|error| Failure::usage(format!("`{key}` is not JSON: {error}")))
            .map_err(|failure| {
                failure.next(format!("{key}:='{{\"a\":1}}', quoted for the shell"))
            })?;
        return Ok((key.to_owned(), value));
    }
    let property = schema.and_then(|it| it.get("properties")?.get(key));
    let value = typed(text, property).map_err(|wanted| {
        Failure::usage(format!("`{key}` is {wanted}, not `{text}`"))
            .next(format!("{key}:=JSON for a value of another type"))
    })?;
    Ok((key.to_owned(), value))
}

/// The text as the first type of the property that it fits; the error names what was wanted.
fn typed(text: &str, property: Option<&Value>) -> Result<Value, String> {
    let types = types(property);
    if types.is_empty() {
        return Ok(Value::String(text.to_owned()));
    }
    // A string takes anything, so what is narrower goes first.
    let mut ordered: Vec<_> = types.iter().filter(|it| **it != "string").collect();
    ordered.extend(types.iter().filter(|it| **it == "string"));
    let fit = ordered.into_iter().find_map(|kind| as_type(text, kind, property));
    fit.ok_or_else(|| format!("a value of type {}", types.join(" or ")))
}

fn types(property: Option<&Value>) -> Vec<&str> {
    match property.and_then(|it| it.get("type")) {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn as_type(text: &str, kind: &str, property: Option<&Value>) -> Option<Value> {
    match kind {
        "string" => Some(Value::String(text.to_owned())),
        "integer" => integer(text),
        "number" => integer(text)
            .or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number)),
        "boolean" => text.parse().ok().map(Value::Bool),
        "null" => (text == "null").then_some(Value::Null),
        "array" if !text.starts_with('[') => {
            let items = property.and_then(|it| it.get("items"));
            let parts = text.split(',').map(|part| typed(part, items).ok());
            parts.collect::<Option<Vec<_>>>().map(Value::Array)
        }
        "array" => serde_json::from_str(text).ok().filter(Value::is_array),
        "object" => serde_json::from_str(text).ok().filter(Value::is_object),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Value> {
    text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(words: &[&str]) -> Result<Value, String> {
        let schema = json!({"properties": {
            "owner": {"type": "string"},
            "page": {"type": "integer"},
            "ratio": {"type": "number"},
            "draft": {"type": "boolean"},
            "labels": {"type": "array", "items": {"type": "string"}},
            "ids": {"type": "array", "items": {"type": "integer"}},
            "parent": {"type": ["integer", "null"]},
            "either": {"type": ["string", "integer"]},
            "free": {},
        }});
        let words: Vec<_> = words.iter().map(|it| (*it).to_owned()).collect();
        arguments(&words, Some(&schema)).map(Value::Object).map_err(|it| it.message)
    }

    #[test]
    fn values_take_the_schemas_type() {
        assert_eq!(read(&["owner=7", "page=7"]), Ok(json!({"owner": "7", "page": 7})));
        assert_eq!(read(&["ratio=1.5", "draft=true"]), Ok(json!({"ratio": 1.5, "draft": true})));
        assert_eq!(read(&["labels=bug,docs"]), Ok(json!({"labels": ["bug", "docs"]})));
        assert_eq!(read(&["ids=1,2"]), Ok(json!({"ids": [1, 2]})));
        assert_eq!(read(&["labels=[\"a,b\"]"]), Ok(json!({"labels": ["a,b"]})));
        assert_eq!(read(&["parent=null"]), Ok(json!({"parent": null})));
        assert_eq!(read(&["either=5"]), Ok(json!({"either": 5})));
        assert_eq!(read(&["free=5", "unknown=x"]), Ok(json!({"free": "5", "unknown": "x"})));
        assert_eq!(read(&["free:=5", "owner=a=b"]), Ok(json!({"free": 5, "owner": "a=b"})));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (word, says) in [
            ("page=seven", "`page` is a value of type integer, not `seven`"),
            ("page=1.5", "`page` is a value of type integer, not `1.5`"),
            ("draft=yes", "`draft` is a value of type boolean, not `yes`"),
            ("ids=1,x", "`ids` is a value of type array, not `1,x`"),
            ("owner", "`owner` is not key=value"),
        ] {
            assert_eq!(read(&[word]), Err(says.to_owned()));
        }
        assert!(read(&["page:={"]).unwrap_err().starts_with("`page` is not JSON"));
        assert_eq!(read(&["page=1", "page=2"]), Err("`page` is given twice".to_owned()));
    }
}
