//! The first byte chooses: an envelope as it is, or a plaintext with a bit to flip.

use symbolon_ambient::SeededRng;
use symbolon_crypto::{AeadKey, Tag, labels, plain_len, sealed_len};
use symbolon_secret::Secret;

const CONTEXT: &[&[u8]] = &[b"fuzz", b"context"];

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let key = AeadKey::from_secret(&Secret::<[u8; 32]>::make(|key| key.fill(7)));
    if mode % 2 == 0 {
        as_it_is(&key, rest);
    } else {
        sealed_and_flipped(&key, rest);
    }
}

fn as_it_is(key: &AeadKey, envelope: &[u8]) {
    let (tag, _) = tags();
    match key.open(&tag, CONTEXT, envelope) {
        Ok(plain) => assert_eq!(sealed_len(plain.len()), envelope.len()),
        Err(error) => assert!(!format!("{error:?} {error}").is_empty()),
    }
    if let Some(length) = plain_len(envelope) {
        assert!(length <= envelope.len());
    }
}

/// The plaintext stands behind two bytes that say which bit of the envelope is flipped.
fn sealed_and_flipped(key: &AeadKey, rest: &[u8]) {
    let [high, low, plain @ ..] = rest else { return };
    let (tag, other) = tags();
    let mut envelope = key.seal(&tag, CONTEXT, plain, &SeededRng::new(1));
    let opened = key.open(&tag, CONTEXT, &envelope).expect("what was sealed opens");
    // EXPOSE: the plaintext is the fuzzer's.
    assert_eq!(opened.expose(), plain);
    assert!(key.open(&other, CONTEXT, &envelope).is_err(), "opened as another kind");
    assert!(key.open(&tag, &[b"fuzz"], &envelope).is_err(), "opened in another context");
    assert!(key.open(&tag, &[b"fuzzcontext", b""], &envelope).is_err(), "borders do not count");
    let bit = usize::from(u16::from_be_bytes([*high, *low])) % (envelope.len() * 8);
    envelope[bit / 8] ^= 1 << (bit % 8);
    assert!(key.open(&tag, CONTEXT, &envelope).is_err(), "bit {bit} does not count");
}

fn tags() -> (Tag, Tag) {
    (labels::CONNECTION_CREDENTIAL, labels::STATE_ROW)
}
