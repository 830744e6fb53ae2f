//! How a note's text leads to its attachments: `[name](vault:ITEM)`, as `specs/vault.md` has it.

use symbolon_vault::wire::ItemId;

/// The text with a link to an attachment on a line of its own at the end.
pub fn added(body: &str, name: &str, id: ItemId, is_picture: bool) -> String {
    // What would end the link's text early is no part of it; the attachment keeps its name.
    let name: String = name.chars().map(|c| if "[]\\".contains(c) { '_' } else { c }).collect();
    let mark = if is_picture { "!" } else { "" };
    let line = format!("{mark}[{name}]({SCHEME}{id})\n");
    match body {
        "" => line,
        _ if body.ends_with('\n') => format!("{body}{line}"),
        _ => format!("{body}\n{line}"),
    }
}

/// Whether a text leads to an attachment.
pub fn leads_to(body: &str, id: ItemId) -> bool {
    body.contains(&target(id))
}

/// The text without its links to an attachment; a line that had nothing else goes with them.
pub fn removed(body: &str, id: ItemId) -> String {
    let target = target(id);
    let mut out = String::with_capacity(body.len());
    for line in body.split_inclusive('\n') {
        let mut rest = line.to_owned();
        while let Some(at) = rest.find(&target) {
            let Some(open) = rest[..at].rfind('[') else { break };
            let from = if rest[..open].ends_with('!') { open - 1 } else { open };
            rest.replace_range(from..at + target.len(), "");
        }
        if rest == line || !rest.trim().is_empty() {
            out.push_str(&rest);
        }
    }
    out
}

fn target(id: ItemId) -> String {
    format!("]({SCHEME}{id})")
}

const SCHEME: &str = "vault:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_comes_and_goes_and_nothing_else_does() {
        let (one, two) = (ItemId::from([1; 16]), ItemId::from([2; 16]));
        let body = "Text.\n\nMore [x](https://e.com)";
        let with = added(body, "a [b].png", one, true);
        assert_eq!(with, format!("{body}\n![a _b_.png](vault:{one})\n"));
        let both = added(&with, "c.pdf", two, false);
        assert!(leads_to(&both, one) && leads_to(&both, two) && !leads_to(&with, two));
        assert_eq!(removed(&both, one), added(&format!("{body}\n"), "c.pdf", two, false));
        assert_eq!(removed(&removed(&both, one), two), format!("{body}\n"));
        assert_eq!(removed(body, one), body);
        let within = format!("see [this](vault:{one}) and [that](vault:{one}), please");
        assert_eq!(removed(&within, one), "see  and , please");
        assert_eq!(added("", "n", one, false), format!("[n](vault:{one})\n"));
    }
}
