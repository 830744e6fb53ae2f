//! A signed note, and a key's text.

use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_log::{Checkpoint, parse_vkey, vkey};
use symbolon_secret::Secret;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok((name, key)) = parse_vkey(text) {
        let written = vkey(&name, &key).expect("what was read can be written");
        let (same_name, same_key) = parse_vkey(&written).expect("what was written can be read");
        assert_eq!((same_name, same_key.as_bytes()), (name, key.as_bytes()));
    }
    let (signer, key) = keys();
    let Ok(read) = Checkpoint::dangerous_read_unverified(text) else { return };
    // Nobody but this process has the key: what opens is what it signed.
    if let Ok(opened) = Checkpoint::open(text, &key, &read.origin) {
        assert_eq!(opened, read);
    }
    let note = read.sign(&signer);
    let opened = Checkpoint::open(&note, &key, &read.origin).expect("our own signature");
    assert_eq!(opened, read, "a checkpoint changes when it is written and read");
    assert!(Checkpoint::open(&note, &key, "example.org/another").is_err());
}

/// The same key in every run, so that a corpus can hold notes that it signed.
fn keys() -> (SigningKey, VerifyingKey) {
    let seed = Secret::<[u8; 32]>::make(|seed| seed.fill(7));
    let signer = SigningKey::from_seed(seed);
    let key = signer.verifying_key();
    (signer, key)
}
