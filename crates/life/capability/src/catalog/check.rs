//! The quick check of flat parameters: scalars and lists of scalars.
//!
//! It answers as a JSON Schema validator does (a property test compares the two), without walking a
//! compiled tree. What it cannot say, nested objects and patterns, goes to the `jsonschema` crate.

use serde_json::{Number, Value};

use super::{file::RawSchema, schema::Types};

/// A schema without nesting, ready to check.
#[derive(Clone, Debug, Default)]
pub(super) struct Flat {
    types: Types,
    minimum: Option<Limit>,
    maximum: Option<Limit>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    allowed: Option<Vec<Value>>,
    item: Option<Box<Flat>>,
    min_items: Option<u64>,
    max_items: Option<u64>,
}

impl Flat {
    /// The check for a schema, if the schema is flat.
    pub fn new(raw: &RawSchema, types: Types) -> Option<Self> {
        let nested = raw.pattern.is_some()
            || raw.any_of.is_some()
            || !raw.properties.0.is_empty()
            || raw.additional_properties.is_some()
            || raw.min_properties.is_some()
            || raw.max_properties.is_some()
            || raw.unique_items == Some(true);
        if nested || types.has(Types::OBJECT) || types.is_empty() {
            return None;
        }
        let item = match &raw.items {
            Some(items) => {
                let types = Types::read(items).ok()?;
                if types.has(Types::ARRAY) {
                    return None;
                }
                Some(Box::new(Self::new(items, types)?))
            }
            None if types.has(Types::ARRAY) => return None,
            None => None,
        };
        Some(Self {
            types,
            minimum: raw.minimum.as_ref().and_then(Limit::new),
            maximum: raw.maximum.as_ref().and_then(Limit::new),
            min_length: raw.min_length,
            max_length: raw.max_length,
            allowed: raw.allowed.clone(),
            item,
            min_items: raw.min_items,
            max_items: raw.max_items,
        })
    }

    /// Whether the value fits.
    pub fn check(&self, value: &Value) -> Result<(), Unfit> {
        if !self.types.fit(value) {
            return Err(Unfit::Type);
        }
        match value {
            Value::String(text) => self.check_length(text)?,
            Value::Number(number) => self.check_range(number)?,
            Value::Array(items) => {
                let count = items.len() as u64;
                if self.min_items.is_some_and(|min| count < min)
                    || self.max_items.is_some_and(|max| count > max)
                {
                    return Err(Unfit::Count);
                }
                if let Some(check) = &self.item {
                    items.iter().try_for_each(|item| check.check(item).map_err(|_| Unfit::Item))?;
                }
            }
            Value::Bool(_) | Value::Null | Value::Object(_) => {}
        }
        match &self.allowed {
            Some(allowed) if !allowed.iter().any(|one| is_equal(one, value)) => Err(Unfit::Allowed),
            _ => Ok(()),
        }
    }

    /// What the schema wants, in words.
    pub fn expected(&self, unfit: Unfit) -> String {
        let between = |least: Option<String>, most: Option<String>, unit: &str| match (least, most)
        {
            (Some(least), Some(most)) => format!("{least} to {most}{unit}"),
            (Some(least), None) => format!("at least {least}{unit}"),
            (None, Some(most)) => format!("at most {most}{unit}"),
            (None, None) => self.types.to_string(),
        };
        let text = |n: Option<u64>| n.map(|n| n.to_string());
        match unfit {
            Unfit::Type => self.types.to_string(),
            Unfit::Range => {
                let text =
                    |limit: &Option<Limit>| limit.as_ref().map(|l| l.to_number().to_string());
                between(text(&self.minimum), text(&self.maximum), "")
            }
            Unfit::Length => between(text(self.min_length), text(self.max_length), " characters"),
            Unfit::Count => between(text(self.min_items), text(self.max_items), " items"),
            Unfit::Item => match &self.item {
                Some(item) => format!("a list, each item {}", item.expected(item.widest())),
                None => self.types.to_string(),
            },
            Unfit::Allowed => {
                let all: Vec<String> =
                    self.allowed.iter().flatten().map(ToString::to_string).collect();
                format!("one of {}", all.join(", "))
            }
        }
    }

    /// Which of the rules describes an item best.
    fn widest(&self) -> Unfit {
        if self.allowed.is_some() { Unfit::Allowed } else { Unfit::Type }
    }

    fn check_length(&self, text: &str) -> Result<(), Unfit> {
        let bytes = text.len() as u64;
        // A character has one to four bytes, so most texts need no counting.
        let is_long = self.max_length.is_some_and(|max| bytes > max && count(text) > max);
        let is_short =
            self.min_length.is_some_and(|min| bytes < min.saturating_mul(4) && count(text) < min);
        if is_long || is_short { Err(Unfit::Length) } else { Ok(()) }
    }

