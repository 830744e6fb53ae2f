//! Cosignatures, witnesses, mirrors and proofs of forks.

mod common;

use std::io;
use std::sync::{Arc, Barrier};
use std::thread;

use common::{Heads, ORIGIN, entry, filled, key};
use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_codec::{Digest32, b64};
use symbolon_crypto::{SigningKey, VerifyingKey, sha256};
use symbolon_log::*;

const NOW: u64 = 1_790_000_000;

fn witness_key(seed: u64) -> SigningKey {
    SigningKey::make(&SeededRng::new(seed))
}

fn witness() -> Witness<Arc<Heads>> {
    let log = WatchedLog::new(ORIGIN, key().verifying_key());
    Witness::new("w.test/one", witness_key(1), vec![log], Arc::default()).unwrap()
}

fn request(log: &Log<MemoryStorage>, old: u64) -> String {
    let note = log.checkpoint().unwrap();
    let size = Checkpoint::open(&note, &key().verifying_key(), ORIGIN).unwrap().size;
    let proof = if old == 0 { Vec::new() } else { log.consistency(old, size).unwrap() };
    AddCheckpoint { old, proof, note }.to_text()
}

fn grown(log: &Log<MemoryStorage>, to: u64) -> &Log<MemoryStorage> {
    for i in log.appended_size()..to {
        log.append(&entry(i)).unwrap();
    }
    log.commit().unwrap();
    log
}

/// Agrees with [`entry`] up to `fork`, and goes on with others.
fn forked(fork: u64, to: u64) -> Log<MemoryStorage> {
    let log = filled(fork);
    for i in fork..to {
        log.append(format!("another {i}").as_bytes()).unwrap();
    }
    log.commit().unwrap();
    log
}

fn head_note(log: &Log<MemoryStorage>) -> String {
    log.checkpoint().unwrap()
}

#[test]
fn a_key_is_written_as_the_specification_says() {
    let public = witness_key(1).verifying_key();
    let witness = WitnessKey::new("w.test/one", public).unwrap();
    let id = sha256(&[b"w.test/one\n\x04".as_slice(), public.as_bytes()].concat());
    let id: String = id.as_bytes()[..4].iter().map(|b| format!("{b:02x}")).collect();
    let key = b64::encode(&[&[4], public.as_bytes().as_slice()].concat());
    assert_eq!(witness.to_string(), format!("w.test/one+{id}+{key}"));
    assert_eq!(witness.to_string().parse::<WitnessKey>().unwrap(), witness);
    // A log's key is no witness's, and the other way round.
    assert!(vkey("w.test/one", &public).unwrap().parse::<WitnessKey>().is_err());
    assert!(parse_vkey(&witness.to_string()).is_err());
}

#[test]
fn a_line_is_laid_out_and_signed_as_the_specification_says() {
    let log = filled(5);
    let note = head_note(&log);
    let line = cosign(&note, "w.test/one", &witness_key(1), NOW).unwrap();
    let bytes = line.strip_prefix("\u{2014} w.test/one ").unwrap().trim_end();
    let bytes = b64::decode(bytes, 76).unwrap();
    assert_eq!((bytes.len(), &bytes[4..12]), (76, &NOW.to_be_bytes()[..]));
    let text = &note[..note.rfind("\n\n").unwrap() + 1];
    let message = format!("cosignature/v1\ntime {NOW}\n{text}");
    let signature: [u8; 64] = bytes[12..].try_into().unwrap();
    witness_key(1).verifying_key().verify(message.as_bytes(), &signature).unwrap();
}

