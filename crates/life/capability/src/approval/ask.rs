//! A grant's rules: which calls are asked about, and who may answer.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Number, Value};

use crate::catalog::{Effect, Operation};
use crate::limit::compare;

/// Which calls of a grant wait for a person. Any rule that holds asks; without rules of its own a
/// grant asks before destructive operations.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    rules: Vec<AskRule>,
    via: AskVia,
}

/// One rule. Its text is how it is written, stored and shown.
#[derive(Debug, Clone, PartialEq)]
pub enum AskRule {
    /// `destructive`: operations that remove, or cannot be taken back.
    Destructive,
    /// `write`: all operations but those that look only.
    Write,
    /// `always`.
    Always,
    /// `first-use`: the first call of each operation in the grant.
    FirstUse,
    /// `amount>10000`: a call whose parameter is beyond a bound. Where the operation has the
    /// parameter and the call leaves it away, or gives no number, it is asked about too: what the
    /// service would put in its place is unknown here.
    Threshold(Threshold),
}

/// A parameter, a comparison and a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    text: String,
    parameter: String,
    compare: Compare,
    bound: Number,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Over,
    AtLeast,
    Under,
    AtMost,
}

/// Who may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AskVia {
    /// The owner: command line, or HTTP with an owner's token.
    #[default]
    Owner,
    /// The person at the agent's own MCP client too, by elicitation. The client is then trusted not
    /// to answer by itself.
    Client,
}

/// What is wrong with the text of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Not a rule.
    #[error(
        "a rule of asking is destructive, write, first-use, always, never, or a parameter and a bound such as amount>10000"
    )]
    Rule,
    /// `never` beside another rule.
    #[error("never stands alone")]
    Never,
    /// Too many rules.
    #[error("a grant has at most {RULES_MAX} rules of asking")]
    TooMany,
    /// Not a way to be asked.
    #[error("who is asked is written as owner or client")]
    Via,
}

/// Rules of one grant.
const RULES_MAX: usize = 16;
const RULE_BYTES_MAX: usize = 256;

impl Default for Ask {
    fn default() -> Self {
        Self { rules: vec![AskRule::Destructive], via: AskVia::Owner }
    }
}

impl Ask {
    /// Nobody is asked.
    pub const fn never() -> Self {
        Self { rules: Vec::new(), via: AskVia::Owner }
    }

    /// Reads rules as they are written; none at all are the default.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn parse<S: AsRef<str>>(rules: &[S], via: AskVia) -> Result<Self, AskError> {
        if rules.is_empty() {
            return Ok(Self { via, ..Self::default() });
        }
        if rules.len() > RULES_MAX {
            return Err(AskError::TooMany);
        }
        if rules.iter().any(|r| r.as_ref().trim() == NEVER) {
            let alone = rules.len() == 1;
            return if alone { Ok(Self { via, ..Self::never() }) } else { Err(AskError::Never) };
        }
        let rules = rules.iter().map(|r| AskRule::parse(r.as_ref()));
        Ok(Self { rules: rules.collect::<Result<_, _>>()?, via })
    }

    /// The rules as they are written; `never` where there are none.
    pub fn texts(&self) -> Vec<String> {
        match self.rules.is_empty() {
            true => vec![NEVER.to_owned()],
            false => self.rules.iter().map(ToString::to_string).collect(),
        }
    }

    /// Who may answer.
    pub const fn via(&self) -> AskVia {
        self.via
    }

    /// With the rules of the grant above: any rule of either asks. The person at a client may answer
    /// only where both say so.
    #[must_use]
    pub fn under(&self, parent: &Self) -> Self {
        let own = self.rules.iter().filter(|r| !parent.rules.contains(r));
        let rules = parent.rules.iter().chain(own).cloned().collect();
        let via = if parent.via == AskVia::Client { self.via } else { AskVia::Owner };
        Self { rules, via }
    }

    /// Whether it never asks.
    pub const fn is_never(&self) -> bool {
        self.rules.is_empty()
    }

    /// Parameters that rules speak of.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(|r| match r {
            AskRule::Threshold(t) => Some(t.parameter.as_str()),
            _ => None,
        })
    }

    /// The first rule that wants a person asked. `is_first` says whether the operation was never
    /// approved in this grant.
    pub fn wants(
        &self,
        operation: &Operation,
        arguments: &Map<String, Value>,
        is_first: impl Fn() -> bool,
    ) -> Option<&AskRule> {
        self.rules.iter().find(|rule| match rule {
            AskRule::Destructive => operation.effect() == Effect::Destructive,
            AskRule::Write => operation.effect() != Effect::Read,
            AskRule::Always => true,
            AskRule::FirstUse => is_first(),
            AskRule::Threshold(t) => t.wants(operation, arguments),
        })
    }
}

