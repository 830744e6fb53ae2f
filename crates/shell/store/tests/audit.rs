//! The audit's folder beside a log's: written, compacted, cut off at each step, and changed behind its back.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon_ambient::SystemRng;
use symbolon_audit::{Entry, Filter, Row};
use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::{SigningKey, labels};
use symbolon_log::{Durability, Log, vkey};
use symbolon_receipt::*;
use symbolon_store::{Audit, AuditFault, Fault, Faults, FolderStorage, Home, Op};

const ORIGIN: &str = "symbolon.local/log/test";
/// 2026-11-18T10:40:00Z
const EPOCH: u64 = 1_795_000_000_000;
const DAY: u64 = 86_400_000;

struct World {
    _folder: tempfile::TempDir,
    home: Home,
    log: Log<FolderStorage>,
    entries: Vec<Vec<u8>>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(&folder.path().join("home")).unwrap();
        let key = Arc::new(SigningKey::make(&SystemRng));
        let text = vkey(ORIGIN, &key.verifying_key()).unwrap();
        fs::write(home.operator_pub(), text).unwrap();
        let log = FolderStorage::open(&home.log()).unwrap();
        let log = Log::open(log, ORIGIN, Some(key)).unwrap();
        Self { _folder: folder, home, log, entries: Vec::new() }
    }

    fn append(&mut self, entry: Vec<u8>) -> (u64, Digest32) {
        let ticket = self.log.append(&entry).unwrap();
        self.entries.push(entry);
        (ticket.index(), *ticket.leaf_hash())
    }

    /// One call: its intent, and where it came to an end its receipt.
    fn call(&mut self, n: u64, ends: bool) {
        let ms = EPOCH + n * 1000;
        let (index, leaf_hash) = self.append(intent(n, ms));
        if ends {
            self.append(receipt(n, ms, IntentRef { index, leaf_hash }));
        }
    }

    fn checkpoint(&self) {
        self.log.commit().unwrap();
        self.log.checkpoint().unwrap();
    }

    fn audit(&self) -> Audit {
        Audit::open(&self.home).unwrap()
    }

    /// What a look at every entry of the log finds, newest first.
    fn naive(&self) -> Vec<Row> {
        let rows: Vec<Row> = (0..)
            .zip(&self.entries)
            .map(|(index, bytes)| Row { index, entry: Entry::read(bytes) })
            .collect();
        let named = |row: &Row| row.entry.receipt()?.predicate.intent.map(|i| i.index);
        let closed: Vec<u64> = rows.iter().filter_map(named).collect();
        let filter = Filter::default();
        rows.into_iter().rev().filter(|r| filter.finds(r, |i| closed.contains(&i))).collect()
    }

    fn found(&self) -> Vec<Row> {
        self.audit().query(&Filter::default(), usize::MAX, &|_, _| {}).unwrap().rows
    }

    fn names(&self) -> Vec<String> {
        let files = fs::read_dir(self.home.audit()).unwrap();
        let mut names: Vec<String> =
            files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != "lock" && name != "known.json");
        names.sort();
        names
    }

    fn file(&self, end: &str) -> PathBuf {
        let name = self.names().into_iter().find(|name| name.ends_with(end)).unwrap();
        self.home.audit().join(name)
    }
}

fn intent(n: u64, ms: u64) -> Vec<u8> {
    Fields::new(labels::INTENT.as_str())
        .u64(ms)
        .bytes(&n.to_be_bytes().repeat(2))
        .bytes(&[7; 16])
        .str("claude")
        .str("mcp")
        .bytes(&[0; 32])
        .str("github.issues.list")
        .str("main")
        .str("https://api.github.com")
        .u64(1)
        .bytes(&[15])
        .bytes(&[n as u8; 32])
        .finish()
}

fn receipt(n: u64, ms: u64, intent: IntentRef) -> Vec<u8> {
    let time = Time::from_unix_ms(ms);
    let statement = Statement {
        request: Digest32([n as u8; 32]),
        predicate: Predicate {
            agent: "claude".into(),
            session: Digest32([1; 32]),
            door: Door::Mcp,
            context: "direct".into(),
            tool: "github.issues.list".into(),
            service: "github".into(),
            connection: "main".into(),
            method: "GET".into(),
            host: "api.github.com".into(),
            path_template: "/repos/{owner}/{repo}/issues".into(),
            parameters: Digest32([2; 32]),
            decision: Decision {
                outcome: Outcome::Allowed,
                gates: vec![Gate { gate: "scope".into(), held: true, detail: "".into() }],
            },
            approval: None,
            intent: Some(intent),
            retries: 0,
            idempotency_key: None,
            minted: None,
            lineage: (&[]).into(),
            request_body: None,
            response: None,
            error: Some("timeout".into()),
            times: Times { requested: time, released: Some(time), completed: time },
            durability: Durability::Relaxed,
        },
    };
    let mut out = Vec::new();
    statement.write(&mut out).unwrap();
    out
}

