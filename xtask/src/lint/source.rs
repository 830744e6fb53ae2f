//! A Rust file as lines of code, comment and string literal, each known to be a test or not.
//!
//! Not a parser: it knows strings, comments, characters and braces, which is what the rules need.

/// One line, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The code, with the contents of strings, characters and comments taken out.
    pub code: String,
    /// The text of the comments on this line.
    pub comment: String,
    /// What stands in string literals on this line.
    pub literal: String,
    /// Inside an item under `#[test]` or `#[cfg(test)]`.
    pub is_test: bool,
}

/// Takes a file apart.
pub fn lines(text: &str) -> Vec<Line> {
    let mut lines = Reader::default().read(text);
    mark_tests(&mut lines);
    lines
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Code,
    LineComment,
    BlockComment(usize),
    Text,
    /// A raw string that ends at a quote and so many `#`.
    RawText(usize),
}

#[derive(Default)]
struct Reader {
    state: State,
}

impl Reader {
    fn read(mut self, text: &str) -> Vec<Line> {
        text.lines()
            .map(|source| {
                let mut line = Line::default();
                if self.state == State::LineComment {
                    self.state = State::Code;
                }
                self.read_line(&source.chars().collect::<Vec<_>>(), &mut line);
                line
            })
            .collect()
    }

    fn read_line(&mut self, source: &[char], line: &mut Line) {
        let mut at = 0;
        while at < source.len() {
            at += match self.state {
                State::Code => self.code(&source[at..], line),
                State::LineComment => {
                    line.comment.push(source[at]);
                    1
                }
                State::BlockComment(depth) => self.block_comment(depth, &source[at..], line),
                State::Text => self.text(&source[at..], line),
                State::RawText(hashes) => self.raw_text(hashes, &source[at..], line),
            };
        }
    }

    /// Each reader takes some characters and returns how many.
    fn code(&mut self, rest: &[char], line: &mut Line) -> usize {
        match rest {
            ['/', '/', ..] => {
                self.state = State::LineComment;
                2
            }
            ['/', '*', ..] => {
                self.state = State::BlockComment(1);
                2
            }
            ['"', ..] => {
                self.state = State::Text;
                line.code.push('"');
                1
            }
            ['r', ..] if !line.code.ends_with(is_word) || ends_as_prefix(&line.code) => {
                let hashes = rest[1..].iter().take_while(|it| **it == '#').count();
                line.code.push('r');
                if rest.get(1 + hashes) != Some(&'"') {
                    return 1;
                }
                self.state = State::RawText(hashes);
                2 + hashes
            }
            ['\'', '\\', ..] => {
                line.code.push_str("''");
                rest.iter().skip(3).position(|it| *it == '\'').map_or(rest.len(), |end| end + 4)
            }
            ['\'', _, '\'', ..] => {
                line.code.push_str("''");
                3
            }
            [other, ..] => {
                line.code.push(*other);
                1
            }
            [] => 1,
        }
    }

    fn block_comment(&mut self, depth: usize, rest: &[char], line: &mut Line) -> usize {
        match rest {
            ['/', '*', ..] => {
                self.state = State::BlockComment(depth + 1);
                2
            }
            ['*', '/', ..] => {
                self.state = if depth == 1 { State::Code } else { State::BlockComment(depth - 1) };
                2
            }
            [other, ..] => {
                line.comment.push(*other);
                1
            }
            [] => 1,
        }
    }

    fn text(&mut self, rest: &[char], line: &mut Line) -> usize {
        match rest {
            ['\\', escaped, ..] => {
                line.literal.extend(['\\', *escaped]);
                2
            }
            ['"', ..] => {
                self.state = State::Code;
                line.code.push('"');
                line.literal.push('\n');
                1
            }
            [other, ..] => {
                line.literal.push(*other);
                1
            }
            [] => 1,
        }
    }

    fn raw_text(&mut self, hashes: usize, rest: &[char], line: &mut Line) -> usize {
        let ends =
            rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|it| *it == '#');
        if ends {
            self.state = State::Code;
            line.literal.push('\n');
            return 1 + hashes;
        }
        line.literal.push(rest[0]);
        1
    }
}

/// `br"` and `cr"` are raw strings too.
fn ends_as_prefix(code: &str) -> bool {
    let mut back = code.chars().rev();
    matches!(back.next(), Some('b' | 'c')) && !back.next().is_some_and(is_word)
}

fn is_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

/// Marks from each test attribute to the end of its item.
fn mark_tests(lines: &mut [Line]) {
    let mut at = 0;
    while at < lines.len() {
        let code = lines[at].code.replace(' ', "");
        let opens =
            ["#[test]", "#[cfg(test)]", "#[cfg(all(test", "#[cfg(any(test", "#[tokio::test"]
                .iter()
                .any(|attribute| code.contains(attribute));
        at = if opens { mark_item(lines, at) } else { at + 1 };
    }
}

/// Marks the item that begins at `from` and returns the line after it.
fn mark_item(lines: &mut [Line], from: usize) -> usize {
    let mut depth = 0_isize;
    let mut opened = false;
    for (at, line) in lines.iter_mut().enumerate().skip(from) {
        line.is_test = true;
        for it in line.code.chars() {
            match it {
                '{' | '(' | '[' => depth += 1,
                '}' | ')' | ']' => depth -= 1,
                _ => {}
            }
            opened |= it == '{';
            let ends = depth == 0 && (it == ';' || (opened && it == '}'));
            if ends {
                return at + 1;
            }
        }
    }
    lines.len()
}
