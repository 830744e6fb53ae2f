//! Whole lives of a log, its witnesses and its monitors from a seed: crashes at writes, torn writes, copies that go on
//! apart, old checkpoints shown again, tiles that lie, witnesses that sleep, fail in the middle or have a wrong clock.
//!
//! Always true: no accepted entry is lost; an honest witness never signs two histories; a monitor that is shown two has
//! the proof, and accuses nobody else. 500 seeds, or `SYMBOLON_SIMULATION_SEEDS` of them; those in `seeds.txt` failed once.

mod common;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use common::{ORIGIN, key};
use symbolon_ambient::SeededRng;
use symbolon_codec::Digest32;
use symbolon_crypto::SigningKey;
use symbolon_log::*;

type Storage = Arc<MemoryStorage>;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// A copy of the log, with what it promised to keep.
struct Branch {
    storage: Storage,
    log: Log<Storage>,
    accepted: Vec<Vec<u8>>,
    leaves: Vec<Digest32>,
    /// Checkpoints that it handed out.
    notes: Vec<String>,
}

impl Branch {
    fn open(storage: Storage, accepted: Vec<Vec<u8>>, notes: Vec<String>) -> Self {
        let log =
            Log::open(storage.clone(), ORIGIN, Some(key())).expect("it opens after any crash");
        let found: Vec<_> = log.entries(0..log.appended_size()).unwrap();
        let found: Vec<_> = found.into_iter().map(|(_, entry)| entry).collect();
        assert!(found.starts_with(&accepted), "an accepted entry is lost");
        // What was written and not yet accepted may be there as well, and counts from now on.
        let leaves = found.iter().map(|entry| leaf_hash(entry)).collect();
        Self { storage, log, accepted: found, leaves, notes }
    }
}

/// An honest witness's memory, on a disk that can fail before a write or after it.
#[derive(Default)]
struct Heads {
    kept: Mutex<BTreeMap<String, Head>>,
    fault: Mutex<Option<bool>>,
}

impl WitnessStore for Heads {
    fn latest(&self, origin: &str) -> io::Result<Option<Head>> {
        Ok(self.kept.lock().unwrap().get(origin).copied())
    }
    fn advance(&self, origin: &str, from: Option<&Head>, to: &Head) -> io::Result<bool> {
        let mut kept = self.kept.lock().unwrap();
        if kept.get(origin) != from {
            return Ok(false);
        }
        match self.fault.lock().unwrap().take() {
            Some(false) => return Err(io::Error::other("before the write")),
            Some(true) => {
                kept.insert(origin.to_owned(), *to);
                return Err(io::Error::other("after the write"));
            }
            None => kept.insert(origin.to_owned(), *to),
        };
        Ok(true)
    }
    fn keys(&self, _: &str) -> io::Result<Option<Succession>> {
        Ok(None)
    }
    fn follow(&self, _: &Succession) -> io::Result<bool> {
        Err(io::Error::other("no key gives way in these"))
    }
}

