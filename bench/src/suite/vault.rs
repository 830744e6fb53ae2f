//! A vault of 10,000 notes on its holder's side: listed, searched, opened from disk, and brought up to
//! date.

use std::fmt::Write;
use std::time::Instant;

use symbolon_ambient::{Clock, Rng, SeededRng, SystemClock, SystemRng};
use symbolon_crypto::RecoveryCode;
use symbolon_custody::{Enrol, Opener, Unlocked, Vault};
use symbolon_vault::replica::Filter;
use symbolon_vault::wire::SealedRevision;
use symbolon_vault::{Item, Keys, Replica};

use crate::meter::Meter;
use crate::row::Report;
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let (clock, rng) = (SystemClock, SystemRng);
    let code = RecoveryCode::make(&rng);
    let made = Vault::create(&Enrol::new(Opener::Recovery(&code)), &rng, &clock);
    let unlocked = made.map_err(BenchError::new)?.1;
    let mut replica = Replica::create(Keys::new(&unlocked, 1), &clock);
    let words = SeededRng::new(1);
    let notes = (0..NOTES).map(|n| note(n, &words)).collect::<Result<Vec<_>, _>>()?;
    for note in &notes {
        replica.create_item(note, None, &clock, &rng).map_err(BenchError::new)?;
    }
    drop(notes);
    send(&mut replica, &clock)?;
    let snapshot = replica.snapshot(&rng);
    let times = options.iterations.unwrap_or(300).clamp(10, 100_000);
    open(report, &unlocked, &snapshot, times.min(20))?;
    list(report, &replica, times);
    search(report, &replica, times, &words);
    sync(report, &unlocked, &mut replica, &snapshot)
}

fn open(
    report: &mut Report,
    unlocked: &Unlocked,
    snapshot: &[u8],
    times: usize,
) -> Result<(), BenchError> {
    let meter = Meter::start(std::process::id());
    let mut correct = true;
    for _ in 0..times {
        let keys = Keys::new(unlocked, 1);
        let start = Instant::now();
        let opened = Replica::open_snapshot(keys, snapshot).map_err(BenchError::new)?;
        meter.record(start);
        correct &= opened.list(&Filter::default()).len() == NOTES;
    }
    let mut row = meter.row("vault", "open-snapshot", 1, "none", correct);
    row.note =
        Some(format!("{NOTES} notes, {:.1} MiB", snapshot.len() as f64 / f64::from(1 << 20)));
    report.row(&row);
    Ok(())
}

fn list(report: &mut Report, replica: &Replica, times: usize) {
    let meter = Meter::start(std::process::id());
    let mut correct = true;
    for _ in 0..times {
        let start = Instant::now();
        let listed = replica.list(&Filter::default());
        meter.record(start);
        correct &= listed.len() == NOTES;
    }
    let mut row = meter.row("vault", "list", 1, "none", correct);
    row.note = Some(format!("all {NOTES} notes, sorted"));
    report.row(&row);
}

/// Words as notes have them, whole and their beginnings, each with the 20 best shown.
fn search(report: &mut Report, replica: &Replica, times: usize, words: &SeededRng) {
    for (case, letters) in [("search-word", usize::MAX), ("search-beginning", 2)] {
        let meter = Meter::start(std::process::id());
        let mut correct = true;
        for _ in 0..times {
            let mut asked = word(words);
            asked.truncate(letters);
            let start = Instant::now();
            let hits = replica.search(&asked, &Filter::default(), 20);
            meter.record(start);
            correct &= hits.iter().all(|hit| {
                let shown = hit
                    .snippet
                    .marks
                    .iter()
                    .all(|m| hit.snippet.text[m.clone()].starts_with(&asked));
                shown
                    && (!hit.snippet.marks.is_empty()
                        || hit.overview.title.as_str().contains(&asked))
            });
        }
        let mut row = meter.row("vault", case, 1, "none", correct);
        row.note = Some(format!("{NOTES} notes of {WORDS} words, 20 hits with snippets"));
        report.row(&row);
    }
}

/// A device that has all notes takes in 1,000 that another one changed.
fn sync(
    report: &mut Report,
    unlocked: &Unlocked,
    replica: &mut Replica,
    snapshot: &[u8],
) -> Result<(), BenchError> {
    let (clock, rng) = (SystemClock, SystemRng);
    let ids: Vec<_> = replica.list(&Filter::default()).iter().map(|o| o.id).take(CHANGED).collect();
    for id in &ids {
        let mut item = replica.open(*id).map_err(BenchError::new)?;
        let body = format!("{} changed", item.body);
        item.body = body.parse().map_err(BenchError::new)?;
        replica.update_item(*id, &item, &clock, &rng).map_err(BenchError::new)?;
    }
    let sent = send(replica, &clock)?;
    let head =
        *replica.head().ok_or_else(|| BenchError::new("a vault that was made has a head"))?;
    let meter = Meter::start(std::process::id());
    let mut correct = true;
    for _ in 0..5 {
        let opened = Replica::open_snapshot(Keys::new(unlocked, 1), snapshot);
        let mut other = opened.map_err(BenchError::new)?;
        let start = Instant::now();
        let applied = other.apply(&head, &sent, &rng).map_err(BenchError::new)?;
        meter.record(start);
        correct &= applied.changed.len() == CHANGED;
        correct &= other.search("changed", &Filter::default(), NOTES).len() == CHANGED;
    }
    let mut row = meter.row("vault", "apply-1000-changed", 1, "none", correct);
    row.note = Some("checked against the signed head, opened and indexed; no network".to_owned());
    report.row(&row);
    Ok(())
}

/// Commits all that waits, to nobody; gives what was sent.
fn send(replica: &mut Replica, clock: &dyn Clock) -> Result<Vec<SealedRevision>, BenchError> {
    let mut sent = Vec::new();
    while let Some(commit) = replica.commit(clock).map_err(BenchError::new)? {
        replica.accepted(&commit, &SystemRng).map_err(BenchError::new)?;
        sent.extend(commit.revisions().iter().cloned());
    }
    Ok(sent)
}

fn note(n: usize, words: &SeededRng) -> Result<Item, BenchError> {
    let mut body = String::with_capacity(WORDS * 8);
    for _ in 0..WORDS {
        // A String takes what it is given.
        let _ = write!(body, "{} ", word(words));
    }
    let title = format!("{} {} {n}", word(words), word(words));
    let (title, body) = (title.parse(), body.parse());
    Ok(Item::note(title.map_err(BenchError::new)?, body.map_err(BenchError::new)?))
}

/// One of 30,000 words, the `r`th with a frequency of about 1/r, as in a language.
fn word(words: &SeededRng) -> String {
    let at = u64::from_le_bytes(words.bytes()) as f64 / u64::MAX as f64;
    let rank = VOCABULARY.powf(at) as u64;
    let mut rest = rank.wrapping_mul(2_654_435_761) % 1_000_003 + 26;
    let mut out = String::new();
    while rest > 0 {
        out.push(char::from(b'a' + (rest % 26) as u8));
        rest /= 26;
    }
    out
}

const NOTES: usize = 10_000;
const CHANGED: usize = 1000;
const WORDS: usize = 200;
const VOCABULARY: f64 = 30_000.0;
