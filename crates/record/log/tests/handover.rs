//! A log's key gives way to another: witnesses and mirrors go on with it, and see the forks on both sides of it.

mod common;

use std::io;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use common::{Heads, ORIGIN, entry, filled, key};
use symbolon_ambient::SeededRng;
use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_log::*;

const NOW: u64 = 1_790_000_000;

fn next_key(seed: u64) -> Arc<SigningKey> {
    Arc::new(SigningKey::make(&SeededRng::new(seed)))
}

fn grown(log: &Log<MemoryStorage>, to: u64) -> &Log<MemoryStorage> {
    for i in log.appended_size()..to {
        log.append(&entry(i)).unwrap();
    }
    log.commit().unwrap();
    log
}

/// The log gives way to the next key where it stands, and goes on by that one.
fn hand_over(log: &Log<MemoryStorage>, from: &SigningKey, to: Arc<SigningKey>) -> Handover {
    let at = Checkpoint::dangerous_read_unverified(&log.checkpoint().unwrap()).unwrap();
    let handover = Handover::sign(&at, from, &to);
    log.set_signer(Some(to));
    handover
}

fn line(handovers: &[&Handover]) -> Succession {
    let mut line = Succession::new(ORIGIN, key().verifying_key());
    handovers.iter().for_each(|it| line.push((*it).clone()).unwrap());
    line
}

fn asks(log: &Log<MemoryStorage>, old: u64, note: &str) -> Vec<u8> {
    let size = Checkpoint::dangerous_read_unverified(note).unwrap().size;
    let proof = if old == 0 { Vec::new() } else { log.consistency(old, size).unwrap() };
    AddCheckpoint { old, proof, note: note.to_owned() }.to_text().into_bytes()
}

fn witness(heads: &Arc<Heads>, key: VerifyingKey) -> Witness<Arc<Heads>> {
    let log = WatchedLog::new(ORIGIN, key);
    let key = SigningKey::make(&SeededRng::new(100));
    Witness::new("w.test/one", key, vec![log], heads.clone()).unwrap()
}

#[test]
fn a_witness_follows_by_the_handover_alone() {
    let heads = Arc::new(Heads::default());
    let one = witness(&heads, key().verifying_key());
    let log = filled(5);
    one.add_checkpoint(&asks(&log, 0, &log.checkpoint().unwrap()), NOW).unwrap();
    grown(&log, 9);
    let handover = hand_over(&log, &key(), next_key(2));
    grown(&log, 12);
    let after = log.checkpoint().unwrap();
    // Who does not know of it knows no such key.
    let refused = one.add_checkpoint(&asks(&log, 5, &after), NOW);
    assert!(matches!(refused, Err(WitnessRefusal::Signature(_))), "{refused:?}");
    // A handover that does not continue what was seen leads nowhere.
    let size = handover.checkpoint().size;
    let other = Handover::sign(
        &Checkpoint { root: empty_root(), ..handover.checkpoint().clone() },
        &key(),
        &next_key(3),
    );
    let refused = one.add_checkpoint(&asks(&log, 5, other.note()), NOW);
    assert!(matches!(refused, Err(WitnessRefusal::Proof(_))), "{refused:?}");
    let signed = one.add_checkpoint(&asks(&log, 5, handover.note()), NOW).unwrap();
    let with = with_lines(handover.note(), &signed).unwrap();
    assert_eq!(one.public().verify(&with).unwrap().unix_seconds(), NOW);
    one.add_checkpoint(&asks(&log, size, &after), NOW).unwrap();
    // Another run, given the old key or the new one, goes on; given a stranger's it does not.
    grown(&log, 15);
    for known in [key(), next_key(2)] {
        let again = witness(&heads, known.verifying_key());
        again.add_checkpoint(&asks(&log, 12, &after), NOW).unwrap();
    }
    let stranger = witness(&heads, next_key(9).verifying_key());
    let refused = stranger.add_checkpoint(&asks(&log, 12, &after), NOW);
    assert!(matches!(refused, Err(WitnessRefusal::Keys { .. })), "{refused:?}");
    assert_eq!((one.other_keys(), stranger.other_keys()), (None, Some(line(&[&handover]))));
    // The key of before signs nothing more, and hands over to nobody else.
    let at = Checkpoint { origin: ORIGIN.into(), size: 15, root: log.root(15).unwrap() };
    for note in [at.sign(&key()), Handover::sign(&at, &key(), &next_key(4)).note().to_owned()] {
        let refused = one.add_checkpoint(&asks(&log, 12, &note), NOW);
        let is_retired = matches!(
            refused,
            Err(WitnessRefusal::Signature(CheckpointError::Retired { size: 15, until: 9 }))
        );
        assert!(is_retired, "{refused:?}");
    }
}

