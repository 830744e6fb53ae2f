//! What an upstream can do to an echo on its way: escape some of it, wrap it, compress it, cut it
//! anywhere. The oracle here is naive: it undoes everything on the whole body at once.

mod credential;

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use credential::Credential;
use proptest::prelude::*;
use symbolon_connector::body::{Codings, UndecodableBody};
use symbolon_connector::redact::{
    Counts, Filter, FilterError, Form, REPLACEMENT, Redactor, redact_value,
};

const SECRET: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

fn redact(credential: &Credential, body: &[u8], sizes: &[usize]) -> (String, Counts) {
    let mut redactor = Redactor::new(credential.pattern.clone(), credential);
    let (mut out, mut rest, mut turn) = (Vec::new(), body, 0);
    while !rest.is_empty() {
        let size = sizes.get(turn % sizes.len().max(1)).copied().unwrap_or(rest.len());
        let (piece, next) = rest.split_at(size.clamp(1, rest.len()));
        redactor.push(piece, &mut out).unwrap();
        (rest, turn) = (next, turn + 1);
    }
    let counts = redactor.finish(&mut out).unwrap();
    (out.escape_ascii().to_string(), counts)
}

/// Ways to write one character.
fn escapes(c: char) -> Vec<(Form, String)> {
    let code = u32::from(c);
    let mut ways = vec![
        (Form::PercentMixed, format!("%{code:02x}")),
        (Form::PercentMixed, format!("%{code:02X}")),
        (Form::PercentMixed, format!("%25{code:02X}")),
        (Form::PercentMixed, format!("%2525{code:02x}")),
        (Form::Escaped, format!("\\u{code:04x}")),
        (Form::Escaped, format!("\\u{code:04X}")),
        (Form::Escaped, format!("\\\\u{code:04x}")),
        (Form::Escaped, format!("\\\\\\\\u{code:04x}")),
        (Form::Escaped, format!("\\x{code:02x}")),
        (Form::Escaped, format!("\\u{{{code:x}}}")),
        (Form::Escaped, format!("\\{code:03o}")),
        (Form::HtmlMixed, format!("&#{code};")),
        (Form::HtmlMixed, format!("&#x{code:x};")),
        (Form::HtmlMixed, format!("&#X{code:04X};")),
        (Form::HtmlMixed, format!("&amp;#{code};")),
    ];
    // A backslash behind a backslash is one only to a reader who knows how often it was escaped.
    if !c.is_ascii_alphanumeric() && !matches!(c, '\\' | '%' | '&') {
        ways.push((Form::Escaped, format!("\\{c}")));
    }
    ways
}

fn arb_secret() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9_]{8,60}", "[A-Za-z0-9+/]{20,60}", "[!-~]{12,60}", "[ab]{8,30}"]
}

