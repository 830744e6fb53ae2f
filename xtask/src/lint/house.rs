//! The rules of the house for one file.

use std::path::{Path, PathBuf};

use super::source::{self, Line};
use crate::graph::Rules;

const LINES_MAX: usize = 500;

/// Calls that end the process where they are wrong.
const PANICS: &[&str] =
    &[".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!("];

/// What breaks a rule, as `path:line: text`. `only_test` says that a test module is this file.
pub fn findings(path: &Path, text: &str, only_test: bool, rules: &Rules) -> Vec<String> {
    let lines = source::lines(text);
    let all_test = only_test || is_test_file(path);
    let in_crates = path.starts_with("crates");
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let mut say = |what: String| {
            found.push(format!("  {}:{}: {what}", path.display(), at + 1));
        };
        let is_test = all_test || line.is_test;
        let marked = |mark: &str| has_mark(&lines, at, mark);
        if !is_test && exposes(&line.code) && !marked("EXPOSE:") {
            say("a secret is exposed without `// EXPOSE: reason`".into());
        }
        if opens_unsafe(&line.code) && !marked("SAFETY:") {
            say("unsafe without `// SAFETY: reason`".into());
        }
        let panic = PANICS.iter().find(|call| calls(&line.code, call));
        if let Some(call) = panic.filter(|_| in_crates && !is_test && !marked("INFALLIBLE:")) {
            let name = call.trim_matches(['.', '(', ')']);
            say(format!("`{name}` outside tests without `// INFALLIBLE: reason`"));
        }
        if let Some(machine) = (!is_test).then(|| machine_path(line)).flatten() {
            say(format!("a path of somebody's machine: {machine}"));
        }
    }
    found.extend(unsafe_policy(path, &lines, rules));
    found
}

/// The files that `#[cfg(test)] mod name;` declares, as the paths that rustc would try.
pub fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let folder = match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("lib" | "main" | "mod") | None => path.parent().map(Path::to_path_buf),
        Some(_) => Some(path.with_extension("")),
    };
    let Some(folder) = folder else { return Vec::new() };
    let names = source::lines(text).into_iter().filter(|line| line.is_test).filter_map(|line| {
        let name = line.code.trim().strip_prefix("mod ")?.strip_suffix(';')?.trim().to_owned();
        Some([folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")])
    });
    names.flatten().collect()
}

/// A note about a file that holds more than one idea, most likely.
pub fn oversize(path: &Path, text: &str) -> Option<String> {
    let count = text.lines().count();
    let told =
        || format!("{} has {count} lines; split it where it holds two ideas", path.display());
    (count > LINES_MAX).then(told)
}

fn is_test_file(path: &Path) -> bool {
    let folders = path
        .components()
        .skip(1)
        .any(|part| ["tests", "benches", "examples"].iter().any(|name| part.as_os_str() == *name));
    let named = path.file_stem().is_some_and(|stem| stem == "tests" || stem == "test_support");
    // The black-box crate is a test from end to end.
    let black_box = path.starts_with("tests") && !path.starts_with("tests/upstream");
    folders || named || black_box
}

fn exposes(code: &str) -> bool {
    code.contains(".expose(") || code.contains(".expose_mut(")
}

/// A block or an impl; an `unsafe fn` says its conditions in its docs, which clippy checks.
fn opens_unsafe(code: &str) -> bool {
    code.match_indices("unsafe").any(|(at, word)| {
        let whole = !code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_');
        let after = code[at + word.len()..].trim_start();
        whole && (after.starts_with('{') || after.starts_with("impl "))
    })
}

fn calls(code: &str, call: &str) -> bool {
    code.match_indices(call).any(|(at, _)| {
        call.starts_with('.') || !code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_')
    })
}

/// Whether the mark stands on the line, in the comment right above, or right above the statement.
fn has_mark(lines: &[Line], at: usize, mark: &str) -> bool {
    if lines[at].comment.contains(mark) {
        return true;
    }
    let mut above = at;
    while above > 0 {
        above -= 1;
        let line = &lines[above];
        if line.comment.contains(mark) && line.code.trim().is_empty() {
            return true;
        }
        let code = line.code.trim_end();
        let ends_statement =
            code.ends_with([';', '{', '}']) || (code.is_empty() && line.comment.is_empty());
        if ends_statement {
            return false;
        }
    }
    false
}

/// The literal or comment that names a folder of one machine.
fn machine_path(line: &Line) -> Option<&'static str> {
    const EVERYWHERE: [&str; 2] = [concat!("/", "work/"), concat!("/", "root/")];
    const LITERAL: &str = concat!("/", "tmp/");
    let named = EVERYWHERE
        .into_iter()
        .find(|path| line.literal.contains(path) || line.comment.contains(path));
    named.or_else(|| line.literal.contains(LITERAL).then_some(LITERAL))
}

/// Whether a crate's first file says what it must about unsafe code.
fn unsafe_policy(path: &Path, lines: &[Line], rules: &Rules) -> Option<String> {
    let is_root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
    if !is_root || path.starts_with("fuzz") {
        return None;
    }
    let folder = path.parent()?.parent()?;
    let name = folder.file_name()?.to_str()?;
    let listed = |list: &[String]| list.iter().any(|it| it == name);
    if listed(&rules.unsafe_code.own) {
        return None;
    }
    let says = |level: &str| {
        lines.iter().any(|line| line.code.contains(&format!("#![{level}(unsafe_code)]")))
    };
    if says("forbid") || (listed(&rules.unsafe_code.modules) && says("deny")) {
        return None;
    }
    Some(format!("  {}:1: `#![forbid(unsafe_code)]` is missing", path.display()))
}
