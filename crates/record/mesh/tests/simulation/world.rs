//! The net between the nodes, and what happens to it.

use std::collections::BTreeSet;

use symbolon_log::Checkpoint;
use symbolon_mesh::*;

use crate::lie::wrong;
use crate::party::{Dice, Node, Source, log_name};

/// What is on its way.
#[derive(Clone)]
enum Mail {
    Gossip { topic: Topic, bytes: Vec<u8> },
    Ask { id: u64, bytes: Vec<u8> },
    Answer { id: u64, bytes: Vec<u8> },
    Failed { id: u64 },
}

#[derive(Clone)]
struct Letter {
    from: usize,
    to: usize,
    mail: Mail,
}

pub struct World {
    dice: Dice,
    pub nodes: Vec<Node>,
    logs: Vec<LogName>,
    /// The log with two histories.
    forked: Option<LogId>,
    letters: Vec<Letter>,
    /// Pairs between which nothing gets through.
    apart: BTreeSet<(usize, usize)>,
    is_healed: bool,
    now_ms: u64,
    entries: u64,
    pub faults: u64,
}

const START_MS: u64 = 1_790_000_000_000;
const YEAR_MS: u64 = 365 * 24 * 3600 * 1000;

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let (has_twins, has_liar) = (dice.roll(2) == 0, dice.roll(2) == 0);
        let is_over = dice.roll(8) == 0;
        let mut logs: Vec<_> = (0..3).map(log_name).collect();
        let forked = has_twins.then(|| log_name(3));
        logs.extend(forked.clone());
        let valid = (START_MS - 1000, START_MS + YEAR_MS);
        let mut nodes: Vec<_> = (0..3).map(|at| Node::new(at, 0, valid, &logs)).collect();
        if is_over {
            // What it signs spreads nowhere: all of it has to be asked for.
            nodes[2] = Node::new(2, 0, (START_MS - YEAR_MS, START_MS - YEAR_MS / 2), &logs);
        }
        for at in 0..3 {
            nodes[at as usize].source = Some(Source::new(at));
        }
        if has_twins {
            for number in 0..2 {
                let mut twin = Node::new(3, number, valid, &logs);
                twin.source = Some(Source::new(3));
                nodes.push(twin);
            }
        }
        if has_liar {
            let mut liar = Node::new(4, 0, valid, &logs);
            liar.is_liar = true;
            nodes.push(liar);
        }
        for node in &mut nodes {
            node.skew_ms = dice.roll(240_000) as i64 - 120_000;
        }
        let mut world = Self {
            dice,
            nodes,
            logs,
            forked: forked.map(|log| log.id()),
            letters: Vec::new(),
            apart: BTreeSet::new(),
            is_healed: false,
            now_ms: START_MS,
            entries: 0,
            faults: 0,
        };
        if has_twins {
            // What both have before they part.
            for at in 0..world.dice.roll(4) {
                for twin in [3, 4] {
                    let source = world.nodes[twin].source.as_mut().unwrap();
                    source.append(format!("common {at}").into_bytes());
                }
            }
        }
        for at in 0..world.nodes.len() {
            for other in at + 1..world.nodes.len() {
                world.connect(at, other);
            }
        }
        world
    }

    /// Something happens.
    pub fn happen(&mut self) {
        let at = self.dice.roll(self.nodes.len() as u64) as usize;
        match self.dice.roll(16) {
            0..=4 => {
                let many = if self.dice.roll(60) == 0 { 300 } else { 7 };
                let count = [1, 1, 3, many][self.dice.roll(4) as usize];
                self.append(at, count);
            }
            5 | 6 => self.crash(at),
            7 if self.nodes[at].is_up => {
                let after = self.dice.roll(8) as u32;
                let which = self.dice.roll(self.logs.len() as u64) as usize;
                let log = self.logs[which].id();
                self.nodes[at].storages[&log].fail_after(after);
                self.nodes[at].is_failing = true;
            }
            8 => {
                let other = self.dice.roll(self.nodes.len() as u64) as usize;
                self.apart.insert((at.min(other), at.max(other)));
            }
            9 => self.apart.clear(),
            10 => self.nodes[at].skew_ms = self.dice.roll(240_000) as i64 - 120_000,
            11 => self.flood(),
            12 => self.ask_others(at),
            _ => {}
        }
        self.pass(self.is_healed);
    }

    /// Everybody is up and reachable again, and honest operators go on until all is quiet.
    pub fn heal(&mut self) {
        self.apart.clear();
        self.is_healed = true;
        for at in 0..self.nodes.len() {
            if self.nodes[at].is_failing {
                self.crash(at);
            }
            self.start(at);
        }
        for at in 0..self.nodes.len() {
            if self.nodes[at].source.is_some() {
                self.append(at, 1);
                self.note(at);
            }
        }
        let until_ms = self.now_ms + 60_000;
        while self.now_ms < until_ms && !self.is_settled() {
            self.pass(true);
        }
        self.check();
    }

    /// A moment: some of what is on its way comes, and everybody's clock ticks.
    fn pass(&mut self, all: bool) {
        self.now_ms += 100 + self.dice.roll(400);
        let count = match all {
            true => self.letters.len(),
            false => self.dice.roll(self.letters.len() as u64 + 1) as usize,
        };
        for _ in 0..count {
            if self.letters.is_empty() {
                break;
            }
            let place = match all {
                true => 0,
                false => self.dice.roll(self.letters.len() as u64) as usize,
            };
            let letter = match all {
                true => self.letters.remove(0),
                false => self.letters.swap_remove(place),
            };
            if !self.is_healed {
                match self.dice.roll(10) {
                    0 => {
                        self.lose(letter);
                        continue;
                    }
                    1 => self.letters.push(letter.clone()),
                    _ => {}
                }
            }
            self.deliver(letter);
        }
        for at in 0..self.nodes.len() {
            if self.nodes[at].is_up {
                self.step(at, Input::Tick, None);
            } else if self.dice.roll(6) == 0 {
                self.start(at);
            }
        }
    }

    /// Gossip is gone; of a question one may hear that there will be no answer.
    fn lose(&mut self, letter: Letter) {
        let Letter { from, to, mail } = letter;
        let (asked, by, id) = match mail {
            Mail::Ask { id, .. } => (to, from, id),
            Mail::Answer { id, .. } => (from, to, id),
            _ => return,
        };
        if self.dice.roll(2) == 0 {
            self.letters.push(Letter { from: asked, to: by, mail: Mail::Failed { id } });
        }
    }

    fn deliver(&mut self, letter: Letter) {
        let Letter { from, to, mail } = letter;
        if !self.nodes[from].is_up || !self.nodes[to].is_up {
            return;
        }
        if self.apart.contains(&(from.min(to), from.max(to))) {
            return self.lose(Letter { from, to, mail });
        }
        let peer = self.nodes[from].peer;
        match mail {
            Mail::Gossip { topic, bytes } => {
                let input = Input::Gossip { peer, topic, bytes: bytes.clone(), token: 7 };
                self.step(to, input, Some((from, 0, topic, bytes)));
            }
            Mail::Ask { id, bytes } => {
                let input = Input::Request { peer, bytes, token: id };
                self.step(to, input, Some((from, id, Topic::Entries, Vec::new())));
            }
            Mail::Answer { id, bytes } => self.step(to, Input::Response { peer, id, bytes }, None),
            Mail::Failed { id } => self.step(to, Input::Failed { peer, id }, None),
        }
    }

    /// Gives a node what came, and does what it says.
    fn step(&mut self, at: usize, input: Input, of: Option<(usize, u64, Topic, Vec<u8>)>) {
        let mut out = Vec::new();
        let node = &mut self.nodes[at];
        let now_ms = self.now_ms.saturating_add_signed(node.skew_ms);
        node.mesh.step(input, now_ms, &mut out);
        for output in out {
            match output {
                Output::Verdict { verdict: Verdict::Accept, .. } => {
                    let (from, _, topic, bytes) = of.clone().expect("a message");
                    self.spread(at, Some(from), topic, &bytes);
                }
                Output::Verdict { verdict: Verdict::Reject, peer, .. } => {
                    self.blame(at, peer, "rejected")
                }
                Output::Publish { topic, bytes } => self.spread(at, None, topic, &bytes),
                Output::Ask { peer, id, bytes } => {
                    let to = self.place(peer);
                    self.send(at, to, Mail::Ask { id, bytes });
                }
                Output::Answer { token, bytes } => {
                    let to = of.as_ref().expect("a request").0;
                    self.send(at, to, Mail::Answer { id: token, bytes });
                }
                Output::Faulty { peer, fault, .. } => self.blame(at, peer, &fault.to_string()),
                Output::Cut { peer, .. } => self.blame(at, peer, "cut off"),
                Output::Advanced { log, to, .. } => {
                    self.nodes[at].reached.insert(log, to);
                }
                Output::Evidence(evidence) => {
                    let log = evidence.log().id();
                    assert_eq!(Some(log), self.forked, "an honest operator is accused");
                    assert_eq!(Evidence::open(&evidence.to_bytes()).as_ref(), Ok(&*evidence));
                    // Where the disk failed it was told all the same, and is found again.
                    if self.nodes[at].mesh.is_forked(log) {
                        self.nodes[at].accused.insert(log);
                    }
                }
                Output::Stopped { reason, .. } => {
                    assert!(self.nodes[at].is_failing, "node {at} stopped: {reason}");
                    return self.crash(at);
                }
                Output::Verified { id, outcome } => self.verified(id, &outcome),
                _ => {}
            }
        }
    }

    /// What an honest node says of another has to be true.
    fn blame(&mut self, by: usize, peer: Peer, what: &str) {
        // A liar's own view is worth nothing.
        if self.nodes[by].is_liar {
            return;
        }
        self.faults += 1;
        let at = self.place(peer);
        assert!(self.nodes[at].is_liar, "node {by} blames node {at}, which is honest: {what}");
    }

    fn spread(&mut self, at: usize, from: Option<usize>, topic: Topic, bytes: &[u8]) {
        for to in (0..self.nodes.len()).filter(|to| *to != at && Some(*to) != from) {
            self.send(at, to, Mail::Gossip { topic, bytes: bytes.to_vec() });
        }
    }

    fn send(&mut self, from: usize, to: usize, mut mail: Mail) {
        if self.nodes[from].is_liar && self.dice.roll(3) == 0 {
            mail = self.lie(mail);
        } else if let Mail::Gossip { topic, bytes } = &mail {
            // As gossipsub does: what one had before is not given to the state machine, but for now and then.
            let id = symbolon_crypto::sha256(bytes);
            let is_known = !self.nodes[to].had.insert(id) && *topic != Topic::Evidence;
            if is_known && self.dice.roll(8) > 0 {
                return;
            }
        }
        self.letters.push(Letter { from, to, mail });
    }

    /// Garbage, a changed byte, a cut, or the answer to another question.
    fn lie(&mut self, mail: Mail) -> Mail {
        let mut change = |bytes: Vec<u8>| {
            let mut bytes = match Answer::parse(&bytes) {
                Ok(answer) if self.dice.roll(2) == 0 => wrong(answer).to_bytes(),
                _ => bytes,
            };
            let place = self.dice.roll(bytes.len().max(1) as u64) as usize;
            match self.dice.roll(4) {
                0 => bytes.truncate(place),
                1 => bytes = self.dice.roll(u64::MAX).to_be_bytes().repeat(5),
                2 => {}
                _ => bytes
                    .iter_mut()
                    .skip(place)
                    .take(1)
                    .for_each(|byte| *byte ^= 1 << self.dice.roll(8)),
            }
            bytes
        };
        match mail {
            Mail::Gossip { topic, bytes } => Mail::Gossip { topic, bytes: change(bytes) },
            Mail::Ask { id, bytes } => Mail::Ask { id, bytes: change(bytes) },
            Mail::Answer { id, bytes } => Mail::Answer { id, bytes: change(bytes) },
            failed => failed,
        }
    }

    fn flood(&mut self) {
        let Some(from) = self.nodes.iter().position(|node| node.is_liar) else { return };
        let to = self.dice.roll(from as u64) as usize;
        for _ in 0..100 {
            let bytes = self.dice.roll(u64::MAX).to_be_bytes().to_vec();
            let mail = Mail::Gossip { topic: Topic::Entries, bytes };
            self.deliver(Letter { from, to, mail });
        }
    }

    fn append(&mut self, at: usize, count: u64) {
        let Some(source) = &mut self.nodes[at].source else { return };
        for _ in 0..count {
            self.entries += 1;
            source.append(format!("entry {} of node {at}", self.entries).into_bytes());
        }
        let has_note = self.dice.roll(3) > 0;
        self.feed(at, has_note);
    }

    fn note(&mut self, at: usize) {
        self.feed(at, true);
    }

    /// Tells a node what its own log has more.
    fn feed(&mut self, at: usize, has_note: bool) {
        let node = &mut self.nodes[at];
        let Some(source) = node.source.as_ref().filter(|_| node.is_up) else { return };
        let log = log_name(node.operator).id();
        let Some(from) = node.mesh.size(log).filter(|_| !node.mesh.is_forked(log)) else { return };
        let entries = source.entries[from as usize..].to_vec();
        let note = has_note.then(|| source.log.checkpoint().unwrap());
        let to = source.entries.len() as u64;
        self.step(at, Input::Grown { log, from, entries, note }, None);
        if self.nodes[at].is_up {
            self.nodes[at].reached.insert(log, to);
        }
    }

    fn crash(&mut self, at: usize) {
        self.nodes[at].die(&mut self.dice);
        self.letters.retain(|letter| letter.from != at && letter.to != at);
        let peer = self.nodes[at].peer;
        for other in 0..self.nodes.len() {
            if other != at && self.nodes[other].is_up {
                self.step(other, Input::Disconnected { peer }, None);
            }
        }
    }

    fn start(&mut self, at: usize) {
        if self.nodes[at].is_up {
            return;
        }
        self.nodes[at].is_up = true;
        self.nodes[at].open(&self.logs);
        for other in 0..self.nodes.len() {
            if other != at {
                self.connect(at, other);
            }
        }
        self.feed(at, true);
    }

    fn connect(&mut self, one: usize, other: usize) {
        for (at, to) in [(one, other), (other, one)] {
            let peer = self.nodes[to].peer;
            if self.nodes[one].is_up && self.nodes[other].is_up {
                self.step(at, Input::Connected { peer }, None);
            }
        }
    }

    /// A node asks others about an entry: even questions are about one that is there.
    fn ask_others(&mut self, at: usize) {
        if !self.nodes[at].is_up {
            return;
        }
        let of = self.dice.roll(3) as usize;
        let entries = &self.nodes[of].source.as_ref().unwrap().entries;
        let count = entries.len() as u64;
        if count == 0 {
            return;
        }
        let (index, id) = (self.dice.roll(count), self.dice.roll(1 << 40));
        let mut leaf = symbolon_log::leaf_hash(&entries[index as usize]);
        leaf.0[0] ^= (id % 2) as u8;
        let log = self.logs[of].id();
        self.step(
            at,
            Input::Verify { id, log, index, leaf, quorum: 2, excluded: Vec::new() },
            None,
        );
    }

    fn verified(&self, id: u64, outcome: &Verified) {
        match outcome {
            Verified::Confirmed { by } => assert!(id & 1 == 0 && by.len() == 2),
            Verified::Contradicted { .. } => assert!(id & 1 == 1),
            Verified::Unknown { .. } => {}
        }
    }

    fn place(&self, peer: Peer) -> usize {
        self.nodes.iter().position(|node| node.peer == peer).expect("somebody who is there")
    }

    fn honest(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(|(_, node)| !node.is_liar)
    }

    fn is_settled(&self) -> bool {
        self.honest().all(|(_, node)| {
            self.logs.iter().enumerate().all(|(of, log)| match Some(log.id()) == self.forked {
                true => node.mesh.is_forked(log.id()),
                false => {
                    let source = self.nodes[of].source.as_ref().expect("an operator");
                    let size = source.entries.len() as u64;
                    node.mesh.head(log.id()).is_some_and(|(head, _)| head == size)
                }
            })
        })
    }

    fn check(&self) {
        for (at, node) in self.honest() {
            for (of, log) in self.logs.iter().enumerate() {
                let id = log.id();
                if Some(id) == self.forked {
                    assert!(node.accused.contains(&id), "node {at} did not notice the fork");
                    continue;
                }
                let source = self.nodes[of].source.as_ref().expect("an operator");
                let size = source.entries.len() as u64;
                assert_eq!(node.mesh.size(id), Some(size), "node {at} has not all of log {of}");
                let (head, note) = node.mesh.head(id).expect("a checkpoint");
                let shown = Checkpoint::dangerous_read_unverified(note).unwrap();
                let root = source.log.root(head).unwrap();
                assert_eq!((head, shown.root), (size, root), "node {at}, log {of}");
                let storage = node.storages[&id].after_kill();
                let copy = symbolon_log::Log::open(storage, "example.test/log", None).unwrap();
                let entries = copy.entries(0..size).unwrap().into_iter().map(|(_, it)| it);
                assert!(entries.eq(source.entries.iter().cloned()), "node {at}, log {of}");
            }
        }
    }
}
