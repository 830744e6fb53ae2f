//! Names of tools, parameters and scopes: the same for the same document, whatever stands around them.

use std::collections::{HashMap, HashSet};

use symbolon_crypto::sha256;

/// Longest name of a tool, its service and the dot with it.
const TOOL_CHARS_MAX: usize = 64;

/// What an operation is known by: its method, and its path without the names of parameters.
pub(crate) type Key = (String, String);

pub(crate) fn key(method: &str, path: &str) -> Key {
    let mut shape = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        shape.push_str(before);
        shape.push_str("{}");
        rest = after.split_once('}').map_or("", |(_, tail)| tail);
    }
    shape.push_str(rest);
    (method.to_uppercase(), shape)
}

/// An operation that wants a name.
pub(crate) struct Wanted<'d> {
    pub method: &'d str,
    pub path: &'d str,
    pub operation_id: Option<&'d str>,
}

/// Names all operations of a document. One that was named before keeps its name; of several that would
/// have the same one, each gets a mark of its method and path, so that their order says nothing.
pub(crate) fn tools(
    service: &str,
    wanted: &[Wanted<'_>],
    before: &HashMap<Key, String>,
) -> Vec<String> {
    let max = TOOL_CHARS_MAX - service.len() - 1;
    let mut taken: HashSet<String> = HashSet::new();
    let kept: Vec<Option<String>> = wanted
        .iter()
        .map(|one| {
            let name = before.get(&key(one.method, one.path))?;
            (name.len() <= max && taken.insert(name.clone())).then(|| name.clone())
        })
        .collect();
    // A name of before belongs to its operation, also while that one is away.
    taken.extend(before.values().cloned());
    let plain: Vec<String> = wanted.iter().map(plain).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for name in &plain {
        *times.entry(name).or_default() += 1;
    }
    let mut names = Vec::with_capacity(wanted.len());
    for ((one, kept), plain) in wanted.iter().zip(kept).zip(&plain) {
        if let Some(kept) = kept {
            names.push(kept);
            continue;
        }
        let is_alone = times.get(plain.as_str()) == Some(&1) && !taken.contains(plain);
        let name = if is_alone && plain.len() <= max {
            plain.clone()
        } else {
            (0..)
                .map(|n| marked(plain, one, n, max))
                .find(|name| !taken.contains(name))
                .unwrap_or_default()
        };
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

fn marked(plain: &str, one: &Wanted<'_>, n: u32, max: usize) -> String {
    let (method, shape) = key(one.method, one.path);
    let digest = sha256(format!("{method} {shape} {n}").as_bytes());
    let mark: String = digest.0.iter().take(4).map(|b| format!("{b:02x}")).collect();
    let head: String = plain.chars().take(max.saturating_sub(mark.len() + 1)).collect();
    format!("{}_{mark}", head.trim_end_matches(['.', '_', '-']))
}

fn plain(one: &Wanted<'_>) -> String {
    let from_id = one.operation_id.map(dotted).filter(|name| !name.is_empty());
    from_id.unwrap_or_else(|| {
        let parts = one.path.split('/').filter(|part| !part.is_empty()).map(|part| {
            let hole = part.contains('{');
            let word = word(&part.replace(['{', '}'], " "));
            if hole { format!("by_{word}") } else { word }
        });
        let words: Vec<String> = std::iter::once(one.method.to_lowercase()).chain(parts).collect();
        words.join("_")
    })
}

/// `issues/list-forRepo` is `issues.list-for_repo`.
fn dotted(text: &str) -> String {
    let parts = text.split(['/', '.', ':']).map(word).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(".")
}

/// Lower case with `_` between words; begins with a letter. Empty where the text has no letter or digit.
pub(crate) fn word(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    let mut chars = text.chars().take(256).peekable();
    while let Some(c) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(char::is_ascii_lowercase);
        let opens = c.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && next_is_lower));
        if c.is_ascii_alphanumeric() {
            if opens && !out.is_empty() && !out.ends_with(['_', '-']) {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with(['_', '-']) {
            out.push(if c == '-' { '-' } else { '_' });
        }
        before = c;
    }
    let word = out.trim_matches(['_', '-']);
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        format!("n{word}")
    } else {
        word.to_owned()
    }
}

/// A parameter's name as a caller writes it, new among `taken`: `filter[name]` is `filter_name`.
pub(crate) fn parameter(wire: &str, place: &str, taken: &mut HashSet<String>) -> String {
    let mut name = String::new();
    for c in wire.chars().take(60) {
        if c.is_ascii_alphanumeric() || c == '_' {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let mut name = name.trim_end_matches('_').to_owned();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name = format!("p_{name}").trim_end_matches('_').chars().take(60).collect();
    }
    let first = name.clone();
    let others =
        std::iter::once(format!("{first}_{place}")).chain((2..).map(|n| format!("{first}_{n}")));
    for other in others {
        if taken.insert(name.clone()) {
            break;
        }
        name = other.chars().rev().take(64).collect::<Vec<_>>().into_iter().rev().collect();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            name.replace_range(..1, "p");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(service: &str, wanted: &[(&str, &str, Option<&str>)]) -> Vec<String> {
        named(service, wanted, &HashMap::new())
    }

    fn named(
        service: &str,
        wanted: &[(&str, &str, Option<&str>)],
        before: &HashMap<Key, String>,
    ) -> Vec<String> {
        let wanted: Vec<Wanted<'_>> = wanted
            .iter()
            .map(|(method, path, operation_id)| Wanted {
                method,
                path,
                operation_id: *operation_id,
            })
            .collect();
        tools(service, &wanted, before)
    }

    #[test]
    fn a_name_comes_from_the_id_else_from_method_and_path() {
        let got = names(
            "x",
            &[
                ("get", "/a", Some("issues/list-forRepo")),
                ("get", "/b", Some("GetHTTPStatus2XX")),
                ("get", "/v1/pets/{petId}/toys", None),
                ("get", "/c", Some("!!!")),
                ("get", "/d", Some("2fa.enable")),
            ],
        );
        assert_eq!(
            got,
            [
                "issues.list-for_repo",
                "get_http_status2_xx",
                "get_v1_pets_by_pet_id_toys",
                "get_c",
                "n2fa.enable"
            ]
        );
    }

    #[test]
    fn names_that_meet_do_not_depend_on_their_order() {
        let (a, b) = (("get", "/a", Some("same")), ("get", "/b/{x}", Some("same")));
        let (one, other) = (names("x", &[a, b]), names("x", &[b, a]));
        assert_eq!(one[0], other[1]);
        assert_eq!(one[1], other[0]);
        assert_ne!(one[0], one[1]);
        let long = "word_".repeat(30);
        let got = names("service", &[("get", "/a", Some(&long)), ("get", "/b", Some(&long))]);
        assert!(got.iter().all(|name| name.len() + 8 <= 64), "{got:?}");
        assert_ne!(got[0], got[1]);
    }

    #[test]
    fn a_newer_document_keeps_names() {
        let before = HashMap::from([(key("GET", "/a/{id}"), "old".to_owned())]);
        let got = named(
            "x",
            &[("get", "/b", Some("old")), ("get", "/a/{other}", Some("renamed"))],
            &before,
        );
        assert_eq!(got[1], "old");
        assert!(got[0].starts_with("old_"), "{got:?}");
    }

    #[test]
    fn parameters_have_names_of_their_own() {
        let mut taken = HashSet::new();
        let mut name = |wire: &str| parameter(wire, "query", &mut taken);
        assert_eq!(name("filter[name]"), "filter_name");
        assert_eq!(name("filter.name"), "filter_name_query");
        assert_eq!(name("filter-name"), "filter_name_2");
        assert_eq!(name("$top"), "top");
        assert_eq!(name("9"), "p_9");
        assert_eq!(name("é"), "p");
        let long = "a".repeat(200);
        let (first, second) = (name(&long), name(&long));
        assert!(first.len() <= 64 && second.len() <= 64 && first != second);
    }
}
