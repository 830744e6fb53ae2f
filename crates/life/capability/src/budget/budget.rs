//! A budget, as its owner writes it.

use std::fmt;

use serde_json::{Map, Value};

use super::{Amount, Period, Scale};
use crate::catalog::{Effect, Operation};

/// How much of something a grant may use up in a period, written as
/// `[SCOPES:] AMOUNT UNIT/PERIOD [of PARAMETER[/N|*N]]`:
/// `20 calls/hour`, `stripe.refunds.write: 500 usd/day of amount/100`,
/// `openai.*: 100000 tokens/24h of max_tokens`. Text is kept as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    text: String,
    scopes: Vec<String>,
    limit: Amount,
    unit: String,
    period: Period,
    measure: Measure,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Measure {
    Calls,
    Of { parameter: String, scale: Scale },
}

/// What is wrong with a budget's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a budget is written as \"20 calls/hour\" or \"[SCOPE:] 500 usd/day of amount/100\"; periods are hour, \
     day, week, total, or a length such as 24h"
)]
pub struct BudgetError;

impl Budget {
    /// Reads a budget.
    ///
    /// # Errors
    /// [`BudgetError`].
    pub fn parse(text: &str) -> Result<Self, BudgetError> {
        Self::read(text).ok_or(BudgetError)
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) {
            return None;
        }
        let (scopes, rest) = match text.split_once(':') {
            Some((s, rest)) => (scope_list(s)?, rest.trim()),
            None => (Vec::new(), text.trim()),
        };
        let (quantity, of) = match rest.split_once(" of ") {
            Some((q, of)) => (q, Some(of.trim())),
            None => (rest, None),
        };
        let (quantity, period) = quantity.rsplit_once('/')?;
        let mut words = quantity.split_whitespace();
        let (limit, unit) = (Amount::parse(words.next()?)?, words.next()?);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        let is_unit = unit.len() <= 16
            && unit.starts_with(|c: char| c.is_ascii_lowercase())
            && unit.bytes().all(plain);
        if words.next().is_some() || !is_unit || limit == Amount::ZERO {
            return None;
        }
        let measure = match (unit, of) {
            ("calls", None) => Measure::Calls,
            ("calls", Some(_)) | (_, None) => return None,
            (_, Some(of)) => measured(of)?,
        };
        let period = Period::parse(period.trim())?;
        Some(Self { text: text.to_owned(), scopes, limit, unit: unit.to_owned(), period, measure })
    }

    /// Scope patterns that it is about; the whole grant where there are none.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// How much.
    pub fn limit(&self) -> Amount {
        self.limit
    }

    /// Of what: `calls`, `usd`, `tokens`.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// In which time.
    pub fn period(&self) -> Period {
        self.period
    }

    /// The parameter that is counted; `None` where calls are.
    pub fn parameter(&self) -> Option<&str> {
        match &self.measure {
            Measure::Calls => None,
            Measure::Of { parameter, .. } => Some(parameter),
        }
    }

    /// Whether it gives more of the very same thing than `above`.
    pub fn exceeds(&self, above: &Self) -> bool {
        let same = (&self.scopes, &self.unit, self.period, &self.measure)
            == (&above.scopes, &above.unit, above.period, &above.measure);
        same && self.limit > above.limit
    }

    /// Whether an operation has what is counted, so that a call of it could be.
    pub fn can_count(&self, operation: &Operation) -> bool {
        self.parameter().is_none_or(|p| {
            let first = p.split('.').next().unwrap_or(p);
            operation.parameters().iter().any(|o| o.name() == p || o.name() == first)
        })
    }

    /// What one call takes. `None` where it cannot be told: the parameter is absent, so that the
    /// service chooses, or it is no plain amount. Looking takes nothing of what a parameter counts.
    pub fn cost(&self, operation: &Operation, arguments: &Map<String, Value>) -> Option<Amount> {
        let Measure::Of { parameter, scale } = &self.measure else { return Some(Amount::ONE) };
        if operation.effect() == Effect::Read && !self.can_count(operation) {
            return Some(Amount::ZERO);
        }
        scale.apply(find(arguments, parameter)?)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn scope_list(text: &str) -> Option<Vec<String>> {
    let plain = |s: &str| {
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'*');
        !s.is_empty() && s.bytes().all(word)
    };
    let scopes: Vec<String> = text.split(',').map(|s| s.trim().to_owned()).collect();
    scopes.iter().all(|s| plain(s)).then_some(scopes)
}

