//! Signed notes and checkpoints.

mod common;

use common::*;
use proptest::prelude::*;
use symbolon_codec::Digest32;
use symbolon_crypto::SigningKey;
use symbolon_log::{Checkpoint, CheckpointError, NoteError, parse_vkey, vkey};

fn sample() -> (Checkpoint, String) {
    let c = Checkpoint { origin: ORIGIN.into(), size: 42, root: Digest32([9; 32]) };
    let note = c.sign(&key());
    (c, note)
}

fn refused(note: &str) -> CheckpointError {
    Checkpoint::open(note, &key().verifying_key(), ORIGIN).unwrap_err()
}

#[test]
fn what_was_signed_opens_and_keys_round_trip() {
    let (c, note) = sample();
    let public = key().verifying_key();
    assert_eq!(Checkpoint::open(&note, &public, ORIGIN).unwrap(), c);
    let text = vkey(ORIGIN, &public).unwrap();
    let (name, back) = parse_vkey(&format!("{text}\n")).unwrap();
    assert_eq!((name.as_str(), back), (ORIGIN, public));
    for bad in ["", "a+b", "a+00000000+AAAA", &text.replace("example", "examples"), &text[1..]] {
        assert!(parse_vkey(bad).is_err(), "{bad}");
    }
    assert!(vkey("has space", &public).is_err() && vkey("a+b", &public).is_err());
}

/// The example of the signed-note specification (C2SP, "PeterNeumann"), whose key and note are
/// those of Go's `golang.org/x/mod/sumdb/note`.
#[test]
fn the_note_of_gos_documentation() {
    let (name, public) =
        parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
    let note = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    // The text is no checkpoint, so the signature must have passed for this error to come.
    let found = Checkpoint::open(note, &public, &name).unwrap_err();
    assert!(matches!(found, CheckpointError::Line(_)), "{found:?}");
    let changed = note.replace("answer", "Answer");
    let found = Checkpoint::open(&changed, &public, &name).unwrap_err();
    assert!(matches!(found, CheckpointError::Note(NoteError::Signature { .. })), "{found:?}");
}

#[test]
fn each_refusal_has_its_error() {
    let (c, note) = sample();
    assert!(matches!(
        refused(&note.replace("\n42\n", "\n43\n")),
        CheckpointError::Note(NoteError::Signature { .. })
    ));
    let other = SigningKey::make(&symbolon_ambient::SeededRng::new(6));
    assert!(matches!(refused(&c.sign(&other)), CheckpointError::Note(NoteError::Unsigned { .. })));
    // Signed by the right key under the right name, but speaking of another log.
    let elsewhere = Checkpoint { origin: "other.test/log".into(), ..c.clone() }.sign(&key());
    assert!(matches!(
        Checkpoint::open(&elsewhere, &key().verifying_key(), "other.test/log").map(|c| c.size),
        Ok(42)
    ));
    assert!(matches!(refused(&elsewhere), CheckpointError::Note(NoteError::Unsigned { .. })));
    for bad in ["", "\n\n", "a\n\n", &note[..note.len() - 1], &note.replace('\u{2014}', "-")] {
        assert!(matches!(refused(bad), CheckpointError::Note(NoteError::Form(_))), "{bad:?}");
    }
    let long = format!("{note}{}", "x".repeat(70_000));
    assert!(matches!(refused(&long), CheckpointError::Note(NoteError::Form(_))));
}

#[test]
fn witnesses_are_passed_over_but_a_second_bad_signature_by_the_log_is_not() {
    let (c, note) = sample();
    let line = note.lines().last().unwrap().to_owned();
    let witness = format!("{note}\u{2014} witness.test/w AAAAAAAAAAAAAAAA\n");
    assert_eq!(Checkpoint::open(&witness, &key().verifying_key(), ORIGIN).unwrap(), c);
    let last = line.rfind('=').map_or(line.len() - 10, |_| line.len() - 10);
    let swap = if line.as_bytes()[last] == b'A' { "B" } else { "A" };
    let bad = format!("{}{swap}{}", &line[..last], &line[last + 1..]);
    let both = format!("{note}{bad}\n");
    assert!(matches!(refused(&both), CheckpointError::Note(NoteError::Signature { .. })));
}

#[test]
fn lines_have_one_form() {
    for text in [
        "example.test/log\n042\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n",
        "example.test/log\n+42\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n",
        "example.test/log\n99999999999999999999\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n",
        "example.test/log\n42\nCQkJ\n",
        "example.test/log\n42\n",
        "example.test/log\n\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n",
    ] {
        let note = format!("{text}\n\u{2014} w AAAAAAAA\n");
        assert!(
            matches!(Checkpoint::dangerous_read_unverified(&note), Err(CheckpointError::Line(_))),
            "{text:?}"
        );
    }
    let extended = "example.test/log\n42\nCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\nmore\n";
    let note = format!("{extended}\n\u{2014} w AAAAAAAA\n");
    assert_eq!(Checkpoint::dangerous_read_unverified(&note).unwrap().size, 42);
}

proptest! {
    #[test]
    fn any_flipped_byte_is_refused(at in any::<usize>(), bit in 0u8..8) {
        let (_, note) = sample();
        let mut bytes = note.into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(Checkpoint::open(&text, &key().verifying_key(), ORIGIN).is_err());
        }
    }

    #[test]
    fn any_text(text in "\\PC{0,80}(\n\\PC{0,80}){0,6}\n?") {
        let _ = Checkpoint::open(&text, &key().verifying_key(), ORIGIN);
        let _ = Checkpoint::dangerous_read_unverified(&text);
        let _ = parse_vkey(&text);
    }
}
