//! Bundles: what verifies, and how each thing that does not is refused.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_codec::Digest32;
use symbolon_crypto::{SigningKey, VerifyingKey, sha256};
use symbolon_log::{
    Checkpoint, CheckpointError, Durability, Handover, Log, MemoryStorage, NoteError, ProofError,
    Succession, vkey,
};
use symbolon_receipt::*;

const ORIGIN: &str = "example.test/log";
const MINTED: &str = "0123456789abcdef";

fn key_of(seed: u64) -> Arc<SigningKey> {
    Arc::new(SigningKey::make(&SeededRng::new(seed)))
}

fn key() -> Arc<SigningKey> {
    key_of(5)
}

fn operator() -> OperatorKey {
    OperatorKey::parse(&vkey(ORIGIN, &key().verifying_key()).unwrap()).unwrap()
}

fn statement() -> Statement<'static> {
    let salt = Salt::from_bytes([7; 32]);
    Statement {
        request: salt.request(&sha256(b"request")),
        predicate: Predicate {
            agent: "claude".into(),
            session: sha256(b"session"),
            door: Door::Mcp,
            context: "direct".into(),
            tool: "github.issues.list".into(),
            service: "github".into(),
            connection: "work \u{e9} \"quoted\"".into(),
            method: "GET".into(),
            host: "api.github.com".into(),
            path_template: "/repos/{owner}/{repo}/issues".into(),
            parameters: salt.parameters(b"{}"),
            decision: Decision {
                outcome: Outcome::Allowed,
                gates: vec![Gate {
                    gate: "rate".into(),
                    held: true,
                    detail: "9 of 10 left".into(),
                }],
            },
            lineage: std::borrow::Cow::default(),
            approval: None,
            intent: Some(IntentRef { index: 3, leaf_hash: sha256(b"intent") }),
            retries: 0,
            idempotency_key: None,
            minted: None,
            request_body: None,
            response: Some(Response {
                status: 200,
                bytes_in: 10,
                bytes_out: 8,
                redirects: 0,
                grpc_status: None,
                searched: None,
                content_type: "text/plain".into(),
                redactions: vec![Redaction { form: "raw".into(), count: 2 }],
            }),
            error: None,
            times: Times {
                requested: Time::from_unix_ms(1_795_169_160_000),
                released: Some(Time::from_unix_ms(1_795_169_160_002)),
                completed: Time::from_unix_ms(1_795_169_160_300),
            },
            durability: Durability::Group,
        },
    }
}

fn payload() -> Vec<u8> {
    let mut out = Vec::new();
    statement().write(&mut out).unwrap();
    out
}

/// A log of `size` entries with this one at `index`, and its bundle.
fn logged(payload: Vec<u8>, index: u64, size: u64, key: &Arc<SigningKey>) -> Bundle {
    let log = Log::open(MemoryStorage::new(), ORIGIN, Some(key.clone())).unwrap();
    for i in 0..size {
        let other = format!("entry {i}");
        log.append(if i == index { &payload } else { other.as_bytes() }).unwrap();
    }
    Bundle::make(payload, log.prove(index).unwrap(), ORIGIN, key).unwrap()
}

static GOOD: LazyLock<Bundle> = LazyLock::new(|| logged(payload(), 6, 11, &key()));

fn refused(bundle: &Bundle) -> VerifyError {
    verify(&bundle.to_json(), &operator()).unwrap_err()
}

#[test]
fn what_was_made_verifies_with_either_form_of_the_key() {
    let json = GOOD.to_json();
    let receipt = verify(&json, &operator()).unwrap();
    assert_eq!(receipt.statement(), &statement());
    assert_eq!((receipt.index(), receipt.checkpoint().size), (6, 11));
    assert_eq!(receipt.leaf_hash(), &symbolon_log::leaf_hash(&payload()));
    let hex: String = key().verifying_key().as_bytes().iter().map(|b| format!("{b:02x}")).collect();
    verify(&json, &OperatorKey::parse(&format!("{hex}\n")).unwrap()).unwrap();
    verify(&json, &key().verifying_key().into()).unwrap();
    assert_eq!(Bundle::parse(&json).unwrap(), *GOOD);
}

