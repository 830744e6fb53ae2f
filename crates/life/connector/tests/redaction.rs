//! Whatever an upstream echoes, however it is split: the credential does not come out, and all else
//! comes out unchanged. The spellings here are made by other people's encoders.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_connector::inject::{Slot, wire_form};
use symbolon_connector::redact::{
    Confirm, Counts, Form, Pattern, REPLACEMENT, RedactError, Redactor, Unconfirmed, Verdict,
    judge, judge_scratch_len, redact_value,
};
use symbolon_secret::{Secret, with_window};

/// A credential as the broker holds one, but for the seal.
struct Credential {
    slot: Slot,
    wire: Secret<[u8]>,
}

impl Credential {
    fn new(slot: Slot, raw: &[u8]) -> Self {
        let raw = Secret::make_slice(raw.len(), |out| out.copy_from_slice(raw));
        let wire = wire_form(&slot, &raw).expect("a usable credential");
        Self { slot, wire }
    }

    fn pattern(&self) -> Arc<Pattern> {
        let rng = SeededRng::new(7);
        Arc::new(Pattern::learn(&self.slot, &self.wire, &rng).expect("a pattern"))
    }
}

impl Confirm for Credential {
    fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed> {
        with_window(|window| {
            window.opened();
            let scratch = window.take(judge_scratch_len(self.wire.len()));
            // EXPOSE: a test's own credential, compared in the window.
            judge(&self.slot, self.wire.expose(), scratch, haystack, at)
        })
        .map_err(|_| Unconfirmed)?
    }
}

fn redact(
    credential: &Credential,
    pattern: &Arc<Pattern>,
    body: &[u8],
    sizes: &[usize],
) -> Result<(Vec<u8>, Counts), RedactError> {
    let mut redactor = Redactor::new(Arc::clone(pattern), credential);
    let (mut out, mut rest, mut turn) = (Vec::new(), body, 0);
    while !rest.is_empty() {
        let size = sizes.get(turn % sizes.len().max(1)).copied().unwrap_or(rest.len());
        let (piece, next) = rest.split_at(size.clamp(1, rest.len()));
        redactor.push(piece, &mut out)?;
        (rest, turn) = (next, turn + 1);
    }
    let counts = redactor.finish(&mut out)?;
    Ok((out, counts))
}

/// The spellings of a secret, by independent encoders.
fn spellings(secret: &str) -> Vec<(Form, Vec<u8>)> {
    const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    const COMPONENT: &AsciiSet =
        &STRICT.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');
    let percent = utf8_percent_encode(secret, STRICT).to_string();
    let json = serde_json::to_string(secret).unwrap();
    let json = json[1..json.len() - 1].to_owned();
    let lower_escapes = {
        let parts: Vec<String> = percent
            .split('%')
            .enumerate()
            .map(|(i, part)| match i {
                0 => part.to_owned(),
                _ => part[..2].to_ascii_lowercase() + &part[2..],
            })
            .collect();
        parts.join("%")
    };
    // The last character of base64 can hold bits that are not the secret's; it is left standing.
    let whole_characters = secret.len() * 8 / 6;
    vec![
        (Form::Raw, secret.into()),
        (Form::Base64, STANDARD.encode(secret)[..whole_characters].into()),
        (Form::Base64Url, URL_SAFE_NO_PAD.encode(secret)[..whole_characters].into()),
        (Form::HexLower, hex::encode(secret).into()),
        (Form::HexUpper, hex::encode_upper(secret).into()),
        (Form::PercentUpper, percent.into()),
        (Form::PercentLower, lower_escapes.into()),
        (Form::PercentComponent, utf8_percent_encode(secret, COMPONENT).to_string().into()),
        (Form::JsonSlash, json.replace('/', "\\/").into()),
        (
            Form::JsonHtml,
            json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").into(),
        ),
        (Form::Json, json.into()),
        (
            Form::Html,
            secret
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&#39;")
                .into(),
        ),
        (Form::Utf16Le, secret.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        (Form::Utf16Be, secret.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    ]
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn arb_secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_]{8,60}",
        "[A-Za-z0-9+/]{20,60}",
        "[!-~]{8,60}",
        "[!-~]{200,700}",
        "[ab]{8,30}",
        // Full of what looks like an escape.
        "[\\\\%&#;/\"<>'nrux0-3A+]{8,30}",
    ]
}

