//! From the catalogue's schemas to JSON Schema draft 2020-12.

use std::fmt;

use serde_json::{Map, Value, json};

use super::{
    error::Problem,
    file::{RawAdditional, RawSchema},
};

/// A set of JSON types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub const STRING: Self = Self(1);
    pub const INTEGER: Self = Self(2);
    pub const NUMBER: Self = Self(4);
    pub const BOOLEAN: Self = Self(8);
    pub const NULL: Self = Self(16);
    pub const ARRAY: Self = Self(32);
    pub const OBJECT: Self = Self(64);

    /// The types of a schema; empty where it names none, which means any.
    pub fn read(raw: &RawSchema) -> Result<Self, Problem> {
        raw.types.iter().flat_map(|types| types.names()).try_fold(Self(0), |set, name| {
            let one = NAMES.iter().find(|(_, own, _)| own == name).map(|(one, _, _)| *one);
            one.map(|one| Self(set.0 | one.0)).ok_or(Problem::Rule(
                "a type is string, integer, number, boolean, null, array or object",
            ))
        })
    }

    pub const fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a value is of one of the types; `5.0` is an integer (draft 2020-12, 6.1.1).
    pub fn fit(self, value: &Value) -> bool {
        self.has(match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
            Value::Number(_) if self.has(Self::NUMBER) => Self::NUMBER,
            Value::Number(n) => {
                let is_whole = !n.is_f64() || n.as_f64().is_some_and(|f| f.fract() == 0.0);
                if is_whole { Self::INTEGER } else { Self::NUMBER }
            }
        })
    }
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> =
            NAMES.iter().filter(|(one, _, _)| self.has(*one)).map(|(_, _, words)| *words).collect();
        f.write_str(if words.is_empty() { "anything" } else { "" })?;
        f.write_str(&words.join(" or "))
    }
}

/// What a value is, for errors: its type and size, never its text.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => {
            let text = number.to_string();
            if text.len() <= 24 { format!("the number {text}") } else { "a number".to_owned() }
        }
        Value::String(text) => format!("text of {} characters", text.chars().count()),
        Value::Array(items) => format!("a list of {} items", items.len()),
        Value::Object(members) => format!("an object of {} members", members.len()),
    }
}

/// The JSON Schema of a parameter or a part of one.
pub(super) fn to_json(raw: &RawSchema) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(key.to_owned(), value);
        }
    };
    put(
        "type",
        raw.types.as_ref().map(|types| match types.names() {
            [one] => json!(one),
            many => json!(many),
        }),
    );
    put("description", raw.description.as_ref().map(|text| json!(text)));
    put("enum", raw.allowed.as_ref().map(|values| json!(values)));
    put("default", raw.default.clone());
    put("minimum", raw.minimum.clone().map(Value::Number));
    put("maximum", raw.maximum.clone().map(Value::Number));
    put("minLength", raw.min_length.map(Value::from));
    put("maxLength", raw.max_length.map(Value::from));
    put("pattern", raw.pattern.as_ref().map(|text| json!(text)));
    put("format", raw.format.as_ref().map(|text| json!(text)));
    put("items", raw.items.as_deref().map(to_json));
    put("anyOf", raw.any_of.as_ref().map(|all| Value::Array(all.iter().map(to_json).collect())));
    put("minItems", raw.min_items.map(Value::from));
    put("maxItems", raw.max_items.map(Value::from));
    put("uniqueItems", raw.unique_items.map(Value::from));
    put("minProperties", raw.min_properties.map(Value::from));
    put("maxProperties", raw.max_properties.map(Value::from));
    put(
        "additionalProperties",
        match &raw.additional_properties {
            Some(RawAdditional::Flag(flag)) => Some(json!(flag)),
            Some(RawAdditional::Schema(schema)) => Some(to_json(schema)),
            // What is not named is refused, unless the schema leaves the object open altogether.
            None => (!raw.properties.0.is_empty()).then_some(Value::Bool(false)),
        },
    );
    if !raw.properties.0.is_empty() {
        let properties: Map<String, Value> =
            raw.properties.0.iter().map(|(name, one)| (name.clone(), to_json(one))).collect();
        put("properties", Some(Value::Object(properties)));
        let required: Vec<&str> = raw
            .properties
            .0
            .iter()
            .filter(|(_, one)| one.required)
            .map(|(n, _)| n.as_str())
            .collect();
        put("required", (!required.is_empty()).then(|| json!(required)));
    }
    Value::Object(out)
}