fn look(
    mirror: &mut Mirror<Arc<MemoryStorage>>,
    log: &Log<MemoryStorage>,
    note: &str,
) -> Result<Observed, MirrorError> {
    mirror.observe(note, &mut |tile| log.tile(tile).map_err(|e| e.to_string()))
}

fn mirror(storage: &Arc<MemoryStorage>) -> Mirror<Arc<MemoryStorage>> {
    Mirror::open(storage.clone(), ORIGIN, key().verifying_key()).unwrap()
}

#[test]
fn a_mirror_follows_over_handovers_and_goes_on_after_a_restart() {
    let storage = Arc::new(MemoryStorage::new());
    let log = filled(300);
    let mut copy = mirror(&storage);
    look(&mut copy, &log, &log.checkpoint().unwrap()).unwrap();
    grown(&log, 520);
    let first = hand_over(&log, &key(), next_key(2));
    grown(&log, 700);
    let second = hand_over(&log, &next_key(2), next_key(3));
    grown(&log, 1_100);
    let after = log.checkpoint().unwrap();
    let unknown = look(&mut copy, &log, &after);
    assert!(matches!(unknown, Err(MirrorError::Checkpoint(_))), "{unknown:?}");
    copy.follow(line(&[&first, &second])).unwrap();
    let seen = look(&mut copy, &log, &after).unwrap();
    assert_eq!(seen, Observed::Advanced { from: 300, to: 1_100 });
    assert_eq!(look(&mut copy, &log, &after).unwrap(), Observed::Unchanged);
    let mut copy = mirror(&storage);
    assert_eq!(look(&mut copy, &log, &after).unwrap(), Observed::Unchanged);
    let back = look(&mut copy, &log, first.note()).unwrap();
    assert_eq!(back, Observed::RolledBack { known: 1_100, shown: 520 });
    let old = first.checkpoint().sign(&key());
    assert_eq!(look(&mut copy, &log, &old).unwrap(), back);
    // Another line than the known one is not followed.
    let other = Handover::sign(first.checkpoint(), &key(), &next_key(7));
    assert!(matches!(copy.follow(line(&[&other])), Err(MirrorError::Succession(_))));
}

#[test]
fn a_witness_that_slept_over_a_handover_goes_on_with_the_whole_line() {
    let heads = Arc::new(Heads::default());
    let one = witness(&heads, key().verifying_key());
    let log = filled(5);
    let first = hand_over(&log, &key(), next_key(2));
    one.add_checkpoint(&asks(&log, 0, first.note()), NOW).unwrap();
    grown(&log, 9);
    let second = hand_over(&log, &next_key(2), next_key(3));
    grown(&log, 12);
    let operator = |key: &SigningKey| vkey(ORIGIN, &key.verifying_key()).unwrap() + "\n";
    let given = |bytes: &[u8]| {
        let name = SigningKey::make(&SeededRng::new(100));
        let log = WatchedLog::parse(bytes).unwrap();
        Witness::new("w.test/one", name, vec![log], heads.clone()).unwrap()
    };
    let known = line(&[&first]);
    for (bytes, other) in [
        (operator(&next_key(3)).into_bytes(), Some(known)),
        (operator(&next_key(2)).into_bytes(), None),
        (operator(&key()).into_bytes(), None),
        (line(&[&first, &second]).to_bytes(), None),
    ] {
        assert_eq!(given(&bytes).other_keys(), other);
    }
    let whole = given(&line(&[&first, &second]).to_bytes());
    whole.add_checkpoint(&asks(&log, 5, &log.checkpoint().unwrap()), NOW).unwrap();
    assert!(WatchedLog::parse(b"{}").is_err() && WatchedLog::parse(b"none").is_err());
}