struct World {
    dice: Dice,
    branches: Vec<Branch>,
    /// The leaves of each note that was handed out.
    truth: BTreeMap<String, Vec<Digest32>>,
    heads: Vec<Arc<Heads>>,
    /// The longest history that each honest witness signed.
    signed: Vec<Vec<Digest32>>,
    monitors: Vec<(Storage, Mirror<Storage>)>,
    entries: u64,
    forks_seen: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let monitor = || {
            let storage = Storage::default();
            (storage.clone(), mirror(storage))
        };
        Self {
            dice: Dice(seed),
            branches: vec![Branch::open(Storage::default(), Vec::new(), Vec::new())],
            truth: BTreeMap::new(),
            heads: vec![Arc::default(), Arc::default()],
            signed: vec![Vec::new(), Vec::new()],
            monitors: vec![monitor(), monitor()],
            entries: 0,
            forks_seen: 0,
        }
    }

    fn step(&mut self) {
        let at = self.dice.roll(self.branches.len() as u64) as usize;
        match self.dice.roll(20) {
            0..=5 => self.append(at),
            6..=8 => self.crash(at),
            9 if self.branches.len() < 3 => self.fork(at),
            10..=14 => self.ask(at),
            _ => self.look(at),
        }
    }

    /// Entries, and now and then a disk that fails in between.
    fn append(&mut self, at: usize) {
        let count = [1, 3, 20, 90][self.dice.roll(4) as usize];
        let fails = self.dice.roll(5) == 0;
        let after = self.dice.roll(6) as u32;
        let branch = &mut self.branches[at];
        if fails {
            branch.storage.fail_after(after);
        }
        let mut given = Vec::new();
        for _ in 0..count {
            self.entries += 1;
            let entry = format!("entry {} of branch {at}", self.entries).into_bytes();
            if branch.log.append(&entry).is_err() {
                break;
            }
            given.push(entry);
        }
        if branch.log.commit().is_ok() {
            branch.leaves.extend(given.iter().map(|entry| leaf_hash(entry)));
            branch.accepted.extend(given);
            self.checkpoint(at);
        } else {
            // Nothing more is taken until it is opened again.
            assert!(branch.log.append(b"more").is_err());
            self.crash(at);
        }
    }

    fn checkpoint(&mut self, at: usize) {
        let branch = &mut self.branches[at];
        let Ok(note) = branch.log.checkpoint() else { return };
        let size = Checkpoint::dangerous_read_unverified(&note).unwrap().size;
        self.truth.insert(note.clone(), branch.leaves[..size as usize].to_vec());
        branch.notes.push(note);
    }

    /// The process dies, or the power goes with part of the last write on the disk.
    fn crash(&mut self, at: usize) {
        let torn = self.dice.roll(400) as usize;
        let is_power = self.dice.roll(2) == 0;
        let branch = &mut self.branches[at];
        let storage = match is_power {
            true => branch.storage.after_power_cut(torn),
            false => branch.storage.after_kill(),
        };
        let (accepted, notes) =
            (std::mem::take(&mut branch.accepted), std::mem::take(&mut branch.notes));
        *branch = Branch::open(Arc::new(storage), accepted, notes);
    }

    /// A copy of the home goes on apart.
    fn fork(&mut self, at: usize) {
        let branch = &self.branches[at];
        let storage = Arc::new(branch.storage.after_kill());
        let copy = Branch::open(storage, branch.accepted.clone(), branch.notes.clone());
        self.branches.push(copy);
    }

    /// A note of a branch: the newest, or an old one.
    fn note(&mut self, at: usize) -> Option<String> {
        let count = self.branches[at].notes.len() as u64;
        let old = self.dice.roll(4) == 0 && count > 0;
        let place = if old { self.dice.roll(count) } else { count.checked_sub(1)? };
        self.branches[at].notes.get(place as usize).cloned()
    }

    fn ask(&mut self, at: usize) {
        let Some(note) = self.note(at) else { return };
        // One sleeps, and nothing comes of it.
        let Some(who) = (self.dice.roll(3) as usize).checked_sub(1) else { return };
        let shown = Checkpoint::dangerous_read_unverified(&note).unwrap();
        let heads = self.heads[who].clone();
        let known = heads.latest(ORIGIN).unwrap().map_or(0, |head| head.size);
        let old = if self.dice.roll(5) == 0 { self.dice.roll(9) } else { known };
        if self.dice.roll(6) == 0 {
            *heads.fault.lock().unwrap() = Some(self.dice.roll(2) == 0);
        }
        let branch = &self.branches[at];
        let proof = if old == 0 { Ok(Vec::new()) } else { branch.log.consistency(old, shown.size) };
        let Ok(proof) = proof else { return };
        let log = WatchedLog::new(ORIGIN, key().verifying_key());
        let signing = SigningKey::make(&SeededRng::new(who as u64 + 1));
        // Made anew each time, as after a restart.
        let witness = Witness::new("w.test", signing, vec![log], heads.clone()).unwrap();
        let now = self.dice.roll(1 << 40);
        let body = AddCheckpoint { old, proof, note: note.clone() }.to_text();
        let answer = witness.add_checkpoint(body.as_bytes(), now);
        *heads.fault.lock().unwrap() = None;
        let Ok(line) = answer else { return };
        let cosigned = with_lines(&note, &line).unwrap();
        witness.public().verify(&cosigned).expect("what it signs verifies");
        let leaves = &self.truth[&note];
        assert!(leaves.starts_with(&self.signed[who]), "a witness signed two histories");
        self.signed[who].clone_from(leaves);
        let head = heads.latest(ORIGIN).unwrap().expect("it is kept before it is signed");
        assert_eq!((head.size, head.root), (shown.size, shown.root));
    }

    fn look(&mut self, at: usize) {
        let Some(note) = self.note(at) else { return };
        let who = self.dice.roll(2) as usize;
        let (fails, lies, dies) = (self.dice.roll(8), self.dice.roll(8), self.dice.roll(8));
        let lie_at = self.dice.roll(3);
        let (storage, mirror) = &mut self.monitors[who];
        let known = mirror.note().map(|note| self.truth[note].clone());
        if fails == 0 {
            storage.fail_after(lie_at as u32);
        }
        let log = &self.branches[at].log;
        let mut fetched = 0;
        let mut lied = false;
        let seen = mirror.observe(&note, &mut |tile| {
            let mut bytes = log.tile(tile).map_err(|error| error.to_string())?;
            if lies == 0 && fetched == lie_at {
                bytes[5] ^= 1;
                lied = true;
            }
            fetched += 1;
            Ok(bytes)
        });
        if fails == 0 {
            // The fault may still be armed.
            *storage = Arc::new(storage.after_kill());
            *mirror = self::mirror(storage.clone());
        }
        let shown = &self.truth[&note];
        let known = known.unwrap_or_default();
        match seen {
            Ok(Observed::Unchanged) => assert_eq!(&known, shown),
            Ok(Observed::Advanced { .. }) => {
                assert!(!lied, "a tile that lies was believed");
                assert!(shown.starts_with(&known) && shown.len() >= known.len());
                assert_eq!(&self.truth[mirror.note().unwrap()], shown);
            }
            Ok(Observed::RolledBack { .. }) => {
                assert!(known.starts_with(shown) && known.len() > shown.len());
            }
            Ok(Observed::Forked(proof)) => {
                assert!(!shown.starts_with(&known) && !known.starts_with(shown), "nobody forked");
                let proof = ForkProof::parse(&proof.to_json()).unwrap();
                proof.verify(&key().verifying_key(), Some(ORIGIN)).expect("the proof convinces");
                self.forks_seen += 1;
            }
            // Only where the disk failed or a tile lied; then nothing is known that was not before.
            Err(error) => {
                assert!(fails == 0 || lied, "a fork or news went unnoticed: {error}");
            }
            Ok(other) => panic!("{other:?}"),
        }
        if dies == 0 {
            *storage = Arc::new(storage.after_power_cut(0));
            *mirror = self::mirror(storage.clone());
        }
        let now = mirror.note().map(|note| self.truth[note].len()).unwrap_or_default();
        assert!(now >= known.len(), "a monitor went back");
    }
}