    fn check_range(&self, number: &Number) -> Result<(), Unfit> {
        let is_low = self.minimum.as_ref().is_some_and(|min| min.is_above(number));
        let is_high = self.maximum.as_ref().is_some_and(|max| max.is_below(number));
        if is_low || is_high { Err(Unfit::Range) } else { Ok(()) }
    }
}

/// Which rule a value breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Type,
    Range,
    Length,
    Count,
    Item,
    Allowed,
}

/// A limit within ±2^53, where whole numbers and floats agree.
#[derive(Clone, Copy, Debug)]
enum Limit {
    Whole(i64),
    Float(f64),
}

impl Limit {
    fn new(number: &Number) -> Option<Self> {
        match number.as_i64() {
            Some(whole) => Some(Self::Whole(whole)),
            None => number.as_f64().map(Self::Float),
        }
    }

    fn to_number(self) -> Number {
        match self {
            Self::Whole(whole) => whole.into(),
            Self::Float(float) => Number::from_f64(float).unwrap_or_else(|| 0.into()),
        }
    }

    fn is_above(self, number: &Number) -> bool {
        match (self, whole(number)) {
            (Self::Whole(limit), Some(n)) => i128::from(limit) > n,
            (limit, _) => number.as_f64().is_none_or(|n| limit.as_f64() > n),
        }
    }

    fn is_below(self, number: &Number) -> bool {
        match (self, whole(number)) {
            (Self::Whole(limit), Some(n)) => i128::from(limit) < n,
            (limit, _) => number.as_f64().is_none_or(|n| limit.as_f64() < n),
        }
    }

    #[allow(clippy::cast_precision_loss)] // Limits stand within ±2^53, which `schema` checks.
    const fn as_f64(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Float(float) => float,
        }
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn count(text: &str) -> u64 {
    text.chars().count() as u64
}

/// Equality as JSON Schema has it: `1` and `1.0` are equal.
fn is_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => match (whole(a), whole(b)) {
            (Some(a), Some(b)) => a == b,
            _ => a.as_f64() == b.as_f64(),
        },
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::catalog::schema::{compile, to_json};

    fn arb_scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9i64..9).prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(|f| json!(f)),
            (-9i32..9).prop_map(|n| json!(f64::from(n))),
            (-90i32..90).prop_map(|n| json!(f64::from(n) / 10.0)),
            "[ab]{0,6}".prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ]
    }

    fn arb_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            4 => arb_scalar(),
            2 => prop::collection::vec(arb_scalar(), 0..5).prop_map(Value::from),
            1 => Just(json!({"a": 1})),
        ]
    }

    fn arb_schema(with_array: bool) -> BoxedStrategy<String> {
        let names = if with_array {
            vec!["string", "integer", "number", "boolean", "null", "array"]
        } else {
            vec!["string", "integer", "number", "boolean", "null"]
        };
        let item = if with_array { arb_schema(false) } else { Just(String::new()).boxed() };
        (
            prop::sample::subsequence(names, 1..4),
            prop::option::of(-9i64..9),
            prop::option::of((-90i32..90).prop_map(|n| f64::from(n) / 10.0)),
            prop::option::of(0u64..4),
            prop::option::of(0u64..6),
            prop::option::weighted(
                0.3,
                prop::collection::vec(
                    prop_oneof![
                        (-3i64..3).prop_map(Value::from),
                        "[ab]{0,2}".prop_map(Value::from)
                    ],
                    1..4,
                ),
            ),
            prop::option::of(0u64..3),
            item,
        )
            .prop_map(|(types, min, max, min_length, max_length, allowed, items, item)| {
                let mut out = format!("type = {types:?}\n");
                let mut put = |key: &str, value: Option<String>| {
                    if let Some(value) = value {
                        out.push_str(&format!("{key} = {value}\n"));
                    }
                };
                put("minimum", min.map(|n| n.to_string()));
                put("maximum", max.map(|n| format!("{n:?}")));
                put("minLength", min_length.map(|n| n.to_string()));
                put("maxLength", max_length.map(|n| n.to_string()));
                put("enum", allowed.map(|a| Value::from(a).to_string()));
                if types.contains(&"array") {
                    put("minItems", items.map(|n| n.to_string()));
                    put("items", Some(format!("{{ {} }}", item.trim().replace('\n', ", "))));
                }
                out
            })
            .boxed()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_the_validator(schema in arb_schema(true), values in prop::collection::vec(arb_value(), 8)) {
            let raw: RawSchema = toml::from_str(&schema).expect("the schema is TOML");
            let types = Types::read(&raw).expect("the types exist");
            let flat = Flat::new(&raw, types).expect("the schema is flat");
            let validator = compile(&to_json(&raw)).expect("the schema compiles");
            for value in values {
                let ours = flat.check(&value);
                prop_assert_eq!(ours.is_ok(), validator.is_valid(&value), "{} {}", schema, value);
                if let Err(unfit) = ours {
                    prop_assert!(!flat.expected(unfit).is_empty());
                }
            }
        }
    }
}
