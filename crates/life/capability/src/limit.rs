//! Limits on parameters: which values a grant lets through.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Number, Value};

/// One limit, written as `owner=acme`, `owner in acme,example`, `state not in closed`,
/// `amount<=5000` or `amount>=1`. Text is kept as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    text: String,
    parameter: String,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    In(Vec<String>),
    NotIn(Vec<String>),
    Max(Number),
    Min(Number),
}

/// What is wrong with a limit's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a limit is written as owner=acme, \"owner in a,b\", \"owner not in a,b\", amount<=50 or amount>=1"
)]
pub struct LimitError;

impl Limit {
    /// Reads a limit.
    ///
    /// # Errors
    /// [`LimitError`].
    pub fn parse(text: &str) -> Result<Self, LimitError> {
        if text.len() > 1024 {
            return Err(LimitError);
        }
        let list = |s: &str| -> Result<Vec<String>, LimitError> {
            let items: Vec<String> = s.split(',').map(|v| v.trim().to_owned()).collect();
            if items.iter().any(String::is_empty) { Err(LimitError) } else { Ok(items) }
        };
        let number = |s: &str| s.trim().parse::<Number>().map_err(|_| LimitError);
        let (parameter, rule) = if let Some((p, v)) = text.split_once("<=") {
            (p, Rule::Max(number(v)?))
        } else if let Some((p, v)) = text.split_once(">=") {
            (p, Rule::Min(number(v)?))
        } else if let Some((p, v)) = text.split_once('=') {
            (p, Rule::In(vec![v.trim().to_owned()]))
        } else if let Some((p, v)) = text.split_once(" not in ") {
            (p, Rule::NotIn(list(v)?))
        } else if let Some((p, v)) = text.split_once(" in ") {
            (p, Rule::In(list(v)?))
        } else {
            return Err(LimitError);
        };
        let parameter = parameter.trim();
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if parameter.is_empty() || !parameter.bytes().all(plain) {
            return Err(LimitError);
        }
        Ok(Self { text: text.to_owned(), parameter: parameter.to_owned(), rule })
    }

    /// The parameter it speaks of.
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    /// Whether it plainly lets through what `above` does not. Both hold in any case; this finds slips
    /// of the hand. Limits of different kinds are taken for a narrowing of each other.
    pub fn exceeds(&self, above: &Self) -> bool {
        if self.parameter != above.parameter {
            return false;
        }
        match (&self.rule, &above.rule) {
            (Rule::In(items), _) => !items.iter().all(|item| above.could_admit(item)),
            (Rule::Max(own), Rule::Max(most)) => compare(own, most) == Some(Ordering::Greater),
            (Rule::Min(own), Rule::Min(least)) => compare(own, least) == Some(Ordering::Less),
            _ => false,
        }
    }

    /// Whether any value that is written so is within it.
    fn could_admit(&self, item: &str) -> bool {
        let number = item.parse::<Number>().ok().map(Value::Number);
        let truth = item.parse::<bool>().ok().map(Value::Bool);
        [Some(Value::from(item)), number, truth]
            .into_iter()
            .flatten()
            .any(|value| self.admits(&Map::from_iter([(self.parameter.clone(), value)])))
    }

