//! The verdict on a certificate of authorship: each check has a way to fail, and is named where it does.

use std::sync::Arc;

use serde_json::Value;
use symbolon_ambient::{SeededRng, SystemRng};
use symbolon_authorship::*;
use symbolon_codec::{b64url, hex};
use symbolon_crypto::SigningKey;
use symbolon_log::{Log, MemoryStorage, vkey};
use symbolon_page_verify::verdict;

const ORIGIN: &str = "example.test/log";
const TEXT: &str = "First the word, then the deed.";

/// A registration that was shown, and the operator's key.
fn certificate() -> (Value, String) {
    let key = Arc::new(SigningKey::make(&SystemRng));
    let log = Log::open(MemoryStorage::new(), ORIGIN, Some(key.clone())).unwrap();
    log.append(b"something else").unwrap();
    let secrets = OwnerSecrets::make(&SeededRng::new(1));
    let author = secrets.public();
    let digest = secrets.salt().digest(&CanonicalText::of(TEXT).unwrap());
    let commitment = commitment_of(&author, &digest);
    let holder = secrets.holder(&[9; 16]);
    let commit = Act::from(Commit { log: ORIGIN.into(), author, holder, commitment });
    let reveal = Act::from(Reveal { log: ORIGIN.into(), registration: 1, owner: author, digest });
    let mut entries = Vec::new();
    for (at, act) in [(1, commit), (2, reveal)] {
        let signature = secrets.sign(&act);
        let entry = Entry::new(1_795_169_160_000 + at, act, signature, None).unwrap().write();
        assert_eq!(log.append(&entry).unwrap().index(), at);
        entries.push(entry);
    }
    log.commit().unwrap();
    let entry = |index: u64| {
        let entry = entries[index as usize - 1].clone();
        CertificateEntry { index, entry, path: log.prove(index).unwrap().path }
    };
    let whole = Certificate {
        entries: vec![entry(1), entry(2)],
        checkpoint: log.checkpoint().unwrap(),
        operator: vkey(ORIGIN, &key.verifying_key()).unwrap(),
        salt: Some(secrets.salt().clone()),
    };
    let value = serde_json::from_slice(&whole.to_json()).unwrap();
    (value, vkey(ORIGIN, &key.verifying_key()).unwrap())
}

fn failed(file: &Value, key: &str, text: Option<&[u8]>) -> (String, usize) {
    let verdict = verdict(file.to_string().as_bytes(), key, None, text);
    assert_eq!(verdict["verified"], false, "{verdict}");
    let held = verdict["checks"].as_array().unwrap().len();
    (verdict["failed"]["check"].as_str().unwrap().to_owned(), held)
}

fn names(verdict: &Value) -> Vec<&str> {
    let checks = verdict["checks"].as_array().unwrap();
    checks.iter().map(|one| one["check"].as_str().unwrap()).collect()
}

#[test]
fn all_that_was_checked_is_said() {
    let (file, key) = certificate();
    let alone = verdict(file.to_string().as_bytes(), &key, None, None);
    assert_eq!((&alone["verified"], &alone["compared"]), (&true.into(), &false.into()), "{alone}");
    assert_eq!((&alone["number"], &alone["newest"]), (&1.into(), &2.into()));
    assert_eq!(names(&alone), ["Form", "Operator", "Checkpoint", "Entries"]);
    let text = format!("{TEXT}  \r\n");
    let compared = verdict(file.to_string().as_bytes(), &key, None, Some(text.as_bytes()));
    assert_eq!(names(&compared), ["Form", "Operator", "Checkpoint", "Entries", "Text"]);
    assert_eq!(compared["digest"], alone["digest"]);
}

#[test]
fn what_was_changed_names_the_check_that_saw_it() {
    let (file, key) = certificate();
    let (_, other) = certificate();
    let of = |check: &str, held| (check.to_owned(), held);
    assert_eq!(failed(&file, "no key", None), of("Key", 0));
    assert_eq!(failed(&file, &other, None), of("Operator", 1));
    let changed = |pointer: &str, value: Value| {
        let mut file = file.clone();
        *file.pointer_mut(pointer).unwrap() = value;
        file
    };
    assert_eq!(failed(&changed("/entries", Value::Array(vec![])), &key, None), of("Form", 0));
    let note = file["checkpoint"].as_str().unwrap().replacen("\n3\n", "\n4\n", 1);
    assert_eq!(failed(&changed("/checkpoint", note.into()), &key, None), of("Checkpoint", 2));
    assert_eq!(failed(&changed("/entries/0/index", 0.into()), &key, None), of("Entries", 3));
    let entry = b64url::encode(b"something else");
    assert_eq!(failed(&changed("/entries/0/entry", entry.into()), &key, None), of("Entries", 3));
    assert_eq!(failed(&file, &key, Some(b"Another text.")), of("Text", 4));
    assert_eq!(failed(&file, &key, Some(&[0xff])), of("Text", 4));
    let salt = hex::encode([7; 32]);
    let salted = changed("/salt", salt.into());
    assert_eq!(failed(&salted, &key, Some(TEXT.as_bytes())), of("Text", 4));
    let mut unsalted = file.clone();
    unsalted.as_object_mut().unwrap().remove("salt");
    assert_eq!(failed(&unsalted, &key, Some(TEXT.as_bytes())), of("Text", 4));
}
