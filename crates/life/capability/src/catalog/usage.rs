//! How an operation is called, in a line.

use serde_json::Value;

use super::{operation::Operation, parameter::Parameter};

impl Operation {
    /// Its parameters as a signature: `owner: string, repo: string, labels?: array`; the required ones
    /// first, the others as far as the line goes. Made of names and JSON types alone, so nothing that
    /// a document says in words is in it.
    #[must_use]
    pub fn usage(&self) -> String {
        let (required, optional): (Vec<_>, Vec<_>) =
            self.parameters().iter().partition(|parameter| parameter.is_required());
        let mut line = required.into_iter().map(shown).collect::<Vec<_>>().join(", ");
        let mut left = optional.len();
        for parameter in optional {
            let next = shown(parameter);
            if line.len() + next.len() > CHARS_MAX {
                break;
            }
            let comma = if line.is_empty() { "" } else { ", " };
            line.push_str(comma);
            line.push_str(&next);
            left -= 1;
        }
        match (left, line.is_empty()) {
            (0, _) => line,
            (_, true) => format!("{left} optional"),
            (_, false) => format!("{line}, and {left} more"),
        }
    }
}

fn shown(parameter: &Parameter) -> String {
    let mark = if parameter.is_required() { "" } else { "?" };
    let types = match parameter.schema().get("type") {
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|")
        }
        _ => "any".to_owned(),
    };
    format!("{}{mark}: {types}", parameter.name())
}

/// Of what is optional, as much as this leaves room for.
const CHARS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;

    #[test]
    fn the_required_come_first_and_the_line_ends() {
        let catalog = Catalog::builtin().expect("built in");
        let create = catalog.operation("github.issues.create").expect("an operation").usage();
        assert!(create.starts_with("owner: string, repo: string, title: string"), "{create}");
        assert!(create.contains("body?: string"), "{create}");
        for operation in catalog.operations() {
            let usage = operation.usage();
            for parameter in operation.parameters().iter().filter(|p| p.is_required()) {
                assert!(usage.contains(&format!("{}: ", parameter.name())), "{usage}");
            }
            let required = operation.parameters().iter().filter(|p| p.is_required()).count();
            assert!(usage.len() <= 240 + 140 * required, "{usage}");
        }
    }
}