/// `amount`, `amount/100`, `seats*12.5`, `amount.value`.
fn measured(text: &str) -> Option<Measure> {
    let number = |s: &str| Amount::parse(s.trim());
    let (parameter, scale) = if let Some((p, n)) = text.split_once('/') {
        (p, Scale::per(number(n)?)?)
    } else if let Some((p, n)) = text.split_once('*') {
        (p, Scale::times(number(n)?)?)
    } else {
        (text, Scale::ONE)
    };
    let parameter = parameter.trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let is_name = !parameter.is_empty() && parameter.bytes().all(plain);
    is_name.then(|| Measure::Of { parameter: parameter.to_owned(), scale })
}

/// The argument of that name, else the member that a dotted name leads to.
fn find<'a>(arguments: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = arguments.get(name) {
        return Some(value);
    }
    let mut steps = name.split('.');
    let mut value = arguments.get(steps.next()?)?;
    for step in steps {
        value = value.as_object()?.get(step)?;
    }
    Some(value)
}

const TEXT_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;

    fn cost(budget: &str, tool: &str, arguments: Value) -> Option<String> {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        let catalog = Catalog::builtin().unwrap();
        let operation = catalog.operation(tool).unwrap();
        Budget::parse(budget).unwrap().cost(operation, &arguments).map(|a| a.to_string())
    }

    #[test]
    fn a_budget_reads_as_it_is_meant() {
        let b = Budget::parse("stripe.refunds.write: 500 usd/day of amount/100").unwrap();
        assert_eq!(b.scopes(), ["stripe.refunds.write"]);
        assert_eq!((b.limit().to_string().as_str(), b.unit()), ("500", "usd"));
        assert_eq!((b.period(), b.parameter()), (Period::Day, Some("amount")));
        let b = Budget::parse("20 calls/90m").unwrap();
        assert_eq!((b.period(), b.parameter()), (Period::Rolling { seconds: 5400 }, None));
        assert_eq!(b.to_string(), "20 calls/90m");
        assert!(Budget::parse("a.*, b.read:0.5 eur/week of amount.value * 1.25").is_ok());
    }

    #[test]
    fn text_that_is_no_budget_is_refused() {
        for bad in [
            "",
            "500 usd/day",
            "20 calls/hour of x",
            "calls/hour",
            "0 calls/hour",
            "-5 calls/hour",
            "5 calls/month",
            "5calls/hour",
            "5 calls",
            "5 calls per hour",
            "5 USD/day of amount",
            ": 5 calls/hour",
            "a b: 5 calls/hour",
            "5 usd/day of ",
            "5 usd/day of amount/0",
            "5 usd/day of amount/x",
            "1e3 calls/hour",
            "5 a b/hour of x",
            "5 usd/day of a;b",
            "5 calls/hour\n",
        ] {
            assert_eq!(Budget::parse(bad), Err(BudgetError), "{bad:?}");
        }
        assert!(Budget::parse(&format!("5 usd/day of {}", "a".repeat(300))).is_err());
    }

    #[test]
    fn a_call_takes_what_its_parameter_says_or_cannot_be_counted() {
        let refunds = "500 usd/day of amount/100";
        let tool = "stripe.refunds.create";
        assert_eq!(cost(refunds, tool, json!({"amount": 5000})).unwrap(), "50");
        assert_eq!(cost(refunds, tool, json!({"amount": 0})).unwrap(), "0");
        // Without an amount Stripe refunds all of it.
        for odd in
            [json!({}), json!({"amount": -5000}), json!({"amount": null}), json!({"amount": [1]})]
        {
            assert_eq!(cost(refunds, tool, odd.clone()), None, "{odd}");
        }
        assert_eq!(cost(refunds, "stripe.balance.get", json!({})).unwrap(), "0", "looking is free");
        assert_eq!(cost("9 calls/day", "stripe.balance.get", json!({})).unwrap(), "1");
        let nested = json!({"amount": {"value": "12.50"}});
        assert_eq!(cost("9 eur/day of amount.value", tool, nested).unwrap(), "12.5");
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(text in "\\PC{0,60}") {
            let _ = Budget::parse(&text);
        }
    }
}