    /// Whether these arguments are within it. A parameter that is absent is within `not in` alone:
    /// what an upstream would put in its place is unknown here.
    pub fn admits(&self, arguments: &Map<String, Value>) -> bool {
        let value = arguments.get(&self.parameter);
        match (&self.rule, value) {
            (Rule::NotIn(_), None) => true,
            (_, None) => false,
            (Rule::In(items), Some(v)) => every(v, |v| items.iter().any(|i| same(v, i, false))),
            (Rule::NotIn(items), Some(v)) => every(v, |v| !items.iter().any(|i| same(v, i, true))),
            (Rule::Max(n), Some(v)) => {
                every(v, |v| order(v, n).is_some_and(|o| o != Ordering::Greater))
            }
            (Rule::Min(n), Some(v)) => {
                every(v, |v| order(v, n).is_some_and(|o| o != Ordering::Less))
            }
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A list is within a limit when each of its items is; an empty list holds nothing to admit.
fn every(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(items) => !items.is_empty() && items.iter().all(&test),
        other => test(other),
    }
}

/// `fold`: without regard to case. Some upstreams do not mind case (GitHub's owners), so `not in`
/// folds, and a capital letter does not step around it; others do, so `in` is exact.
fn same(value: &Value, text: &str, fold: bool) -> bool {
    match value {
        Value::String(s) if fold => s.to_lowercase() == text.to_lowercase(),
        Value::String(s) => s == text,
        Value::Number(n) => {
            text.parse::<Number>().is_ok_and(|t| compare(n, &t) == Some(Ordering::Equal))
        }
        Value::Bool(b) => text == if *b { "true" } else { "false" },
        _ => false,
    }
}

fn order(value: &Value, bound: &Number) -> Option<Ordering> {
    match value {
        Value::Number(n) => compare(n, bound),
        _ => None,
    }
}

pub(crate) fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i64(), b.as_i64(), a.as_u64(), b.as_u64()) {
        (Some(a), Some(b), ..) => Some(a.cmp(&b)),
        (.., Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(limit: &str, arguments: Value) -> bool {
        let Value::Object(map) = arguments else { panic!("an object") };
        Limit::parse(limit).unwrap().admits(&map)
    }

    #[test]
    fn each_rule_lets_in_what_it_says_and_no_more() {
        use serde_json::json;
        assert!(admits("owner=acme", json!({"owner": "acme"})));
        assert!(!admits("owner=acme", json!({"owner": "evil"})));
        assert!(!admits("owner=acme", json!({})));
        assert!(!admits("owner=acme", json!({"owner": ["acme", "evil"]})));
        assert!(!admits("owner=acme", json!({"owner": []})));
        assert!(admits("n in 1, 2", json!({"n": 2})));
        assert!(!admits("n in 1,2", json!({"n": 3})));
        assert!(!admits("owner not in Acme", json!({"owner": "aCME"})));
        assert!(admits("owner not in acme", json!({})));
        assert!(admits("amount<=5000", json!({"amount": 5000})));
        assert!(!admits("amount<=5000", json!({"amount": 5000.01})));
        assert!(!admits("amount<=5000", json!({"amount": "1"})));
        assert!(!admits("amount<=5000", json!({"amount": u64::MAX})));
        assert!(admits("amount>=1", json!({"amount": 1})));
        assert!(!admits("amount>=1", json!({"amount": -1})));
        assert!(!admits("amount<=5000", json!({})));
        assert!(!admits("amount<=5000", json!({"amount": null})));
    }

    #[test]
    fn a_limit_that_is_wider_than_the_one_above_is_found() {
        let exceeds = |own: &str, above: &str| {
            Limit::parse(own).unwrap().exceeds(&Limit::parse(above).unwrap())
        };
        for (own, above) in [
            ("owner=evil", "owner=acme"),
            ("owner in acme,evil", "owner in acme,example"),
            ("owner=ACME", "owner not in acme"),
            ("n=60", "n<=50"),
            ("n<=51", "n<=50"),
            ("n>=0", "n>=1"),
        ] {
            assert!(exceeds(own, above), "{own} under {above}");
        }
        for (own, above) in [
            ("owner=acme", "owner in acme,example"),
            ("owner not in evil", "owner=acme"),
            ("n in 1,2", "n<=50"),
            ("n<=50", "n<=50"),
            ("n>=1", "n<=50"),
            ("repo=evil", "owner=acme"),
        ] {
            assert!(!exceeds(own, above), "{own} under {above}");
        }
    }

    #[test]
    fn text_that_is_not_a_limit_is_refused() {
        for bad in ["", "owner", "=x", "a b=c", "n<=x", "n in ", "n in a,,b"] {
            assert!(Limit::parse(bad).is_err(), "{bad}");
        }
    }
}