/// A memory that says when a key is about to be followed, and waits a while for what comes then.
struct Slow(Heads, mpsc::SyncSender<()>, Mutex<mpsc::Receiver<()>>);

impl WitnessStore for Slow {
    fn latest(&self, origin: &str) -> io::Result<Option<Head>> {
        self.0.latest(origin)
    }
    fn advance(&self, origin: &str, from: Option<&Head>, to: &Head) -> io::Result<bool> {
        self.0.advance(origin, from, to)
    }
    fn keys(&self, origin: &str) -> io::Result<Option<Succession>> {
        self.0.keys(origin)
    }
    fn follow(&self, keys: &Succession) -> io::Result<bool> {
        self.1.send(()).unwrap();
        let _ = self.2.lock().unwrap().recv_timeout(Duration::from_millis(300));
        self.0.follow(keys)
    }
}

#[test]
fn no_head_comes_between_a_key_that_is_followed_and_its_handover() {
    let log = filled(5);
    let body = asks(&log, 0, &log.checkpoint().unwrap());
    grown(&log, 10);
    let handover = hand_over(&log, &key(), next_key(2));
    let other = fork_at(5, 8, key());
    let (about, is_about) = mpsc::sync_channel(1);
    let (done, is_done) = mpsc::sync_channel(1);
    let store = Slow(Heads::default(), about, Mutex::new(is_done));
    let given = WatchedLog::new(ORIGIN, key().verifying_key());
    let name = SigningKey::make(&SeededRng::new(100));
    let one = Witness::new("w.test/one", name, vec![given], store).unwrap();
    one.add_checkpoint(&body, NOW).unwrap();
    thread::scope(|scope| {
        let first = scope.spawn(|| one.add_checkpoint(&asks(&log, 5, handover.note()), NOW));
        is_about.recv().unwrap();
        let note = other.checkpoint().unwrap();
        let second = one.add_checkpoint(&asks(&other, 5, &note), NOW);
        // Nobody waits any more where it had its turn first.
        let _ = done.send(());
        assert!(matches!(second, Err(WitnessRefusal::Size { size: 10 })), "{second:?}");
        first.join().unwrap().unwrap();
    });
    assert_eq!(one.store().latest(ORIGIN).unwrap().unwrap().root, handover.checkpoint().root);
}

/// The entries that a log began with, others from a place on, as many as asked, and by this key.
fn fork_at(at: u64, to: u64, signer: Arc<SigningKey>) -> Log<MemoryStorage> {
    let log = filled(at);
    for i in at..to {
        log.append(format!("another {i}").as_bytes()).unwrap();
    }
    log.commit().unwrap();
    log.set_signer(Some(signer));
    log
}

/// That it is shown to others, and by which of the test's keys.
fn shown_by(seen: Observed, whose: &SigningKey) {
    let Observed::Forked(proof) = seen else { panic!("{seen:?}") };
    proof.verify(&whose.verifying_key(), Some(ORIGIN)).unwrap();
}

#[test]
fn a_fork_where_a_handover_stands_is_shown() {
    let log = filled(520);
    let handover = hand_over(&log, &key(), next_key(2));
    let note = |log: &Log<MemoryStorage>| log.checkpoint().unwrap();
    let (by_old, by_next) = (fork_at(300, 520, key()), fork_at(300, 520, next_key(2)));
    let again = hand_over(&fork_at(300, 520, next_key(2)), &next_key(2), next_key(3));
    // It knows the handover, or more than that, or it is behind it.
    for known in [520, 700, 400, 0] {
        let storage = Arc::new(MemoryStorage::new());
        let mut copy = mirror(&storage);
        if known == 400 {
            look(&mut copy, &filled(400), &note(&filled(400))).unwrap();
        }
        copy.follow(line(&[&handover])).unwrap();
        let log = filled(520);
        match known {
            520 => drop(look(&mut copy, &log, handover.note()).unwrap()),
            700 => {
                log.set_signer(Some(next_key(2)));
                grown(&log, 700);
                look(&mut copy, &log, &note(&log)).unwrap();
            }
            _ => {}
        }
        for _ in 0..2 {
            shown_by(look(&mut copy, &by_next, &note(&by_next)).unwrap(), &next_key(2));
            shown_by(look(&mut copy, &by_next, again.note()).unwrap(), &next_key(2));
            shown_by(look(&mut copy, &by_old, &note(&by_old)).unwrap(), &key());
            copy = mirror(&storage);
        }
    }
    // It knows as many entries by the key of before, and the handover is of another history.
    let storage = Arc::new(MemoryStorage::new());
    let mut copy = mirror(&storage);
    look(&mut copy, &by_old, &note(&by_old)).unwrap();
    copy.follow(line(&[&handover])).unwrap();
    for _ in 0..2 {
        shown_by(look(&mut copy, &log, handover.note()).unwrap(), &key());
        grown(&log, 600);
        shown_by(look(&mut copy, &log, &note(&log)).unwrap(), &key());
        copy = mirror(&storage);
    }
}

