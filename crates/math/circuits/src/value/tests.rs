//! Elements against bytes that are none, and the domains against each other.

use ff::Field;
use proptest::prelude::*;
use symbolon_secret::Secret;

use super::*;
use crate::Fr;

/// The field's order, little-endian.
const ORDER: [u8; 32] = {
    let mut bytes = [0; 32];
    let words: [u64; 4] = [
        0xffff_ffff_0000_0001,
        0x53bd_a402_fffe_5bfe,
        0x3339_d808_09a1_d805,
        0x73ed_a753_299d_7d48,
    ];
    let mut i = 0;
    while i < 32 {
        bytes[i] = (words[i / 8] >> (8 * (i % 8))) as u8;
        i += 1;
    }
    bytes
};

#[test]
fn bytes_of_the_order_and_above_are_no_element() {
    let mut below = ORDER;
    below[0] -= 1;
    assert_eq!(Element::from_bytes(&below).unwrap().0, -Fr::ONE);
    for bytes in [ORDER, [0xff; 32], {
        let mut b = ORDER;
        b[31] |= 0x80;
        b
    }] {
        assert_eq!(Element::from_bytes(&bytes), Err(NotCanonical));
        assert!(Hidden::from_secret(Secret::make(|b| *b = bytes)).is_err());
    }
}

proptest! {
    #[test]
    fn elements_and_their_bytes_are_one(bytes: [u8; 32]) {
        if let Ok(element) = Element::from_bytes(&bytes) {
            prop_assert_eq!(element.to_bytes(), bytes);
        }
    }
}

#[test]
fn domains_and_lengths_part_hashes() {
    let one = Fr::ONE;
    let mut hashes = vec![
        hash(&[one]),
        hash(&[one, Fr::ZERO]),
        hash(&[one, Fr::ZERO, Fr::ZERO]),
        node(Fr::ZERO, one),
        hash(&[tag(Domain::Leaf, 1)]),
        hash(&[tag(Domain::Padding, 1)]),
        hash(&[tag(Domain::Leaf, 2)]),
    ];
    let all = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), all);
}

#[test]
fn sessions_differ_by_each_part_and_accounts_by_their_audience() {
    let at = |audience: &str, account: &str| {
        Session::new(Nonce([1; 16]), audience.as_bytes(), account.as_bytes()).unwrap()
    };
    let (a, b, c) = (at("https://a", "x"), at("https://b", "x"), at("https://a", "y"));
    assert_ne!(a.audience, b.audience);
    assert_ne!(a.account, b.account);
    assert_eq!(a.audience, c.audience);
    assert_ne!(a.account, c.account);
    // A name is not an audience: the two are hashed apart.
    let same = at("x", "x");
    assert_ne!(same.audience(), same.account());
    for (audience, account) in [("", "x"), ("x", "")] {
        let made = Session::new(Nonce([1; 16]), audience.as_bytes(), account.as_bytes());
        assert_eq!(made, Err(NameLength));
    }
    assert!(Session::new(Nonce([1; 16]), &[b'a'; 1025], b"x").is_err());
    assert!(Session::new(Nonce([1; 16]), &[b'a'; 1024], b"x").is_ok());
}
