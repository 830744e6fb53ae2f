use symbolon_ambient::{ManualClock, SeededRng};

use super::*;
use crate::item::tests::{of_each_kind, shown};
use crate::keys::{Keys, fingerprint};
use crate::seal::tests::unlocked;
use crate::wire::ShareId;

fn keys(seed: u64) -> Keys {
    Keys::new(&unlocked(seed), 1)
}

/// What an item says, without its marks.
fn plain(mut item: Item) -> Vec<u8> {
    item.marks = crate::item::Marks::default();
    shown(&item)
}

fn can_be_shared(item: &Item) -> bool {
    !matches!(item.kind(), Kind::Folder | Kind::Attachment | Kind::Claims)
}

#[test]
fn an_item_goes_to_another_vault_with_its_sender() {
    let (own, other, rng) = (keys(1), keys(2), SeededRng::new(3));
    let clock = ManualClock::at(7);
    for item in of_each_kind() {
        let sealed = seal_share(&own, &item, &other.share_key(), &clock, &rng);
        if !can_be_shared(&item) {
            assert_eq!(sealed.err(), Some(ShareError::Kind));
            continue;
        }
        let (id, bytes) = sealed.expect("in bounds");
        let got = other.open_share(&bytes).expect("sealed to it");
        assert_eq!((got.id, got.sender, got.created_unix_ms), (id, own.head_key(), 7));
        assert!(!got.item.marks.pinned, "pins are the receiver's own");
        assert_eq!(plain(got.item), plain(item));
    }
}

#[test]
fn each_wrong_share_is_refused_with_its_error() {
    let (own, other, rng) = (keys(1), keys(2), SeededRng::new(3));
    let clock = ManualClock::at(7);
    let item = of_each_kind().remove(3);
    let share = || seal_share(&own, &item, &other.share_key(), &clock, &rng).expect("in bounds").1;
    let bytes = share();
    assert_eq!(keys(4).open_share(&bytes).err(), Some(ShareError::Recipient));
    assert_eq!(own.open_share(&bytes).err(), Some(ShareError::Recipient));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(other.open_share(&changed).is_err(), "byte {at}");
        assert!(other.open_share(&bytes[..at]).is_err(), "cut at {at}");
    }
    // Signed by somebody else in the sender's name, it is nobody's; in their own name it does not open,
    // for the key was sealed for the first sender's.
    let at = bytes.windows(32).position(|w| w == own.head_key().as_bytes()).expect("there");
    let mut renamed = bytes.clone();
    renamed[at..at + 32].copy_from_slice(keys(4).head_key().as_bytes());
    assert_eq!(other.open_share(&renamed).err(), Some(ShareError::Signature));
}

#[test]
fn a_link_opens_with_its_fragment_alone() {
    let rng = SeededRng::new(5);
    let (id, secret) = (ShareId::make(&rng), LinkSecret::make(&rng));
    for item in of_each_kind().into_iter().filter(can_be_shared) {
        let bytes = seal_link(id, &secret, &item, &rng).expect("in bounds");
        let again = LinkSecret::parse(&secret.fragment()).expect("43 characters");
        let got = open_link(id, &again, &bytes).expect("ours");
        assert_eq!(plain(got), plain(item));
        let other = LinkSecret::make(&rng);
        assert_eq!(open_link(id, &other, &bytes).err(), Some(ShareError::OtherKey));
        let elsewhere = open_link(ShareId::make(&rng), &secret, &bytes);
        assert_eq!(elsewhere.err(), Some(ShareError::Moved));
        let mut damaged = bytes.clone();
        *damaged.last_mut().expect("bytes") ^= 1;
        assert_eq!(open_link(id, &secret, &damaged).err(), Some(ShareError::Damaged));
    }
    assert_eq!(secret.fragment().len(), 43);
    for bad in ["", "short", &"A".repeat(42), &"A".repeat(44), &"=".repeat(43)] {
        let text = Secret::<[u8]>::make_slice(bad.len(), |b| b.copy_from_slice(bad.as_bytes()));
        assert_eq!(LinkSecret::parse(&text).err(), Some(ShareError::Link), "{bad}");
    }
}

#[test]
fn a_fingerprint_is_of_one_key() {
    let (a, b) = (fingerprint(&keys(1).share_key()), fingerprint(&keys(2).share_key()));
    assert_ne!(a, b);
    assert_eq!((a.len(), a.split(' ').count()), (39, 8));
}
