//! Front matter: what a file says of its note before the text.

use symbolon_codec::time::rfc3339;

use super::dates;
use crate::item::{Marks, TAGS_MAX, TagName, Title};
use crate::wire::ItemId;

/// What is read of front matter, and what of it is left to the text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Front {
    pub id: Option<ItemId>,
    pub title: Option<Title>,
    pub marks: Marks,
    pub created_unix_ms: Option<u64>,
    pub updated_unix_ms: Option<u64>,
}

impl Front {
    /// The block, with its fences.
    pub fn write(&self) -> String {
        let mut out = String::from("---\n");
        let mut line = |key: &str, value: &str| {
            out.push_str(key);
            out.push_str(": ");
            out.push_str(value);
            out.push('\n');
        };
        if let Some(id) = self.id {
            line("id", &quoted(&id.to_string()));
        }
        if let Some(title) = &self.title {
            line("title", &quoted(title.as_str()));
        }
        if !self.marks.tags.is_empty() {
            let tags: Vec<String> = self.marks.tags.iter().map(|t| quoted(t.as_str())).collect();
            line("tags", &format!("[{}]", tags.join(", ")));
        }
        for (key, is_set) in [("pinned", self.marks.pinned), ("template", self.marks.template)] {
            if is_set {
                line(key, "true");
            }
        }
        let dates = [("created", self.created_unix_ms), ("updated", self.updated_unix_ms)];
        for (key, ms) in dates {
            if let Some(ms) = ms {
                line(key, &rfc3339(ms));
            }
        }
        out.push_str("---\n");
        out
    }

    /// Reads a file. Keys that are not ours stay before the text, in a block of their own.
    pub fn read(file: &str) -> (Self, String) {
        let mut front = Self::default();
        let Some((block, text)) = split(file) else { return (front, file.to_owned()) };
        let mut left = String::new();
        let mut lines = block.lines().peekable();
        while let Some(line) = lines.next() {
            // Lines that are indented, or of a list, belong to the key before them.
            let mut below = Vec::new();
            while let Some(next) =
                lines.next_if(|l| l.starts_with([' ', '\t']) || l.starts_with("- ") || *l == "-")
            {
                below.push(next);
            }
            let key = line.split_once(':').map(|(key, value)| (key.trim(), value.trim()));
            if !key.is_some_and(|(key, value)| front.take(key, value, &below)) {
                for line in std::iter::once(line).chain(below) {
                    left.push_str(line);
                    left.push('\n');
                }
            }
        }
        let text =
            if left.is_empty() { text.to_owned() } else { format!("---\n{left}---\n{text}") };
        (front, text)
    }

    /// Whether the key is ours, its value one of its kind, and not there twice.
    fn take(&mut self, key: &str, value: &str, below: &[&str]) -> bool {
        fn put<T>(place: &mut Option<T>, value: Option<T>) -> bool {
            let is_taken = place.is_none() && value.is_some();
            if is_taken {
                *place = value;
            }
            is_taken
        }
        if !below.is_empty() && key != "tags" {
            return false;
        }
        let flag = |value: &str| value == "true";
        match key {
            "id" => put(&mut self.id, unquoted(value).parse().ok()),
            "title" => put(&mut self.title, Title::new(&unquoted(value)).ok()),
            "created" => put(&mut self.created_unix_ms, dates::parse(&unquoted(value))),
            "updated" => put(&mut self.updated_unix_ms, dates::parse(&unquoted(value))),
            "pinned" if flag(value) => !std::mem::replace(&mut self.marks.pinned, true),
            "template" if flag(value) => !std::mem::replace(&mut self.marks.template, true),
            "tags" if self.marks.tags.is_empty() => match tags(value, below) {
                Some(tags) => {
                    self.marks.tags = tags;
                    true
                }
                None => false,
            },
            _ => false,
        }
    }
}

/// The block between the fences, and what follows them.
fn split(file: &str) -> Option<(&str, &str)> {
    let rest = file.strip_prefix("---\n").or_else(|| file.strip_prefix("---\r\n"))?;
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((&rest[..at], &rest[at + line.len()..]));
        }
        at += line.len();
        if at > FRONT_BYTES_MAX {
            return None;
        }
    }
    None
}

/// A flow list, a block list, or words with commas between; each once.
fn tags(value: &str, below: &[&str]) -> Option<Vec<TagName>> {
    let words: Vec<String> = if !below.is_empty() {
        if !value.is_empty() {
            return None;
        }
        let items = below.iter().map(|line| line.trim().strip_prefix('-').map(str::trim));
        items.map(|item| item.map(unquoted)).collect::<Option<_>>()?
    } else if let Some(list) = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
        // What we write is JSON; what others write often is not.
        serde_json::from_str(value)
            .unwrap_or_else(|_| list.split(',').map(|w| unquoted(w.trim())).collect())
    } else {
        value.split(',').map(|word| unquoted(word.trim())).collect()
    };
    let mut all: Vec<TagName> = Vec::new();
    for word in words.iter().filter(|word| !word.is_empty()) {
        let tag = TagName::new(word).ok()?;
        if !all.contains(&tag) {
            all.push(tag);
        }
    }
    (!all.is_empty() && all.len() <= TAGS_MAX).then_some(all)
}

/// JSON's spelling of a text, which is YAML's too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn unquoted(value: &str) -> String {
    if value.starts_with('"') {
        serde_json::from_str(value).unwrap_or_else(|_| value.to_owned())
    } else if let Some(inner) = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')) {
        inner.replace("''", "'")
    } else {
        value.to_owned()
    }
}

const FRONT_BYTES_MAX: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_comes_back_and_the_text_is_whole() {
        let front = Front {
            id: Some([7; 16].into()),
            title: Title::new("a: \"b\" — c").ok(),
            marks: Marks {
                tags: vec![TagName::new("x, y").expect("a tag"), TagName::new("]").expect("a tag")],
                pinned: true,
                template: true,
            },
            created_unix_ms: Some(5),
            updated_unix_ms: Some(6),
        };
        for text in ["", "text\n", "---\nother: 1\n---\ntext", "---\n"] {
            let (back, rest) = Front::read(&(front.write() + text));
            assert_eq!((&back, rest.as_str()), (&front, text));
        }
    }

    #[test]
    fn what_others_write_is_read_and_what_is_theirs_stays() {
        let file = "---\ntags:\n  - one\n  - 'it''s'\naliases: [a]\npinned: true\ndate:\n  x: 1\n---\ntext";
        let (front, text) = Front::read(file);
        let tags: Vec<&str> = front.marks.tags.iter().map(TagName::as_str).collect();
        assert_eq!((tags, front.marks.pinned), (vec!["one", "it's"], true));
        assert_eq!(text, "---\naliases: [a]\ndate:\n  x: 1\n---\ntext");
        let (front, _) = Front::read("---\ntags: a, b, a\nid: nonsense\n---\n");
        assert_eq!((front.marks.tags.len(), front.id), (2, None));
        for none in ["text", "---\nno end", "--- \nx: 1\n---\n"] {
            assert_eq!(Front::read(none), (Front::default(), none.to_owned()));
        }
    }
}