fn arb_filler() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(1u8.., 0..300), "[ -~\n]{0,300}".prop_map(String::into_bytes),]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planted_spellings_come_out_replaced_and_all_else_unchanged(
        secret in arb_secret(),
        first in arb_filler(),
        plants in prop::collection::vec((0usize..14, arb_filler()), 0..6),
        sizes in prop::collection::vec(1usize..200, 1..20),
    ) {
        let credential = Credential::new(Slot::bearer(), secret.as_bytes());
        let pattern = credential.pattern();
        let spellings = spellings(&secret);
        // A separator keeps a filler from completing or prolonging a spelling by chance.
        let mut body = [&first[..], b"\x01"].concat();
        let mut expected = body.clone();
        for (which, filler) in &plants {
            body.extend_from_slice(&spellings[*which].1);
            expected.extend_from_slice(REPLACEMENT.as_bytes());
            for side in [&mut body, &mut expected] {
                side.push(1);
                side.extend_from_slice(filler);
                side.push(1);
            }
        }
        let (out, counts) = redact(&credential, &pattern, &body, &[]).unwrap();
        prop_assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
        prop_assert_eq!(counts.total() as usize, plants.len());
        let split = redact(&credential, &pattern, &body, &sizes).unwrap();
        prop_assert_eq!(split.0.escape_ascii().to_string(), out.escape_ascii().to_string());
        prop_assert_eq!(split.1, counts);
    }

    #[test]
    fn nothing_is_left_where_spellings_touch_and_overlap(
        secret in arb_secret(),
        pieces in prop::collection::vec((0usize..14, 0usize..80, 0usize..80), 1..8),
        sizes in prop::collection::vec(1usize..50, 1..20),
    ) {
        let credential = Credential::new(Slot::bearer(), secret.as_bytes());
        let pattern = credential.pattern();
        let spellings = spellings(&secret);
        let mut body = Vec::new();
        for (which, from, to) in pieces {
            let text = &spellings[which].1;
            let from = from.min(text.len());
            body.extend_from_slice(&text[from..to.clamp(from, text.len())]);
            body.extend_from_slice(text);
        }
        let (out, _) = redact(&credential, &pattern, &body, &sizes).unwrap();
        for (form, text) in &spellings {
            prop_assert!(!holds(&out, text), "{form} left");
        }
        prop_assert_eq!(out, redact(&credential, &pattern, &body, &[]).unwrap().0);
    }

    #[test]
    fn a_truncated_echo_is_found_from_sixteen_bytes_on(
        secret in "[A-Za-z0-9+/]{16,100}",
        which in 0usize..14,
        from in 0usize..100,
        len in 16usize..100,
        before in arb_filler(),
        sizes in prop::collection::vec(1usize..50, 1..20),
    ) {
        let credential = Credential::new(Slot::bearer(), secret.as_bytes());
        let pattern = credential.pattern();
        // Of a hundred characters that are mostly `+` and `/` the forms that escape take the room of two hundred.
        let signs = secret.bytes().filter(|it| !it.is_ascii_alphanumeric()).count();
        let least = pattern.run_min();
        prop_assert!(least == 16 || (least == 24 && secret.len() + signs > 100), "{least}");
        let text = &spellings(&secret)[which].1;
        let from = from.min(text.len().saturating_sub(least));
        let run = &text[from..(from + len.max(least)).min(text.len())];
        let body = [&before[..], b"\x01", run, b"\x01"].concat();
        let expected = [&before[..], b"\x01", REPLACEMENT.as_bytes(), b"\x01"].concat();
        let (out, _) = redact(&credential, &pattern, &body, &sizes).unwrap();
        prop_assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    #[test]
    fn base64_of_something_longer_gives_nothing_away(
        secret in "[!-~]{12,60}",
        before in prop::collection::vec(any::<u8>(), 0..9),
        after in prop::collection::vec(any::<u8>(), 0..9),
        sizes in prop::collection::vec(1usize..50, 1..20),
    ) {
        let credential = Credential::new(Slot::bearer(), secret.as_bytes());
        let pattern = credential.pattern();
        let longer = [&before, secret.as_bytes(), &after].concat();
        for body in [STANDARD.encode(&longer), URL_SAFE.encode(&longer)] {
            let (out, counts) = redact(&credential, &pattern, body.as_bytes(), &sizes).unwrap();
            prop_assert_eq!(counts.total(), 1);
            // All but the characters at the edges, which the neighbours' bits are mixed into.
            let left = out.len() - REPLACEMENT.len();
            prop_assert!(left <= (before.len() + after.len()) * 4 / 3 + 8, "{left} characters left");
        }
    }

    #[test]
    fn basic_guards_the_password_and_the_header(
        user in "[a-z]{0,12}",
        password in "[ -~]{8,40}",
        sizes in prop::collection::vec(1usize..50, 1..20),
    ) {
        let pair = format!("{user}:{password}");
        let credential = Credential::new(Slot::Basic, pair.as_bytes());
        let pattern = credential.pattern();
        let header = STANDARD.encode(&pair);
        let echoes = [
            pair.clone(),
            header.clone(),
            hex::encode(&pair),
            STANDARD.encode(format!("Basic {header}")),
            format!("Basic {header}"),
        ];
        let body = echoes.join("\n");
        let (out, _) = redact(&credential, &pattern, body.as_bytes(), &sizes).unwrap();
        let core = header.trim_end_matches('=');
        for needle in [&*password, core, &hex::encode(&password)] {
            prop_assert!(!holds(&out, needle.as_bytes()), "{}", out.escape_ascii());
        }
        prop_assert_eq!(out.iter().filter(|b| **b == b'\n').count(), 4);
    }

    #[test]
    fn query_guards_what_was_encoded(secret in "[!-~]{8,60}") {
        let credential = Credential::new(Slot::query("key").unwrap(), secret.as_bytes());
        let pattern = credential.pattern();
        for (form, text) in spellings(&secret) {
            let (out, _) = redact(&credential, &pattern, &text, &[]).unwrap();
            let out = String::from_utf8(out).unwrap();
            let left = out.replacen(REPLACEMENT, "", 1);
            prop_assert!(out.contains(REPLACEMENT) && left.is_empty(), "{form}: {out}");
        }
    }
}

