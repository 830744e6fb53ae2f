//! The part of YAML that connection files use, read where it lies: block mappings, lists of scalars,
//! scalars on one line. Anchors, aliases, tags, merge keys and flow collections are refused, so
//! nothing repeats or grows.

use super::error::{ForeignError, place};
use super::page::{Form, Text, Value};

/// Reads a mapping.
///
/// # Errors
/// [`ForeignError::Syntax`].
pub(super) fn read(bytes: &[u8]) -> Result<Value<'_>, ForeignError> {
    let mut lines = Vec::new();
    for line in bytes.split(|b| *b == b'\n') {
        // The offset of a line is what it begins at.
        let at = line.as_ptr() as usize - bytes.as_ptr() as usize;
        let content = line.trim_ascii();
        if content.is_empty() || content.starts_with(b"#") || content == b"---" {
            continue;
        }
        let indent = line.iter().take_while(|b| **b == b' ').count();
        lines.push(Line { at: at + indent, indent, content });
        if lines.len() > LINES_MAX {
            return Err(wrong(bytes, at, "more lines than are taken"));
        }
    }
    let mut reader = Reader { bytes, lines: &lines };
    let value = reader.block(0, 0)?;
    match reader.lines.first() {
        Some(line) => Err(wrong(bytes, line.at, "the line is indented otherwise")),
        None => Ok(value),
    }
}

#[derive(Clone, Copy)]
struct Line<'p> {
    at: usize,
    indent: usize,
    content: &'p [u8],
}

struct Reader<'p, 'l> {
    bytes: &'p [u8],
    lines: &'l [Line<'p>],
}

impl<'p> Reader<'p, '_> {
    /// What stands at this indent: a mapping, or a list.
    fn block(&mut self, indent: usize, depth: usize) -> Result<Value<'p>, ForeignError> {
        let first = self.lines.first().filter(|line| line.indent == indent);
        let Some(first) = first else { return Ok(Value::Null) };
        if depth > DEPTH_MAX {
            return Err(wrong(self.bytes, first.at, "values stand too deep in one another"));
        }
        if is_item(first.content) { self.list(indent) } else { self.map(indent, depth) }
    }

    fn list(&mut self, indent: usize) -> Result<Value<'p>, ForeignError> {
        let mut items = Vec::new();
        while let Some(line) = self.next_at(indent, true) {
            let rest = &line.content[1..];
            let blank = rest.len() - rest.trim_ascii_start().len();
            items.push(self.scalar(rest.trim_ascii_start(), line.at + 1 + blank)?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, indent: usize, depth: usize) -> Result<Value<'p>, ForeignError> {
        let mut members: Vec<(String, Value<'p>)> = Vec::new();
        while let Some(line) = self.next_at(indent, false) {
            let no_key = || wrong(self.bytes, line.at, "`key: value` stands on a line");
            let colon = colon(line.content).ok_or_else(no_key)?;
            let key = self.scalar(&line.content[..colon], line.at)?;
            let name = key.text().and_then(|key| key.public()).ok_or_else(no_key)?;
            if members.iter().any(|(own, _)| *own == name) {
                return Err(wrong(self.bytes, line.at, "this key stands twice"));
            }
            let rest = &line.content[colon + 1..];
            let value = without_comment(rest.trim_ascii_start());
            let value = if value.is_empty() {
                match self.lines.first() {
                    // A list may stand at its key's own indent.
                    Some(next) if next.indent == indent && is_item(next.content) => {
                        self.list(indent)?
                    }
                    Some(next) if next.indent > indent => self.block(next.indent, depth + 1)?,
                    _ => Value::Null,
                }
            } else {
                let blank = rest.len() - rest.trim_ascii_start().len();
                self.scalar(value, line.at + colon + 1 + blank)?
            };
            members.push((name, value));
        }
        Ok(Value::Map(members))
    }

    /// Takes the next line where it stands at this indent and is of this kind.
    fn next_at(&mut self, indent: usize, item: bool) -> Option<Line<'p>> {
        let (first, rest) = self.lines.split_first()?;
        let fits = first.indent == indent && is_item(first.content) == item;
        fits.then(|| {
            self.lines = rest;
            *first
        })
    }

    fn scalar(&self, content: &'p [u8], at: usize) -> Result<Value<'p>, ForeignError> {
        let content = without_comment(content).trim_ascii_end();
        let refuse = |what| Err(wrong(self.bytes, at, what));
        match content {
            b"" | b"~" | b"null" => Ok(Value::Null),
            b"true" => Ok(Value::Bool(true)),
            b"false" => Ok(Value::Bool(false)),
            b"[]" => Ok(Value::List(Vec::new())),
            [b'"', inner @ .., b'"'] => {
                if inner.contains(&b'"') || inner.contains(&b'\\') {
                    return refuse("escapes in a quoted text are not read here");
                }
                Ok(Value::Text(Text::new(inner, Form::Plain)))
            }
            [b'\'', inner @ .., b'\''] => {
                let mut runs = inner.split(|b| *b != b'\'');
                if runs.any(|run| run.len() % 2 == 1) {
                    return refuse("a quote in a quoted text is written twice");
                }
                Ok(Value::Text(Text::new(inner, Form::Doubled(b'\''))))
            }
            [b'&' | b'*', ..] => refuse("anchors and aliases are not read here"),
            [b'!', ..] => refuse("tags are not read here"),
            [b'{' | b'[' | b'|' | b'>' | b'"' | b'\'' | b'%' | b'@' | b'`' | b'?', ..] => {
                refuse("this form of a value is not read here")
            }
            _ => Ok(Value::Text(Text::new(content, Form::Plain))),
        }
    }
}

