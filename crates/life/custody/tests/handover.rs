//! A data key that is handed to a process opens there, on its terms, or nowhere.

use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_codec::hex;
use symbolon_crypto::{HpkeError, RecipientSecret, RecoveryCode};
use symbolon_custody::{
    Asked, Enrol, HandedOver, Opener, Purpose, Purposes, Terms, Unlocked, Vault,
};
use symbolon_secret::Secret;

const ORIGIN: &str = "http://localhost:7070";

fn opened(seed: u64) -> Unlocked {
    let (rng, clock) = (SeededRng::new(seed), ManualClock::at(1));
    let code = RecoveryCode::make(&rng);
    Vault::create(&Enrol::new(Opener::Recovery(&code)), &rng, &clock).unwrap().1
}

fn process(byte: u8) -> RecipientSecret {
    RecipientSecret::derive(&Secret::<[u8; 32]>::make(|b| b.fill(byte)))
}

fn both() -> Purposes {
    Purposes::new(Purpose::ALL).unwrap()
}

#[test]
fn a_key_opens_on_its_terms_alone() {
    let (unlocked, rng) = (opened(1), SeededRng::new(2));
    let (own, other) = (process(1), process(2));
    let (vault, key, other_key) = (unlocked.vault_id(), own.public(), other.public());
    let asked = Asked { origin: ORIGIN, key: &key, nonce: &[3; 32], minutes: 15 };
    let notes = Purposes::new([Purpose::Notes]).unwrap();
    let terms = Terms::lease(vault, 1, &asked, notes);
    let sealed = unlocked.hand_over(&key, &terms, &rng).unwrap();

    let same = HandedOver::open(&own, &terms, Vec::new(), &sealed).unwrap();
    let same = same.prove(|_| true).unwrap();
    assert_eq!(same.state_key().commitment(), unlocked.state_key().commitment());
    assert_eq!((same.vault_id(), same.epoch(), same.opened_by()), (vault, 1, None));

    let refused = |what: &str, own: &RecipientSecret, terms: &Terms| {
        let found = HandedOver::open(own, terms, Vec::new(), &sealed).map(|_| ());
        assert_eq!(found, Err(HpkeError::NotOpened), "{what}");
    };
    refused("another process", &other, &terms);
    let with = |asked: &Asked<'_>| Terms::lease(vault, 1, asked, notes);
    refused("another origin", &own, &with(&Asked { origin: "http://localhost:1", ..asked }));
    refused("another nonce", &own, &with(&Asked { nonce: &[4; 32], ..asked }));
    refused("more minutes", &own, &with(&Asked { minutes: 16, ..asked }));
    refused("another key named", &own, &with(&Asked { key: &other_key, ..asked }));
    refused("more purposes", &own, &Terms::lease(vault, 1, &asked, both()));
    refused("another epoch", &own, &Terms::lease(vault, 2, &asked, notes));
    refused("another vault", &own, &Terms::lease([9; 16].into(), 1, &asked, notes));
}

#[test]
fn nothing_is_handed_over_on_terms_of_another_vault_and_nothing_unproven_taken() {
    let (unlocked, rng, own) = (opened(1), SeededRng::new(2), process(1));
    let key = own.public();
    let asked = Asked { origin: ORIGIN, key: &key, nonce: &[3; 32], minutes: 15 };
    let notes = Purposes::new([Purpose::Notes]).unwrap();
    let on = |vault, epoch| Terms::lease(vault, epoch, &asked, notes);
    let other = on([9; 16].into(), 1);
    assert_eq!(unlocked.hand_over(&key, &other, &rng), Err(HpkeError::NotOpened));
    let later = on(unlocked.vault_id(), 2);
    assert_eq!(unlocked.hand_over(&key, &later, &rng), Err(HpkeError::NotOpened));

    let terms = on(unlocked.vault_id(), 1);
    let sealed = unlocked.hand_over(&key, &terms, &rng).unwrap();
    let handed = HandedOver::open(&own, &terms, Vec::new(), &sealed).unwrap();
    assert!(handed.prove(|_| false).is_none());
}

#[test]
fn purposes_bound_the_time_together() {
    assert!(Purposes::new([]).is_none());
    assert_eq!(both().minutes_max(), 60);
    assert_eq!(Purposes::new([Purpose::Connections]).unwrap().minutes_max(), 720);
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::parse(purpose.as_str()), Some(purpose));
    }
}

#[test]
fn worked_bytes() {
    let (key, nonce) = (process(1).public(), [3; 32]);
    let asked = Asked { origin: ORIGIN, key: &key, nonce: &nonce, minutes: 15 };
    let terms = Terms::lease([2; 16].into(), 1, &asked, both());
    assert_eq!(hex::encode(terms.as_bytes()), LEASE_TERMS);
}

/// In `specs/lease.md`.
const LEASE_TERMS: &str = "0000001173796d626f6c6f6e2f6c656173652f763100000015687474703a2f2f6c6f63616c686f73\
    743a3730373000000010020202020202020202020202020202020000000800000000000000010000\
    002041852320ff367495fa522c94cb83af391e4e89018392725bbf2098dd931bc424000000200303\
    03030303030303030303030303030303030303030303030303030303030300000001030000000800\
    0000000000000f";
