//! Properties of path templates.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::catalog::{PathTemplate, SegmentKind, TemplateError};
use crate::url::CanonicalPath;

#[test]
fn templates_refuse_what_cannot_be_safe() {
    use TemplateError as E;
    let cases = [
        ("a", E::NotAbsolute),
        ("", E::NotAbsolute),
        ("/a//b", E::EmptySegment),
        ("/a/../b", E::DotSegment),
        ("/a/.", E::DotSegment),
        ("/{a", E::Brace),
        ("/a}", E::Brace),
        ("/{a}{b}", E::TwoParameters),
        ("/{}", E::Name(String::new())),
        ("/{1a}", E::Name("1a".into())),
        ("/{a:text}", E::Kind("text".into())),
        ("/{a}/{a:int}", E::Duplicate("a".into())),
        ("/{a:path}/b", E::PathNotLast("a".into())),
        ("/x{a:packed}", E::TextBeside("a".into())),
        ("/a b", E::Forbidden(' ')),
        ("/a%2e", E::Forbidden('%')),
        ("/a;b", E::Forbidden(';')),
        ("/a?b", E::Forbidden('?')),
        ("/é", E::Forbidden('é')),
    ];
    for (text, error) in cases {
        assert_eq!(PathTemplate::parse(text), Err(error), "{text}");
    }
    assert!(PathTemplate::parse(&format!("/{}", "a/".repeat(30))).is_err());
    assert!(PathTemplate::parse(&format!("/{}", "a".repeat(600))).is_err());
    for good in
        ["/", "/a/", "/{a}", "/v1/{id:id}.json", "/x-{a}:cancel", "/a/{p:path}", "/{n:npm}/-/x"]
    {
        assert_eq!(PathTemplate::parse(good).map(|t| t.to_string()).as_deref(), Ok(good));
    }
}

#[test]
fn captures_have_types() {
    let template = PathTemplate::parse("/r/{owner}/{n:int}/{rest:path}").expect("a template");
    let path = CanonicalPath::try_from("/r/a.b/7/x/y%20z").expect("a path");
    let captures = template.matches(&path).expect("it matches");
    assert_eq!(captures.get("owner"), Some(&json!("a.b")));
    assert_eq!(captures.get("n"), Some(&json!(7)));
    assert_eq!(captures.get("rest"), Some(&json!("x/y z")));
    assert_eq!(captures.get("no"), None);
    for other in
        ["/r/a/07/x", "/r/a/x/x", "/r/a/7", "/r/a/7/", "/r/a/7/x%2Fy", "/R/a/7/x", "/r/a/7/x/"]
    {
        let path = CanonicalPath::try_from(other).expect("a path");
        assert_eq!(template.matches(&path), None, "{other}");
    }
}

#[test]
fn npm_names_travel_as_one_segment() {
    let template = PathTemplate::parse("/{package:npm}/{version}").expect("a template");
    let arguments = super::arguments(json!({"package": "@types/node", "version": "1.0.0"}));
    let path = template.expand(&arguments).expect("it expands");
    assert_eq!(path.as_str(), "/@types%2Fnode/1.0.0");
    let wire = CanonicalPath::from_wire("/@types%2fnode/1.0.0").expect("a path");
    assert_eq!(
        template.matches(&wire).and_then(|c| c.get("package").cloned()),
        Some(json!("@types/node"))
    );
}

const KINDS: [(&str, SegmentKind); 9] = [
    ("int", SegmentKind::Int),
    ("uuid", SegmentKind::Uuid),
    ("hex", SegmentKind::Hex),
    ("id", SegmentKind::Id),
    ("slug", SegmentKind::Slug),
    ("npm", SegmentKind::Npm),
    ("any", SegmentKind::Any),
    ("packed", SegmentKind::Packed),
    ("path", SegmentKind::Path),
];