impl AskRule {
    /// Reads one rule.
    ///
    /// # Errors
    /// [`AskError::Rule`].
    pub fn parse(text: &str) -> Result<Self, AskError> {
        match text.trim() {
            "destructive" => Ok(Self::Destructive),
            "write" => Ok(Self::Write),
            "always" => Ok(Self::Always),
            "first-use" => Ok(Self::FirstUse),
            other => Threshold::parse(other).map(Self::Threshold),
        }
    }
}

impl fmt::Display for AskRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Destructive => "destructive",
            Self::Write => "write",
            Self::Always => "always",
            Self::FirstUse => "first-use",
            Self::Threshold(t) => &t.text,
        })
    }
}

impl Threshold {
    /// The parameter that it speaks of.
    pub fn parameter(&self) -> &str {
        &self.parameter
    }

    fn parse(text: &str) -> Result<Self, AskError> {
        let at = text.find(['<', '>']).ok_or(AskError::Rule)?;
        let (parameter, rest) = text.split_at(at);
        let (compare, bound) = match rest.as_bytes() {
            [b'>', b'=', ..] => (Compare::AtLeast, &rest[2..]),
            [b'<', b'=', ..] => (Compare::AtMost, &rest[2..]),
            [b'>', ..] => (Compare::Over, &rest[1..]),
            _ => (Compare::Under, &rest[1..]),
        };
        let parameter = parameter.trim();
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let named = !parameter.is_empty() && parameter.bytes().all(plain);
        if !named || text.len() > RULE_BYTES_MAX {
            return Err(AskError::Rule);
        }
        let bound = bound.trim().parse().map_err(|_| AskError::Rule)?;
        Ok(Self { text: text.to_owned(), parameter: parameter.to_owned(), compare, bound })
    }

    fn wants(&self, operation: &Operation, arguments: &Map<String, Value>) -> bool {
        match arguments.get(&self.parameter) {
            Some(Value::Array(items)) => items.is_empty() || items.iter().any(|v| self.is_past(v)),
            Some(value) => self.is_past(value),
            None => operation.parameters().iter().any(|p| p.name() == self.parameter),
        }
    }

    fn is_past(&self, value: &Value) -> bool {
        let Value::Number(n) = value else { return true };
        compare(n, &self.bound).is_none_or(|order| match self.compare {
            Compare::Over => order == Ordering::Greater,
            Compare::AtLeast => order != Ordering::Less,
            Compare::Under => order == Ordering::Less,
            Compare::AtMost => order != Ordering::Greater,
        })
    }
}

impl AskVia {
    /// Reads what [`AskVia::as_str`] gives.
    ///
    /// # Errors
    /// [`AskError::Via`].
    pub fn parse(text: &str) -> Result<Self, AskError> {
        match text {
            "owner" => Ok(Self::Owner),
            "client" => Ok(Self::Client),
            _ => Err(AskError::Via),
        }
    }

    /// How it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Client => "client",
        }
    }
}

const NEVER: &str = "never";