fn mirror(storage: Storage) -> Mirror<Storage> {
    Mirror::open(storage, ORIGIN, key().verifying_key()).expect("it opens after any crash")
}

/// Gives the number of forks that were seen.
fn live(seed: u64) -> u64 {
    let mut world = World::new(seed);
    for _ in 0..60 {
        world.step();
    }
    world.forks_seen
}

fn lives(seeds: &[u64]) -> u64 {
    let one = |seed: &u64| {
        std::panic::catch_unwind(|| live(*seed)).unwrap_or_else(|_| {
            panic!("seed {seed} failed: write it into seeds.txt, with what it found")
        })
    };
    seeds.iter().map(one).sum()
}

#[test]
fn many_lives() {
    let count = std::env::var("SYMBOLON_SIMULATION_SEEDS").ok();
    let count: u64 = count.map_or(500, |text| text.parse().expect("a number of seeds"));
    let kept = include_str!("seeds.txt").lines().filter(|line| !line.starts_with('#'));
    let kept = kept.filter_map(|line| line.split_whitespace().next()?.parse().ok());
    let seeds: Vec<u64> = kept.chain(0..count).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = seeds.len().div_ceil(threads);
    let forks: u64 = std::thread::scope(|scope| {
        let parts: Vec<_> = seeds.chunks(part).map(|seeds| scope.spawn(|| lives(seeds))).collect();
        parts.into_iter().map(|part| part.join().expect("a seed failed; it is named above")).sum()
    });
    // The lives are of the kind that is meant.
    assert!(forks >= count.min(500) / 10, "{forks} forks were seen");
}