fn arb_filler() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\n]{0,120}",
        "[a-z%\\\\&;#0-9\n\r]{0,60}",
        "(\\\\n|\\\\u0041|%41|&amp;|\r\n|x){0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_escapes_is_undone_and_replaced_as_a_whole(
        secret in arb_secret(),
        choices in prop::collection::vec((0usize..40, any::<bool>()), 60),
        before in arb_filler(),
        after in arb_filler(),
        sizes in prop::collection::vec(1usize..60, 1..20),
    ) {
        let mut echo = String::new();
        for (c, (way, is_escaped)) in secret.chars().zip(&choices) {
            let ways = escapes(c);
            match ways.get(*way).filter(|_| *is_escaped) {
                Some((_, text)) => echo.push_str(text),
                None if matches!(c, '%' | '\\' | '&') => echo.push_str(&ways[1].1),
                None => echo.push(c),
            }
        }
        let credential = Credential::new(&secret);
        let body = format!("{before}\u{1}{echo}\u{1}{after}");
        let (out, counts) = redact(&credential, body.as_bytes(), &[]);
        prop_assert!(counts.total() >= 1);
        let expected = format!("{}\\x01{REPLACEMENT}\\x01", before.as_bytes().escape_ascii());
        prop_assert!(out.starts_with(&expected), "{out}");
        let (split, split_counts) = redact(&credential, body.as_bytes(), &sizes);
        prop_assert_eq!(&split, &out);
        prop_assert_eq!(split_counts, counts);
    }

    #[test]
    fn what_holds_no_secret_comes_out_as_it_was(
        parts in prop::collection::vec(arb_filler(), 0..8),
        sizes in prop::collection::vec(1usize..60, 1..20),
    ) {
        let credential = Credential::new(SECRET);
        let body = parts.concat();
        let expected = body.as_bytes().escape_ascii().to_string();
        prop_assert_eq!(redact(&credential, body.as_bytes(), &sizes), (expected, Counts::default()));
    }

    #[test]
    fn wrapped_base64_is_found(
        before in prop::collection::vec(any::<u8>(), 0..90),
        after in prop::collection::vec(any::<u8>(), 0..90),
        width in 4usize..77,
        way in 0usize..6,
        sizes in prop::collection::vec(1usize..60, 1..20),
    ) {
        let credential = Credential::new(SECRET);
        let plain = STANDARD.encode([&before, SECRET.as_bytes(), &after].concat());
        let lines: Vec<_> = plain.as_bytes().chunks(width).map(|l| str::from_utf8(l).unwrap()).collect();
        let wrap = ["\n", "\r\n", "\n    ", "\\n", "\\r\\n", "\\\\n"][way];
        let (out, counts) = redact(&credential, lines.join(wrap).as_bytes(), &sizes);
        prop_assert!(counts.total() == 1, "{out}");
        let left = out.replace("\\r", "").replace("\\n", "").replace(['\\', 'n', 'r', ' '], "");
        prop_assert!(left.len() <= (before.len() + after.len()) * 4 / 3 + 8 + REPLACEMENT.len(), "{out}");
    }

    #[test]
    fn a_coded_body_is_searched_however_it_is_cut(
        filler in arb_filler(),
        name in prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "gzip, br", "zstd, gzip, deflate"]),
        sizes in prop::collection::vec(1usize..60, 1..20),
    ) {
        let credential = Credential::new(SECRET);
        let body = format!("{filler}\u{1}{SECRET}\u{1}{filler}");
        let coded = name.split(", ").fold(body.into_bytes(), |body, name| encode(name, &body));
        let out = filter(&credential, name, &coded, &sizes).unwrap();
        let filler = filler.as_bytes().escape_ascii();
        prop_assert_eq!(out, format!("{filler}\\x01{REPLACEMENT}\\x01{filler}"));
    }
}

fn encode(name: &str, body: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    match name {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
            writer.write_all(body).unwrap();
            writer.finish().unwrap()
        }
        "deflate" => {
            let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), level);
            writer.write_all(body).unwrap();
            writer.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            brotli::BrotliCompress(&mut &*body, &mut out, &Default::default()).unwrap();
            out
        }
        _ => ruzstd::encoding::compress_to_vec(body, ruzstd::encoding::CompressionLevel::Fastest),
    }
}

fn filter(
    credential: &Credential,
    name: &str,
    body: &[u8],
    sizes: &[usize],
) -> Result<String, FilterError> {
    let codings = Codings::parse([name.as_bytes()])?;
    let mut filter = Filter::new(credential.pattern.clone(), credential, &codings, 1 << 20);
    let (mut out, mut rest, mut turn) = (Vec::new(), body, 0);
    while !rest.is_empty() {
        let (piece, next) = rest.split_at(sizes[turn % sizes.len()].clamp(1, rest.len()));
        filter.push(piece, &mut out)?;
        (rest, turn) = (next, turn + 1);
    }
    filter.finish(&mut out)?;
    Ok(out.escape_ascii().to_string())
}

#[test]
fn each_way_of_escaping_has_its_name_in_the_counts() {
    let credential = Credential::new(SECRET);
    for (at, (form, _)) in escapes('g').iter().enumerate() {
        let all: String = SECRET.chars().map(|c| escapes(c)[at].1.clone()).collect();
        let first = format!("{}{}", escapes('g')[at].1, &SECRET[1..]);
        let last = format!("{}{}", &SECRET[..39], escapes('5')[at].1);
        for echo in [all, first, last] {
            let (out, counts) = redact(&credential, format!("\"{echo}\"").as_bytes(), &[1]);
            assert_eq!(out, format!("\\\"{REPLACEMENT}\\\""), "{echo}");
            assert_eq!(counts.iter().collect::<Vec<_>>(), [(*form, 1)], "{echo}");
        }
    }
    let (out, counts) = redact(&credential, SECRET.to_lowercase().as_bytes(), &[]);
    assert_eq!((&*out, counts.iter().next()), (REPLACEMENT, Some((Form::Lower, 1))));
    let (out, counts) = redact(&credential, SECRET.to_uppercase().as_bytes(), &[]);
    assert_eq!((&*out, counts.iter().next()), (REPLACEMENT, Some((Form::Upper, 1))));
}

