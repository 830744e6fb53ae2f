//! What stands between `{{` and `}}` in a workflow: paths, and a little of JavaScript.

use serde_json::{Number, Value};

/// An expression as 0nMCP writes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// A path, or a literal.
    One(Operand),
    /// Two of them compared; the sign is that of a condition.
    Compare(Operand, &'static str, Operand),
    /// `&&`
    And(Box<Expression>, Box<Expression>),
    /// `||`
    Or(Box<Expression>, Box<Expression>),
    /// `!`
    Not(Box<Expression>),
}

/// One side.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// `a.b[0].c` in its parts.
    Path(Vec<String>),
    /// A text, a number, `true`, `false` or `null`.
    Literal(Value),
}

impl Expression {
    /// Reads all of a text; `None` where it calculates, or is nothing that is known.
    pub fn read(text: &str) -> Option<Self> {
        let tokens = tokens(text)?;
        let mut reader = Reader { tokens: &tokens, depth: 0 };
        let read = reader.any()?;
        reader.tokens.is_empty().then_some(read)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Operand(Operand),
    Sign(&'static str),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let used = match first {
            '\'' | '"' => {
                let inner = &rest[1..];
                let end = inner.find(first)?;
                out.push(Token::Operand(Operand::Literal(inner[..end].into())));
                end + 2
            }
            '0'..='9' => {
                let len = rest.find(|c: char| !matches!(c, '0'..='9' | '.')).unwrap_or(rest.len());
                let number = serde_json::from_str::<Number>(&rest[..len]).ok()?;
                out.push(Token::Operand(Operand::Literal(Value::Number(number))));
                len
            }
            'a'..='z' | 'A'..='Z' | '_' | '$' => {
                let is_in = |c: char| c.is_ascii_alphanumeric() || "_.$[]-".contains(c);
                // A minus with blanks around it is one; without, it is of a name.
                let len = rest.find(|c| !is_in(c)).unwrap_or(rest.len());
                out.push(Token::Operand(word(&rest[..len])?));
                len
            }
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
                out.push(Token::Sign(sign));
                sign.len()
            }
        };
        rest = rest[used..].trim_start();
        if out.len() > TOKENS_MAX {
            return None;
        }
    }
    Some(out)
}

fn word(text: &str) -> Option<Operand> {
    Some(match text {
        "true" => Operand::Literal(Value::Bool(true)),
        "false" => Operand::Literal(Value::Bool(false)),
        "null" => Operand::Literal(Value::Null),
        _ => Operand::Path(parts(text)?),
    })
}

/// `a.b[0].c`, `a.b.0.c`; `None` where brackets do not close or a part is empty.
pub(super) fn parts(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    for dotted in text.split('.') {
        let (name, mut brackets) = dotted.split_at(dotted.find('[').unwrap_or(dotted.len()));
        if name.is_empty() {
            return None;
        }
        parts.push(name.to_owned());
        while let Some(inner) = brackets.strip_prefix('[') {
            let (index, behind) = inner.split_once(']')?;
            index.parse::<usize>().ok()?;
            parts.push(index.to_owned());
            brackets = behind;
        }
        if !brackets.is_empty() {
            return None;
        }
    }
    (parts.len() <= PARTS_MAX).then_some(parts)
}

struct Reader<'t> {
    tokens: &'t [Token],
    depth: usize,
}

impl Reader<'_> {
    fn sign(&mut self, wanted: &[&'static str]) -> Option<&'static str> {
        let Some((Token::Sign(sign), rest)) = self.tokens.split_first() else { return None };
        let found = wanted.contains(sign).then_some(*sign)?;
        self.tokens = rest;
        Some(found)
    }

    fn any(&mut self) -> Option<Expression> {
        let mut left = self.all()?;
        while self.sign(&["||"]).is_some() {
            left = Expression::Or(Box::new(left), Box::new(self.all()?));
        }
        Some(left)
    }

    fn all(&mut self) -> Option<Expression> {
        let mut left = self.one()?;
        while self.sign(&["&&"]).is_some() {
            left = Expression::And(Box::new(left), Box::new(self.one()?));
        }
        Some(left)
    }

    fn one(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let read = if self.sign(&["!"]).is_some() {
            Expression::Not(Box::new(self.one()?))
        } else if self.sign(&["("]).is_some() {
            let inner = self.any()?;
            self.sign(&[")"])?;
            inner
        } else {
            let left = self.operand()?;
            match self.sign(&["===", "!==", "==", "!=", "<=", ">=", "<", ">"]) {
                None => Expression::One(left),
                Some(sign) => {
                    let sign = match sign {
                        "===" => "==",
                        "!==" => "!=",
                        other => other,
                    };
                    Expression::Compare(left, sign, self.operand()?)
                }
            }
        };
        self.depth -= 1;
        Some(read)
    }

    fn operand(&mut self) -> Option<Operand> {
        let (Token::Operand(operand), rest) = self.tokens.split_first()? else { return None };
        self.tokens = rest;
        Some(operand.clone())
    }
}

/// The longer before the shorter that it begins with.
const SIGNS: [&str; 13] =
    ["===", "!==", "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")"];
const TOKENS_MAX: usize = 200;
const DEPTH_MAX: usize = 12;
const PARTS_MAX: usize = 28;
