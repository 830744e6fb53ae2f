//! The replica at rest.

use super::*;

fn filled() -> (Device, Server, ItemId) {
    let (mut a, _, mut server, id) = two();
    let folder = a.folder("Plans", None);
    a.replica.move_item(id, Some(folder), &a.clock, &a.rng).expect("a folder");
    a.note("Linked", "to [[First]]");
    a.sync(&mut server);
    a.write(id, "written, not sent");
    let gone = a.note("Gone", "x");
    a.sync(&mut server);
    a.replica.trash(gone, &a.clock, &a.rng).expect("there");
    a.replica.erase(gone, &a.clock).expect("in the trash");
    (a, server, id)
}

#[test]
fn all_comes_back() {
    let (mut a, mut server, id) = filled();
    let bytes = a.replica.snapshot(&a.rng);
    let mut back = Device::another(5);
    back.replica = Replica::open_snapshot(keys(), &bytes).expect("ours");
    let shape = |d: &Device| {
        let listed = d.replica.list(&Filter::default());
        let listed: Vec<_> = listed.iter().map(|o| format!("{o:?} {}", d.body(o.id))).collect();
        let linked = d.replica.backlinks(id);
        (listed, d.replica.pending(), linked, d.replica.head().copied())
    };
    assert_eq!(shape(&back), shape(&a));
    assert_eq!(back.replica.search("writ", &Filter::default(), 9).len(), 1);
    back.sync(&mut server);
    assert_eq!(a.fetch(&server).map(|applied| applied.conflicts), Ok(vec![]), "one was the other");
}

#[test]
fn it_shows_nothing_and_opens_for_its_vault_alone() {
    let (mut a, ..) = filled();
    let bytes = a.replica.snapshot(&a.rng);
    for word in ["written", "First", "Plans", "first", "writt"] {
        assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word}");
    }
    let other = Replica::open_snapshot(Keys::new(&unlocked(2), 1), &bytes);
    assert_eq!(other.err(), Some(SnapshotError::OtherVault));
    // The same vault under another data key has another commitment.
    let mut rekeyed = bytes.clone();
    let at = rekeyed.windows(3).position(|w| w == b"SYE").expect("a field") + 12;
    rekeyed[at] ^= 1;
    assert_eq!(Replica::open_snapshot(keys(), &rekeyed).err(), Some(SnapshotError::NoKey));
    let later = String::from_utf8_lossy(&bytes).into_owned().replace("snapshot/v1", "snapshot/v2");
    let later = Replica::open_snapshot(keys(), later.as_bytes());
    assert_eq!(later.err(), Some(SnapshotError::Version));
}

#[test]
fn a_changed_byte_anywhere_is_noticed() {
    let (mut a, ..) = filled();
    let bytes = a.replica.snapshot(&a.rng);
    for at in (0..bytes.len()).step_by(61) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let Ok(back) = Replica::open_snapshot(keys(), &changed) else { continue };
        // In the revisions beside the state: the one that was changed does not open any more.
        let refused = back.entries.values().any(|entry| {
            [&entry.base, &entry.local].into_iter().flatten().any(|known| known.revision().is_err())
        });
        assert!(refused, "byte {at}");
    }
    for cut in (0..bytes.len()).step_by(97) {
        assert!(Replica::open_snapshot(keys(), &bytes[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn a_snapshot_of_before_a_rotation_opens_with_the_ring() {
    let (mut a, ..) = filled();
    let bytes = a.replica.snapshot(&a.rng);
    assert!(Replica::open_snapshot(rotated(), &bytes).is_ok());
}
