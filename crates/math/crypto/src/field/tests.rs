use super::*;
use crate::labels::{VAULT_CHUNK, VAULT_FIELD};
use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_codec::hex;

fn key(first: u8) -> FieldKey {
    FieldKey::from_secret(&Secret::<[u8; 32]>::make(|b| {
        for (i, b) in b.iter_mut().enumerate() {
            *b = first.wrapping_add(i as u8);
        }
    }))
}

fn place() -> Place {
    Place::new(&VAULT_FIELD, &[b"vault-1", b"item-1", b"2"])
}

fn open(k: &FieldKey, field: &[u8]) -> Result<Vec<u8>, FieldError> {
    let opened = k.open(&place(), field);
    // EXPOSE: a test compares.
    let opened = opened.map(|s| s.expose().to_vec());
    assert_eq!(k.open_readable(&place(), field), opened);
    opened
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    key(0).seal(&place(), plain, &SeededRng::new(9))
}

/// The bytes of `specs/envelope.md`, made there by another implementation (of the draft, in Python
/// alone, which gives every valid vector of Wycheproof).
#[test]
fn worked_bytes() {
    let spec = include_str!("../../../../../specs/envelope.md");
    let (_, worked) = spec.split_once("field      =").unwrap();
    let (worked, _) = worked.split_once("\n\n").unwrap();
    let expected = hex::decode(worked.split_whitespace().collect::<String>()).unwrap();
    let nonce = std::array::from_fn(|i| 0xa0 + i as u8);
    assert_eq!(key(0).seal_with_nonce(&place(), &nonce, b"A title"), expected);
    assert_eq!(open(&key(0), &expected).unwrap(), b"A title");
    assert!(spec.contains(&hex::encode(place().digest().0)));
}

/// Each region of the field has its error; see the table of rule 10.
fn expected_error(at: usize, flip: u8, plain: usize) -> FieldError {
    match at {
        0..3 => FieldError::Damaged,
        3..8 => FieldError::Kind,
        8..12 => {
            let wrong = plain as u32 ^ (u32::from(flip) << (8 * (11 - at)));
            if wrong as usize > plain { FieldError::Truncated } else { FieldError::Damaged }
        }
        12..44 => FieldError::WrongKey,
        _ => FieldError::Damaged,
    }
}

#[test]
fn every_flipped_bit_is_refused_with_its_error() {
    for plain in [&b""[..], b"x", b"a title of some length"] {
        let field = sealed(plain);
        for at in 0..field.len() {
            for bit in 0..8 {
                let mut wrong = field.clone();
                wrong[at] ^= 1 << bit;
                let expected = expected_error(at, 1 << bit, plain.len());
                assert_eq!(open(&key(0), &wrong), Err(expected), "byte {at} bit {bit}");
            }
        }
    }
}

#[test]
fn every_shorter_and_longer_field_is_refused() {
    let field = sealed(b"some title");
    for n in 0..field.len() {
        assert_eq!(open(&key(0), &field[..n]), Err(FieldError::Truncated), "{n}");
    }
    assert_eq!(open(&key(0), &[&field[..], b"\0"].concat()), Err(FieldError::Damaged));
}

#[test]
fn a_moved_field_says_from_where_and_gives_nothing() {
    for context in [
        &[&b"vault-1"[..], b"item-2", b"2"][..],
        &[b"vault-1", b"item-1", b"3"],
        &[b"vault-1item-1", b"2", b""],
        &[],
    ] {
        let from = Place::new(&VAULT_FIELD, context);
        let field = key(0).seal(&from, b"x", &SeededRng::new(3));
        assert_eq!(open(&key(0), &field), Err(FieldError::Moved(from.digest())));
        // Written over with the place that is asked for it is no longer what was sealed.
        let mut dressed = field.clone();
        dressed[44..76].copy_from_slice(&place().digest().0);
        assert_eq!(open(&key(0), &dressed), Err(FieldError::Damaged));
        // Moved and damaged is damaged.
        let mut both = field;
        *both.last_mut().unwrap() ^= 1;
        assert_eq!(open(&key(0), &both), Err(FieldError::Damaged));
    }
}

#[test]
fn another_key_or_kind_is_told_apart() {
    let field = sealed(b"x");
    assert_eq!(open(&key(1), &field), Err(FieldError::WrongKey));
    let kind = Place::new(&VAULT_CHUNK, &[b"vault-1", b"item-1", b"2"]);
    assert_eq!(key(0).open(&kind, &field).err(), Some(FieldError::Kind));
    let mut committed_to_another = field;
    committed_to_another[12..44].copy_from_slice(key(1).commitment());
    assert_eq!(open(&key(1), &committed_to_another), Err(FieldError::Damaged));
}

#[test]
fn a_failed_open_writes_nothing() {
    let mut field = sealed(b"seven b");
    *field.last_mut().unwrap() ^= 1;
    let mut out = [0xee; 7];
    assert_eq!(key(0).open_into(&place(), &field, &mut out), Err(FieldError::Damaged));
    assert_eq!(out, [0xee; 7]);
    let elsewhere = Place::new(&VAULT_FIELD, &[]);
    let moved = key(0).open_into(&elsewhere, &sealed(b"seven b"), &mut out);
    assert_eq!((moved, out), (Err(FieldError::Moved(place().digest())), [0; 7]));
    assert_eq!(format!("{:?}", key(0)), "FieldKey");
}

proptest! {
    #[test]
    fn what_was_sealed_opens(plain: Vec<u8>, a: Vec<u8>, b: Vec<u8>, seed: u64) {
        let place = Place::new(&VAULT_FIELD, &[&a, &b]);
        let field = key(4).seal(&place, &plain, &SeededRng::new(seed));
        prop_assert_eq!(field.len(), plain.len() + FIELD_OVERHEAD_BYTES);
        prop_assert_eq!(key(4).open_readable(&place, &field).unwrap(), plain);
    }
}