/// What HTML makes of a backslash's neighbour changes what the fold makes of the backslash.
#[test]
fn a_backslash_in_front_of_what_is_escaped_leaves_nothing() {
    for secret in [
        r#"B@5aFgwC}Kj\"\w}38$$1P.R)&'cD$Af\(>abUn#TVyd|cB{NgMao;EwFb\"#,
        r#"OW/*$(E\JS-V||hJ5XgR!L5,J?)%}R\<>efUtL|&40\n?0;?%AFG<%"#,
        r#"\2"u0?t+Bcxdc1#\"'\xf%"#,
    ] {
        let credential = Credential::new(Slot::query("key").unwrap(), secret.as_bytes());
        for (form, text) in spellings(secret) {
            let (out, counts) = redact(&credential, &credential.pattern(), &text, &[]).unwrap();
            assert_eq!(out.escape_ascii().to_string(), REPLACEMENT, "{form}");
            assert_eq!(counts.total(), 1);
        }
    }
}

#[test]
fn the_longest_credential_is_found() {
    let secret: String = (0..4096).map(|i: u32| char::from(33 + (i * i % 93) as u8)).collect();
    let credential = Credential::new(Slot::bearer(), secret.as_bytes());
    let pattern = credential.pattern();
    for (form, text) in spellings(&secret) {
        let body = [b"..", &text[..], b".."].concat();
        let (out, counts) = redact(&credential, &pattern, &body, &[1000, 1]).unwrap();
        if text.len() <= 12 * 1024 {
            assert_eq!(out, format!("..{REPLACEMENT}..").as_bytes(), "{form}");
        }
        assert!(counts.total() >= 1 && !holds(&out, &text), "{form}");
    }
}