#[test]
fn a_cosignature_is_good_for_its_checkpoint_and_time_alone() {
    let log = filled(5);
    let note = head_note(&log);
    let one = WitnessKey::new("w.test/one", witness_key(1).verifying_key()).unwrap();
    let line = cosign(&note, "w.test/one", &witness_key(1), NOW).unwrap();
    let both = with_lines(&note, &line).unwrap();
    assert_eq!(one.verify(&both).unwrap().unix_seconds(), NOW);
    // The log's own key still opens it.
    assert_eq!(Checkpoint::open(&both, &key().verifying_key(), ORIGIN).unwrap().size, 5);
    let missing = CosignatureError::Missing { witness: "w.test/one".into() };
    assert_eq!(one.verify(&note), Err(missing.clone()));
    // Others are passed over: another name, another key, the same key as a log's.
    let other = cosign(&note, "w.test/two", &witness_key(1), NOW).unwrap();
    assert_eq!(one.verify(&with_lines(&note, &other).unwrap()), Err(missing.clone()));
    let other = cosign(&note, "w.test/one", &witness_key(2), NOW).unwrap();
    assert_eq!(one.verify(&with_lines(&note, &other).unwrap()), Err(missing));
    // Moved to another checkpoint.
    let next = head_note(grown(&log, 6));
    let bad = CosignatureError::Signature { witness: "w.test/one".into() };
    assert_eq!(one.verify(&with_lines(&next, &line).unwrap()), Err(bad.clone()));
    // Each bit of the line.
    let encoded = line.strip_prefix("\u{2014} w.test/one ").unwrap().trim_end();
    let bytes = b64::decode(encoded, 76).unwrap();
    for at in 4..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let line = format!("\u{2014} w.test/one {}\n", b64::encode(&changed));
        assert!(one.verify(&with_lines(&note, &line).unwrap()).is_err(), "byte {at}");
        // A good one beside it does not make up for it.
        let two = with_lines(&both, &line).unwrap();
        assert!(one.verify(&two).is_err(), "byte {at} beside a good one");
    }
    let short = format!("\u{2014} w.test/one {}\n", b64::encode(&bytes[..40]));
    assert_eq!(one.verify(&with_lines(&note, &short).unwrap()), Err(bad));
    // Of several the latest.
    let later = cosign(&note, "w.test/one", &witness_key(1), NOW + 9).unwrap();
    let both = with_lines(&with_lines(&note, &later).unwrap(), &line).unwrap();
    assert_eq!(one.verify(&both).unwrap().unix_seconds(), NOW + 9);
}

#[test]
fn a_note_takes_no_more_lines_than_it_may_have() {
    let mut note = head_note(&filled(1));
    let line = cosign(&note, "w.test/one", &witness_key(1), NOW).unwrap();
    for _ in 0..63 {
        note = with_lines(&note, &line).unwrap();
    }
    assert!(with_lines(&note, &line).is_err(), "65 signatures");
    assert!(with_lines(&note, "no line\n").is_err());
    assert!(with_lines(&note[..note.len() - 1], &line).is_err());
}

