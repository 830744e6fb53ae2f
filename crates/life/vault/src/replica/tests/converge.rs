//! Whatever three devices do, in whatever order they meet the server: they come to the same, and
//! nothing that somebody wrote is gone.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::wire::State;

#[derive(Clone, Debug)]
enum Act {
    Note,
    Folder,
    Append(usize),
    Rename(usize),
    Tag(usize),
    Move(usize, usize),
    Trash(usize),
    Restore(usize),
    Erase(usize),
    Sync,
    SyncUnheard,
    Fetch,
    Reopen,
}

fn arb_act() -> impl Strategy<Value = Act> {
    let n = || 0usize..64;
    prop_oneof![
        3 => Just(Act::Note),
        1 => Just(Act::Folder),
        6 => n().prop_map(Act::Append),
        2 => n().prop_map(Act::Rename),
        1 => n().prop_map(Act::Tag),
        2 => (n(), n()).prop_map(|(a, b)| Act::Move(a, b)),
        2 => n().prop_map(Act::Trash),
        1 => n().prop_map(Act::Restore),
        1 => n().prop_map(Act::Erase),
        4 => Just(Act::Sync),
        2 => Just(Act::SyncUnheard),
        1 => Just(Act::Fetch),
        1 => Just(Act::Reopen),
    ]
}

/// Words that were written, and those that somebody erased who saw them.
#[derive(Default)]
struct Words {
    written: BTreeSet<String>,
    erased: BTreeSet<String>,
}

fn of(device: &Device, n: usize) -> Option<ItemId> {
    let ids: Vec<ItemId> = device
        .replica
        .entries
        .iter()
        .filter(|(_, e)| e.shown().is_some())
        .map(|(id, _)| *id)
        .collect();
    if ids.is_empty() { None } else { Some(ids[n % ids.len()]) }
}

fn words_of(device: &Device) -> BTreeSet<String> {
    let ids = device.replica.entries.iter().filter(|(_, e)| e.shown().is_some());
    ids.flat_map(|(id, _)| device.body(*id).split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn act(d: &mut Device, server: &mut Server, act: &Act, step: usize, words: &mut Words) {
    let word = format!("w{step}");
    match *act {
        Act::Note => {
            d.note(&format!("title {step}"), &word);
            words.written.insert(word);
        }
        Act::Folder => drop(d.folder(&format!("folder {step}"), None)),
        Act::Append(n) => {
            let Some(id) = of(d, n) else { return };
            let body = format!("{} {word}", d.body(id));
            d.write(id, &body);
            words.written.insert(word);
        }
        Act::Rename(n) => {
            let Some(id) = of(d, n) else { return };
            d.rename(id, &format!("renamed {step}"));
        }
        Act::Tag(n) => {
            let Some(id) = of(d, n) else { return };
            let tag = format!("t{step}").parse().expect("a tag");
            d.replica.mark(id, |m| m.tags.push(tag), &d.clock, &d.rng).expect("in bounds");
        }
        Act::Move(n, to) => {
            let (Some(id), Some(to)) = (of(d, n), of(d, to)) else { return };
            let moved = d.replica.move_item(id, Some(to), &d.clock, &d.rng);
            assert!(matches!(moved, Ok(()) | Err(EditError::NotFolder(_) | EditError::Cycle(_))));
        }
        Act::Trash(n) => {
            let Some(id) = of(d, n) else { return };
            d.replica.trash(id, &d.clock, &d.rng).expect("there");
        }
        Act::Restore(n) => {
            let Some(id) = of(d, n) else { return };
            d.replica.restore(id, &d.clock, &d.rng).expect("there");
        }
        Act::Erase(n) => {
            let Some(id) = of(d, n) else { return };
            if d.replica.overview(id).is_some_and(|o| o.state == State::Trashed) {
                words.erased.extend(d.body(id).split(' ').map(str::to_owned));
                d.replica.erase(id, &d.clock).expect("in the trash");
            }
        }
        Act::Sync => drop(d.sync(server)),
        Act::SyncUnheard => d.sync_unheard(server),
        Act::Fetch => drop(d.fetch(server).expect("an honest server")),
        Act::Reopen => {
            let bytes = d.replica.snapshot(&d.rng);
            d.replica = Replica::open_snapshot(keys(), &bytes).expect("just written");
        }
    }
}

/// What all devices must agree on.
fn shape(d: &Device) -> Vec<String> {
    let shown = d.replica.entries.iter().map(|(id, entry)| {
        let Some(o) = d.replica.overview(*id) else { return format!("{id} {:?}", entry.state()) };
        let tags: BTreeSet<_> = o.marks.tags.iter().map(ToString::to_string).collect();
        format!("{id} {} {:?} {tags:?} {:?} {}", o.title, o.folder, o.state, d.body(*id))
    });
    shown.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn devices_converge_and_lose_nothing(acts in prop::collection::vec((0usize..3, arb_act()), 1..40)) {
        let a = Device::first();
        let mut server = Server::new(&a.replica);
        let mut devices = [a, Device::another(1), Device::another(2)];
        let mut words = Words::default();
        for d in &mut devices {
            d.fetch(&server).expect("an honest server");
        }
        for (step, (who, next)) in acts.iter().enumerate() {
            act(&mut devices[*who], &mut server, next, step, &mut words);
        }
        for _ in 0..2 {
            for d in &mut devices {
                d.sync(&mut server);
            }
        }
        let expected = shape(&devices[0]);
        prop_assert_eq!(&shape(&devices[1]), &expected);
        prop_assert_eq!(&shape(&devices[2]), &expected);
        let left = words_of(&devices[0]);
        for word in words.written.difference(&words.erased) {
            prop_assert!(left.contains(word), "{} is gone", word);
            // And it is found: the index went along with every change.
            let trash = Filter { trashed: true, ..Filter::default() };
            let found = [&Filter::default(), &trash].map(|f| devices[1].replica.search(word, f, 9).len());
            prop_assert!(found[0] + found[1] > 0, "{} is not found", word);
        }
    }
}
