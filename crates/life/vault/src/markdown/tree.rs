//! Names of files and folders.

use std::collections::HashSet;

use crate::search::fold_text;

/// Gives files of one folder names of their own.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// A name for a title that every system can have, with ` (2)` and so on where it is taken: case
    /// does not tell two files apart everywhere.
    pub fn take(&mut self, title: &str, extension: &str) -> String {
        let stem = file_name(title);
        let mut name = format!("{stem}{extension}");
        let mut n = 1;
        while !self.reserve(&name) {
            n += 1;
            name = format!("{stem} ({n}){extension}");
        }
        name
    }

    /// Whether a name was free; it is taken now. Names that a link does not tell apart are one.
    pub fn reserve(&mut self, name: &str) -> bool {
        self.0.insert(fold_text(name))
    }
}

/// A title as a file's name: without what separates paths, means something to a system or to a link.
fn file_name(title: &str) -> String {
    let is_bad = |c: char| c.is_control() || r#"/\:*?"<>|#[]^"#.contains(c);
    let plain: String = title.chars().map(|c| if is_bad(c) { '-' } else { c }).collect();
    let mut plain = plain.trim().trim_matches('.').trim();
    while plain.len() > NAME_BYTES_MAX {
        let last = plain.char_indices().next_back().map_or(0, |(at, _)| at);
        plain = plain[..last].trim_end();
    }
    let first = plain.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |word: &str| {
        first
            .strip_prefix(word)
            .is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_device = ["CON", "PRN", "AUX", "NUL"].contains(&first.as_str())
        || numbered("COM")
        || numbered("LPT");
    match plain {
        "" => "Untitled".to_owned(),
        _ if is_device => format!("_{plain}"),
        _ => plain.to_owned(),
    }
}

/// The folders and the name of a path that stays in its folder; `None` for any other.
pub(super) fn parts(path: &str) -> Option<(Vec<&str>, &str)> {
    let is_name = |name: &&str| {
        !name.is_empty()
            && *name != "."
            && *name != ".."
            && name.len() <= 255
            && !name.contains(['\\', ':'])
            && !name.chars().any(char::is_control)
    };
    let all: Vec<&str> = path.split('/').collect();
    if path.len() > 4096 || all.len() > DEPTH_MAX || !all.iter().all(is_name) {
        return None;
    }
    let (name, folders) = all.split_last()?;
    Some((folders.to_vec(), name))
}

/// Where a link of a file leads, both as paths of the tree; `None` where it leads out of it.
pub(super) fn resolve(from: &[&str], link: &str) -> Option<String> {
    let mut at: Vec<&str> = from.to_vec();
    for name in link.split('/') {
        match name {
            "." => {}
            ".." => drop(at.pop()?),
            "" => return None,
            name => at.push(name),
        }
    }
    Some(at.join("/"))
}

/// The link from a folder to a path of the tree.
pub(super) fn relative(from: &[&str], to: &str) -> String {
    let to: Vec<&str> = to.split('/').collect();
    let shared = from.iter().zip(&to[..to.len() - 1]).take_while(|(a, b)| a == b).count();
    let mut out = vec![".."; from.len() - shared];
    out.extend(&to[shared..]);
    out.join("/")
}

const NAME_BYTES_MAX: usize = 180;
const DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ones_that_every_system_has() {
        for (title, name) in [
            ("Plan", "Plan"),
            ("a/b\\c: d?", "a-b-c- d-"),
            ("..", "Untitled"),
            (" .hidden. ", "hidden"),
            ("con", "_con"),
            ("Com1.txt", "_Com1.txt"),
            ("Comet", "Comet"),
            ("[x]#1", "-x--1"),
            ("", "Untitled"),
        ] {
            assert_eq!(file_name(title), name, "{title}");
        }
        assert!(file_name(&"ä".repeat(500)).len() <= NAME_BYTES_MAX);
        let mut names = Names::default();
        let taken: Vec<_> = ["A", "a", "A"].iter().map(|t| names.take(t, ".md")).collect();
        assert_eq!(taken, ["A.md", "a (2).md", "A (3).md"]);
    }

    #[test]
    fn hostile_paths_are_none() {
        assert_eq!(parts("a/b/c.md"), Some((vec!["a", "b"], "c.md")));
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "./a",
            "a/",
            "C:/x",
            "a\\b",
            "a\0b",
            "a/..",
            "a\nb",
        ] {
            assert_eq!(parts(bad), None, "{bad:?}");
        }
        assert_eq!(parts(&"a/".repeat(40)), None);
        assert_eq!(resolve(&["a"], "../../x"), None);
        assert_eq!(resolve(&["a", "b"], "../c/./d.png").as_deref(), Some("a/c/d.png"));
        assert_eq!(relative(&["a", "b"], "a/c/d.png"), "../c/d.png");
        assert_eq!(relative(&[], "a/d.png"), "a/d.png");
        assert_eq!(relative(&["a"], "a"), "../a");
    }
}