#[test]
fn requests_are_read_as_they_were_written_and_others_are_not() {
    let log = filled(700);
    let text = request(&log, 300);
    let read = AddCheckpoint::parse(text.as_bytes()).unwrap();
    assert_eq!((read.to_text(), read.old), (text.clone(), 300));
    let hash = b64::encode(&[7; 32]);
    let long = format!("old 1\n{}\n{}", format!("{hash}\n").repeat(64), read.note);
    let many = vec![b'a'; ADD_CHECKPOINT_BYTES_MAX + 1];
    for bad in [
        "",
        "old 1",
        "old 01\n\nx",
        "old -1\n\nx",
        "Old 1\n\nx",
        "old 1\nAAAA\n\nx",
        "old 1\n\u{e9}\n\nx",
        "old 99999999999999999999\n\nx",
        long.as_str(),
    ] {
        assert!(AddCheckpoint::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(AddCheckpoint::parse(&many).is_err());
    assert!(AddCheckpoint::parse(b"old 1\n\xff\n\n").is_err());
}

#[test]
fn a_witness_signs_what_continues_and_refuses_the_rest() {
    let (witness, log) = (witness(), filled(300));
    let sign = |body: &str| witness.add_checkpoint(body.as_bytes(), NOW);
    let public = witness.public().clone();
    // The first, again, and the next.
    let line = sign(&request(&log, 0)).unwrap();
    assert!(public.verify(&with_lines(&head_note(&log), &line).unwrap()).is_ok());
    assert!(sign(&request(&log, 300)).is_ok());
    let replayed = request(&log, 0);
    grown(&log, 900);
    assert!(matches!(sign(&request(&log, 0)), Err(WitnessRefusal::Size { size: 300 })));
    assert!(matches!(sign(&request(&log, 299)), Err(WitnessRefusal::Size { size: 300 })));
    let line = sign(&request(&log, 300)).unwrap();
    assert!(public.verify(&with_lines(&head_note(&log), &line).unwrap()).is_ok());
    assert!(matches!(sign(&replayed), Err(WitnessRefusal::Size { size: 900 })));
    // Another history: of another size, of the same.
    let other = forked(250, 1000);
    assert!(matches!(sign(&request(&other, 900)), Err(WitnessRefusal::Proof(_))));
    let twin = forked(250, 900);
    assert!(matches!(sign(&request(&twin, 900)), Err(WitnessRefusal::Forked { size: 900, .. })));
    // A proof that is too long, for a first checkpoint and for a later one.
    let mut padded = AddCheckpoint::parse(request(grown(&log, 901), 900).as_bytes()).unwrap();
    padded.proof.push(Digest32([1; 32]));
    assert!(matches!(sign(&padded.to_text()), Err(WitnessRefusal::Proof(_))));
    padded.old = 902;
    assert!(matches!(sign(&padded.to_text()), Err(WitnessRefusal::Backwards { .. })));
    // Another log, and the log's name with another key.
    let strange = Log::open(MemoryStorage::new(), "other.test/log", Some(key())).unwrap();
    let note = strange.checkpoint().unwrap();
    let body = AddCheckpoint { old: 0, proof: Vec::new(), note }.to_text();
    assert!(matches!(sign(&body), Err(WitnessRefusal::UnknownLog { .. })));
    let forger = Arc::new(witness_key(9));
    let forged = Log::open(MemoryStorage::new(), ORIGIN, Some(forger)).unwrap();
    let note = forged.checkpoint().unwrap();
    let body = AddCheckpoint { old: 0, proof: Vec::new(), note }.to_text();
    assert!(matches!(sign(&body), Err(WitnessRefusal::Signature(_))));
    assert!(matches!(sign("nonsense"), Err(WitnessRefusal::Request(_))));
    assert!(matches!(sign("old 0\n\nnonsense"), Err(WitnessRefusal::Form(_))));
    // None of this changed what it has.
    assert!(sign(&request(&log, 900)).is_ok());
}

#[test]
fn a_log_cannot_be_called_what_cosignatures_begin_with() {
    let log = WatchedLog::new("cosignature/v1", key().verifying_key());
    assert!(Witness::new("w.test", witness_key(1), vec![log], Heads::default()).is_err());
}

#[test]
fn two_histories_at_once_never_both_get_a_signature() {
    for round in 0..40 {
        let witness = Arc::new(witness());
        let base = filled(10);
        witness.add_checkpoint(request(&base, 0).as_bytes(), NOW).unwrap();
        let bodies: Vec<_> = (0..4)
            .map(|i| match i % 2 {
                0 => request(&forked(10, 20 + round), 10),
                _ => request(grown(&base, 20 + round), 10),
            })
            .collect();
        let barrier = Arc::new(Barrier::new(bodies.len()));
        let threads = bodies.into_iter().map(|body| {
            let (witness, barrier) = (witness.clone(), barrier.clone());
            thread::spawn(move || {
                barrier.wait();
                let note = AddCheckpoint::parse(body.as_bytes()).unwrap().note;
                let signed = witness.add_checkpoint(body.as_bytes(), NOW).is_ok();
                (signed, Checkpoint::open(&note, &key().verifying_key(), ORIGIN).unwrap().root)
            })
        });
        let threads: Vec<_> = threads.collect();
        let signed = threads.into_iter().map(|t| t.join().unwrap()).filter(|(signed, _)| *signed);
        let roots: std::collections::BTreeSet<_> =
            signed.map(|(_, root)| *root.as_bytes()).collect();
        assert_eq!(roots.len(), 1, "round {round}");
    }
}

#[test]
fn a_memory_that_fails_signs_nothing() {
    struct Broken;
    impl WitnessStore for Broken {
        fn latest(&self, _: &str) -> io::Result<Option<Head>> {
            Ok(None)
        }
        fn advance(&self, _: &str, _: Option<&Head>, _: &Head) -> io::Result<bool> {
            Err(io::Error::other("full"))
        }
        fn keys(&self, _: &str) -> io::Result<Option<Succession>> {
            Ok(None)
        }
        fn follow(&self, _: &Succession) -> io::Result<bool> {
            Ok(true)
        }
    }
    let log = WatchedLog::new(ORIGIN, key().verifying_key());
    let witness = Witness::new("w.test", witness_key(1), vec![log], Broken).unwrap();
    let refused = witness.add_checkpoint(request(&filled(3), 0).as_bytes(), NOW);
    assert!(matches!(refused, Err(WitnessRefusal::Store(_))));
}

fn mirror(storage: Arc<MemoryStorage>) -> Mirror<Arc<MemoryStorage>> {
    Mirror::open(storage, ORIGIN, key().verifying_key()).unwrap()
}

fn look(
    mirror: &mut Mirror<Arc<MemoryStorage>>,
    log: &Log<MemoryStorage>,
) -> Result<Observed, MirrorError> {
    mirror.observe(&head_note(log), &mut |tile| log.tile(tile).map_err(|e| e.to_string()))
}

fn operator() -> VerifyingKey {
    key().verifying_key()
}

#[test]
fn a_mirror_follows_a_log_of_any_size_and_goes_on_after_a_restart() {
    let storage = Arc::new(MemoryStorage::new());
    let log = filled(0);
    let mut before = 0;
    for size in [1, 2, 255, 256, 257, 600, 65_535, 65_536, 65_793, 70_000] {
        grown(&log, size);
        let mut mirror = mirror(storage.clone());
        assert_eq!(look(&mut mirror, &log).unwrap(), Observed::Advanced { from: before, to: size });
        assert_eq!(look(&mut mirror, &log).unwrap(), Observed::Unchanged);
        before = size;
    }
    // It has what the log has.
    let mut mirror = mirror(storage);
    let shown = Observed::RolledBack { known: 70_000, shown: 66_000 };
    assert_eq!(look(&mut mirror, &filled(66_000)).unwrap(), shown);
}

#[test]
fn every_fork_is_shown_to_others() {
    for (fork, known, shown) in [
        (5, 9, 9),
        (5, 9, 12),
        (5, 12, 9),
        (1, 2, 700),
        (300, 600, 601),
        (300, 601, 600),
        (255, 256, 512),
        (256, 512, 513),
        (300, 513, 512),
        (0, 1, 2),
        (0, 4, 3),
    ] {
        let (log, other) = (filled(known), forked(fork, shown));
        let mut mirror = mirror(Arc::default());
        look(&mut mirror, &log).unwrap();
        let Observed::Forked(proof) = look(&mut mirror, &other).unwrap() else {
            panic!("{fork} {known} {shown}: not noticed")
        };
        let read = ForkProof::parse(&proof.to_json()).unwrap();
        let fork_shown = read.verify(&operator(), Some(ORIGIN)).unwrap();
        assert_eq!(fork_shown.older().size, known.min(shown));
        assert_eq!(fork_shown.newer().size, known.max(shown));
        read.verify(&operator(), None).unwrap();
        assert_eq!(read.verify(&witness_key(3).verifying_key(), None), Err(ForkError::Operator));
        // It goes on as it was.
        assert_eq!(look(&mut mirror, &log).unwrap(), Observed::Unchanged);
        assert!(matches!(
            look(&mut mirror, grown(&log, known + 300)).unwrap(),
            Observed::Advanced { .. }
        ));
    }
}

#[test]
fn nobody_is_accused_of_a_fork_that_is_none() {
    let (log, other) = (filled(9), forked(5, 12));
    let mut mirror = mirror(Arc::default());
    look(&mut mirror, &log).unwrap();
    let Observed::Forked(proof) = look(&mut mirror, &other).unwrap() else { panic!("no fork") };
    let json = String::from_utf8(proof.to_json()).unwrap();
    // Any byte that differs: refused, or the same proof in other white space.
    for at in 0..json.len() {
        let mut changed = json.clone().into_bytes();
        changed[at] ^= 1;
        if let Ok(read) = ForkProof::parse(&changed)
            && read != *proof
        {
            assert!(read.verify(&operator(), None).is_err(), "byte {at}");
        }
    }
    // Two checkpoints of one history, with an honest path and with none.
    let old = head_note(&log);
    let grown = head_note(grown(&log, 12));
    let prefix = log.root(9).unwrap();
    let path: Vec<_> = log.consistency(9, 12).unwrap().iter().map(Digest32::to_string).collect();
    let mut honest: serde_json::Value = serde_json::from_slice(&proof.to_json()).unwrap();
    (honest["older"], honest["newer"]) = (old.clone().into(), grown.into());
    (honest["prefix"], honest["path"]) = (prefix.to_string().into(), path.into());
    let read = ForkProof::parse(&serde_json::to_vec(&honest).unwrap()).unwrap();
    assert_eq!(read.verify(&operator(), None), Err(ForkError::NoFork));
    honest["newer"] = old.into();
    let read = ForkProof::parse(&serde_json::to_vec(&honest).unwrap()).unwrap();
    assert_eq!(read.verify(&operator(), None), Err(ForkError::NoFork));
    for bad in
        [&b"{}"[..], b"", b"[]", br#"{"mediaType":"application/vnd.symbolon.fork+json;version=2"}"#]
    {
        assert!(ForkProof::parse(bad).is_err());
    }
}

#[test]
fn tiles_that_lie_prove_nothing_and_change_nothing() {
    let storage = Arc::new(MemoryStorage::new());
    let mut mirror = mirror(storage.clone());
    look(&mut mirror, &filled(300)).unwrap();
    let log = filled(800);
    let note = head_note(&log);
    for at in 0..5u64 {
        let mut lying = |tile: &Tile| {
            let mut bytes = log.tile(tile).map_err(|e| e.to_string())?;
            match at {
                0 => bytes[0] ^= 1,
                1 => drop(bytes.pop()),
                2 => bytes.extend([0; 32]),
                3 => bytes.clear(),
                _ => return Err("gone".to_owned()),
            }
            Ok(bytes)
        };
        let refused = mirror.observe(&note, &mut lying);
        assert!(
            matches!(refused, Err(MirrorError::Tile { .. } | MirrorError::Tiles { .. })),
            "{at}: {refused:?}"
        );
        assert_eq!(mirror.checkpoint().unwrap().size, 300);
    }
    // Only the new leaves lie: the upper tiles show that there is no fork.
    let mut lying = |tile: &Tile| {
        let mut bytes = log.tile(tile).map_err(|e| e.to_string())?;
        if tile.number == 2 && bytes.len() == 8192 {
            bytes[0] ^= 1;
        }
        Ok(bytes)
    };
    assert!(matches!(mirror.observe(&note, &mut lying), Err(MirrorError::Tiles { size: 800 })));
    assert!(matches!(look(&mut mirror, &log), Ok(Observed::Advanced { from: 300, to: 800 })));
    // Its own state, damaged.
    storage.edit_files(|files| files.get_mut("hashes/0").unwrap()[40] ^= 1);
    assert!(matches!(Mirror::open(storage, ORIGIN, operator()), Err(MirrorError::State)));
}

#[test]
fn a_log_that_says_it_has_more_than_can_be_is_not_read() {
    let huge = Checkpoint { origin: ORIGIN.into(), size: u64::MAX, root: Digest32([1; 32]) };
    let mut fetched = 0;
    let refused = mirror(Arc::default()).observe(&huge.sign(&key()), &mut |_| {
        fetched += 1;
        Ok(vec![0; 8192])
    });
    assert!(matches!(refused, Err(MirrorError::TooMany { entries: u64::MAX })));
    assert_eq!(fetched, 0);
}

proptest! {
    #[test]
    fn a_request_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = AddCheckpoint::parse(&bytes);
        let _ = ForkProof::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = text.parse::<WitnessKey>();
        let _ = text.parse::<Tile>();
        let refused = witness().add_checkpoint(&bytes, NOW);
        prop_assert!(refused.is_err());
    }
}
