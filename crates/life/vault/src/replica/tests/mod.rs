//! A server that does what the spec says and no more, and devices that speak with it.

mod converge;
mod edits;
mod honest;
mod snapshots;

use std::collections::BTreeMap;

use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_crypto::VerifyingKey;

use super::*;
use crate::keys::{EpochKeys, Keys};
use crate::seal::tests::unlocked;
use crate::wire::{Commit, CommitError, Current, SealedRevision};

/// Keeps what it is sent: every revision with the counter of its commit.
struct Server {
    head: SignedHead,
    key: VerifyingKey,
    log: Vec<(u64, SealedRevision)>,
}

impl Server {
    fn new(first: &Replica) -> Self {
        let head = *first.head().expect("made here");
        Self { head, key: first.keys().head_key(), log: Vec::new() }
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), CommitError> {
        // As it comes over the wire.
        let commit = Commit::decode(&commit.encode()).expect("in its form");
        let mut current: BTreeMap<ItemId, Current> = BTreeMap::new();
        for (_, revision) in &self.log {
            let (number, state) = (revision.number(), revision.header().state);
            current.insert(revision.item(), Current { number, state });
        }
        commit.check(self.head.head(), &self.key, |item| current.get(item).copied())?;
        self.head = *commit.head();
        if let Some(next) = commit.succession() {
            self.key = *next.head_key();
        }
        let counter = self.head.head().counter;
        self.log.extend(commit.revisions().iter().map(|r| (counter, r.clone())));
        Ok(())
    }

    fn changes(&self, after: Option<u64>) -> Vec<SealedRevision> {
        let new = self.log.iter().filter(|(counter, _)| after.is_none_or(|a| *counter > a));
        new.map(|(_, revision)| revision.clone()).collect()
    }

    fn revisions(&self, item: ItemId) -> Vec<SealedRevision> {
        let of = self.log.iter().filter(|(_, r)| r.item() == item);
        of.map(|(_, revision)| revision.clone()).collect()
    }
}

struct Device {
    replica: Replica,
    clock: ManualClock,
    rng: SeededRng,
}

impl Device {
    fn first() -> Self {
        let clock = ManualClock::at(1_000);
        let replica = Replica::create(keys(), &clock);
        Self { replica, clock, rng: SeededRng::new(100) }
    }

    fn another(seed: u64) -> Self {
        let (replica, clock) = (Replica::join(keys()), ManualClock::at(1_000 + seed));
        Self { replica, clock, rng: SeededRng::new(200 + seed) }
    }

    fn fetch(&mut self, server: &Server) -> Result<Applied, SyncError> {
        let known = self.replica.head().map(|head| head.head().counter);
        self.replica.apply(&server.head, &server.changes(known), &self.rng)
    }

    /// Fetches and commits until nothing waits.
    fn sync(&mut self, server: &mut Server) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        loop {
            conflicts.extend(self.fetch(server).expect("an honest server").conflicts);
            let Some(commit) = self.replica.commit(&self.clock).expect("a commit") else {
                return conflicts;
            };
            server.commit(&commit).expect("it was just fetched");
            self.replica.accepted(&commit, &self.rng).expect("it was just sent");
        }
    }

    /// Commits, and does not hear the answer.
    fn sync_unheard(&mut self, server: &mut Server) {
        self.fetch(server).expect("an honest server");
        if let Some(commit) = self.replica.commit(&self.clock).expect("a commit") {
            server.commit(&commit).expect("it was just fetched");
        }
    }

    fn note(&mut self, title: &str, body: &str) -> ItemId {
        self.put(Item::note(title.parse().expect("a title"), body.parse().expect("a body")), None)
    }

    fn folder(&mut self, name: &str, within: Option<ItemId>) -> ItemId {
        self.put(Item::folder(name.parse().expect("a title")), within)
    }

    fn put(&mut self, item: Item, folder: Option<ItemId>) -> ItemId {
        self.clock.advance_ms(10);
        self.replica.create_item(&item, folder, &self.clock, &self.rng).expect("in bounds")
    }

    fn write(&mut self, id: ItemId, body: &str) {
        self.change(id, |item| item.body = body.parse().expect("a body"));
    }

    fn rename(&mut self, id: ItemId, title: &str) -> Vec<ItemId> {
        self.change(id, |item| item.title = title.parse().expect("a title"))
    }

    fn change(&mut self, id: ItemId, change: impl FnOnce(&mut Item)) -> Vec<ItemId> {
        self.clock.advance_ms(10);
        let mut item = self.replica.open(id).expect("it is there");
        change(&mut item);
        self.replica.update_item(id, &item, &self.clock, &self.rng).expect("in bounds")
    }

    fn body(&self, id: ItemId) -> String {
        self.replica.body(id).expect("it is there").as_str().to_owned()
    }

    /// Titles in the order of the list.
    fn titles(&self, filter: &Filter) -> Vec<String> {
        self.replica.list(filter).iter().map(|o| o.title.to_string()).collect()
    }
}

fn keys() -> Keys {
    Keys::new(&unlocked(1), 1)
}

/// Two devices with one note, "First", of the text "base".
fn two() -> (Device, Device, Server, ItemId) {
    let mut a = Device::first();
    let mut server = Server::new(&a.replica);
    let id = a.note("First", "base");
    assert!(a.sync(&mut server).is_empty());
    let mut b = Device::another(1);
    assert!(b.sync(&mut server).is_empty());
    assert_eq!(b.body(id), "base");
    (a, b, server, id)
}

/// Keys after a rotation: the same data key stands for the next here.
fn rotated() -> Keys {
    let mut keys = Keys::new(&unlocked(1), 2);
    keys.add_older(1, EpochKeys::derive(&unlocked(1)));
    keys
}