#[test]
fn an_exact_spelling_keeps_its_name_and_line_breaks_outside_stay() {
    let credential = Credential::new("a/b<c>d\"e&f-0123456789");
    let json = serde_json::to_string("a/b<c>d\"e&f-0123456789").unwrap();
    let (out, counts) = redact(&credential, json.as_bytes(), &[]);
    assert_eq!(out, format!("\\\"{REPLACEMENT}\\\""));
    assert_eq!(counts.iter().collect::<Vec<_>>(), [(Form::Json, 1)]);

    let credential = Credential::new(SECRET);
    let body = format!("one\n{}\n{}\ntwo", &SECRET[..20], &SECRET[20..]);
    let (out, counts) = redact(&credential, body.as_bytes(), &[3]);
    assert_eq!(out, format!("one\\n{REPLACEMENT}\\ntwo"));
    assert_eq!(counts.iter().collect::<Vec<_>>(), [(Form::Wrapped, 1)]);
}

#[test]
fn a_secret_that_looks_escaped_is_found_as_it_is_and_escaped() {
    for secret in ["100%41-abc\\u0041&amp;xyz", "%%41%2541\\\\n\\x41&#65;"] {
        let credential = Credential::new(secret);
        let json = serde_json::to_string(secret).unwrap();
        let percent: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
        for echo in [secret, &json[1..json.len() - 1], &percent] {
            let (out, _) = redact(&credential, format!("\u{1}{echo}\u{1}").as_bytes(), &[5]);
            assert_eq!(out, format!("\\x01{REPLACEMENT}\\x01"), "{echo}");
        }
    }
}

#[test]
fn an_event_stream_flows() {
    let credential = Credential::new(SECRET);
    let mut filter =
        Filter::new(credential.pattern.clone(), &credential, &Codings::default(), 1 << 20);
    for event in ["data: {\"text\":\"Hello\"}\n\n", ": ping\n\n", "event: done\ndata: [DONE]\n\n"] {
        let mut out = Vec::new();
        filter.push(event.as_bytes(), &mut out).unwrap();
        assert_eq!(out, event.as_bytes(), "nothing of an event waits for the next");
    }
}

#[test]
fn no_more_than_the_longest_spelling_is_held_back() {
    let credential = Credential::new(SECRET);
    let pattern = credential.pattern.clone();
    let escaped: String = SECRET.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    for text in [SECRET.repeat(3), escaped.repeat(3), "\\".repeat(500), "abc\n".repeat(200)] {
        let mut redactor = Redactor::new(pattern.clone(), &credential);
        let (mut taken, mut out) = (0, Vec::new());
        for byte in text.as_bytes() {
            redactor.push(&[*byte], &mut out).unwrap();
            taken += 1;
            // Six times the spelling, where each of its characters is an escape of six bytes.
            let replaced = redactor.counts().total() as usize * 6 * SECRET.len();
            assert!(taken <= out.len() + replaced + 6 * pattern.longest() + 40, "{taken}");
        }
    }
}

#[test]
fn header_values_and_names_are_searched_for_escapes_too() {
    let credential = Credential::new(SECRET);
    let mut counts = Counts::default();
    let mut value = |text: &str| {
        let value = redact_value(&credential.pattern, &credential, text.as_bytes(), &mut counts);
        value.unwrap().map(|value| String::from_utf8(value).unwrap())
    };
    let escaped = SECRET.replace('_', "%5F");
    assert_eq!(
        value(&format!("/next?t={escaped}&a=1")),
        Some(format!("/next?t={REPLACEMENT}&a=1"))
    );
    assert_eq!(value(&format!("x-{}", SECRET.to_lowercase())), Some(format!("x-{REPLACEMENT}")));
    assert_eq!(value("/next?a=%5F%41"), None);
}

#[test]
fn what_cannot_be_searched_ends_in_an_error() {
    let credential = Credential::new(SECRET);
    let told = |name: &str, body: &[u8]| filter(&credential, name, body, &[100]).unwrap_err();
    let undecodable = |e| FilterError::Undecodable(e);
    assert_eq!(told("compress", b"x"), undecodable(UndecodableBody::Unknown));
    assert_eq!(told("gzip", SECRET.as_bytes()), undecodable(UndecodableBody::Damaged));
    assert_eq!(told("br, gzip, br, gzip", b"x"), undecodable(UndecodableBody::Layered));
    let bomb = encode("gzip", &vec![b' '; 8 << 20]);
    assert_eq!(told("gzip", &bomb), undecodable(UndecodableBody::TooLong(1 << 20)));
    let trailing = [encode("gzip", b"{}"), SECRET.into()].concat();
    assert_eq!(told("gzip", &trailing), undecodable(UndecodableBody::Trailing));
    assert_eq!(
        told("identity", format!("{SECRET}\n").repeat(1100).as_bytes()),
        FilterError::Echoes
    );
}