#[test]
fn a_key_made_for_the_occasion_is_another_operator() {
    let theirs = logged(payload(), 6, 11, &key_of(6));
    assert_eq!(refused(&theirs), VerifyError::Operator);
    // Lying about who it is does not help.
    let lie = Bundle { operator: GOOD.operator.clone(), ..theirs.clone() };
    assert_eq!(refused(&lie), VerifyError::Envelope(DsseError::Unsigned));
    let half = Bundle { envelope: GOOD.envelope.clone(), ..lie };
    assert!(matches!(
        refused(&half),
        VerifyError::Checkpoint(CheckpointError::Note(NoteError::Unsigned { .. }))
    ));
}

#[test]
fn each_part_that_is_wrong_has_its_error() {
    let other = logged(payload(), 2, 11, &key());
    let proof_of_another = Bundle { index: 2, path: other.path.clone(), ..GOOD.clone() };
    assert_eq!(refused(&proof_of_another), VerifyError::Inclusion(ProofError::Root));
    assert!(matches!(
        refused(&Bundle { index: 11, ..GOOD.clone() }),
        VerifyError::Inclusion(ProofError::Index { index: 11, size: 11 })
    ));
    let mut short = GOOD.clone();
    short.path.pop();
    assert!(matches!(refused(&short), VerifyError::Inclusion(ProofError::Length { .. })));

    // Signed and well formed, but never logged.
    let mut never = statement();
    never.predicate.response.as_mut().unwrap().status = 404;
    let mut bytes = Vec::new();
    never.write(&mut bytes).unwrap();
    let never = Bundle { envelope: Envelope::sign(bytes, &key()), ..GOOD.clone() };
    assert_eq!(refused(&never), VerifyError::Inclusion(ProofError::Root));

    // A checkpoint of another log, by the same key.
    let text = Checkpoint::dangerous_read_unverified(&GOOD.checkpoint).unwrap();
    let elsewhere = Checkpoint { origin: "other.test/log".into(), ..text };
    let moved = Bundle { checkpoint: elsewhere.sign(&key()), ..GOOD.clone() };
    assert!(matches!(refused(&moved), VerifyError::Checkpoint(_)));

    // An intent that came later.
    let mut late = statement();
    late.predicate.intent.as_mut().unwrap().index = 6;
    let mut bytes = Vec::new();
    late.write(&mut bytes).unwrap();
    assert_eq!(refused(&logged(bytes, 6, 11, &key())), VerifyError::Order { index: 6, intent: 6 });

    // What is logged and signed but is no receipt.
    for bytes in [&b"intent"[..], b"{}", b"[]", b"null"] {
        let found = refused(&logged(bytes.to_vec(), 6, 11, &key()));
        assert!(matches!(found, VerifyError::Statement(_)), "{found:?}");
    }

    let text = String::from_utf8(GOOD.to_json()).unwrap();
    let edit = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        verify(text.replacen(from, to, 1).as_bytes(), &operator()).unwrap_err()
    };
    assert_eq!(edit("version=1", "version=2"), VerifyError::MediaType);
    assert!(matches!(edit("\"index\"", "\"more\": 1, \"index\""), VerifyError::Form(_)));
    assert!(matches!(edit("\"index\"", "\"index\": 1, \"index\""), VerifyError::Json(_)));
    assert!(matches!(
        edit("vnd.in-toto", "vnd.other"),
        VerifyError::Envelope(DsseError::PayloadType)
    ));
    assert!(matches!(
        edit("\"keyid\": \"", "\"keyid\": \"00"),
        VerifyError::Envelope(DsseError::Unsigned)
    ));
    let long = [text.as_bytes(), &b" ".repeat(300_000)].concat();
    assert!(matches!(verify(&long, &operator()), Err(VerifyError::Json(_))));
}

