//! Each constraint broken alone, and circuit against twin.

use proptest::prelude::*;
use symbolon_ambient::SeededRng;

use super::witness::Opened;
use super::{ApiKey, Key, KeyLength, Witness};
use crate::Fr;
use crate::statements::relation::Circuit;
use crate::testing::{all_broken, at, breaks, holds, off, secret, taken};
use crate::value::Hidden;

fn made(key: &str, audience: &str) -> (Vec<Fr>, Opened) {
    let key = ApiKey::new(&secret(key)).unwrap();
    let blind = Hidden::make(&SeededRng::new(3));
    let session = at(audience);
    let commitment = key.commitment(&blind, &session);
    let statement = Key { session, commitment, device: Key::device(b"a device's public key") };
    let opened = statement.open(Witness { key: &key, blind: &blind }).unwrap();
    (statement.publics(), opened)
}

#[test]
fn each_constraint_is_broken_alone_and_refused_by_circuit_and_twin() {
    let (publics, opened) = made("sk_live_0123456789abcdef", "https://api.example");
    holds::<Key>(&publics, &opened);
    let mut numbers = Vec::new();
    let mut case = |number: u8, change: &dyn Fn(&mut Vec<Fr>, &mut Opened)| {
        let (mut p, mut o) = (publics.clone(), opened.clone());
        change(&mut p, &mut o);
        breaks::<Key>(number, &p, &o);
        numbers.push(number);
    };
    case(1, &|p, _| p[0] = off(p[0]));
    for at in [2, 3, 5] {
        case(2, &|p, _| p[at] = off(p[at]));
    }
    case(2, &|_, o| o.key = off(o.key));
    case(2, &|_, o| o.blind = off(o.blind));
    all_broken(&numbers, 2);
}

#[test]
fn one_key_is_another_commitment_at_another_audience() {
    let key = "sk_live_0123456789abcdef";
    assert_ne!(made(key, "https://a.example").0[5], made(key, "https://b.example").0[5]);
}

#[test]
fn keys_have_16_to_1024_bytes() {
    for (length, good) in [(0, false), (15, false), (16, true), (1024, true), (1025, false)] {
        let made = ApiKey::new(&secret(&"k".repeat(length)));
        assert_eq!(made.is_ok(), good, "{length}");
        assert!(good || matches!(made, Err(KeyLength)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn circuit_and_twin_agree(a in "[a-z]{16,20}", b in "[a-z]{16,20}", same: bool) {
        let (publics, own) = made(&a, "https://api.example");
        let (_, other) = made(&b, "https://api.example");
        let opened = if same { own } else { other };
        let good = same || a == b;
        prop_assert_eq!(Key::broken(&publics, &opened).is_empty(), good);
        prop_assert_eq!(taken::<Key>(&publics, &opened), good);
    }
}
