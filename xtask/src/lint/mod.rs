//! `cargo xtask lint`: rustfmt, clippy, the graph, and rules of this house that neither knows.

mod house;
mod source;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::{Args, Failure, fmt, graph, process, workspace};

pub const LINE: &str = "check format, clippy, the graph and the rules of the house";

pub const HELP: &str = "\
cargo xtask lint [--house]: everything that is checked without running the product

  1. cargo fmt --check
  2. cargo clippy, warnings are errors, all targets
  3. cargo xtask graph --check
  4. the rules of the house, in every Rust file:
       `.expose(` carries `// EXPOSE: reason`           (not in tests)
       `unsafe` carries `// SAFETY: reason`
       no unwrap, expect, panic!, unreachable!, todo!   (crates/, not in tests)
         unless `// INFALLIBLE: reason` says why it cannot happen
       no path of somebody's machine
       crates forbid unsafe code, except those named in xtask/graph.toml
       a file of more than 500 lines is pointed out

A mark stands on the line itself, in the comment right above it, or right above
the statement.

  --house   only 3 and 4: a second instead of minutes

Examples
  cargo xtask lint
  cargo xtask lint --house
";

/// Folders with our Rust code.
const FOLDERS: &[&str] = &["crates", "bench", "xtask", "tests", "fuzz"];

pub fn run(given: &[String]) -> Result<(), Failure> {
    let args = Args::parse("lint", given, &["--house"], &[])?;
    if !args.has("--house") {
        fmt::check()?;
        clippy()?;
    }
    graph::check()?;
    eprintln!("graph: every import goes down");
    check_house()
}

/// Clippy with warnings as errors, over tests and benches too.
pub fn clippy() -> Result<(), Failure> {
    let words = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"];
    process::run(process::cargo().args(words))
        .map_err(|_| Failure::new("clippy has something to say").next("cargo xtask lint"))
}

/// The rules of the house over every file.
pub fn check_house() -> Result<(), Failure> {
    let root = workspace::root()?;
    let rules = graph::Rules::load()?;
    let mut files = Vec::new();
    for folder in FOLDERS {
        rust_files(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut texts = Vec::with_capacity(files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(Failure::io("read", &file))?;
        texts.push((file, text));
    }
    let only_test: HashSet<PathBuf> =
        texts.iter().flat_map(|(file, text)| house::test_modules(file, text)).collect();
    let mut findings = Vec::new();
    for (file, text) in &texts {
        let shown = file.strip_prefix(root).unwrap_or(file);
        if let Some(note) = house::oversize(shown, text) {
            eprintln!("note: {note}");
        }
        findings.extend(house::findings(shown, text, only_test.contains(file), &rules));
    }
    if findings.is_empty() {
        eprintln!("house: {} files follow the rules", texts.len());
        return Ok(());
    }
    Err(Failure::new(format!("{} place(s) break a rule:\n{}", findings.len(), findings.join("\n")))
        .next("cargo xtask lint --help says what each rule wants"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.map_err(Failure::io("list", folder))?.path();
        let skipped = ["target", "node_modules"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !skipped {
            rust_files(&path, found)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    Ok(())
}
