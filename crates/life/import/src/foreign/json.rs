//! JSON (RFC 8259) read where it lies: no text is copied, and no error quotes one.

use std::collections::HashSet;
use std::ops::Range;

use super::error::{ForeignError, place};
use super::page::{Form, Text, Value, hex4};

/// Reads one value. A key that stands twice is refused: two readers take two different ones.
///
/// # Errors
/// [`ForeignError::Syntax`] with its line and column.
pub(super) fn read(bytes: &[u8]) -> Result<Value<'_>, ForeignError> {
    let mut reader = Reader { bytes, at: 0, left: VALUES_MAX };
    reader.blank();
    let value = reader.value(0)?;
    reader.blank();
    if reader.at < bytes.len() {
        Err(reader.wrong("something stands behind the end"))
    } else {
        Ok(value)
    }
}

/// Where the values of these members of a document's root lie. The document is one that [`read`] takes.
pub(super) fn spans(bytes: &[u8], names: &[&str]) -> Vec<Range<usize>> {
    let mut reader = Reader { bytes, at: 0, left: VALUES_MAX };
    let mut found = Vec::new();
    reader.blank();
    if reader.peek() != Some(b'{') {
        return found;
    }
    reader.at += 1;
    loop {
        reader.blank();
        let begin = reader.at;
        let Ok(name) = reader.text() else { return found };
        let is_wanted = name.public().is_some_and(|name| names.contains(&&*name));
        reader.blank();
        reader.at += 1;
        reader.blank();
        if reader.value(1).is_err() {
            return found;
        }
        if is_wanted {
            found.push(begin..reader.at);
        }
        if reader.is_last(b'}').unwrap_or(true) {
            return found;
        }
    }
}

struct Reader<'p> {
    bytes: &'p [u8],
    at: usize,
    left: usize,
}

impl<'p> Reader<'p> {
    fn wrong(&self, what: &'static str) -> ForeignError {
        let (line, column) = place(self.bytes, self.at);
        ForeignError::Syntax { line, column, what }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'p>, ForeignError> {
        if depth > DEPTH_MAX {
            return Err(self.wrong("values stand too deep in one another"));
        }
        self.left =
            self.left.checked_sub(1).ok_or_else(|| self.wrong("more values than are taken"))?;
        match self.peek() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.text().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => Ok(self.number()),
            Some(_) => self.word(),
            None => Err(self.wrong("the file ends within a value")),
        }
    }

    fn word(&mut self) -> Result<Value<'p>, ForeignError> {
        let words =
            [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))];
        for (word, value) in words {
            if self.bytes[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong("no value begins like this"))
    }

    fn number(&mut self) -> Value<'p> {
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        Value::Number
    }

    fn text(&mut self) -> Result<Text<'p>, ForeignError> {
        self.at += 1;
        let from = self.at;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0..0x20) => return Err(self.wrong("a control character in a text")),
                Some(_) => self.at += 1,
                None => return Err(self.wrong("the file ends within a text")),
            }
        }
        let raw = &self.bytes[from..self.at];
        self.at += 1;
        Ok(Text::new(raw, Form::Json))
    }

    fn escape(&mut self) -> Result<(), ForeignError> {
        // Where it is wrong is counted from the file's beginning, so only where it is.
        let len = self.escape_len().ok_or_else(|| self.wrong("no such escape"))?;
        self.at += len;
        Ok(())
    }

    /// Bytes of the escape that begins here.
    fn escape_len(&self) -> Option<usize> {
        match self.bytes.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
            b'u' => {
                let unit = |from: usize| hex4(self.bytes.get(from..from + 4)?);
                let is_pair = self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u");
                match unit(self.at + 2)? {
                    0xd800..0xdc00 => {
                        matches!(unit(self.at + 8), Some(0xdc00..0xe000) if is_pair).then_some(12)
                    }
                    0xdc00..0xe000 => None,
                    _ => Some(6),
                }
            }
            _ => None,
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value<'p>, ForeignError> {
        let mut items = Vec::new();
        self.at += 1;
        self.blank();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(items));
        }
        loop {
            self.blank();
            items.push(self.value(depth + 1)?);
            if self.is_last(b']')? {
                return Ok(Value::List(items));
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value<'p>, ForeignError> {
        let mut members = Vec::new();
        let mut names = HashSet::new();
        self.at += 1;
        self.blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(members));
        }
        loop {
            self.blank();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a key in quotes stands here"));
            }
            let start = self.at;
            let name = self.text()?.public().ok_or_else(|| self.wrong("the key is too long"))?;
            if !names.insert(name.clone()) {
                self.at = start;
                return Err(self.wrong("this key stands twice"));
            }
            self.blank();
            if self.peek() != Some(b':') {
                return Err(self.wrong("a colon stands here"));
            }
            self.at += 1;
            self.blank();
            members.push((name, self.value(depth + 1)?));
            if self.is_last(b'}')? {
                return Ok(Value::Map(members));
            }
        }
    }

    /// What stands behind a member: a comma, or the end.
    fn is_last(&mut self, end: u8) -> Result<bool, ForeignError> {
        self.blank();
        let found = self.peek();
        if found != Some(b',') && found != Some(end) {
            return Err(self.wrong("a comma or the end stands here"));
        }
        self.at += 1;
        Ok(found == Some(end))
    }
}

const DEPTH_MAX: usize = 32;
const VALUES_MAX: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> (usize, usize, &'static str) {
        match read(bytes) {
            Err(ForeignError::Syntax { line, column, what }) => (line, column, what),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_document_is_read() {
        let value =
            read(br#" {"a": [1, -2.5e3, true, null, "x\u0041"], "b": {"c": {}}, "d": []} "#);
        let value = value.expect("JSON");
        assert_eq!(value.get("a").map(|a| a.items().len()), Some(5));
        assert!(value.get("a").is_some_and(|a| {
            a.items()[4].text().is_some_and(|t| t.public().as_deref() == Some("xA"))
        }));
        assert!(value.at(&["b", "c"]).is_some_and(|c| c.members().is_empty()));
    }

    #[test]
    fn members_are_found_where_they_lie() {
        let text = br#"{"a": {"go": 1}, "go" : [{"x": "}"}, 2] , "b": 3}"#;
        let spans = spans(text, &["go", "b"]);
        let of = |n: usize| std::str::from_utf8(&text[spans[n].clone()]).expect("text");
        assert_eq!((of(0), of(1)), (r#""go" : [{"x": "}"}, 2]"#, r#""b": 3"#));
        assert!(super::spans(b"[1]", &["go"]).is_empty());
        assert!(super::spans(b"{}", &["go"]).is_empty());
    }

    #[test]
    fn errors_say_where_and_quote_nothing() {
        assert_eq!(refused(b"{\n  \"a\": 1,\n  \"a\": 2}"), (3, 3, "this key stands twice"));
        assert_eq!(refused(b"{\"a\": sk_live_1}").2, "no value begins like this");
        assert_eq!(refused(b"{\"a\": \"\\ud800x\"}").2, "no such escape");
        assert_eq!(refused(b"{\"a\": \"x"), (1, 9, "the file ends within a text"));
        assert_eq!(refused(b"{\"a\": 1} 2").2, "something stands behind the end");
        assert_eq!(refused(&b"[".repeat(100_000)).2, "values stand too deep in one another");
        let many = format!("[{}1]", "1,".repeat(VALUES_MAX));
        assert_eq!(refused(many.as_bytes()).2, "more values than are taken");
    }
}