#[test]
fn handovers_of_another_history_are_shown_to_who_comes_later() {
    let history = filled(100);
    let first = hand_over(&history, &key(), next_key(2));
    grown(&history, 300);
    let second = hand_over(&history, &next_key(2), next_key(3));
    let note = |log: &Log<MemoryStorage>| log.checkpoint().unwrap();
    // Where the log that is shown has other entries, how many, by whom; the line; who is shown to have made two histories.
    for (at, to, signer, handovers, whose) in [
        (50, 200, 2, vec![&first], 2),
        (50, 100, 2, vec![&first], 2),
        (50, 400, 3, vec![&first, &second], 3),
        (250, 400, 3, vec![&first, &second], 3),
        (50, 250, 2, vec![&first, &second], 2),
    ] {
        let other = fork_at(at, to, next_key(signer));
        for pinned in [key(), next_key(2)] {
            let storage = Arc::new(MemoryStorage::new());
            let open = || Mirror::open(storage.clone(), ORIGIN, pinned.verifying_key()).unwrap();
            let mut copy = open();
            copy.follow(line(&handovers)).unwrap();
            for _ in 0..2 {
                let seen = look(&mut copy, &other, &note(&other)).unwrap();
                shown_by(seen, &next_key(whose));
                // Whatever else is shown.
                shown_by(look(&mut copy, &other, &note(&other)).unwrap(), &next_key(whose));
                copy = open();
            }
        }
    }
    // The first handover is of another history than the second, and the tree is the second's.
    let other = fork_at(50, 300, next_key(2));
    let third = hand_over(&other, &next_key(2), next_key(3));
    grown(&other, 400);
    let mut copy = mirror(&Arc::default());
    copy.follow(line(&[&first, &third])).unwrap();
    shown_by(look(&mut copy, &other, &note(&other)).unwrap(), &next_key(2));
    // Who has read all of it before they hear of the handover before their key; and no tile is asked for any more.
    let pinned = next_key(2).verifying_key();
    let mut copy = Mirror::open(Arc::new(MemoryStorage::new()), ORIGIN, pinned).unwrap();
    let mut later = Succession::new(ORIGIN, pinned);
    later.push(third.clone()).unwrap();
    copy.follow(later).unwrap();
    let seen = look(&mut copy, &other, &note(&other)).unwrap();
    assert_eq!(seen, Observed::Advanced { from: 0, to: 400 });
    copy.follow(line(&[&first, &third])).unwrap();
    grown(&other, 500);
    let seen = copy.observe(&note(&other), &mut |_| Err("gone".to_owned()));
    shown_by(seen.unwrap(), &next_key(2));
    // One that holds together is nothing new.
    grown(&history, 400);
    let mut copy = Mirror::open(Arc::new(MemoryStorage::new()), ORIGIN, key().verifying_key());
    let copy = copy.as_mut().unwrap();
    copy.follow(line(&[&first, &second])).unwrap();
    let seen = look(copy, &history, &note(&history)).unwrap();
    assert_eq!(seen, Observed::Advanced { from: 0, to: 400 });
    assert_eq!(look(copy, &history, &note(&history)).unwrap(), Observed::Unchanged);
}