/// `- …`, or a dash alone.
fn is_item(content: &[u8]) -> bool {
    content == b"-" || content.starts_with(b"- ")
}

/// The colon behind the key: one that a blank or the line's end follows.
fn colon(content: &[u8]) -> Option<usize> {
    let ends = |at: &usize| matches!(content.get(at + 1), None | Some(b' ' | b'\t' | b'\r'));
    (0..content.len()).filter(|at| content[*at] == b':').find(ends)
}

/// A comment begins behind a blank, outside of quotes.
fn without_comment(content: &[u8]) -> &[u8] {
    if matches!(content.first(), Some(b'"' | b'\'')) {
        let quote = content[0];
        let end = content.iter().rposition(|b| *b == quote).unwrap_or(0);
        let behind = content[end + 1..].trim_ascii_start();
        return if end > 0 && behind.first() == Some(&b'#') { &content[..=end] } else { content };
    }
    if content.first() == Some(&b'#') {
        return b"";
    }
    let comment = content.windows(2).position(|two| matches!(two, [b' ' | b'\t', b'#']));
    &content[..comment.unwrap_or(content.len())]
}

fn wrong(bytes: &[u8], at: usize, what: &'static str) -> ForeignError {
    let (line, column) = place(bytes, at);
    ForeignError::Syntax { line, column, what }
}

const LINES_MAX: usize = 10_000;
const DEPTH_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_read() {
        let file = b"# one\nservice: stripe  # which\nscopes:\n  - payments.read\n  - 'customers.read'\n\
            auth:\n  credentials:\n    api_key: \"sk # 1\"\n    url: https://x.example:8/y\nlist:\n- a\n";
        let value = read(file).expect("YAML");
        assert_eq!(value.public("service").as_deref(), Some("stripe"));
        let scopes = value.get("scopes").map(Value::items).unwrap_or_default();
        assert_eq!(scopes.len(), 2);
        assert!(scopes[1].text().is_some_and(|t| t.public().as_deref() == Some("customers.read")));
        let credentials = value.at(&["auth", "credentials"]).expect("nested");
        assert_eq!(credentials.public("api_key").as_deref(), Some("sk # 1"));
        assert_eq!(credentials.public("url").as_deref(), Some("https://x.example:8/y"));
        assert_eq!(value.get("list").map(|l| l.items().len()), Some(1));
    }

    #[test]
    fn what_grows_or_is_no_mapping_is_refused_with_its_place() {
        let refused = |bytes: &[u8]| match read(bytes) {
            Err(ForeignError::Syntax { line, column, what }) => (line, column, what),
            other => panic!("{other:?}"),
        };
        let bomb = b"a: &a [x,x]\nb: &b [*a,*a]\n";
        assert_eq!(refused(bomb), (1, 4, "anchors and aliases are not read here"));
        assert_eq!(refused(b"a: 1\nb: *a\n").0, 2);
        assert_eq!(refused(b"a: !!binary x").2, "tags are not read here");
        assert_eq!(refused(b"a: 1\na: 2"), (2, 1, "this key stands twice"));
        assert_eq!(refused(b"a: 1\n  b: 2").2, "the line is indented otherwise");
        assert_eq!(refused(b"sk_live_x").2, "`key: value` stands on a line");
        let deep: String = (0..20).map(|n| format!("{}k:\n", " ".repeat(n))).collect();
        assert!(refused(deep.as_bytes()).2.contains("deep"));
    }
}
