//! Wiki links in Markdown: `[[Title]]`, `[[Title|text]]`, `[[Title#heading]]`, `[[#heading]]`.

use std::ops::Range;

use crate::search::fold_text;

/// A wiki link in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WikiLink<'t> {
    /// Where it stands, with its brackets.
    pub range: Range<usize>,
    /// The title that it leads to; empty for a heading of the same note.
    pub title: &'t str,
    /// The heading there.
    pub heading: Option<&'t str>,
    /// What is shown in place of the title.
    pub text: Option<&'t str>,
}

/// The links of a text, in their order. What stands in code is none.
pub fn wiki_links(body: &str) -> Vec<WikiLink<'_>> {
    let mut found = Vec::new();
    brackets(body, |at, end| {
        let link = link_at(body, at, end)?;
        let behind = link.range.end;
        found.push(link);
        Some(behind)
    });
    found
}

/// Shows every `[` that is not in code and not escaped, with the end of its piece of the text; goes on
/// behind what was found there.
pub(crate) fn brackets(body: &str, mut see: impl FnMut(usize, usize) -> Option<usize>) {
    for range in prose(body) {
        let mut at = range.start;
        while let Some(next) = body[at..range.end].find(['[', '`', '\\']) {
            at += next;
            let rest = &body[at..range.end];
            if let Some(escaped) = rest.strip_prefix('\\') {
                at += 1 + escaped.chars().next().map_or(0, char::len_utf8);
            } else if rest.starts_with('`') {
                at += code_span(rest);
            } else {
                at = see(at, range.end).unwrap_or(at + 1);
            }
        }
    }
}

/// Whether a link can lead to this title.
pub(crate) fn is_linkable(title: &str) -> bool {
    !title.trim().is_empty() && !title.contains(['[', ']', '|', '#'])
}

/// The text with links to one title leading to what `to` gives; `None` where there are none.
pub(crate) fn relink(body: &str, to: impl Fn(&WikiLink<'_>) -> Option<String>) -> Option<String> {
    let mut out = String::with_capacity(body.len());
    let mut at = 0;
    for link in wiki_links(body) {
        if let Some(new) = to(&link) {
            out.push_str(&body[at..link.range.start]);
            out.push_str(&new);
            at = link.range.end;
        }
    }
    if at == 0 {
        return None;
    }
    out.push_str(&body[at..]);
    Some(out)
}

/// A link of the same heading and shown text to another title.
pub(crate) fn retitled(link: &WikiLink<'_>, title: &str) -> String {
    let heading = link.heading.map_or(String::new(), |h| format!("#{h}"));
    let text = link.text.map_or(String::new(), |t| format!("|{t}"));
    format!("[[{title}{heading}{text}]]")
}

/// The titles that a text leads to, folded, each once.
pub(crate) fn targets(body: &str) -> Vec<Box<str>> {
    let mut all: Vec<Box<str>> = wiki_links(body)
        .iter()
        .filter(|link| !link.title.is_empty())
        .map(|link| fold_text(link.title).into())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn link_at(body: &str, at: usize, end: usize) -> Option<WikiLink<'_>> {
    let inner_start = at + 2;
    let inner = body[at..end].strip_prefix("[[")?;
    let close = inner.find("]]")?;
    let inner = &inner[..close];
    if inner.contains(['\n', '[', ']']) {
        return None;
    }
    let (target, text) = match inner.split_once('|') {
        Some((target, text)) => (target, Some(text)),
        None => (inner, None),
    };
    let (title, heading) = match target.split_once('#') {
        Some((title, heading)) => (title, Some(heading)),
        None => (target, None),
    };
    let title = title.trim();
    if title.is_empty() && heading.is_none_or(|h| h.trim().is_empty()) {
        return None;
    }
    Some(WikiLink { range: at..inner_start + close + 2, title, heading, text })
}

/// How many bytes a code span at the beginning of `text` has; of its backticks alone where none
/// ends it (CommonMark 6.1).
fn code_span(text: &str) -> usize {
    let ticks = |text: &str| text.bytes().take_while(|b| *b == b'`').count();
    let open = ticks(text);
    let mut at = open;
    while let Some(next) = text[at..].find('`') {
        let close = ticks(&text[at + next..]);
        at += next + close;
        if close == open {
            return at;
        }
    }
    open
}

/// What is not in fenced code blocks (CommonMark 4.5), piece by piece.
fn prose(body: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut fence: Option<(u8, usize)> = None;
    for line in body.split_inclusive('\n') {
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        let mark = text.bytes().next().filter(|b| matches!(b, b'`' | b'~') && indent < 4);
        let len = mark.map_or(0, |m| text.bytes().take_while(|b| *b == m).count());
        match (fence, mark) {
            (None, Some(mark)) if len >= 3 && !(mark == b'`' && text[len..].contains('`')) => {
                pieces.push(start..at);
                fence = Some((mark, len));
            }
            (Some((own, opened)), Some(mark))
                if own == mark && len >= opened && text[len..].trim().is_empty() =>
            {
                fence = None;
                start = at + line.len();
            }
            _ => {}
        }
        at += line.len();
    }
    if fence.is_none() {
        pieces.push(start..at);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Vec<(&str, Option<&str>, Option<&str>)> {
        wiki_links(body).iter().map(|l| (l.title, l.heading, l.text)).collect()
    }

    #[test]
    fn links_are_found_with_their_parts() {
        assert_eq!(
            of("a [[One]] [[Two|shown]] [[ Three #head|x]] [[#own]] ![[Pic.png]]"),
            [
                ("One", None, None),
                ("Two", None, Some("shown")),
                ("Three", Some("head"), Some("x")),
                ("", Some("own"), None),
                ("Pic.png", None, None),
            ]
        );
        for none in
            ["[[]]", "[[ ]]", "[[#]]", "[One]", "[[One", "[[One\n]]", r"\[[One]]", "[[a[b]]"]
        {
            assert!(of(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn code_has_no_links() {
        assert!(of("`[[One]]` ``a ` [[Two]]`` ").is_empty());
        assert_eq!(of("` [[One]]"), [("One", None, None)], "a tick that is not closed");
        let fenced =
            "```md\n[[One]]\n```\n[[Two]]\n~~~~\n[[Three]]\n~~~\n[[Four]]\n~~~~~\n[[Five]]";
        assert_eq!(of(fenced), [("Two", None, None), ("Five", None, None)]);
        assert!(of("```\n[[One]]").is_empty(), "a fence that is not closed");
        assert_eq!(of("    ```\n[[One]]"), [("One", None, None)], "no fence but indented code");
    }

    #[test]
    fn links_are_led_elsewhere_and_the_rest_stays() {
        let body = "ä [[Old]] `[[Old]]` [[old#h|t]] [[Other]]";
        let new = relink(body, |l| (fold_text(l.title) == "old").then(|| retitled(l, "New")));
        assert_eq!(new.as_deref(), Some("ä [[New]] `[[Old]]` [[New#h|t]] [[Other]]"));
        assert_eq!(relink(body, |_| None), None);
        assert_eq!(targets(body), ["old".into(), Box::from("other")]);
    }
}
