use super::*;
use crate::envelope::OVERHEAD_BYTES;
use crate::labels::{CONNECTION_CREDENTIAL, KEY_CONNECTIONS, KEY_STATE, STATE_ROW};
use proptest::prelude::*;
use symbolon_ambient::{Rng, SeededRng};
use symbolon_codec::hex;

fn key(first: u8) -> AeadKey {
    AeadKey::from_secret(&Secret::<[u8; 32]>::make(|b| {
        for (i, b) in b.iter_mut().enumerate() {
            *b = first.wrapping_add(i as u8);
        }
    }))
}

fn open(k: &AeadKey, envelope: &[u8]) -> Result<Vec<u8>, OpenError> {
    let opened = k.open(&CONNECTION_CREDENTIAL, &[b"vault-1", b"github"], envelope);
    // EXPOSE: a test compares.
    opened.map(|s| s.expose().to_vec())
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    key(0).seal(&CONNECTION_CREDENTIAL, &[b"vault-1", b"github"], plain, &SeededRng::new(9))
}

/// The bytes of `specs/envelope.md`, made there by another implementation (Python `cryptography`).
#[test]
fn worked_bytes() {
    let spec = include_str!("../../../../../specs/envelope.md");
    let (_, worked) = spec.split_once("envelope   =").unwrap();
    let (worked, _) = worked.split_once("\n\n").unwrap();
    let expected = hex::decode(worked.split_whitespace().collect::<String>()).unwrap();

    let nonce = std::array::from_fn(|i| 0xa0 + i as u8);
    let aad = Aad::new(&CONNECTION_CREDENTIAL, &[b"vault-1", b"github"]);
    assert_eq!(key(0).seal_with_nonce(&aad, &nonce, b"ghp_example"), expected);
    assert_eq!(open(&key(0), &expected).unwrap(), b"ghp_example");
    for value in
        [hex::encode(key(0).commitment()), hex::encode(aad.digest()), hex::encode(aad.tag_id())]
    {
        assert!(spec.contains(&value), "{value}");
    }
}

/// Each region of the header and the body has its error; see the table of rule 1.
fn expected_error(at: usize, flip: u8, plain: usize) -> OpenError {
    match at {
        0..3 => OpenError::Damaged,
        3..8 => OpenError::Kind,
        8..12 => {
            let wrong = plain as u32 ^ (u32::from(flip) << (8 * (11 - at)));
            if wrong as usize > plain { OpenError::Truncated } else { OpenError::Damaged }
        }
        12..44 => OpenError::WrongKey,
        _ => OpenError::Damaged,
    }
}

#[test]
fn every_flipped_bit_is_refused_with_its_error() {
    for plain in [&b""[..], b"x", b"ghp_0123456789abcdef0123456789abcdef0123"] {
        let envelope = sealed(plain);
        assert_eq!(envelope.len(), sealed_len(plain.len()));
        for at in 0..envelope.len() {
            for bit in 0..8 {
                let mut wrong = envelope.clone();
                wrong[at] ^= 1 << bit;
                let expected = expected_error(at, 1 << bit, plain.len());
                assert_eq!(open(&key(0), &wrong), Err(expected), "byte {at} bit {bit}");
            }
        }
    }
}

#[test]
fn every_shorter_and_longer_envelope_is_refused() {
    let envelope = sealed(b"some credential");
    for n in 0..envelope.len() {
        assert_eq!(open(&key(0), &envelope[..n]), Err(OpenError::Truncated), "{n}");
    }
    let longer = [&envelope[..], b"\0"].concat();
    assert_eq!(open(&key(0), &longer), Err(OpenError::Damaged));
    assert_eq!(plain_len(&envelope), Some(15));
    assert_eq!(plain_len(&envelope[..OVERHEAD_BYTES - 1]), None);
}

#[test]
fn another_key_tag_or_place_is_told_apart() {
    let envelope = sealed(b"x");
    assert_eq!(open(&key(1), &envelope), Err(OpenError::WrongKey));
    let kind = key(0).open(&STATE_ROW, &[b"vault-1", b"github"], &envelope);
    assert_eq!(kind.err(), Some(OpenError::Kind));
    for context in [
        &[&b"vault-1"[..], b"gitlab"][..],
        &[b"vault-1github", b""],
        &[b"vault-1g", b"ithub"],
        &[b"vault-1"],
        &[],
    ] {
        let moved = key(0).open(&CONNECTION_CREDENTIAL, context, &envelope);
        assert_eq!(moved.err(), Some(OpenError::Damaged));
    }
}

/// A ciphertext that a second key would also open is refused before it is tried: the commitment
/// is the key's, whatever the ciphertext.
#[test]
fn a_swapped_commitment_does_not_help_another_key() {
    let mut envelope = sealed(b"x");
    envelope[12..44].copy_from_slice(key(1).commitment());
    assert_eq!(open(&key(0), &envelope), Err(OpenError::WrongKey));
    assert_eq!(open(&key(1), &envelope), Err(OpenError::Damaged));
}

#[test]
fn a_small_buffer_is_refused_and_a_failed_open_writes_nothing() {
    let mut envelope = sealed(b"twelve bytes");
    let aad = Aad::new(&CONNECTION_CREDENTIAL, &[b"vault-1", b"github"]);
    let mut out = [0xee; 12];
    let short = key(0).open_into_with(&aad, &envelope, &mut out[..11]);
    assert_eq!(short, Err(OpenError::NoRoom { needed: 12, given: 11 }));
    *envelope.last_mut().unwrap() ^= 1;
    assert_eq!(key(0).open_into_with(&aad, &envelope, &mut out), Err(OpenError::Damaged));
    assert_eq!(out, [0xee; 12]);
}

#[test]
fn two_seals_of_one_plaintext_differ() {
    let rng = SeededRng::new(10);
    let seal = || key(0).seal(&STATE_ROW, &[], b"x", &rng);
    assert_ne!(seal(), seal());
}

#[test]
fn debug_shows_the_type_alone() {
    assert_eq!(format!("{:?}", key(0)), "AeadKey");
}

proptest! {
    #[test]
    fn what_was_sealed_opens(plain: Vec<u8>, a: Vec<u8>, b: Vec<u8>, seed: u64) {
        let master = Secret::<[u8; 32]>::make(|k| SeededRng::new(seed).fill(k));
        let k = AeadKey::derive(&master, &[], &KEY_CONNECTIONS, &a);
        let envelope = k.seal(&CONNECTION_CREDENTIAL, &[&a, &b], &plain, &SeededRng::new(seed));
        let opened = k.open(&CONNECTION_CREDENTIAL, &[&a, &b], &envelope).unwrap();
        // EXPOSE: a test compares.
        prop_assert_eq!(opened.expose(), &plain[..]);
        let other = AeadKey::derive(&master, &[], &KEY_STATE, &a);
        let wrong = other.open(&CONNECTION_CREDENTIAL, &[&a, &b], &envelope);
        prop_assert_eq!(wrong.err(), Some(OpenError::WrongKey));
    }

    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        prop_assert!(open(&key(0), &bytes).is_err());
    }
}
