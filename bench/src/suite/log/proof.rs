//! Proofs of inclusion out of a long log, and a receipt of it checked offline.

use std::sync::Arc;
use std::time::Instant;

use symbolon_ambient::SystemRng;
use symbolon_crypto::{SigningKey, sha256};
use symbolon_log::{Checkpoint, InclusionBundle, Log, LogError, leaf_hash, verify_inclusion, vkey};
use symbolon_receipt::{
    Bundle, Decision, Door, Gate, OperatorKey, Outcome, Predicate, Salt, Statement, Time, Times,
};
use symbolon_store::FolderStorage;

use super::ORIGIN;
use crate::meter::Meter;
use crate::row::Report;
use crate::{BenchError, Options};

/// `options.entries` entries, and a receipt behind them.
pub(super) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let folder = tempfile::tempdir()?;
    let key = Arc::new(SigningKey::make(&SystemRng));
    let storage = FolderStorage::open(folder.path())?;
    let log = Log::open(storage, ORIGIN, Some(key.clone())).map_err(BenchError::new)?;
    let entries = options.entries;
    for index in 0..entries {
        append(&log, &index.to_be_bytes()).map_err(BenchError::new)?;
    }
    let payload = payload()?;
    append(&log, &payload).map_err(BenchError::new)?;
    log.commit().map_err(BenchError::new)?;
    let note = log.checkpoint().map_err(BenchError::new)?;
    let checkpoint =
        Checkpoint::open(&note, &key.verifying_key(), ORIGIN).map_err(BenchError::new)?;

    let count = options.iterations.unwrap_or(20_000);
    let mut proofs: Vec<InclusionBundle> = Vec::with_capacity(count);
    let meter = Meter::start(std::process::id());
    for n in 0..count as u64 {
        let index = n.wrapping_mul(SPREAD) % entries;
        let start = Instant::now();
        proofs.push(log.prove(index).map_err(BenchError::new)?);
        meter.record(start);
    }
    let mut row = meter.row("log", "prove-inclusion", 1, "none", true);
    row.correct &= proofs.iter().all(|proof| {
        let leaf = leaf_hash(&proof.index.to_be_bytes());
        verify_inclusion(&leaf, proof.index, checkpoint.size, &proof.path, &checkpoint.root).is_ok()
    });
    row.note = Some(format!("of {} entries", checkpoint.size));
    report.row(&row);

    let proof = log.prove(entries).map_err(BenchError::new)?;
    let bundle = Bundle::make(payload, proof, ORIGIN, &key).map_err(BenchError::new)?.to_json();
    verify(&bundle, &key, entries, options, report)
}

fn verify(
    bundle: &[u8],
    key: &SigningKey,
    index: u64,
    options: &Options,
    report: &mut Report,
) -> Result<(), BenchError> {
    let named = |key: &SigningKey| {
        let text = vkey(ORIGIN, &key.verifying_key()).map_err(BenchError::new)?;
        OperatorKey::parse(&text).map_err(BenchError::new)
    };
    let (operator, other) = (named(key)?, named(&SigningKey::make(&SystemRng))?);
    let mut correct = symbolon_receipt::verify(bundle, &other).is_err();
    let meter = Meter::start(std::process::id());
    for _ in 0..options.iterations.unwrap_or(2000) {
        let start = Instant::now();
        let verified = symbolon_receipt::verify(bundle, &operator);
        meter.record(start);
        correct &= verified.is_ok_and(|receipt| receipt.index() == index);
    }
    let mut row = meter.row("log", "verify-receipt", 1, "none", correct);
    row.note = Some(format!("{} bytes", bundle.len()));
    report.row(&row);
    Ok(())
}

/// The backlog is written out where it is full.
fn append(log: &Log<FolderStorage>, entry: &[u8]) -> Result<(), LogError> {
    match log.append(entry) {
        Err(LogError::Backlog { .. }) => {
            log.hand_over()?;
            log.append(entry).map(drop)
        }
        taken => taken.map(drop),
    }
}

/// What a receipt of a refused call says.
fn payload() -> Result<Vec<u8>, BenchError> {
    let salt = Salt::make(&SystemRng);
    let now = Time::from_unix_ms(1_795_169_160_000);
    let gate = Gate { gate: "rate".into(), held: false, detail: "10 of 10 used".into() };
    let statement = Statement {
        request: salt.request(&sha256(b"request")),
        predicate: Predicate {
            agent: "claude".into(),
            session: sha256(b"session"),
            door: Door::Mcp,
            context: "direct".into(),
            tool: "github.issues.list".into(),
            service: "github".into(),
            connection: "work".into(),
            method: "GET".into(),
            host: "api.github.com".into(),
            path_template: "/repos/{owner}/{repo}/issues".into(),
            parameters: salt.parameters(b"{}"),
            decision: Decision { outcome: Outcome::Refused, gates: vec![gate] },
            lineage: std::borrow::Cow::default(),
            approval: None,
            intent: None,
            retries: 0,
            idempotency_key: None,
            minted: None,
            request_body: None,
            response: None,
            error: None,
            times: Times { requested: now, released: None, completed: now },
            durability: symbolon_log::Durability::Group,
        },
    };
    let mut payload = Vec::new();
    statement.write(&mut payload).map_err(BenchError::new)?;
    Ok(payload)
}

/// An odd number whose multiples fall everywhere.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
