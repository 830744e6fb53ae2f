//! `cargo xtask graph`: the imports between our crates, shown or checked.

mod draw;
mod rules;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use crate::workspace::{Dependency, Metadata, Package};
use crate::{Args, Failure};

pub use rules::{Rules, crate_name};

pub const LINE: &str = "show the imports between crates, or check them";

pub const HELP: &str = "\
cargo xtask graph [--check | --mermaid]: the imports between our crates

Every crate has a rank: its layer (its folder under crates/), then its place in
the layer. An import points to a strictly lower rank, and an outside crate with
an owner is used by its owner alone. The ranks and owners, each with its reason,
are in xtask/graph.toml.

  --check     print nothing but what breaks a rule, and fail if something does
  --mermaid   draw for a Markdown page

Examples
  cargo xtask graph
  cargo xtask graph --check
  cargo xtask graph --mermaid > graph.md
";

pub fn run(given: &[String]) -> Result<(), Failure> {
    let args = Args::parse("graph", given, &["--check", "--mermaid"], &[])?;
    let (metadata, rules) = (Metadata::load()?, Rules::load()?);
    if args.has("--check") {
        return check();
    }
    let drawn = if args.has("--mermaid") { draw::mermaid } else { draw::plain };
    print!("{}", drawn(metadata, &rules));
    Ok(())
}

/// Errs with every broken rule of the workspace.
pub fn check() -> Result<(), Failure> {
    let broken = violations(Metadata::load()?, &Rules::load()?);
    if broken.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = broken.iter().map(|it| format!("  {it}")).collect();
    Err(Failure::new(format!("the graph breaks {} rule(s):\n{}", broken.len(), lines.join("\n")))
        .next("move the code to a higher crate, or change xtask/graph.toml with a reason"))
}

/// One broken rule.
#[derive(Debug, PartialEq, Eq)]
enum Violation {
    /// The package is not in the table of ranks.
    NoRank { package: String },
    /// The package is not in the folder that its rank names.
    WrongFolder { package: String, found: String, expected: String },
    /// An import that does not go down.
    NotLower { from: String, to: String, kind: String },
    /// An outside crate used by someone who does not own it.
    NotOwner { from: String, outside: String, owners: String, why: String },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRank { package } => write!(f, "{package} has no place in xtask/graph.toml"),
            Self::WrongFolder { package, found, expected } => {
                write!(f, "{package} is in {found}, its place is {expected}")
            }
            Self::NotLower { from, to, kind } => {
                write!(f, "{from} imports {to} ({kind}), which is not below it")
            }
            Self::NotOwner { from, outside, owners, why } => {
                write!(f, "{from} uses {outside}, which belongs to {owners}: {why}")
            }
        }
    }
}

fn violations(metadata: &Metadata, rules: &Rules) -> Vec<Violation> {
    let mut broken = Vec::new();
    for package in &metadata.packages {
        broken.extend(misplaced(package, &metadata.workspace_root, rules));
        for dependency in &package.dependencies {
            broken.extend(misused(package, dependency, rules));
        }
    }
    broken
}

fn misplaced(package: &Package, root: &Path, rules: &Rules) -> Option<Violation> {
    let Some(expected) = rules.folder(crate_name(&package.name)) else {
        return Some(Violation::NoRank { package: package.name.clone() });
    };
    let folder = package.manifest_path.parent().unwrap_or(root);
    let found = folder.strip_prefix(root).unwrap_or(folder).display().to_string();
    (found != expected).then(|| Violation::WrongFolder {
        package: package.name.clone(),
        found,
        expected,
    })
}

fn misused(package: &Package, dependency: &Dependency, rules: &Rules) -> Option<Violation> {
    let (from, to) = (crate_name(&package.name), crate_name(&dependency.name));
    let kind = dependency.kind.as_deref().unwrap_or("normal");
    if kind == "dev" && rules.excepts_dev(from, to) {
        return None;
    }
    if dependency.path.is_none() {
        let rule = rules.refusal(from, &dependency.name)?;
        return Some(Violation::NotOwner {
            from: from.to_owned(),
            outside: dependency.name.clone(),
            owners: rule.by.join(", "),
            why: rule.why.clone(),
        });
    }
    // A crate without a rank is reported once, by `misplaced`.
    let (above, below) = (rules.rank(from)?, rules.rank(to)?);
    (below >= above).then(|| Violation::NotLower {
        from: from.to_owned(),
        to: to.to_owned(),
        kind: kind.to_owned(),
    })
}
