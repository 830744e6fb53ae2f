//! `.env` files: `NAME=value`, `export NAME='value'`, comments. Nothing is expanded and nothing run.

use super::error::{ForeignError, place};
use super::page::{Form, Text};

/// One variable.
#[derive(Debug)]
pub(super) struct Variable<'p> {
    pub line: usize,
    pub name: String,
    pub value: Text<'p>,
}

/// All variables, in order. A value in quotes may go over several lines.
///
/// # Errors
/// [`ForeignError::Syntax`].
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Variable<'_>>, ForeignError> {
    let mut reader = Reader { bytes, at: 0 };
    let mut found = Vec::new();
    while let Some(variable) = reader.variable()? {
        if found.len() == VARIABLES_MAX {
            return Err(reader.wrong("more variables than are taken"));
        }
        found.push(variable);
    }
    Ok(found)
}

struct Reader<'p> {
    bytes: &'p [u8],
    at: usize,
}

impl<'p> Reader<'p> {
    fn wrong(&self, what: &'static str) -> ForeignError {
        let (line, column) = place(self.bytes, self.at);
        ForeignError::Syntax { line, column, what }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take_while(&mut self, takes: impl Fn(u8) -> bool) -> &'p [u8] {
        let from = self.at;
        while self.peek().is_some_and(&takes) {
            self.at += 1;
        }
        &self.bytes[from..self.at]
    }

    fn variable(&mut self) -> Result<Option<Variable<'p>>, ForeignError> {
        loop {
            self.take_while(|b| b.is_ascii_whitespace());
            match self.peek() {
                None => return Ok(None),
                Some(b'#') => drop(self.take_while(|b| b != b'\n')),
                Some(_) => break,
            }
        }
        let (line, _) = place(self.bytes, self.at);
        let mut name = self.name()?;
        self.blank();
        if name == "export" && self.peek().is_some_and(|b| b != b'=') {
            name = self.name()?;
            self.blank();
        }
        if self.peek() != Some(b'=') {
            return Err(self.wrong("NAME=value stands on a line"));
        }
        self.at += 1;
        self.blank();
        let value = match self.peek() {
            Some(quote @ (b'"' | b'\'' | b'`')) => self.quoted(quote)?,
            _ => self.plain(),
        };
        Ok(Some(Variable { line, name, value }))
    }

    fn blank(&mut self) {
        self.take_while(|b| b == b' ' || b == b'\t');
    }

    fn name(&mut self) -> Result<String, ForeignError> {
        let start = self.at;
        let name =
            self.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        let begins = name.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
        if !begins || name.len() > NAME_BYTES_MAX {
            self.at = start;
            return Err(self.wrong("the name of a variable stands here"));
        }
        // Letters, digits and three signs alone.
        Ok(String::from_utf8_lossy(name).into_owned())
    }

    /// To the end of the line, or a comment that stands behind a blank.
    fn plain(&mut self) -> Text<'p> {
        let line = self.take_while(|b| b != b'\n');
        let comment = line.windows(2).position(|two| matches!(two, [b' ' | b'\t', b'#']));
        let value = &line[..comment.unwrap_or(line.len())];
        Text::new(value.trim_ascii_end(), Form::Plain)
    }

    fn quoted(&mut self, quote: u8) -> Result<Text<'p>, ForeignError> {
        let start = self.at;
        self.at += 1;
        let from = self.at;
        loop {
            match self.peek() {
                Some(b) if b == quote => break,
                // Within double quotes alone a backslash means something.
                Some(b'\\') if quote == b'"' => self.at += 2,
                Some(_) => self.at += 1,
                None => {
                    self.at = start;
                    return Err(self.wrong("the quote is never closed"));
                }
            }
        }
        let raw = &self.bytes[from..self.at];
        self.at += 1;
        self.blank();
        if !matches!(self.peek(), None | Some(b'\n' | b'\r' | b'#')) {
            return Err(self.wrong("something stands behind the quoted value"));
        }
        self.take_while(|b| b != b'\n');
        Ok(Text::new(raw, if quote == b'"' { Form::Dotenv } else { Form::Plain }))
    }
}

const VARIABLES_MAX: usize = 10_000;
const NAME_BYTES_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_dotenv_files_have() {
        let file = b"# head\n\nA=1\n export B = 'it is # no comment' # one\r\nC=\"x\\ny\\\"z\"\nD=a#b #c\n\
            E=\nF=`two\nlines`\nexport=7\nLAST=end";
        let all = read(file).expect("a file");
        let shown: Vec<_> = all
            .iter()
            .map(|v| (v.line, v.name.as_str(), v.value.public().expect("short")))
            .collect();
        let expected = [
            (3, "A", "1"),
            (4, "B", "it is # no comment"),
            (5, "C", "x\ny\"z"),
            (6, "D", "a#b"),
            (7, "E", ""),
            (8, "F", "two\nlines"),
            (10, "export", "7"),
            (11, "LAST", "end"),
        ];
        assert_eq!(shown.len(), expected.len(), "{shown:?}");
        for (found, (line, name, value)) in shown.iter().zip(expected) {
            assert_eq!((found.0, found.1, found.2.as_str()), (line, name, value));
        }
    }

    #[test]
    fn errors_say_where() {
        let refused = |bytes: &[u8]| match read(bytes) {
            Err(ForeignError::Syntax { line, column, what }) => (line, column, what),
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(b"A=1\nsk_live"), (2, 8, "NAME=value stands on a line"));
        assert_eq!(refused(b"A=1\n\nB=\"x"), (3, 3, "the quote is never closed"));
        assert_eq!(refused(b"A='x' y").2, "something stands behind the quoted value");
        assert_eq!(refused(b"=x").2, "the name of a variable stands here");
    }
}