#[test]
fn statements_that_contradict_themselves_are_neither_written_nor_read() {
    type Edit = fn(&mut Predicate<'static>);
    let edits: [Edit; 28] = [
        |p| p.decision.outcome = Outcome::Refused,
        |p| p.decision.gates[0].held = false,
        |p| p.response = None,
        |p| p.intent = None,
        |p| p.times.released = None,
        |p| p.agent = "a\nb".into(),
        |p| p.agent = "x".repeat(257).into(),
        |p| p.error = Some("Bearer abc".into()),
        |p| p.response.as_mut().unwrap().content_type = "text/plain; boundary=secret".into(),
        |p| {
            let response = p.response.as_mut().unwrap();
            (response.searched, response.content_type) = (Some(Searched::Raw), "other".into());
        },
        |p| p.response.as_mut().unwrap().status = 7,
        |p| p.decision.gates = vec![p.decision.gates[0].clone(); 33],
        |p| p.path_template = "/x".repeat(513).into(),
        |p| p.idempotency_key = Some("what the caller sent".into()),
        |p| {
            p.decision.outcome = Outcome::Refused;
            (p.intent, p.response, p.times.released, p.retries) = (None, None, None, 1);
        },
        |p| {
            p.decision.outcome = Outcome::Refused;
            (p.intent, p.response, p.times.released) = (None, None, None);
            p.idempotency_key = Some("00112233-4455-4677-8899-aabbccddeeff".into());
        },
        |p| p.lineage = vec![7].into(),
        |p| p.lineage = vec![7, 7].into(),
        |p| p.lineage = vec![9, 7].into(),
        |p| p.lineage = vec![0, 7].into(),
        |p| p.lineage = (1..=9).collect::<Vec<_>>().into(),
        |p| {
            p.decision.outcome = Outcome::Refused;
            (p.intent, p.response, p.times.released) = (None, None, None);
            p.lineage = vec![3, 7].into();
        },
        |p| p.minted = Some(Minted { made: vec![], used: None }),
        |p| p.minted = Some(Minted { made: vec![], used: Some("symmint_0123456789".into()) }),
        |p| p.minted = Some(Minted { made: vec!["0123456789abcdeF".into()], used: None }),
        |p| p.minted = Some(Minted { made: vec![MINTED.into(); 5], used: None }),
        |p| {
            p.decision.outcome = Outcome::Refused;
            (p.intent, p.response, p.times.released) = (None, None, None);
            p.minted = Some(Minted { made: vec![], used: Some(MINTED.into()) });
        },
        |p| {
            (p.response, p.times.released, p.error) = (None, None, Some("connect".into()));
            p.minted = Some(Minted { made: vec![MINTED.into()], used: None });
        },
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        let mut bad = statement();
        edit(&mut bad.predicate);
        let mut out = b"old".to_vec();
        assert!(bad.write(&mut out).is_err(), "{n}");
        assert!(out.is_empty());
    }
    // Honest ones of every kind.
    let honest: [Edit; 7] = [
        |p| {
            p.decision.outcome = Outcome::Refused;
            p.decision.gates[0].held = false;
            (p.intent, p.response, p.times.released) = (None, None, None);
        },
        |p| {
            (p.response, p.times.released) = (None, None);
            p.error = Some("connect_failed".into());
        },
        |p| {
            p.response = None;
            p.error = Some("upstream_timeout".into());
        },
        |p| p.response.as_mut().unwrap().searched = Some(Searched::Raw),
        |p| p.lineage = (1..=8).collect::<Vec<_>>().into(),
        |p| {
            p.minted = Some(Minted { made: vec![MINTED.into(); 4], used: Some(MINTED.into()) });
        },
        |p| {
            // It failed before anything left, and says what would have gone out.
            (p.response, p.times.released, p.error) = (None, None, Some("connect".into()));
            p.minted = Some(Minted { made: vec![], used: Some(MINTED.into()) });
        },
    ];
    for edit in honest {
        let mut good = statement();
        edit(&mut good.predicate);
        let mut out = Vec::new();
        good.write(&mut out).unwrap();
        assert_eq!(Statement::parse(&out).unwrap(), good);
    }
}

#[test]
fn content_types_are_reduced_to_what_is_plain() {
    assert_eq!(media_type("Application/JSON; charset=utf-8"), "application/json");
    assert_eq!(media_type("application/vnd.github+json"), "application/vnd.github+json");
    for odd in
        ["", "x", "a/b/c", "text/ghp_secret!", "text/\u{e9}", &format!("a/{}", "b".repeat(99))]
    {
        assert_eq!(media_type(odd), "other", "{odd}");
    }
}

/// A bundle means what its parts mean.
fn meaning(json: &[u8]) -> Vec<u8> {
    Bundle::parse(json).unwrap().to_json()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// One changed byte anywhere in the file: refused, or the same receipt (white space, the case
    /// of hex digits).
    #[test]
    fn any_flipped_byte_is_refused_or_means_the_same(at in any::<usize>(), with in 1u8..) {
        static JSON: LazyLock<Vec<u8>> = LazyLock::new(|| GOOD.to_json());
        let mut json = JSON.clone();
        let at = at % json.len();
        json[at] ^= with;
        for operator in [operator(), key().verifying_key().into()] {
            if verify(&json, &operator).is_ok() {
                prop_assert_eq!(meaning(&json), &JSON[..]);
            }
        }
    }

    /// One changed byte inside a part, encoded anew: refused, always.
    #[test]
    fn any_flipped_byte_of_a_part_is_refused(part in 0usize..4, at in any::<usize>(), with in 1u8..) {
        let mut bundle = GOOD.clone();
        let flip = |bytes: &mut [u8]| {
            let at = at % bytes.len();
            bytes[at] ^= with;
        };
        match part {
            0 => {
                // The payload of a valid envelope by the right key: the log decides.
                let mut bytes = payload();
                flip(&mut bytes);
                bundle.envelope = Envelope::sign(bytes, &key());
            }
            1 => {
                let at = at % bundle.path.len();
                let mut bytes = bundle.path[at].0;
                flip(&mut bytes);
                bundle.path[at] = Digest32(bytes);
            }
            2 => {
                let mut bytes = bundle.checkpoint.into_bytes();
                flip(&mut bytes);
                let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
                bundle.checkpoint = text;
            }
            _ => {
                let mut bytes = bundle.index.to_be_bytes();
                flip(&mut bytes);
                bundle.index = u64::from_be_bytes(bytes);
            }
        }
        prop_assert!(verify(&bundle.to_json(), &operator()).is_err());
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = verify(&bytes, &operator());
        let _ = Envelope::parse(&bytes);
        let _ = Statement::parse(&bytes);
    }

    /// Every statement that can be written is read back as it was.
    #[test]
    fn statements_round_trip(
        texts in proptest::collection::vec("[ -~\u{e9}\u{4e2d}]{0,60}", 8),
        numbers in proptest::collection::vec(any::<u64>(), 6),
        status in 100u16..1000,
        door in 0usize..3,
    ) {
        let text = |i: usize| std::borrow::Cow::Owned(texts[i].clone());
        let mut s = statement();
        let p = &mut s.predicate;
        (p.agent, p.context, p.tool, p.service) = (text(0), text(1), text(2), text(3));
        (p.connection, p.host, p.path_template) = (text(4), text(5), text(6));
        p.decision.gates[0].detail = text(7);
        p.door = [Door::Mcp, Door::Http, Door::Cli][door];
        p.intent.as_mut().unwrap().index = numbers[0];
        let r = p.response.as_mut().unwrap();
        (r.status, r.bytes_in, r.bytes_out) = (status, numbers[1], numbers[2]);
        p.times.completed = Time::from_unix_ms(numbers[3]);
        let mut out = Vec::new();
        s.write(&mut out).unwrap();
        prop_assert_eq!(Statement::parse(&out).unwrap(), s);
    }
}

#[test]
fn a_document_rests_on_the_keys_from_the_one_that_is_trusted_to_those_that_signed_it() {
    let keys: [SigningKey; 4] =
        std::array::from_fn(|n| SigningKey::make(&SeededRng::new(90 + n as u64)));
    let public = |at: usize| keys[at].verifying_key();
    let at = |size| Checkpoint { origin: ORIGIN.into(), size, root: Digest32([size as u8; 32]) };
    let mut line = Succession::new(ORIGIN, public(0));
    for (n, pair) in keys[..3].windows(2).enumerate() {
        line.push(Handover::sign(&at(10 * (n as u64 + 1)), &pair[0], &pair[1])).unwrap();
    }
    let trusted = |key: usize| OperatorKey::from(public(key)).within(line.clone());
    let rests = |key: usize, by: usize, note: Option<(u64, usize)>| {
        let note = note.map(|(size, key)| at(size).sign(&keys[key]));
        let found = trusted(key).unwrap().rests_on(&public(by), note.as_deref());
        let place = |key: &VerifyingKey| keys.iter().position(|it| it.verifying_key() == *key);
        found.iter().map(|key| place(key).unwrap()).collect::<Vec<_>>()
    };
    assert!(trusted(3).is_none(), "it is none of the line");
    assert_eq!(rests(1, 1, None), [1], "no other vouches for what is its own");
    assert_eq!(rests(2, 0, None), [0, 1, 2]);
    assert_eq!(rests(0, 0, Some((5, 0))), [0]);
    // Signed by one of before, and shown under a later checkpoint: who has that key can have made its place.
    assert_eq!(rests(0, 0, Some((15, 1))), [0, 1]);
    assert_eq!(rests(1, 0, Some((25, 2))), [0, 1, 2]);
    // Without a line the key stands for itself.
    let alone = OperatorKey::from(public(0));
    assert_eq!(alone.rests_on(&public(0), Some(&at(5).sign(&keys[0]))), [public(0)]);
}
