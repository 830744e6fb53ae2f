use std::collections::HashSet;

use super::*;
use crate::sealer::{Sealer, SealerError};
use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_codec::Digest32;
use symbolon_crypto::{Params, RecoveryCode};
use symbolon_secret::Secret;

pub(super) fn passphrase(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()))
}

pub(super) fn enrol(opener: Opener<'_>) -> Enrol<'_> {
    Enrol::new(opener).with_cost(Params::new(8192, 1, 1).unwrap())
}

pub(super) fn same(a: &Unlocked, b: &Unlocked) -> bool {
    a.connections_key().commitment() == b.connections_key().commitment()
}

pub(super) struct World {
    pub(super) rng: SeededRng,
    pub(super) clock: ManualClock,
    pub(super) words: Secret<[u8]>,
    pub(super) vault: Vault,
    pub(super) unlocked: Unlocked,
}

pub(super) fn world() -> World {
    let (rng, clock) = (SeededRng::new(7), ManualClock::at(1_000));
    let words = passphrase("correct horse battery");
    let (vault, unlocked) =
        Vault::create(&enrol(Opener::Passphrase(&words)), &rng, &clock).unwrap();
    World { rng, clock, words, vault, unlocked }
}

/// A TPM whose "seal" is its serial number before the secret.
struct FakeTpm(u8);

impl Sealer for FakeTpm {
    fn seal(&self, secret: &Secret<[u8; 32]>) -> Result<Vec<u8>, SealerError> {
        // EXPOSE: the fake keeps the secret in its blob.
        Ok([&[self.0][..], secret.expose()].concat())
    }
    fn unseal(&self, blob: &[u8]) -> Result<Secret<[u8; 32]>, SealerError> {
        if blob[0] != self.0 {
            return Err(SealerError::OtherTpm);
        }
        Ok(Secret::<[u8; 32]>::make(|b| b.copy_from_slice(&blob[1..])))
    }
}

#[test]
fn every_method_opens_to_the_same_key_and_none_for_another() {
    let w = world();
    let code = RecoveryCode::make(&w.rng);
    let secret = Secret::<[u8; 32]>::make(|b| b.fill(3));
    let here = Digest32([4; 32]);
    let device = Opener::Device { secret: &secret, fingerprint: &here };
    let tpm = FakeTpm(1);
    let mut vault = w.vault.clone();
    for opener in [device, Opener::Tpm(&tpm), Opener::Recovery(&code)] {
        let refused = vault.unlock(&opener);
        assert!(matches!(refused, Err(UnlockError::NoSuchMethod { .. })), "{refused:?}");
        vault = vault.add_wrap(&w.unlocked, &enrol(opener), &w.rng, &w.clock).unwrap().vault;
        let again = vault.unlock(&opener).unwrap();
        assert!(same(&again, &w.unlocked));
        assert_eq!(again.opened_by().unwrap().1, opener.method());
    }
    assert_eq!(vault.methods().len(), 4);

    let other_words = passphrase("correct horse battery ");
    let other_code = RecoveryCode::make(&w.rng);
    let other_secret = Secret::<[u8; 32]>::make(|b| b.fill(5));
    let there = Digest32([5; 32]);
    let expect = |opener: Opener<'_>, test: fn(&UnlockError) -> bool| {
        let error = vault.unlock(&opener).err().unwrap();
        assert!(test(&error), "{opener:?}: {error}");
    };
    expect(Opener::Passphrase(&other_words), |e| matches!(e, UnlockError::WrongSecret { .. }));
    expect(Opener::Recovery(&other_code), |e| matches!(e, UnlockError::WrongSecret { .. }));
    expect(Opener::Device { secret: &other_secret, fingerprint: &here }, |e| {
        matches!(e, UnlockError::WrongSecret { .. })
    });
    expect(Opener::Device { secret: &secret, fingerprint: &there }, |e| {
        matches!(e, UnlockError::OtherMachine)
    });
    expect(Opener::Tpm(&FakeTpm(2)), |e| matches!(e, UnlockError::Sealer(SealerError::OtherTpm)));
}

#[test]
fn a_rotation_replaces_and_says_both_halves() {
    let w = world();
    let old = w.vault.wraps()[0].id();
    let new_words = passphrase("another long passphrase");
    let new = enrol(Opener::Passphrase(&new_words));
    let change = w.vault.rotate_wrap(&w.unlocked, old, &new, &w.rng, &w.clock).unwrap();
    assert_eq!((&change.removed[..], change.vault.wraps()), (&[old][..], &change.inserted[..]));

    // A crash after the insert and before the delete leaves both.
    let both = vec![w.vault.wraps()[0].clone(), change.inserted[0].clone()];
    let both = Vault::from_parts(w.vault.id(), 0, both).unwrap();
    for (vault, words, opens) in [
        (&w.vault, &w.words, true),
        (&w.vault, &new_words, false),
        (&both, &w.words, true),
        (&both, &new_words, true),
        (&change.vault, &w.words, false),
        (&change.vault, &new_words, true),
    ] {
        match vault.unlock(&Opener::Passphrase(words)) {
            Ok(u) => assert!(opens && same(&u, &w.unlocked)),
            Err(e) => assert!(!opens && matches!(e, UnlockError::WrongSecret { .. }), "{e}"),
        }
    }
}

