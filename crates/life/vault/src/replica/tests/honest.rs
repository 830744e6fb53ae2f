//! What a server that lies can and cannot do.

use super::*;
use crate::seal::Origin;
use crate::wire::{Header, State};

#[test]
fn an_older_head_is_a_rollback_and_another_one_a_fork() {
    let (mut a, mut b, mut server, id) = two();
    let old = server.head;
    a.write(id, "later");
    a.sync(&mut server);
    b.sync(&mut server);
    let rollback = SyncError::Rollback { known: 2, found: 1 };
    assert_eq!(b.replica.apply(&old, &[], &b.rng), Err(rollback));
    assert_eq!(b.body(id), "later");

    // Two devices of one vault make two heads of one counter; the server shows each its own.
    a.write(id, "of a");
    b.write(id, "of b");
    let (of_a, of_b) = (a.replica.commit(&a.clock), b.replica.commit(&b.clock));
    let (of_a, of_b) = (of_a.expect("made").expect("some"), of_b.expect("made").expect("some"));
    a.replica.accepted(&of_a, &a.rng).expect("taken");
    let forked = a.replica.apply(of_b.head(), of_b.revisions(), &a.rng);
    assert_eq!(forked, Err(SyncError::Fork { counter: 3 }));
    // One further on, the other branch does not follow.
    b.replica.accepted(&of_b, &b.rng).expect("taken");
    b.write(id, "of b again");
    let next = b.replica.commit(&b.clock).expect("made").expect("some");
    let forked = a.replica.apply(next.head(), next.revisions(), &a.rng);
    assert_eq!(forked, Err(SyncError::Fork { counter: 4 }));
    // Two further on, the item's revision is another one.
    b.replica.accepted(&next, &b.rng).expect("taken");
    b.write(id, "and again");
    let last = b.replica.commit(&b.clock).expect("made").expect("some");
    let all = [of_b.revisions(), next.revisions(), last.revisions()].concat();
    let other = a.replica.apply(last.head(), &all, &a.rng);
    assert_eq!(other, Err(SyncError::OtherRevision { item: id, number: 3 }));
    // Left out, it is missed in the root.
    let hidden = a.replica.apply(last.head(), &all[1..2], &a.rng);
    assert_eq!(hidden, Err(SyncError::Root));
}

#[test]
fn what_is_withheld_is_missed() {
    let (mut a, mut b, mut server, _) = two();
    a.note("Second", "x");
    a.note("Third", "y");
    a.sync(&mut server);
    let all = server.changes(Some(1));
    assert_eq!(all.len(), 2);
    assert_eq!(b.replica.apply(&server.head, &all[1..], &b.rng), Err(SyncError::Root));
    assert_eq!(b.replica.apply(&server.head, &[], &b.rng), Err(SyncError::Root));
    assert_eq!(b.replica.head().map(|h| h.head().counter), Some(1), "nothing was taken");
    assert!(b.replica.apply(&server.head, &all, &b.rng).is_ok());
}

#[test]
fn a_head_of_another_key_vault_or_epoch_is_refused() {
    let (_, mut b, server, _) = two();
    let head = *server.head.head();
    let stranger = Keys::new(&unlocked(2), 1);
    let forged = SignedHead::sign(head, &stranger.current().head);
    assert_eq!(b.replica.apply(&forged, &[], &b.rng), Err(SyncError::Signature));
    let other = Head { vault: stranger.vault(), ..head };
    let other = SignedHead::sign(other, &stranger.current().head);
    assert_eq!(b.replica.apply(&other, &[], &b.rng), Err(SyncError::OtherVault));
    let later = SignedHead::sign(Head { epoch: 2, ..head }, &rotated().current().head);
    assert_eq!(b.replica.apply(&later, &[], &b.rng), Err(SyncError::NoKey(2)));
}

