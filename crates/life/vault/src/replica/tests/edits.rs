//! What a holder does, and what two do at once.

use super::*;
use crate::item::Kind;
use crate::item::tests::{of_each_kind, shown};
use crate::wire::State;

#[test]
fn every_kind_goes_to_the_other_device() {
    let (mut a, mut b, mut server, _) = two();
    let ids: Vec<ItemId> = of_each_kind().into_iter().map(|item| a.put(item, None)).collect();
    a.sync(&mut server);
    b.sync(&mut server);
    for (id, item) in ids.iter().zip(of_each_kind()) {
        let there = b.replica.open(*id).expect("it came");
        assert_eq!(shown(&there), shown(&item));
    }
    let filter = Filter { kind: Some(Kind::Login), ..Filter::default() };
    assert_eq!(b.titles(&filter), ["Login"]);
}

#[test]
fn the_trash_hides_restores_and_erases() {
    let (mut a, mut b, mut server, id) = two();
    let folder = a.folder("Plans", None);
    a.replica.move_item(id, Some(folder), &a.clock, &a.rng).expect("a folder");
    let not_yet = a.replica.erase(id, &a.clock);
    assert_eq!(not_yet, Err(EditError::NotTrashed(id)));
    a.replica.trash(folder, &a.clock, &a.rng).expect("there");
    let trash = Filter { trashed: true, ..Filter::default() };
    assert!(a.titles(&Filter::default()).is_empty(), "what is in it goes with the folder");
    assert_eq!(a.titles(&trash).len(), 2);
    assert!(a.replica.search("base", &Filter::default(), 9).is_empty());
    assert_eq!(a.replica.search("base", &trash, 9).len(), 1);
    a.replica.restore(folder, &a.clock, &a.rng).expect("there");
    assert_eq!(a.titles(&Filter::default()).len(), 2);
    a.replica.trash(folder, &a.clock, &a.rng).expect("there");
    a.sync(&mut server);
    a.replica.erase(folder, &a.clock).expect("in the trash");
    a.sync(&mut server);
    b.sync(&mut server);
    assert_eq!(b.titles(&Filter::default()), ["First"], "what was in it stands at the root");
    assert_eq!(b.replica.open(folder).err(), Some(EditError::Erased(folder)));
    assert_eq!(b.replica.erase(folder, &b.clock), Err(EditError::Erased(folder)));
    let last = server.revisions(folder).pop().expect("a revision");
    assert_eq!((last.header().state, last.field(1)), (State::Erased, None));
    // What no server has heard of goes without a trace.
    let draft = a.note("Draft", "");
    a.replica.trash(draft, &a.clock, &a.rng).expect("there");
    a.replica.erase(draft, &a.clock).expect("in the trash");
    assert_eq!(
        (a.replica.pending(), a.replica.open(draft).err()),
        (0, Some(EditError::NoItem(draft)))
    );
}

#[test]
fn folders_have_no_cycles() {
    let (mut a, mut b, mut server, id) = two();
    let outer = a.folder("Outer", None);
    let inner = a.folder("Inner", Some(outer));
    let cycle = a.replica.move_item(outer, Some(inner), &a.clock, &a.rng);
    assert_eq!(cycle, Err(EditError::Cycle(outer)));
    let own = a.replica.move_item(outer, Some(outer), &a.clock, &a.rng);
    assert_eq!(own, Err(EditError::Cycle(outer)));
    let note = a.replica.move_item(outer, Some(id), &a.clock, &a.rng);
    assert_eq!(note, Err(EditError::NotFolder(id)));
    a.replica.move_item(id, Some(inner), &a.clock, &a.rng).expect("a folder");
    assert_eq!(a.replica.path(id), [outer, inner]);
    // Two devices put two folders into one another: each alone is no cycle.
    let (x, y) = (a.folder("X", None), a.folder("Y", None));
    a.sync(&mut server);
    b.sync(&mut server);
    a.replica.move_item(x, Some(y), &a.clock, &a.rng).expect("no cycle here");
    b.replica.move_item(y, Some(x), &b.clock, &b.rng).expect("no cycle there");
    a.sync(&mut server);
    b.sync(&mut server);
    a.sync(&mut server);
    let paths = |d: &Device| (d.replica.path(x), d.replica.path(y));
    let (first, second) = (x.min(y), x.max(y));
    assert_eq!(paths(&a), paths(&b));
    assert!(a.replica.path(first).is_empty() && a.replica.path(second) == [first]);
}