#[test]
fn the_last_wrap_stays_and_a_lone_recovery_code_is_warned_of() {
    let w = world();
    let first = w.vault.wraps()[0].id();
    assert!(matches!(w.vault.remove_wrap(&w.unlocked, first), Err(WrapError::LastWrap)));

    let code = RecoveryCode::make(&w.rng);
    let add = enrol(Opener::Recovery(&code));
    let two = w.vault.add_wrap(&w.unlocked, &add, &w.rng, &w.clock).unwrap();
    assert_eq!(two.warnings, []);
    let one = two.vault.remove_wrap(&w.unlocked, first).unwrap();
    assert_eq!(one.warnings, [Warning::RecoveryAlone]);
    assert!(same(&one.vault.unlock(&Opener::Recovery(&code)).unwrap(), &w.unlocked));

    let tpm = FakeTpm(1);
    let (bound, _) = Vault::create(&enrol(Opener::Tpm(&tpm)), &w.rng, &w.clock).unwrap();
    assert_eq!(bound.warnings(), [Warning::MachineAlone]);
}

#[test]
fn changes_need_this_vaults_evidence_and_a_wrap_that_is_there() {
    let w = world();
    let code = RecoveryCode::make(&w.rng);
    let add = enrol(Opener::Recovery(&code));
    let (_, stranger) = Vault::create(&add, &w.rng, &w.clock).unwrap();
    let id = w.vault.wraps()[0].id();
    for refused in [
        w.vault.add_wrap(&stranger, &add, &w.rng, &w.clock),
        w.vault.remove_wrap(&stranger, id),
        w.vault.rotate_wrap(&stranger, id, &add, &w.rng, &w.clock),
    ] {
        assert!(matches!(refused, Err(WrapError::OtherVault { .. })));
    }
    let nobody = WrapId::from([0; 16]);
    for refused in [
        w.vault.remove_wrap(&w.unlocked, nobody),
        w.vault.rotate_wrap(&w.unlocked, nobody, &add, &w.rng, &w.clock),
    ] {
        assert!(matches!(refused, Err(WrapError::NoSuchWrap { .. })));
    }
}

#[test]
fn a_short_passphrase_makes_no_vault() {
    let w = world();
    for short in ["", "1234567"] {
        let words = passphrase(short);
        let made = Vault::create(&enrol(Opener::Passphrase(&words)), &w.rng, &w.clock);
        assert!(matches!(made, Err(EnrolError::ShortPassphrase { .. })));
    }
}

#[test]
fn a_damaged_wrap_does_not_hide_a_good_one() {
    let w = world();
    let words = passphrase("another long passphrase");
    let add = enrol(Opener::Passphrase(&words));
    let two = w.vault.add_wrap(&w.unlocked, &add, &w.rng, &w.clock).unwrap().vault;
    let text = serde_json::to_string(&two).unwrap();
    let other_name = text.replacen(&two.wraps()[0].id().to_string(), &"0".repeat(32), 1);
    let damaged: Vault = serde_json::from_str(&other_name).unwrap();
    assert!(same(&damaged.unlock(&Opener::Passphrase(&words)).unwrap(), &w.unlocked));
    // For the other passphrase the second wrap says "wrong", which it is for that one.
    let error = damaged.unlock(&Opener::Passphrase(&w.words)).err().unwrap();
    assert!(matches!(error, UnlockError::WrongSecret { .. }));
}

#[test]
fn stored_wraps_that_are_no_vault_are_refused() {
    let w = world();
    let wrap = w.vault.wraps()[0].clone();
    let parts = |wraps| Vault::from_parts(w.vault.id(), 0, wraps).err();
    assert_eq!(parts(vec![]), Some(VaultError::NoWrap));
    assert_eq!(parts(vec![wrap.clone(), wrap.clone()]), Some(VaultError::SameId));
    assert_eq!(parts(vec![wrap; 65]), Some(VaultError::TooMany { found: 65, max: 64 }));
    let back: Vault = serde_json::from_str(&serde_json::to_string(&w.vault).unwrap()).unwrap();
    assert_eq!(back, w.vault);
    assert!(
        serde_json::from_str::<Vault>(r#"{"id":"00","created_unix_ms":0,"wraps":[]}"#).is_err()
    );
}

#[test]
fn subkeys_differ_by_purpose_and_vault() {
    let w = world();
    let (_, other) = Vault::create(&enrol(Opener::Passphrase(&w.words)), &w.rng, &w.clock).unwrap();
    let keys = [
        w.unlocked.connections_key(),
        w.unlocked.operator_key(),
        w.unlocked.state_key(),
        w.unlocked.tls_key(),
        w.unlocked.request_state_key(),
        other.connections_key(),
    ];
    let commitments: HashSet<_> = keys.iter().map(|k| *k.commitment()).collect();
    assert_eq!(commitments.len(), keys.len());
}

#[test]
fn debug_shows_no_secret() {
    let w = world();
    let shown = format!("{:?} {:?}", w.unlocked, Opener::Passphrase(&w.words));
    assert_eq!(shown, format!("Unlocked {{ vault: {}, .. }} Opener::Passphrase", w.vault.id()));
}
