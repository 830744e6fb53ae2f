//! The graph as text: a list by layer, or a mermaid flowchart.

use std::fmt::Write;

use super::{Rules, crate_name};
use crate::workspace::{Metadata, Package};

/// One line a crate, highest layer first.
pub fn plain(metadata: &Metadata, rules: &Rules) -> String {
    let mut text = String::new();
    for layer in rules.layers.iter().rev() {
        let _ = writeln!(text, "{}", layer.name);
        for name in layer.crates.iter().rev() {
            if let Some(package) = find(metadata, name) {
                let imports = ours(package);
                let shown = if imports.is_empty() { "-".to_owned() } else { imports.join(" ") };
                let _ = writeln!(text, "  {name:<11} {shown}");
            }
        }
    }
    text
}

/// A flowchart with one box a layer. Imports that another import already implies are left out,
/// since with all of them the drawing shows nothing.
pub fn mermaid(metadata: &Metadata, rules: &Rules) -> String {
    let mut text = String::from("```mermaid\nflowchart TD\n");
    for layer in rules.layers.iter().rev() {
        let there: Vec<&String> =
            layer.crates.iter().filter(|name| find(metadata, name).is_some()).collect();
        if there.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  subgraph {}", layer.name);
        for name in there {
            let _ = writeln!(text, "    {name}");
        }
        text.push_str("  end\n");
    }
    for package in &metadata.packages {
        let imports = ours(package);
        for to in &imports {
            let implied = imports.iter().any(|via| via != to && reaches(metadata, via, to));
            if !implied {
                let _ = writeln!(text, "  {} --> {to}", crate_name(&package.name));
            }
        }
    }
    text.push_str("```\n");
    text
}

fn find<'a>(metadata: &'a Metadata, name: &str) -> Option<&'a Package> {
    metadata.packages.iter().find(|package| crate_name(&package.name) == name)
}

/// The crates of this workspace that `package` is built from.
fn ours(package: &Package) -> Vec<&str> {
    let mut names: Vec<&str> = package
        .dependencies
        .iter()
        .filter(|it| it.path.is_some() && it.kind.as_deref() != Some("dev"))
        .map(|it| crate_name(&it.name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn reaches(metadata: &Metadata, from: &str, to: &str) -> bool {
    let Some(package) = find(metadata, from) else { return false };
    let imports = ours(package);
    imports.contains(&to) || imports.iter().any(|via| reaches(metadata, via, to))
}