/// A server that puts one thing for another is told from a bad disk, by each item's own error.
#[test]
fn swapped_contents_are_named() {
    let (mut a, mut b, mut server, id) = two();
    let other = a.note("Second", "x");
    a.sync(&mut server);
    b.sync(&mut server);
    a.write(id, "now");
    a.sync(&mut server);
    let honest = server.changes(Some(2)).remove(0);
    let fields = |of: &SealedRevision| -> Vec<(u8, Vec<u8>)> {
        (1..=4).map(|n| (n, of.field(n).expect("there").to_vec())).collect()
    };
    let forge = |header: &Header, fields: &[(u8, Vec<u8>)]| {
        SealedRevision::new(header, fields).expect("well formed")
    };
    let with = |n: usize, field: &[u8]| {
        let mut all = fields(&honest);
        all[n].1 = field.to_vec();
        forge(honest.header(), &all)
    };
    let mut refused =
        |forged: SealedRevision| match b.replica.apply(&server.head, &[forged], &b.rng) {
            Err(SyncError::Item { item, cause, .. }) => {
                assert_eq!(item, id);
                cause
            }
            other => panic!("{other:?}"),
        };
    let moved = |field, origin| OpenError::Moved { field, origin };
    let of_other = fields(&server.revisions(other)[0]);
    assert_eq!(refused(with(2, &of_other[2].1)), moved(3, Origin::Item));
    let of_before = fields(&server.revisions(id)[0]);
    assert_eq!(refused(with(2, &of_before[2].1)), moved(3, Origin::Revision(1)));
    assert_eq!(refused(with(1, &fields(&honest)[3].1)), moved(2, Origin::Field(4)));
    // The older revision as a whole, under the new number.
    let dressed = forge(honest.header(), &of_before);
    assert!(matches!(refused(dressed), OpenError::Moved { origin: Origin::Revision(1), .. }));
    let mut damaged = fields(&honest)[2].1.clone();
    *damaged.last_mut().expect("bytes") ^= 1;
    assert_eq!(refused(with(2, &damaged)), OpenError::Damaged { field: 3 });
    let mut stranger = Replica::create(Keys::new(&unlocked(2), 1), &a.clock);
    let note = Item::note("x".parse().expect("a title"), "y".parse().expect("a body"));
    let theirs = stranger.create_item(&note, None, &a.clock, &a.rng).expect("in bounds");
    let theirs = fields(&stranger.current(theirs).expect("there"));
    assert_eq!(refused(with(2, &theirs[2].1)), OpenError::OtherKey { field: 3 });
    // The clear part alone: nothing in it opens otherwise, and the root tells.
    let trashed = Header { state: State::Trashed, ..*honest.header() };
    let trashed = forge(&trashed, &fields(&honest));
    assert_eq!(b.replica.apply(&server.head, &[trashed], &b.rng), Err(SyncError::Root));
    assert_eq!(b.body(id), "base");
    assert!(b.replica.apply(&server.head, &[honest], &b.rng).is_ok());
    assert_eq!(b.body(id), "now");
}

#[test]
fn a_history_holds_together() {
    let (mut a, _, mut server, id) = two();
    for body in ["two", "three", "four"] {
        a.write(id, body);
        a.sync(&mut server);
    }
    let all = server.revisions(id);
    let bodies = |revisions: &[SealedRevision]| {
        let past = a.replica.history(id, revisions.to_vec());
        past.map(|past| past.iter().map(|p| p.item.body.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(bodies(&all), Ok(vec!["three".into(), "two".into(), "base".into()]));
    assert_eq!(bodies(&all[1..]), Ok(vec!["three".into(), "two".into()]), "the oldest may be gone");
    let gap = [all[0].clone(), all[2].clone()];
    assert_eq!(bodies(&gap), Err(HistoryError::Missing(2)));
    // Another revision of the same number, made with the right key: of a fork.
    let mut fork = Device::first();
    let mut other = Server::new(&fork.replica);
    fork.replica.apply(&server.head, &server.changes(None), &fork.rng).expect("the same");
    fork.write(id, "of a fork");
    fork.sync_unheard(&mut Server { head: server.head, key: other.key, log: server.log.clone() });
    let forged = fork.replica.current(id).expect("there");
    other.head = server.head;
    let renumbered = Header { number: 3, ..*forged.header() };
    let fields: Vec<_> = (1..=4).map(|n| (n, forged.field(n).expect("there").to_vec())).collect();
    let renumbered = SealedRevision::new(&renumbered, &fields).expect("well formed");
    let exchanged = [all[0].clone(), all[1].clone(), renumbered];
    assert_eq!(bodies(&exchanged), Err(HistoryError::Other(3)));
}