/// Checks a schema's own sense, so that what is generated from it always compiles (but for patterns).
pub(super) fn check(raw: &RawSchema, depth: usize) -> Result<(), Problem> {
    let rule = |holds: bool, text| if holds { Ok(()) } else { Err(Problem::Rule(text)) };
    rule(depth <= DEPTH_MAX, "a schema nests at most 8 deep")?;
    rule(depth == 0 || raw.wire.is_none(), "wire stands on a parameter, not inside one")?;
    rule(depth == 0 || raw.style.is_none(), "style stands on a parameter, not inside one")?;
    if let Some(all) = &raw.any_of {
        return check_any_of(raw, all, depth);
    }
    let types = Types::read(raw)?;
    let describes_any = raw.types.is_none();
    rule(!describes_any || raw.allowed.is_none(), "enum needs a type")?;
    if let Some(text) = &raw.description {
        check_text(text, DESCRIPTION_CHARS_MAX)?;
    }
    if let Some(values) = &raw.allowed {
        rule((1..=256).contains(&values.len()), "enum has 1 to 256 values")?;
        let is_scalar = |v: &Value| !v.is_array() && !v.is_object();
        rule(
            values.iter().all(|v| is_scalar(v) && types.fit(v)),
            "a value of enum has another type",
        )?;
    }
    if let Some(default) = &raw.default {
        rule(describes_any || types.fit(default), "default has another type")?;
    }
    let in_range = |n: &serde_json::Number| n.as_f64().is_some_and(|f| f.abs() <= LIMIT_MAX);
    let limits = [&raw.minimum, &raw.maximum];
    rule(limits.into_iter().flatten().all(in_range), "a limit stands within ±2^53")?;
    let is_number = types.has(Types::INTEGER) || types.has(Types::NUMBER);
    rule(is_number || limits == [&None, &None], "minimum and maximum are for numbers")?;
    let is_text = types.has(Types::STRING);
    let is_plain = raw.min_length.is_none() && raw.max_length.is_none() && raw.pattern.is_none();
    rule(is_text || is_plain, "minLength, maxLength and pattern are for strings")?;
    rule(raw.pattern.as_ref().is_none_or(|p| p.len() <= 256), "a pattern has at most 256 bytes")?;
    let is_list = types.has(Types::ARRAY);
    let is_sized = raw.items.is_some() || raw.min_items.is_some() || raw.max_items.is_some();
    rule(is_list || !is_sized, "items, minItems and maxItems are for arrays")?;
    rule(!is_list || raw.items.is_some(), "an array says what its items are")?;
    if let Some(items) = &raw.items {
        rule(!items.required, "items cannot be required; use minItems")?;
        check(items, depth + 1)?;
    }
    let is_object = types.has(Types::OBJECT);
    let has_members = !raw.properties.0.is_empty()
        || raw.additional_properties.is_some()
        || raw.min_properties.is_some()
        || raw.max_properties.is_some();
    rule(is_object || !has_members, "properties are for objects")?;
    rule(raw.properties.0.len() <= 128, "an object has at most 128 properties")?;
    for (name, property) in &raw.properties.0 {
        check_text(name, 128)?;
        check(property, depth + 1)?;
    }
    match &raw.additional_properties {
        Some(RawAdditional::Schema(schema)) => check(schema, depth + 1),
        _ => Ok(()),
    }
}

/// `anyOf` stands alone, so that a closed object beside it cannot refuse what its parts take.
fn check_any_of(raw: &RawSchema, all: &[RawSchema], depth: usize) -> Result<(), Problem> {
    let rule = |holds: bool, text| if holds { Ok(()) } else { Err(Problem::Rule(text)) };
    rule((1..=32).contains(&all.len()), "anyOf has 1 to 32 parts")?;
    let alone = RawSchema {
        description: raw.description.clone(),
        required: raw.required,
        wire: raw.wire.clone(),
        any_of: None,
        ..RawSchema::default()
    };
    let rest = RawSchema { any_of: None, ..raw.clone() };
    rule(rest == alone, "beside anyOf stand description, required and wire alone")?;
    if let Some(text) = &raw.description {
        check_text(text, DESCRIPTION_CHARS_MAX)?;
    }
    for part in all {
        rule(!part.required, "a part of anyOf cannot be required")?;
        check(part, depth + 1)?;
    }
    Ok(())
}

/// Text that is shown to people and models: bounded, without control characters.
pub(super) fn check_text(text: &str, chars_max: usize) -> Result<(), Problem> {
    let count = text.chars().count();
    if count == 0 || count > chars_max || text.chars().any(char::is_control) {
        return Err(Problem::Text { max: chars_max });
    }
    Ok(())
}

/// Compiles a schema: draft 2020-12, linear-time patterns, nothing fetched.
pub(super) fn compile(schema: &Value) -> Result<jsonschema::Validator, Problem> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .build(schema)
        .map_err(|error| Problem::Schema(error.to_string().chars().take(200).collect()))
}

/// Whether a pattern is one that can be checked in time linear in the text.
#[must_use]
pub fn is_pattern(pattern: &str) -> bool {
    compile(&json!({"type": "string", "pattern": pattern})).is_ok()
}

/// The longest description, in characters.
pub(super) const DESCRIPTION_CHARS_MAX: usize = 600;

const DEPTH_MAX: usize = 8;
const LIMIT_MAX: f64 = 9_007_199_254_740_992.0;

const NAMES: [(Types, &str, &str); 7] = [
    (Types::STRING, "string", "text"),
    (Types::INTEGER, "integer", "a whole number"),
    (Types::NUMBER, "number", "a number"),
    (Types::BOOLEAN, "boolean", "true or false"),
    (Types::NULL, "null", "null"),
    (Types::ARRAY, "array", "a list"),
    (Types::OBJECT, "object", "an object"),
];