/// The worked bytes of specs/redaction.md.
#[test]
fn the_worked_example_holds() {
    let credential = Credential::new(Slot::bearer(), b"tok-en_~1");
    let body = br#"{"a":"tok-en_~1","b":"Bearer tok-en_~1" in base64: QmVhcmVyIHRvay1lbl9+MQ==}"#;
    let (out, counts) = redact(&credential, &credential.pattern(), body, &[]).unwrap();
    let expected = r#"{"a":"[redacted:symbolon]","b":"Bearer [redacted:symbolon]" in base64: QmVhcmVyIH[redacted:symbolon]Q==}"#;
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    assert_eq!(counts.iter().collect::<Vec<_>>(), [(Form::Raw, 2), (Form::Base64, 1)]);
}

#[test]
fn little_is_held_back() {
    let credential = Credential::new(Slot::bearer(), b"ghp_0123456789abcdefghijABCDEFGHIJ012345");
    let pattern = credential.pattern();
    assert_eq!((pattern.run_min(), pattern.longest()), (16, 80));
    let mut redactor = Redactor::new(pattern, &credential);
    let mut out = Vec::new();
    redactor.push(b"data: {\"a\":1}\n\n", &mut out).unwrap();
    assert_eq!(out, b"data: {\"a\":1}\n\n", "an event is not held back");
    out.clear();
    redactor.push(&[b'a'; 100], &mut out).unwrap();
    assert_eq!(out.len(), 62);
    redactor.push(b"ghp_0123456789abcdefghijABCDEFGHIJ01234", &mut out).unwrap();
    assert_eq!(out.len(), 77, "a spelling that has begun waits, and little in front of it");
    redactor.push(b"!", &mut out).unwrap();
    let expected = format!("{REPLACEMENT}!");
    assert!(out.ends_with(expected.as_bytes()), "39 of 40 bytes are redacted at once");
    let len = out.len();
    redactor.finish(&mut out).unwrap();
    assert_eq!(out.len(), len);
}

#[test]
fn header_values_are_rewritten_where_they_must_be() {
    let credential = Credential::new(Slot::bearer(), b"secret-token-1");
    let pattern = credential.pattern();
    let mut counts = Counts::default();
    let mut value = |text: &str| {
        redact_value(&pattern, &credential, text.as_bytes(), &mut counts)
            .unwrap()
            .map(|value| String::from_utf8(value).unwrap())
    };
    assert_eq!(value("application/json"), None);
    assert_eq!(value(""), None);
    let link = "<https://a.example/?token=secret-token-1&page=2>; rel=\"next\"";
    let redacted = link.replace("secret-token-1", REPLACEMENT);
    assert_eq!(value(link), Some(redacted));
    assert_eq!(counts.iter().collect::<Vec<_>>(), [(Form::Raw, 1)]);
}

#[test]
fn a_response_is_refused_where_the_credential_cannot_be_compared() {
    struct Locked;
    impl Confirm for Locked {
        fn confirm(&self, _: &[u8], _: usize) -> Result<Verdict, Unconfirmed> {
            Err(Unconfirmed)
        }
    }
    let pattern = Credential::new(Slot::bearer(), b"secret-token-1").pattern();
    let mut redactor = Redactor::new(pattern, Locked);
    let mut out = Vec::new();
    let error = redactor.push(b"..secret-token-1..", &mut out);
    assert_eq!(error, Err(RedactError::Unconfirmed(Unconfirmed)));
    assert!(out.is_empty());
}

#[test]
fn an_upstream_that_spells_the_credential_out_is_refused() {
    let credential = Credential::new(Slot::bearer(), b"ghp_0123456789abcdefghijABCDEFGHIJ012345");
    let body = b"ghp_0123456789 ".repeat(5000);
    let refused = redact(&credential, &credential.pattern(), &body, &[]);
    assert_eq!(refused.map(|_| ()), Err(RedactError::Fragments));
}

#[test]
fn the_pattern_shows_nothing() {
    let credential = Credential::new(Slot::bearer(), b"secret-token-1");
    assert_eq!(format!("{:?}", credential.pattern()), "Pattern { run_min: 16, .. }");
}
