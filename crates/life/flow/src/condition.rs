//! `when`: a small language of comparisons, and nothing that can be called.

use std::cmp::Ordering;

use serde_json::Value;
use symbolon_import::{Located, LocatedNode};

use crate::error::{ExpandError, FlowError, kind_of};
use crate::path::{Cursor, Path, PathError};
use crate::shape::wrong_at;
use crate::state::Scope;

/// A condition: true or false, once it is known what there is.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Both hold.
    And(Box<Condition>, Box<Condition>),
    /// One holds, or both.
    Or(Box<Condition>, Box<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Something other than null is there.
    Exists(Path),
    /// What is there is `true`.
    Is(Path),
    /// Two values compare so.
    Compare(Operand, Comparison, Operand),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// What is there.
    Path(Path),
    /// A number, a text, `true`, `false` or `null`.
    Literal(Value),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Condition {
    pub(crate) fn read(from: &Located) -> Result<Self, FlowError> {
        let at = (from.line, from.column);
        let LocatedNode::Text(text) = &from.node else {
            let example = "when: steps.ID.status == 200";
            return Err(FlowError::at(at, "a condition is a text").next(example));
        };
        if text.len() > CONDITION_BYTES_MAX {
            let what = format!("a condition has at most {CONDITION_BYTES_MAX} bytes");
            return Err(FlowError::at(at, what));
        }
        let mut reader = Reader { cursor: Cursor::new(text, 0), depth: 0 };
        let read = reader.any().and_then(|condition| {
            reader.cursor.skip_space();
            if reader.cursor.rest().is_empty() {
                return Ok(condition);
            }
            Err(reader.cursor.wrong("here `and`, `or` or the end is wanted"))
        });
        let mut condition = read.map_err(|wrong| wrong_at(from, text, wrong))?;
        condition.each_path(&mut |path| path.locate(from, text));
        Ok(condition)
    }

    pub(crate) fn each_path(&mut self, visit: &mut dyn FnMut(&mut Path)) {
        match self {
            Self::And(a, b) | Self::Or(a, b) => {
                a.each_path(visit);
                b.each_path(visit);
            }
            Self::Not(a) => a.each_path(visit),
            Self::Exists(path) | Self::Is(path) => visit(path),
            Self::Compare(a, _, b) => {
                for operand in [a, b] {
                    if let Operand::Path(path) = operand {
                        visit(path);
                    }
                }
            }
        }
    }

    /// Whether it holds. What is not there equals nothing and is neither less nor more.
    pub(crate) fn holds(&self, scope: &Scope<'_>) -> Result<bool, ExpandError> {
        Ok(match self {
            Self::And(a, b) => a.holds(scope)? && b.holds(scope)?,
            Self::Or(a, b) => a.holds(scope)? || b.holds(scope)?,
            Self::Not(a) => !a.holds(scope)?,
            Self::Exists(path) => path.find(scope).is_some_and(|value| !value.is_null()),
            Self::Is(path) => match path.find(scope).as_deref() {
                Some(Value::Bool(flag)) => *flag,
                other => {
                    let found = other.map_or("not there", kind_of);
                    return Err(ExpandError::NotBoolean { path: path.to_string(), found });
                }
            },
            Self::Compare(a, comparison, b) => {
                let (a, b) = (a.find(scope), b.find(scope));
                match (a, b) {
                    (Some(a), Some(b)) => comparison.holds(&a, &b),
                    _ => *comparison == Comparison::NotEqual,
                }
            }
        })
    }
}

impl Operand {
    fn find<'s>(&'s self, scope: &Scope<'s>) -> Option<std::borrow::Cow<'s, Value>> {
        match self {
            Self::Path(path) => path.find(scope),
            Self::Literal(value) => Some(std::borrow::Cow::Borrowed(value)),
        }
    }
}

impl Comparison {
    fn holds(self, a: &Value, b: &Value) -> bool {
        let order = match (a, b) {
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                _ => a.as_f64().zip(b.as_f64()).and_then(|(a, b)| a.partial_cmp(&b)),
            },
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            _ => None,
        };
        let equal = order.map_or_else(|| a == b, Ordering::is_eq);
        match self {
            Self::Equal => equal,
            Self::NotEqual => !equal,
            Self::Less => order.is_some_and(Ordering::is_lt),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order.is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }

    const fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

struct Reader<'t> {
    cursor: Cursor<'t>,
    depth: usize,
}

impl Reader<'_> {
    fn any(&mut self) -> Result<Condition, PathError> {
        let mut left = self.all()?;
        while self.word("or") {
            left = Condition::Or(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Condition, PathError> {
        let mut left = self.one()?;
        while self.word("and") {
            left = Condition::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Condition, PathError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.cursor.wrong(format!("nested more than {DEPTH_MAX} deep")));
        }
        let condition = if self.word("not") {
            Condition::Not(Box::new(self.one()?))
        } else if self.word("exists") {
            self.cursor.skip_space();
            Condition::Exists(Path::read(&mut self.cursor)?)
        } else if self.symbol("(") {
            let inner = self.any()?;
            if !self.symbol(")") {
                return Err(self.cursor.wrong("here ) is wanted"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn comparison(&mut self) -> Result<Condition, PathError> {
        let left = self.operand()?;
        self.cursor.skip_space();
        let Some(comparison) = self.sign() else {
            return match left {
                Operand::Path(path) => Ok(Condition::Is(path)),
                Operand::Literal(_) => Err(self.cursor.wrong("here a comparison is wanted")),
            };
        };
        let at = self.cursor.at();
        let right = self.operand()?;
        let is_ordered = |operand: &Operand| {
            matches!(
                operand,
                Operand::Path(_) | Operand::Literal(Value::Number(_) | Value::String(_))
            )
        };
        if comparison.is_order() && !(is_ordered(&left) && is_ordered(&right)) {
            let what = "only numbers and texts are less or more than others";
            return Err((at, what.to_owned(), None));
        }
        Ok(Condition::Compare(left, comparison, right))
    }

    fn sign(&mut self) -> Option<Comparison> {
        let signs = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        signs.into_iter().find(|(sign, _)| self.cursor.take(sign)).map(|(_, comparison)| comparison)
    }

    fn operand(&mut self) -> Result<Operand, PathError> {
        self.cursor.skip_space();
        if let Some(text) = self.cursor.quoted()? {
            return Ok(Operand::Literal(text.into()));
        }
        for (word, value) in
            [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
        {
            if self.word(word) {
                return Ok(Operand::Literal(value));
            }
        }
        if self.cursor.rest().starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return self.number();
        }
        Ok(Operand::Path(Path::read(&mut self.cursor)?))
    }

    fn number(&mut self) -> Result<Operand, PathError> {
        let rest = self.cursor.rest();
        let is_in = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let len = rest.find(|c| !is_in(c)).unwrap_or(rest.len());
        let read = serde_json::from_str::<serde_json::Number>(&rest[..len]);
        let number = read.map_err(|_| self.cursor.wrong("this is no number"))?;
        self.cursor.take(&rest[..len]);
        Ok(Operand::Literal(Value::Number(number)))
    }

    /// A word that is not the beginning of a longer one.
    fn word(&mut self, word: &str) -> bool {
        self.cursor.skip_space();
        let mut ahead = Cursor::new(self.cursor.rest(), 0);
        ahead.name() == word && self.cursor.take(word)
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        self.cursor.skip_space();
        self.cursor.take(symbol)
    }
}

const CONDITION_BYTES_MAX: usize = 1024;
const DEPTH_MAX: usize = 16;