/// Texts that attackers use, and ordinary ones.
fn arb_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[A-Za-z0-9._-]{1,6}",
        1 => "\\PC{0,4}",
        1 => ".{0,3}",
        2 => prop::sample::select(vec![
            ".", "..", "/", "//", "\\", "%2e", "%2E%2e", "%2f", "%5c", "%00", "%252e", "%c0%ae", ";", "..;", "?",
            "#", "\0", "\r\n", "\u{2024}", "\u{FF0E}\u{FF0E}", "\u{3002}", "\u{FF0F}", "\u{200B}", "\u{202E}",
            "@", ":", "@scope/", " ", "+", "%", "~", "*", "é", "日本", "\u{FE0F}",
        ]).prop_map(String::from),
    ];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

fn arb_good(kind: SegmentKind) -> BoxedStrategy<Value> {
    let text = |pattern: &'static str| pattern.prop_map(Value::from).boxed();
    match kind {
        SegmentKind::Int => (0u64..(1 << 53)).prop_map(Value::from).boxed(),
        SegmentKind::Uuid => text("[0-9a-f]{8}-[0-9a-f]{4}-[0-9A-F]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        SegmentKind::Hex => text("[0-9a-fA-F]{1,40}"),
        SegmentKind::Id => text("[A-Za-z0-9_-]{1,40}"),
        SegmentKind::Slug => text("[A-Za-z0-9._-]{0,20}[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}"),
        SegmentKind::Npm => text("(@[a-z0-9][a-z0-9._-]{0,9}/)?[a-z0-9][a-z0-9._-]{0,9}"),
        SegmentKind::Any => text("[ -$&-.0-:<-\\[\\]-~é日]{0,10}[a-z]"),
        SegmentKind::Packed | SegmentKind::Path => {
            text("[ -$&-.0-:<-\\[\\]-~é]{0,5}[a-z](/[a-z][ -$a-z.]{0,5}){0,3}")
        }
    }
}

/// A template of a few segments, the types of its parameters, and a value for each.
fn arb_filled(
    hostile: bool,
) -> impl Strategy<Value = (String, Vec<SegmentKind>, Map<String, Value>)> {
    let segment = (prop::sample::select(KINDS.to_vec()), "[a-z]{0,3}", prop::bool::ANY);
    prop::collection::vec(segment, 1..5).prop_flat_map(move |segments| {
        let last = segments.len() - 1;
        let mut text = String::new();
        let mut kinds = Vec::new();
        for (at, ((name, kind), literal, with_literal)) in segments.into_iter().enumerate() {
            let kind = if kind == SegmentKind::Path && at < last { SegmentKind::Any } else { kind };
            let name = if kind == SegmentKind::Any { "any" } else { name };
            if with_literal {
                text.push_str(&format!("/x{literal}"));
            }
            text.push_str(&format!("/{{p{at}:{name}}}"));
            kinds.push(kind);
        }
        let values: Vec<BoxedStrategy<Value>> = kinds
            .iter()
            .map(|kind| {
                if hostile {
                    prop_oneof![3 => arb_text().prop_map(Value::from), 1 => arb_good(*kind)].boxed()
                } else {
                    arb_good(*kind)
                }
            })
            .collect();
        (Just(text), Just(kinds), values).prop_map(|(text, kinds, values)| {
            let named =
                values.into_iter().enumerate().map(|(at, v)| (format!("p{at}"), v)).collect();
            (text, kinds, named)
        })
    })
}

/// What careless servers do to a path, written without a look at our own rules: decode again and again
/// (overlong forms too), fold wide characters, turn backslashes, cut parameters, trim blanks, drop what
/// cannot be seen, then resolve dots. `None` where something would be lost on the way.
fn normalise(path: &str) -> Option<Vec<String>> {
    let mut text = path.to_owned();
    for _ in 0..4 {
        text = decode_once(&text);
    }
    let folded: String = text
        .chars()
        .filter(|c| !matches!(*c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{AD}' | '\u{FE00}'..='\u{FE0F}'))
        .map(|c| match c {
            '\u{2024}' | '\u{FF0E}' | '\u{3002}' | '\u{FF61}' | '\u{FE52}' => '.',
            '\u{FF0F}' | '\u{2044}' | '\u{2215}' | '\\' | '\u{FF3C}' | '\u{FE68}' => '/',
            c => c,
        })
        .collect();
    if folded.contains(['\0', '\r', '\n']) {
        return None;
    }
    let mut out: Vec<String> = Vec::new();
    for segment in folded.split('/').skip(1) {
        let segment = segment.split(';').next().unwrap_or("").trim().trim_end_matches(['.', ' ']);
        let whole = if segment.is_empty() { None } else { Some(segment) };
        out.push(whole?.to_owned());
    }
    Some(out)
}

fn decode_once(text: &str) -> String {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16)).map(|d| d as u8);
        match (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 3;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    // Overlong forms of `.` and `/`, as a lenient decoder reads them.
    let mut fixed = Vec::new();
    let mut rest = out.as_slice();
    while let Some((first, tail)) = rest.split_first() {
        match (first, tail.first()) {
            (0xC0, Some(second @ 0x80..=0xBF)) => {
                fixed.push(second & 0x3F);
                rest = &tail[1..];
            }
            _ => {
                fixed.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&fixed).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn parse_never_panics(text in "\\PC{0,60}") {
        let _ = PathTemplate::parse(&text);
    }

    #[test]
    fn parse_never_panics_near_the_grammar(text in "/?([a.{}:/%*-]|int|path|npm|any){0,20}") {
        if let Ok(template) = PathTemplate::parse(&text) {
            prop_assert_eq!(template.as_str(), text);
            prop_assert!(template.parameters().all(|(name, _)| !name.is_empty()));
        }
    }

    #[test]
    fn canonical_never_panics_and_is_its_own_spelling(text in arb_text()) {
        for raw in [text.clone(), format!("/{text}"), format!("/a/{text}/b")] {
            if let Ok(path) = CanonicalPath::try_from(raw.as_str()) {
                prop_assert_eq!(path.as_str(), &raw);
                prop_assert!(path.as_str().is_ascii());
                prop_assert_eq!(CanonicalPath::from_wire(&raw), Ok(path));
            }
        }
    }

    /// What a canonical path says, no server reads as fewer or other segments.
    #[test]
    fn no_canonical_path_normalises(text in arb_text(), wide in prop::bool::ANY) {
        let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
        let raw = if wide { format!("/a/{encoded}/b") } else { format!("/a/{text}/b") };
        if let Ok(path) = CanonicalPath::try_from(raw.as_str()) {
            let read = normalise(path.as_str());
            prop_assert!(read.is_some(), "{raw}");
            let read = read.unwrap_or_default();
            prop_assert_eq!(read.first().map(String::as_str), Some("a"));
            prop_assert_eq!(read.last().map(String::as_str), Some("b"));
            let slashes = raw.matches('/').count() + raw.matches("%2F").count();
            prop_assert_eq!(read.len(), slashes, "{}", raw);
        }
    }

    #[test]
    fn good_values_round_trip((text, _, values) in arb_filled(false)) {
        let template = PathTemplate::parse(&text).expect("a template");
        let path = template.expand(&values).expect("the values fit");
        // A type that another position could read differently still gives these values back.
        let captures = template.matches(&path).expect("it matches");
        let mut back = Map::new();
        captures.fill(&mut back);
        prop_assert_eq!(back, values);
        prop_assert_eq!(CanonicalPath::try_from(path.as_str()), Ok(path));
    }

    #[test]
    fn hostile_values_keep_the_shape((text, kinds, values) in arb_filled(true)) {
        let template = PathTemplate::parse(&text).expect("a template");
        if let Ok(path) = template.expand(&values) {
            prop_assert_eq!(CanonicalPath::try_from(path.as_str()), Ok(path.clone()));
            let mut back = Map::new();
            template.matches(&path).expect("it matches").fill(&mut back);
            prop_assert_eq!(&back, &values);
            let within = |kind: &SegmentKind, at: usize| match kind {
                SegmentKind::Npm | SegmentKind::Packed | SegmentKind::Path =>
                    values[&format!("p{at}")].as_str().map_or(0, |v| v.matches('/').count()),
                _ => 0,
            };
            let extra: usize = kinds.iter().enumerate().map(|(at, kind)| within(kind, at)).sum();
            let read = normalise(path.as_str());
            prop_assert_eq!(read.map(|r| r.len()), Some(text.matches('/').count() + extra), "{}", path);
        }
    }
}