#[test]
fn pins_stand_first_then_what_was_changed_last() {
    let mut a = Device::first();
    let (one, _, three) = (a.note("One", ""), a.note("Two", ""), a.note("Three", ""));
    a.write(one, "now");
    a.replica.mark(three, |m| m.pinned = true, &a.clock, &a.rng).expect("there");
    let tag: crate::item::TagName = "Home".parse().expect("a tag");
    a.replica.mark(one, |m| m.tags.push(tag.clone()), &a.clock, &a.rng).expect("there");
    assert_eq!(a.titles(&Filter::default()), ["Three", "One", "Two"]);
    let tagged = Filter { tag: Some(tag.clone()), ..Filter::default() };
    assert_eq!(a.titles(&tagged), ["One"]);
    assert_eq!(a.replica.tags(), std::collections::BTreeMap::from([(tag, 1)]));
    let as_folder = a.replica.update_item(
        one,
        &Item::folder("One".parse().expect("a title")),
        &a.clock,
        &a.rng,
    );
    assert_eq!(as_folder, Err(EditError::Kind(one)));
}

#[test]
fn links_follow_a_title() {
    let mut a = Device::first();
    let target = a.note("Old Plan", "itself: [[old plan]]");
    let one = a.note("One", "see [[Old Plan|this]] and [[OLD PLAN#now]], `[[Old Plan]]`");
    let two = a.note("Two", "see [[Other]]");
    assert_eq!(a.replica.resolve("öld plan"), Some(target));
    assert_eq!(a.replica.backlinks(target).len(), 2);
    assert_eq!(a.rename(target, "New Plan").len(), 2);
    assert_eq!(a.body(one), "see [[New Plan|this]] and [[New Plan#now]], `[[Old Plan]]`");
    assert_eq!(a.body(target), "itself: [[New Plan]]");
    assert_eq!(a.body(two), "see [[Other]]");
    let mut linking = a.replica.backlinks(target);
    linking.sort_unstable();
    let mut expected = vec![target, one];
    expected.sort_unstable();
    assert_eq!(linking, expected);
    // A title that no link spells, and one that another item has, leave links as they are.
    assert!(a.rename(target, "a [b]").is_empty());
    a.rename(target, "New Plan");
    let three = a.note("Three", "see [[Two]]");
    assert!(a.rename(two, "New Plan").is_empty(), "links would lead to the older item");
    assert_eq!(a.body(three), "see [[Two]]");
}

#[test]
fn templates_and_days() {
    let mut a = Device::first();
    let template = a.note("Day", "# {{date}} at {{time}}");
    let now = LocalTime::new(2026, 11, 22, 9, 5).expect("a moment");
    let day = |a: &mut Device, template| a.replica.daily(&now, None, template, &a.clock, &a.rng);
    assert_eq!(day(&mut a, Some(template)), Err(EditError::NotTemplate(template)));
    a.replica.mark(template, |m| m.template = true, &a.clock, &a.rng).expect("there");
    let today = day(&mut a, Some(template)).expect("made");
    assert_eq!(a.body(today), "# 2026-11-22 at 09:05");
    assert_eq!(day(&mut a, None), Ok(today), "one a day");
    let templates = Filter { templates: true, ..Filter::default() };
    assert_eq!(a.titles(&templates), ["Day"]);
    let tomorrow = LocalTime::new(2026, 11, 23, 0, 0).expect("a moment");
    let next = a.replica.daily(&tomorrow, None, None, &a.clock, &a.rng).expect("made");
    assert_ne!(next, today);
}

#[test]
fn different_parts_are_merged_and_one_part_is_kept_twice() {
    let (mut a, mut b, mut server, id) = two();
    let tag = |t: &str| t.parse::<crate::item::TagName>().expect("a tag");
    a.rename(id, "Renamed");
    a.replica.mark(id, |m| m.tags.push(tag("a")), &a.clock, &a.rng).expect("there");
    b.write(id, "rewritten");
    b.replica.mark(id, |m| m.tags.push(tag("b")), &b.clock, &b.rng).expect("there");
    a.sync(&mut server);
    assert!(b.sync(&mut server).is_empty());
    assert!(a.sync(&mut server).is_empty());
    for d in [&a, &b] {
        let item = d.replica.open(id).expect("there");
        assert_eq!((item.title.as_str(), item.body.as_str()), ("Renamed", "rewritten"));
        assert_eq!(item.marks.tags, [tag("a"), tag("b")]);
    }
    // The same part on both sides.
    a.write(id, "of a");
    b.write(id, "of b");
    a.sync(&mut server);
    let conflicts = b.sync(&mut server);
    a.sync(&mut server);
    let [Conflict { item, copy }] = conflicts[..] else { panic!("{conflicts:?}") };
    assert_eq!(item, id);
    for d in [&a, &b] {
        assert_eq!((d.body(id), d.body(copy)), ("of a".into(), "of b".into()));
        let overview = d.replica.overview(copy).expect("there");
        assert_eq!(overview.conflict_of, Some(id), "it names the other");
        assert_eq!(overview.title.as_str(), "Renamed (other version)");
    }
    // The same change on both sides is one.
    a.write(id, "agreed");
    b.write(id, "agreed");
    a.sync(&mut server);
    assert!(b.sync(&mut server).is_empty());
    assert_eq!(b.replica.list(&Filter::default()).len(), 2);
}

