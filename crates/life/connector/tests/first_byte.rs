//! How much of a response is held back while it is searched, for each kind of body and however it
//! comes: `specs/redaction.md` says.

mod credential;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use credential::Credential;
use proptest::prelude::*;
use symbolon_ambient::{Rng, SeededRng};
use symbolon_connector::redact::Redactor;

const SECRET: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

/// A kind of body: its name, how many bytes its longest escape has, and a line of it by a number.
type Kind = (&'static str, usize, fn(u64) -> Vec<u8>);

const KINDS: [Kind; 12] = [
    ("JSON", 1, |n| format!("{{\"id\":{n},\"title\":\"Issue {n:x}\"}},").into()),
    ("pretty JSON", 1, |n| {
        format!("  {{\n    \"id\": {n},\n    \"name\": \"{n:x}\"\n  }},\n").into()
    }),
    ("escaped JSON", 6, |n| format!("\"a \\\"line\\\"\\nand {n:x}\\u00e9\",").into()),
    ("events", 1, |n| format!("data: {{\"delta\":\"{n}\"}}\n\n").into()),
    ("text", 1, |n| format!("It was the {n:x}th of times,\nand the worst\n").into()),
    ("HTML", 7, |n| format!("<a href=\"/{n:x}?a=1&amp;b=2\">Tom &#8212; it&#39;s</a>\r\n").into()),
    ("random bytes", 1, |n| SeededRng::new(n).bytes::<40>().into()),
    ("base64", 1, |n| STANDARD.encode(n.to_le_bytes().repeat(3)).into()),
    ("base64 in lines", 2, |n| {
        format!("{}\r\n", STANDARD.encode(n.to_le_bytes().repeat(7)).trim_end_matches('=')).into()
    }),
    ("percent-encoded", 3, |n| each(n, |b| format!("%{b:02X}"))),
    ("`\\/` throughout", 2, |n| each(n, |b| format!("{}\\/", char::from(b)))),
    ("`\\u0067` throughout", 6, |n| each(n, |b| format!("\\u{b:04x}"))),
];

fn each(n: u64, way: fn(u8) -> String) -> Vec<u8> {
    format!("{n:x} words").bytes().map(way).collect::<String>().into()
}

/// The beginnings of spellings that a body can end in, and how many bytes a character of one has.
fn begun(way: usize, len: usize) -> Vec<u8> {
    let begun = |text: &str| text.as_bytes()[..len.min(text.len() - 1)].to_vec();
    match way {
        0 => Vec::new(),
        1 => begun(SECRET),
        2 => begun(&hex::encode(SECRET)),
        3 => begun(&STANDARD.encode(SECRET)[..SECRET.len() * 8 / 6]),
        _ => SECRET.bytes().take(len.min(39)).flat_map(|b| [b, 0]).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_more_is_held_back_than_the_standard_says(
        numbers in prop::collection::vec(any::<u64>(), 1..90),
        way in 0usize..5,
        len in 1usize..60,
        sizes in prop::collection::vec(1usize..700, 1..10),
    ) {
        let credential = Credential::new(SECRET);
        let pattern = &credential.pattern;
        for (name, escape, line) in KINDS {
            let lines: Vec<u8> = numbers.iter().flat_map(|n| line(*n)).collect();
            let body = [lines.clone(), begun(way, len)].concat();
            let mut redactor = Redactor::new(pattern.clone(), &credential);
            let (mut out, mut fed) = (Vec::new(), 0);
            for size in sizes.iter().cycle() {
                let piece = &body[fed..body.len().min(fed + size)];
                redactor.push(piece, &mut out).unwrap();
                fed += piece.len();
                // Of escapes what they stand for counts, and one may not be whole.
                let idle = (2 * pattern.run_min() + 6) * escape + escape;
                let begun = if fed > lines.len() { pattern.longest() - 1 } else { 0 };
                let held = fed - out.len();
                prop_assert!(held <= idle + begun, "{name}: {held} of {fed} are held back");
                prop_assert!(body.starts_with(&out), "{name}");
                if fed == body.len() {
                    break;
                }
            }
        }
    }
}

#[test]
fn what_ends_in_a_byte_that_no_spelling_has_is_not_held_back_at_all() {
    let credential = Credential::new(SECRET);
    let pattern = &credential.pattern;
    for (name, _, line) in KINDS {
        let mut redactor = Redactor::new(pattern.clone(), &credential);
        for number in 0..200 {
            let event = [line(number << 20 | 977), b"}\n\n".to_vec()].concat();
            let mut out = Vec::new();
            redactor.push(&event, &mut out).unwrap();
            assert_eq!(out.escape_ascii().to_string(), event.escape_ascii().to_string(), "{name}");
        }
    }
}