#[test]
fn a_witness_says_that_a_log_forked_where_a_handover_stands() {
    let heads = Arc::new(Heads::default());
    let one = witness(&heads, key().verifying_key());
    let log = filled(9);
    let handover = hand_over(&log, &key(), next_key(2));
    one.add_checkpoint(&asks(&log, 0, handover.note()), NOW).unwrap();
    let other = fork_at(5, 9, next_key(2));
    let again = hand_over(&other, &next_key(2), next_key(3));
    let by_next = Checkpoint::dangerous_read_unverified(again.note()).unwrap();
    for note in [by_next.sign(&next_key(2)), by_next.sign(&key()), again.note().to_owned()] {
        let body = AddCheckpoint { old: 9, proof: Vec::new(), note }.to_text().into_bytes();
        let refused = one.add_checkpoint(&body, NOW);
        assert!(matches!(refused, Err(WitnessRefusal::Forked { size: 9, .. })), "{refused:?}");
    }
    // One that was given the line, and has seen nothing, signs no other root there either.
    let given = WatchedLog::from(line(&[&handover]));
    let heads = Arc::new(Heads::default());
    let name = SigningKey::make(&SeededRng::new(100));
    let fresh = Witness::new("w.test/one", name, vec![given], heads.clone()).unwrap();
    for note in [by_next.sign(&next_key(2)), again.note().to_owned()] {
        let refused = fresh.add_checkpoint(&asks(&other, 0, &note), NOW);
        let is_other = matches!(
            refused,
            Err(WitnessRefusal::Signature(CheckpointError::TwoRoots { size: 9 }))
        );
        assert!(is_other, "{refused:?}");
        assert_eq!(heads.latest(ORIGIN).unwrap(), None);
    }
    fresh.add_checkpoint(&asks(&log, 0, handover.note()), NOW).unwrap();
}

#[test]
fn a_fork_on_either_side_of_a_handover_is_shown_by_the_key_that_made_it() {
    let (old, new) = (key().verifying_key(), next_key(2).verifying_key());
    // Where it forks, how far the fork goes, who signs it, who is shown to have made two histories.
    for (at, to, signer, whose) in [
        (300, 500, key(), old),
        (300, 510, next_key(2), new),
        (300, 900, next_key(2), new),
        (600, 900, next_key(2), new),
        (600, 650, next_key(2), new),
    ] {
        let log = filled(400);
        let mut copy = mirror(&Arc::default());
        look(&mut copy, &log, &log.checkpoint().unwrap()).unwrap();
        grown(&log, 520);
        let handover = hand_over(&log, &key(), next_key(2));
        copy.follow(line(&[&handover])).unwrap();
        grown(&log, 700);
        look(&mut copy, &log, &log.checkpoint().unwrap()).unwrap();
        let other = fork_at(at, to, signer);
        let seen = look(&mut copy, &other, &other.checkpoint().unwrap()).unwrap();
        let Observed::Forked(proof) = seen else { panic!("{at} {to}: {seen:?}") };
        proof.verify(&whose, Some(ORIGIN)).unwrap();
        // It goes on as it was.
        assert_eq!(look(&mut copy, &log, &log.checkpoint().unwrap()).unwrap(), Observed::Unchanged);
    }
    // One who knew the log before its handover, and is shown one of another history.
    let log = filled(400);
    let mut copy = mirror(&Arc::default());
    look(&mut copy, &log, &log.checkpoint().unwrap()).unwrap();
    let other = fork_at(300, 520, key());
    let handover = hand_over(&other, &key(), next_key(2));
    copy.follow(line(&[&handover])).unwrap();
    grown(&other, 600);
    let seen = look(&mut copy, &other, &other.checkpoint().unwrap()).unwrap();
    let Observed::Forked(proof) = seen else { panic!("{seen:?}") };
    proof.verify(&old, Some(ORIGIN)).unwrap();
    // A key that signed past its handover is not followed.
    let mut copy = mirror(&Arc::default());
    look(&mut copy, &filled(560), &filled(560).checkpoint().unwrap()).unwrap();
    let refused = copy.follow(line(&[&handover]));
    let is_retired =
        matches!(refused, Err(MirrorError::Checkpoint(CheckpointError::Retired { .. })));
    assert!(is_retired, "{refused:?}");
}