/// Two days of calls; some never ended, one ended a day later.
fn two_days() -> World {
    let mut world = World::new();
    for n in 0..20 {
        world.call(n, !n.is_multiple_of(5));
    }
    let (index, leaf_hash) = world.append(intent(99, EPOCH + 30_000));
    for n in 0..15 {
        world.call(DAY / 1000 + n, true);
    }
    world.append(receipt(99, EPOCH + DAY + 20_000, IntentRef { index, leaf_hash }));
    world.checkpoint();
    world
}

#[test]
fn answers_are_the_same_from_the_log_from_lines_and_from_parquet() {
    let mut world = two_days();
    let silent = |_: u64, _: u64| {};
    let right = world.naive();
    assert_eq!(right.len(), 20 + 15 + 1, "calls of both days, open ones, and the late one");
    assert_eq!(world.found(), right, "from the log alone");
    let lines = world.audit().follow(&silent).unwrap();
    assert_eq!(lines, world.entries.len() as u64);
    assert_eq!(world.names(), ["2026-11-18.000000000000.jsonl", "2026-11-19.000000000037.jsonl"]);
    assert_eq!(world.found(), right, "from lines");
    assert_eq!(world.audit().follow(&silent).unwrap(), 0, "nothing is new");
    world.audit().keep(EPOCH + DAY).unwrap();
    assert_eq!(world.names(), ["2026-11-18.000000000000.parquet", "2026-11-19.000000000037.jsonl"]);
    assert_eq!(world.found(), right, "from both");
    let made = world.audit().compact(&silent).unwrap();
    assert_eq!((made.len(), made[0].receipts), (1, 16));
    assert_eq!(world.found(), right, "from Parquet");
    let proof = world.audit().verify(&silent).unwrap();
    assert_eq!((proof.files.len(), proof.checked), (2, 2));
    assert_eq!(proof.checkpoint.map(|c| c.size), Some(world.entries.len() as u64));
    // What comes later, with a checkpoint and without.
    world.call(DAY / 1000 + 30, true);
    world.checkpoint();
    world.call(DAY / 1000 + 31, true);
    world.log.commit().unwrap();
    let answer = world.audit().query(&Filter::default(), 3, &silent).unwrap();
    assert_eq!(answer.rows, world.naive()[..3]);
    assert_eq!(answer.proof.next, answer.proof.checkpoint.unwrap().size + 2);
}

#[test]
fn a_failure_or_death_at_any_step_loses_nothing() {
    let silent = |_: u64, _: u64| {};
    let mut skip = 0u64;
    loop {
        let world = two_days();
        let faults = Faults::none();
        let fault = if skip.is_multiple_of(2) { Fault::Io } else { Fault::NoSpace };
        faults.fail(Op::Audit, skip, fault);
        let audit = Audit::open_with(&world.home, faults.clone()).unwrap();
        let done = audit.compact(&silent);
        assert_eq!(done.is_err(), faults.count(Op::Audit) > skip, "step {skip}");
        let right = world.naive();
        assert_eq!(world.found(), right, "step {skip}");
        world.audit().compact(&silent).unwrap();
        assert_eq!(world.found(), right, "step {skip}");
        let ends = |end: &str| world.names().iter().filter(|n| n.ends_with(end)).count();
        assert_eq!((ends(".jsonl"), ends(".parquet")), (0, 2), "step {skip}");
        world.audit().verify(&silent).unwrap();
        if done.is_ok() {
            break;
        }
        skip += 1;
    }
    assert!(skip > 12, "only {skip} steps");
}

#[test]
fn a_torn_last_line_is_cut_and_written_again() {
    let world = two_days();
    let silent = |_: u64, _: u64| {};
    world.audit().follow(&silent).unwrap();
    let last = world.home.audit().join("2026-11-19.000000000037.jsonl");
    let text = fs::read(&last).unwrap();
    for cut in [1, 2, 300, text.len() - 1, text.len()] {
        fs::write(&last, &text[..text.len() - cut]).unwrap();
        assert_eq!(world.found(), world.naive(), "{cut} bytes cut");
        assert!(world.audit().follow(&silent).unwrap() > 0, "{cut}");
        assert_eq!(fs::read(&last).unwrap(), text, "{cut} bytes cut");
    }
}