#[test]
fn an_edit_outlives_an_erasing_elsewhere() {
    let (mut a, mut b, mut server, id) = two();
    let erase = |d: &mut Device| {
        d.replica.trash(id, &d.clock, &d.rng).expect("there");
        d.replica.erase(id, &d.clock).expect("in the trash");
    };
    b.write(id, "written meanwhile");
    erase(&mut a);
    a.sync(&mut server);
    let conflicts = b.sync(&mut server);
    let [Conflict { copy, .. }] = conflicts[..] else { panic!("{conflicts:?}") };
    a.sync(&mut server);
    assert_eq!(
        (a.body(copy), b.body(copy)),
        ("written meanwhile".into(), "written meanwhile".into())
    );
    assert_eq!(a.replica.open(id).err(), Some(EditError::Erased(id)));
    // The other way round: what was written first stands, and the erasing is dropped.
    let other = a.note("Second", "one");
    a.sync(&mut server);
    b.sync(&mut server);
    a.write(other, "two");
    a.sync(&mut server);
    b.replica.trash(other, &b.clock, &b.rng).expect("there");
    b.replica.erase(other, &b.clock).expect("in the trash");
    b.sync(&mut server);
    assert_eq!(b.body(other), "two");
    // Where only the marks changed meanwhile, it stays erased.
    a.replica.mark(other, |m| m.pinned = true, &a.clock, &a.rng).expect("there");
    a.sync(&mut server);
    b.replica.trash(other, &b.clock, &b.rng).expect("there");
    b.replica.erase(other, &b.clock).expect("in the trash");
    b.sync(&mut server);
    a.sync(&mut server);
    assert_eq!(a.replica.open(other).err(), Some(EditError::Erased(other)));
}

#[test]
fn a_commit_whose_answer_was_lost_is_no_conflict() {
    let (mut a, _, mut server, id) = two();
    a.write(id, "sent");
    a.sync_unheard(&mut server);
    assert!(a.sync(&mut server).is_empty());
    assert_eq!((a.body(id), a.replica.pending()), ("sent".into(), 0));
    // Written on before the answer was missed.
    a.write(id, "sent again");
    a.sync_unheard(&mut server);
    a.write(id, "and on");
    assert!(a.sync(&mut server).is_empty(), "the base is what was sent");
    assert_eq!(a.body(id), "and on");
    // A new item, whose first revision came through unseen.
    let new = a.note("New", "one");
    a.sync_unheard(&mut server);
    a.write(new, "two");
    assert!(a.sync(&mut server).is_empty());
    assert_eq!((a.body(new), server.revisions(new).len()), ("two".into(), 2));
    // Written while the answer was on its way.
    a.write(id, "three");
    let commit = a.replica.commit(&a.clock).expect("made").expect("some");
    a.write(id, "four");
    server.commit(&commit).expect("current");
    a.replica.accepted(&commit, &a.rng).expect("just sent");
    assert_eq!(a.replica.pending(), 1);
    assert!(a.sync(&mut server).is_empty());
    assert_eq!(a.body(id), "four");
    let again = a.replica.accepted(&commit, &a.rng);
    assert_eq!(again, Err(CommitMakeError::Other));
}

#[test]
fn a_rotation_is_handed_over_and_items_follow() {
    let (mut a, mut b, mut server, id) = two();
    let second = a.note("Second", "x");
    a.sync(&mut server);
    b.sync(&mut server);
    a.replica.set_keys(rotated());
    a.write(id, "under the new key");
    a.sync(&mut server);
    assert_eq!(server.head.head().epoch, 2);
    assert_eq!(b.fetch(&server), Err(SyncError::NoKey(2)), "unlock again");
    b.replica.set_keys(rotated());
    b.sync(&mut server);
    assert_eq!((b.body(id), b.body(second)), ("under the new key".into(), "x".into()));
    assert!(b.replica.needs_epoch(1), "the second is under the old one");
    assert_eq!(b.replica.reseal(1, &b.clock, &b.rng), Ok(0));
    b.sync(&mut server);
    assert!(!b.replica.needs_epoch(1));
    a.sync(&mut server);
    assert_eq!(a.body(second), "x");
    // Without the old key all that is current opens; what was before does not.
    let mut c = Device::another(3);
    c.replica.set_keys(Keys::new(&unlocked(1), 2));
    c.sync(&mut server);
    assert_eq!((c.body(second), c.replica.unreadable().count()), ("x".into(), 0));
    let past = c.replica.history(second, server.revisions(second));
    assert!(matches!(past, Err(HistoryError::Open { number: 1, cause: OpenError::NoKey { .. } })));
    // With the old keys alone no commit is made that only the server would refuse.
    c.replica.set_keys(keys());
    assert_eq!(c.replica.commit(&c.clock), Err(CommitMakeError::NoKey(2)));
}
