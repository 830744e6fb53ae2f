use symbolon_ambient::SeededRng;
use symbolon_custody::{Enrol, Opener, Vault};

use super::*;
use crate::item::tests::{of_each_kind, shown};
use crate::keys::EpochKeys;

/// Keys of a vault of its own for each seed.
pub(crate) fn keys(seed: u64) -> Keys {
    Keys::new(&unlocked(seed), 1)
}

pub(crate) fn unlocked(seed: u64) -> symbolon_custody::Unlocked {
    let (clock, rng) = (symbolon_ambient::ManualClock::at(1), SeededRng::new(seed));
    let code = symbolon_crypto::RecoveryCode::make(&rng);
    Vault::create(&Enrol::new(Opener::Recovery(&code)), &rng, &clock).expect("a vault").1
}

fn at(item: u8, number: u64) -> Revise {
    Revise {
        item: [item; 16].into(),
        number,
        parent: Some([8; 16].into()),
        created_unix_ms: 1,
        updated_unix_ms: 2,
        state: State::Live,
    }
}

fn sealed(keys: &Keys, item: u8, number: u64) -> SealedRevision {
    let note = of_each_kind().remove(3);
    seal(keys, &at(item, number), &note, Lineage::default(), &SeededRng::new(4)).expect("in bounds")
}

/// The revision with one field of another in place of its own.
fn with_field(of: &SealedRevision, number: u8, field: &[u8]) -> SealedRevision {
    let fields: Vec<_> = (ABOUT..=SECRETS)
        .map(|n| (n, if n == number { field } else { of.field(n).expect("there") }.to_vec()))
        .collect();
    SealedRevision::new(of.header(), &fields).expect("well formed")
}

#[test]
fn every_kind_opens_as_it_was_sealed() {
    let keys = keys(1);
    for item in of_each_kind() {
        let lineage = Lineage { previous: Some(Digest32([1; 32])), conflict_of: None };
        let rng = SeededRng::new(5);
        let revision = seal(&keys, &at(1, 2), &item, lineage, &rng).expect("in bounds");
        let (back, about) = open(&keys, &revision).expect("ours");
        assert_eq!((shown(&back), about.lineage), (shown(&item), lineage));
        let (about, title) = open_about(&keys, &revision).expect("ours");
        assert_eq!((about.details, title), (item.contents.details(), item.title.clone()));
        assert_eq!(open_body(&keys, &revision), Ok(item.body.clone()));
        assert_eq!(revision.header().parent, Some([8; 16].into()));
        // Kinds are not told apart by what is in the clear.
        let shape: Vec<u8> = (1..=15).filter(|n| revision.field(*n).is_some()).collect();
        assert_eq!(shape, [1, 2, 3, 4]);
    }
}

#[test]
fn each_swap_is_told_apart_from_damage_and_from_the_others() {
    let (own, other) = (keys(1), keys(2));
    let target = sealed(&own, 1, 5);
    for field in ABOUT..=SECRETS {
        let refused = |put: &[u8]| {
            let forged = with_field(&target, field, put);
            open(&own, &forged).expect_err("refused")
        };
        let of = |revision: &SealedRevision| revision.field(field).expect("there").to_vec();
        let moved = |origin| OpenError::Moved { field, origin };
        assert_eq!(refused(&of(&sealed(&own, 2, 5))), moved(Origin::Item), "item for item");
        assert_eq!(refused(&of(&sealed(&own, 1, 4))), moved(Origin::Revision(4)), "an older one");
        assert_eq!(refused(&of(&sealed(&own, 1, 6))), moved(Origin::Revision(6)), "a later one");
        let next = field % 4 + 1;
        let put = target.field(next).expect("there").to_vec();
        assert_eq!(refused(&put), moved(Origin::Field(next)), "field for field");
        assert_eq!(refused(&of(&sealed(&other, 1, 5))), OpenError::OtherKey { field });
        let mut damaged = of(&target);
        *damaged.last_mut().expect("bytes") ^= 1;
        assert_eq!(refused(&damaged), OpenError::Damaged { field });
    }
    // Whole revisions: of another vault, and of an epoch whose key is not here.
    assert_eq!(open(&own, &sealed(&other, 1, 5)).err(), Some(OpenError::OtherVault));
    let header = Header { epoch: 7, ..*target.header() };
    let fields: Vec<_> = (1..=4).map(|n| (n, target.field(n).expect("there").to_vec())).collect();
    let later = SealedRevision::new(&header, &fields).expect("well formed");
    assert_eq!(open(&own, &later).err(), Some(OpenError::NoKey { epoch: 7 }));
    // A header that was rewritten for other contents does not make them its own.
    let header = Header { item: [2; 16].into(), ..*target.header() };
    let renamed = SealedRevision::new(&header, &fields).expect("well formed");
    let expected = OpenError::Moved { field: SECRETS, origin: Origin::Item };
    assert_eq!(open(&own, &renamed).err(), Some(expected));
    let header = Header { commitment: Digest32([9; 32]), ..*target.header() };
    let recommitted = SealedRevision::new(&header, &fields).expect("well formed");
    assert_eq!(open(&own, &recommitted).err(), Some(OpenError::Commitment));
    let missing = SealedRevision::new(target.header(), &fields[..3]).expect("well formed");
    assert_eq!(open(&own, &missing).err(), Some(OpenError::Missing(SECRETS)));
}

#[test]
fn an_erased_item_has_nothing() {
    let own = keys(1);
    let gone = erase(&own, &at(1, 3)).expect("in bounds");
    assert_eq!((gone.header().state, gone.header().parent), (State::Erased, None));
    assert_eq!(open(&own, &gone).err(), Some(OpenError::Erased));
    assert_eq!(open_about(&own, &gone).err(), Some(OpenError::Erased));
}

#[test]
fn an_older_epoch_opens_while_its_key_is_in_the_ring() {
    let first = unlocked(1);
    let old = Keys::new(&first, 1);
    let revision = sealed(&old, 1, 1);
    // The next data key is another one of the same vault; here the same bytes do, as epoch 2.
    let mut next = Keys::new(&first, 2);
    assert_eq!(open(&next, &revision).err(), Some(OpenError::NoKey { epoch: 1 }));
    next.add_older(1, EpochKeys::derive(&first));
    assert!(open(&next, &revision).is_ok());
    assert_eq!(sealed(&next, 1, 2).header().epoch, 2);
}

/// Two sealings of one item share no byte string that a server could recognise it by.
#[test]
fn sealing_twice_shows_nothing_in_common() {
    let (own, rng) = (keys(1), SeededRng::new(6));
    let item = of_each_kind().remove(0);
    let seal = || seal(&own, &at(1, 1), &item, Lineage::default(), &rng).expect("in bounds");
    let (a, b) = (seal(), seal());
    assert_ne!(a.header().commitment, b.header().commitment);
    for field in ABOUT..=SECRETS {
        let (a, b) = (a.field(field).expect("there"), b.field(field).expect("there"));
        // Behind kind, length, commitment and place, which are the same for the same place.
        assert!(a[76..].windows(8).all(|w| !b[76..].windows(8).any(|v| v == w)));
    }
}
