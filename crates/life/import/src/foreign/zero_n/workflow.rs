//! Workflows and commands, taken out of their files with the place of each value. They are no
//! credentials, and leave the secret page; what stands beside them does not.

use std::ops::Range;

use super::About;
use crate::foreign::FILE_BYTES_MAX;
use crate::foreign::error::ForeignError;
use crate::foreign::findings::{Findings, Workflow};
use crate::foreign::json;
use crate::located::{Located, LocatedNode, read_located};

/// A file, or the part of a container, that is one workflow or a list of them.
pub(super) fn take(
    bytes: &[u8],
    about: &About<'_>,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    let root = located(bytes)?;
    let all = match root.node {
        LocatedNode::List(items) => items,
        _ => vec![root],
    };
    for node in all {
        let name = stem(about.name);
        let file = about.name.to_owned();
        found.workflows.push(Workflow { file, name, is_command: false, node });
    }
    Ok(())
}

/// The commands of a SWITCH file in JSON, and its sections that have steps. Connections and servers
/// stand in the same file with their credentials: nothing of them is copied.
pub(super) fn commands(
    bytes: &[u8],
    about: &About<'_>,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    let spans = json::spans(bytes, &SECTIONS);
    if spans.is_empty() {
        return Ok(());
    }
    let LocatedNode::Map(sections) = located(&blanked(bytes, &spans))?.node else { return Ok(()) };
    let mut keep = |name: &str, node: Located| {
        let (name, file) = (name.to_owned(), about.name.to_owned());
        found.workflows.push(Workflow { file, name, is_command: true, node });
    };
    for (section, node) in sections {
        match (&*section.name, node.node) {
            ("commands", LocatedNode::Map(commands)) => {
                commands.into_iter().for_each(|(alias, node)| keep(&alias.name, node));
            }
            (name, of) => keep(name, Located { node: of, ..node }),
        }
    }
    Ok(())
}

/// Whether a document in YAML is a workflow: it has steps, and nothing of a connection. What is a
/// connection stays in its page.
pub(super) fn is_yaml(bytes: &[u8]) -> bool {
    let begins = |line: &[u8], keys: &[&str]| {
        keys.iter()
            .any(|key| line.strip_prefix(key.as_bytes()).is_some_and(|l| l.first() == Some(&b':')))
    };
    let mut has_steps = false;
    for line in bytes.split(|b| *b == b'\n') {
        if begins(
            line,
            &["auth", "credentials", "connection", "connections", "mcp_servers", "vault"],
        ) {
            return false;
        }
        has_steps |= begins(line, &["steps", "parallel_groups", "targets", "workflow"]);
    }
    has_steps
}

/// The same document with blanks in the place of everything but these members of its root, which
/// stand where they stood.
fn blanked(bytes: &[u8], spans: &[Range<usize>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut begun, mut span) = (false, 0);
    for (at, byte) in bytes.iter().enumerate() {
        while spans.get(span).is_some_and(|s| s.end <= at) {
            span += 1;
        }
        let within = spans.get(span).is_some_and(|s| s.contains(&at));
        let is_continuation = (0x80..0xc0).contains(byte);
        match byte {
            _ if within => out.push(*byte),
            b'{' if !begun => {
                begun = true;
                out.push(b'{');
            }
            // A comma parts two members; one at the end is no harm to YAML.
            b',' if span > 0 && spans[span - 1].end <= at && !parted(&out) => out.push(b','),
            b'\n' => out.push(b'\n'),
            // A character of several bytes is one blank: columns count characters.
            _ if is_continuation => {}
            _ => out.push(b' '),
        }
    }
    out.push(b'}');
    out
}

/// Whether what was written last, but for blanks, is a comma already.
fn parted(out: &[u8]) -> bool {
    matches!(out.trim_ascii_end().last(), Some(b',' | b'{'))
}

fn located(bytes: &[u8]) -> Result<Located, ForeignError> {
    read_located(bytes, FILE_BYTES_MAX + 1).map_err(|e| ForeignError::Syntax {
        line: usize::try_from(e.line).unwrap_or_default(),
        column: usize::try_from(e.column).unwrap_or_default(),
        what: "this cannot be read as a workflow",
    })
}

/// A file's name without folders and endings.
fn stem(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.split(['.', ',']).find(|part| !part.is_empty()).unwrap_or("workflow").to_owned()
}

/// What of a SWITCH file can begin something.
const SECTIONS: [&str; 5] = ["commands", "pipeline", "assembly_line", "radial_burst", "workflow"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_is_blank_and_places_stay() {
        let text = "{\n\"connections\": {\"é\": \"sk_live_1, {x}\"},\t\"commands\": {\"go\": 1}, \"z\": [1, 2],\n \"pipeline\": {\"a\": 2}}";
        let spans = json::spans(text.as_bytes(), &SECTIONS);
        let out = String::from_utf8(blanked(text.as_bytes(), &spans)).expect("text");
        assert!(!out.contains("sk_live") && !out.contains('z'), "{out}");
        let LocatedNode::Map(members) = located(out.as_bytes()).expect("YAML").node else {
            panic!()
        };
        let places: Vec<_> = members.iter().map(|(k, _)| (&*k.name, k.line, k.column)).collect();
        let column = |word: &str| {
            let line = text.lines().nth(1).expect("a line");
            line[..line.find(word).expect("there")].chars().count() as u64 + 1
        };
        assert_eq!(places, [("commands", 2, column("\"commands\"")), ("pipeline", 3, 2)]);
    }

    #[test]
    fn a_name_is_the_file_without_folders_and_endings() {
        assert_eq!(stem("/home/a.b/workflows/new-lead.0n.json"), "new-lead");
        assert_eq!(stem("deed.0nv, workflows"), "deed");
        assert_eq!(stem(".0n"), "0n");
    }

    #[test]
    fn yaml_with_steps_is_a_workflow_and_a_connection_is_not() {
        assert!(is_yaml(b"name: x\nsteps:\n  - id: a\n"));
        assert!(!is_yaml(b"service: stripe\nsteps:\nauth:\n  credentials: {}\n"));
        assert!(!is_yaml(b"service: stripe\nscopes:\n- a\n"));
    }
}
