//! Signatures, and bytes that are no keys.

use ff::Field;
use group::GroupEncoding;
use midnight_curves::JubjubExtended;
use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_secret::Secret;

use super::*;
use crate::Fr;
use crate::claim::ClaimRoot;
use crate::value::Element;

fn root(n: u64) -> ClaimRoot {
    ClaimRoot(Element(Fr::from(n)))
}

#[test]
fn a_signature_is_good_for_its_key_and_root_alone() {
    let rng = SeededRng::new(1);
    let (key, other) = (IssuerKey::make(&rng), IssuerKey::make(&rng));
    let signature = key.sign(&root(7), &rng);
    assert_eq!(signature.verify(&key.public(), &root(7)), Ok(()));
    assert_eq!(signature.verify(&key.public(), &root(8)), Err(BadSignature));
    assert_eq!(signature.verify(&other.public(), &root(7)), Err(BadSignature));
    let again = IssuerKey::from_secret(key.secret()).unwrap();
    assert_eq!(again.public(), key.public());
}

#[test]
fn a_generator_that_repeats_does_not_repeat_nonces() {
    let key = IssuerKey::make(&SeededRng::new(1));
    let (a, b) = (key.sign(&root(1), &SeededRng::new(9)), key.sign(&root(2), &SeededRng::new(9)));
    // With one nonce, s + e * sk would be the same for both.
    let nonce = |s: &Signature| s.s + super::key::reduce(s.e) * scalar(&key);
    assert_ne!(nonce(&a), nonce(&b));
}

fn scalar(key: &IssuerKey) -> midnight_curves::Fr {
    // EXPOSE: the test computes with it.
    midnight_curves::Fr::from_bytes(key.secret().expose()).unwrap()
}

#[test]
fn every_changed_byte_of_a_signature_is_refused() {
    let rng = SeededRng::new(2);
    let key = IssuerKey::make(&rng);
    let bytes = key.sign(&root(1), &rng).to_bytes();
    for at in 0..SIGNATURE_BYTES {
        for bit in 0..8 {
            let mut changed = bytes;
            changed[at] ^= 1 << bit;
            let good = Signature::from_bytes(&changed)
                .is_ok_and(|s| s.verify(&key.public(), &root(1)).is_ok());
            assert!(!good, "byte {at} bit {bit}");
        }
    }
    assert!(Signature::from_bytes(&[0xff; 64]).is_err());
}

#[test]
fn points_of_small_order_off_the_curve_and_not_canonical_are_no_keys() {
    // The identity, (0, 1).
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(IssuerPublicKey::from_bytes(&identity), Err(NotAKey));
    // (0, -1), of order two.
    let order_two = Element(-Fr::ONE).to_bytes();
    assert!(bool::from(JubjubExtended::from_bytes(&order_two).is_some()), "on the curve");
    assert_eq!(IssuerPublicKey::from_bytes(&order_two), Err(NotAKey));
    // A good key with a component of order two: on the curve, outside the subgroup.
    let key = IssuerKey::make(&SeededRng::new(3)).public();
    let two: JubjubExtended = JubjubExtended::from_bytes(&order_two).unwrap();
    let mixed = (JubjubExtended::from(key.0) + two).to_bytes();
    assert_eq!(IssuerPublicKey::from_bytes(&mixed), Err(NotAKey));
    // The identity with a sign, and a coordinate that is not below the field's order.
    let mut signed = identity;
    signed[31] |= 0x80;
    assert_eq!(IssuerPublicKey::from_bytes(&signed), Err(NotAKey));
    assert_eq!(IssuerPublicKey::from_bytes(&[0xff; 32]), Err(NotAKey));
    assert_eq!(IssuerPublicKey::from_bytes(&key.to_bytes()), Ok(key));
    assert!(IssuerKey::from_secret(&Secret::make(|_| ())).is_err(), "zero");
    assert!(IssuerKey::from_secret(&Secret::make(|b| *b = [0xff; 32])).is_err());
}

proptest! {
    #[test]
    fn bytes_that_are_keys_are_written_as_they_were_read(bytes: [u8; 32]) {
        if let Ok(key) = IssuerPublicKey::from_bytes(&bytes) {
            prop_assert_eq!(key.to_bytes(), bytes);
        }
    }
}
