//! Three lines: a template, a path as it came over the wire, arguments in JSON.

use serde_json::{Map, Value};
use symbolon_capability::catalog::PathTemplate;
use symbolon_capability::url::CanonicalPath;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (template, wire, arguments) = (line(), line(), line());
    let path = one_spelling(wire);
    let Ok(template) = PathTemplate::parse(template) else { return };
    let again = PathTemplate::parse(template.as_str()).expect("a template can be read again");
    assert!(again == template);
    if let Some(captures) = path.as_ref().and_then(|path| template.matches(path)) {
        // A path of this template is what its own parameters expand to. (`$` and its like may come
        // bare and are sent escaped; RFC 3986 calls those two paths, so they are compared decoded.)
        let mut arguments = Map::new();
        captures.fill(&mut arguments);
        let expanded = template.expand(&arguments).expect("captured values fit");
        let segments = |path: &CanonicalPath| -> Vec<Vec<u8>> {
            path.as_str().split('/').map(percent_decoded).collect()
        };
        assert_eq!(Some(segments(&expanded)), path.as_ref().map(segments));
    }
    let Ok(Value::Object(arguments)) = serde_json::from_str::<Value>(arguments) else { return };
    let Ok(expanded) = template.expand(&arguments) else { return };
    let checked = CanonicalPath::try_from(expanded.as_str());
    assert_eq!(checked.as_ref().ok(), Some(&expanded), "an expansion is canonical: {checked:?}");
    assert!(template.matches(&expanded).is_some(), "{expanded} leaves {}", template.as_str());
}

/// A canonical path means one thing: nothing in it normalises to another path.
fn one_spelling(wire: &str) -> Option<CanonicalPath> {
    let path = CanonicalPath::from_wire(wire).ok()?;
    let text = path.as_str();
    assert!(text.starts_with('/') && text.is_ascii() && !text.contains(['\\', '?', '#', '\0']));
    assert!(!text.contains("//") && !text.bytes().any(|byte| byte <= b' ' || byte == 0x7f));
    for segment in text.split('/') {
        let plain = percent_decoded(segment);
        assert!(plain != b"." && plain != b"..", "{text} has a dot segment");
        assert!(!plain.contains(&0) && !plain.contains(&b'\\'), "{text} hides a separator");
    }
    assert_eq!(CanonicalPath::from_wire(text).as_ref(), Ok(&path), "it changes when read again");
    Some(path)
}

fn percent_decoded(segment: &str) -> Vec<u8> {
    let mut bytes = segment.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| byte.and_then(|it| char::from(it).to_digit(16));
        plain.push(match byte {
            b'%' => match (hex(bytes.next()), hex(bytes.next())) {
                (Some(high), Some(low)) => (high * 16 + low) as u8,
                _ => panic!("a broken escape in {segment}"),
            },
            other => other,
        });
    }
    plain
}
