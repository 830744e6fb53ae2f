//! Values as text in a query or a form.

use percent_encoding::utf8_percent_encode;
use serde_json::Value;

use super::{
    bind::BindError,
    parameter::{Parameter, QueryStyle},
    segment::ENCODED,
};

/// Writes `name=value` pairs, percent-encoded (space is `%20`), in one canonical spelling.
#[derive(Default)]
pub(super) struct Pairs {
    text: String,
}

impl Pairs {
    pub fn into_string(self) -> String {
        self.text
    }

    /// A query parameter in its style.
    ///
    /// Control characters are refused: no upstream has a use for them in a query, and some join
    /// decoded values into headers or logs.
    pub fn query(
        &mut self,
        parameter: &Parameter,
        style: QueryStyle,
        value: &Value,
    ) -> Result<(), BindError> {
        check_control(parameter, value)?;
        let wire = parameter.wire();
        match (style, value) {
            (QueryStyle::Brackets, Value::Array(items)) => {
                let key = format!("{wire}[]");
                items.iter().for_each(|item| self.pair(&key, item));
            }
            (QueryStyle::Comma, Value::Array(items)) => {
                let has_comma = |item: &Value| item.as_str().is_some_and(|text| text.contains(','));
                if items.iter().any(has_comma) {
                    return Err(parameter.mismatch("items without a comma".to_owned(), value));
                }
                self.key(wire);
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.text.push(',');
                    }
                    self.scalar(item);
                }
            }
            (QueryStyle::Repeat, Value::Array(items)) => {
                items.iter().for_each(|item| self.pair(wire, item));
            }
            (QueryStyle::Spread, Value::Object(members)) => {
                for (name, item) in members {
                    if !is_spread_name(name) {
                        let expected = "names of letters, digits, _, . or -".to_owned();
                        return Err(parameter.mismatch(expected, value));
                    }
                    self.pair(name, item);
                }
            }
            (_, value) => self.deep(wire, value),
        }
        Ok(())
    }

    /// A value with its members as `key[member]` and `key[0]`: Stripe's way, and PHP's.
    pub fn deep(&mut self, key: &str, value: &Value) {
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, item)| self.deep(&format!("{key}[{name}]"), item));
            }
            Value::Array(items) => {
                let each = |(at, item)| self.deep(&format!("{key}[{at}]"), item);
                items.iter().enumerate().for_each(each);
            }
            scalar => self.pair(key, scalar),
        }
    }

    fn pair(&mut self, key: &str, value: &Value) {
        self.key(key);
        self.scalar(value);
    }

    fn key(&mut self, key: &str) {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.extend(utf8_percent_encode(key, ENCODED));
        self.text.push('=');
    }

    fn scalar(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text.extend(utf8_percent_encode(text, ENCODED)),
            // `5.0` passes for an integer, and is sent as one.
            Value::Number(n) if n.is_f64() => match n.as_f64() {
                #[allow(clippy::cast_possible_truncation)] // Whole and within ±2^53.
                Some(f) if f.fract() == 0.0 && f.abs() <= 9_007_199_254_740_992.0 => {
                    self.text.push_str(&(f as i64).to_string());
                }
                _ => self.text.extend(utf8_percent_encode(&n.to_string(), ENCODED)),
            },
            Value::Number(n) => self.text.push_str(&n.to_string()),
            Value::Bool(flag) => self.text.push_str(if *flag { "true" } else { "false" }),
            // An empty value clears a field in a form; a query parameter cannot be null.
            Value::Null | Value::Array(_) | Value::Object(_) => {}
        }
    }
}

pub(super) fn is_spread_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn check_control(parameter: &Parameter, value: &Value) -> Result<(), BindError> {
    let is_clean = |text: &str| !text.chars().any(char::is_control);
    let fits = match value {
        Value::String(text) => is_clean(text),
        Value::Array(items) => {
            return items.iter().try_for_each(|item| check_control(parameter, item));
        }
        Value::Object(members) => {
            if !members.keys().all(|name| is_clean(name)) {
                return Err(BindError::Control { parameter: parameter.name().to_owned() });
            }
            return members.values().try_for_each(|item| check_control(parameter, item));
        }
        _ => true,
    };
    if fits { Ok(()) } else { Err(BindError::Control { parameter: parameter.name().to_owned() }) }
}