fn incomplete(world: &World) -> AuditFault {
    let silent = |_: u64, _: u64| {};
    let fault = world.audit().query(&Filter::default(), 10, &silent).map(drop).unwrap_err();
    assert!(fault.is_damage(), "{fault}");
    assert!(world.audit().verify(&silent).unwrap_err().is_damage());
    fault
}

fn without_line(path: &Path, at: usize) {
    let text = fs::read_to_string(path).unwrap();
    let kept: Vec<&str> =
        text.lines().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| line).collect();
    fs::write(path, kept.join("\n") + "\n").unwrap();
}

#[test]
fn a_line_that_is_gone_or_another_is_found() {
    let world = two_days();
    world.audit().follow(&|_, _| {}).unwrap();
    let path = world.file(".jsonl");
    let before = fs::read_to_string(&path).unwrap();
    without_line(&path, 3);
    assert!(matches!(incomplete(&world), AuditFault::File { .. }));
    // A line that is right for an entry which the log has not.
    let other = intent(1234, EPOCH);
    let mut line = Vec::new();
    symbolon_audit::write_line(0, &other, &Entry::read(&other), &mut line).unwrap();
    let rest = before.split_once('\n').unwrap().1;
    fs::write(&path, [&*line, rest.as_bytes()].concat()).unwrap();
    let fault = incomplete(&world);
    assert!(matches!(&fault, AuditFault::Differs { name } if name.contains("2026-11-18")));
}

#[test]
fn a_parquet_file_without_a_row_is_found_and_one_that_is_gone_is_made_again() {
    let world = two_days();
    let silent = |_: u64, _: u64| {};
    world.audit().compact(&silent).unwrap();
    let path = world.file(".parquet");
    let right = fs::read(&path).unwrap();
    // Whole in itself, and with one entry less.
    let mut rows: Vec<Row> =
        (0..37).map(|n| Row { index: n, entry: Entry::read(&world.entries[n as usize]) }).collect();
    rows.remove(5);
    rows.iter_mut().skip(5).for_each(|row| row.index -= 1);
    let mut file = Vec::new();
    symbolon_audit::pack(rows.clone(), &mut file).unwrap();
    fs::write(&path, &file).unwrap();
    let _ = incomplete(&world);
    // With the right number of entries, one of them another.
    let mut rows: Vec<Row> =
        (0..37).map(|n| Row { index: n, entry: Entry::read(&world.entries[n as usize]) }).collect();
    rows[6].entry = rows[8].entry.clone();
    let mut file = Vec::new();
    symbolon_audit::pack(rows, &mut file).unwrap();
    fs::write(&path, &file).unwrap();
    let fault = incomplete(&world);
    assert!(
        matches!(&fault, AuditFault::Differs { name } if name.contains("2026-11-18")),
        "{fault}"
    );
    let mut flipped = right.clone();
    flipped[100] ^= 4;
    fs::write(&path, &flipped).unwrap();
    let _ = incomplete(&world);
    fs::remove_file(&path).unwrap();
    assert_eq!(world.found(), world.naive(), "the log has it all");
    world.audit().compact(&silent).unwrap();
    assert_eq!(fs::read(&path).unwrap(), right, "the same file again");
}

#[test]
fn a_log_that_is_shorter_than_the_audit_is_not_believed() {
    let world = two_days();
    world.audit().compact(&|_, _| {}).unwrap();
    let other = two_days();
    fs::copy(other.home.operator_pub(), world.home.operator_pub()).unwrap();
    assert!(matches!(incomplete(&world), AuditFault::Checkpoint(_)), "another's key");
    let mut short = World::new();
    short.call(1, true);
    short.checkpoint();
    fs::create_dir(short.home.audit()).unwrap();
    for name in world.names() {
        fs::copy(world.home.audit().join(&name), short.home.audit().join(&name)).unwrap();
    }
    assert!(matches!(incomplete(&short), AuditFault::Behind { covered: 2, .. }));
}

#[test]
fn a_full_file_is_followed_by_another() {
    let mut world = World::new();
    let mut n = 0u64;
    while (world.entries.len() as u64) < symbolon_audit::ENTRIES_MAX + 10 {
        world.append(Fields::new(labels::ASK.as_str()).u64(n).finish());
        n += 1;
        if n.is_multiple_of(5000) {
            world.log.commit().unwrap();
        }
    }
    world.checkpoint();
    world.audit().keep(0).unwrap();
    assert_eq!(world.names(), ["1970-01-01.000000000000.parquet", "1970-01-01.000000065536.jsonl"]);
    assert_eq!(world.found(), [], "questions are no calls");
}
