//! Capsules: how soon a cached component is ready, what a call costs, and a run's receipt.

use std::sync::Arc;
use std::time::Instant;

use symbolon_ambient::{Rng, SystemRng};
use symbolon_capsule::{
    Ceiling, Certificate, Certified, Checked, ComponentDigest, Envelope, Kind, Limits, Manifest,
    Measured, SYSCALL_PROFILE, SigningKeys,
};
use symbolon_capsule_host::{Cache, Compiled, Doors, Given, Job, Runtime};
use symbolon_crypto::{SigningKey, prove_identity};
use symbolon_receipt::OperatorKey;
use symbolon_receipt::capsule::{Draft, Facts, verify_capsule};
use symbolon_trust::capsule_statement;

use crate::meter::Meter;
use crate::row::Report;
use crate::{BenchError, Options};

/// Gives back what it was given.
const ECHO: &str = include_str!("capsule/echo.wat");
const INPUT: &[u8] = b"{\"a\":1}";
const NOW_MS: u64 = 1_795_169_160_000;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let component = wat::parse_str(ECHO).map_err(BenchError::new)?;
    calls(&component, options, report)?;
    receipts(&component, options, report)
}

/// A component that calls nobody.
struct Nobody;

impl Doors for Nobody {
    fn line(&self, _text: &str) {}
    fn call(&self, _operation: &str, _parameters: &str) -> Result<String, String> {
        Err("nobody".into())
    }
}

fn calls(component: &[u8], options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let folder = tempfile::tempdir()?;
    let cache = Cache::open(folder.path()).map_err(BenchError::new)?;
    let runtime = Runtime::new().map_err(BenchError::new)?;
    let (version, digest) = (runtime.version(), ComponentDigest::of(component));
    let compiled = Compiled::make(&runtime, component).map_err(BenchError::new)?;
    cache.put(&version, &digest, &compiled).map_err(BenchError::new)?;
    let given = Given { call: false, log: false, random: false, time: false, deterministic: true };
    let (limits, input) = (Limits::DRAFT, INPUT.to_vec());
    let job = Job { input, limits, given, now_ms: NOW_MS, seed: 1 };
    let doors: Arc<dyn Doors> = Arc::new(Nobody);

    let mut correct = true;
    let meter = Meter::start(std::process::id());
    for _ in 0..options.iterations.unwrap_or(500) {
        let start = Instant::now();
        let cached = cache.get(&version, &digest);
        let loaded = cached.map(|cached| runtime.load(&cached, given));
        meter.record(start);
        correct &= matches!(loaded, Some(Ok(_)));
    }
    report.row(&meter.row("capsule", "start-cached", 1, "none", correct));

    let loaded = runtime.load(&compiled, given).map_err(BenchError::new)?;
    let mut correct = true;
    let meter = Meter::start(std::process::id());
    for _ in 0..options.iterations.unwrap_or(20_000) {
        let start = Instant::now();
        let done = runtime.run(&loaded, &job, doors.clone());
        meter.record(start);
        correct &= done.is_ok_and(|done| done.output == INPUT);
    }
    let mut row = meter.row("capsule", "call", 1, "none", correct);
    row.note = Some("in an instance of its own".to_owned());
    report.row(&row);
    Ok(())
}

fn receipts(component: &[u8], options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let key = || SigningKey::make(&SystemRng);
    let (root, publisher): (SigningKeys, SigningKeys) = (key().into(), key().into());
    let operator = key();
    let digest = ComponentDigest::of(component);
    let manifest = Manifest::template("echo", digest, component.len() as u64);
    let certificate = Certificate {
        ceiling: Ceiling::plain(),
        keys: publisher.public(),
        not_after_ms: NOW_MS + 1000,
        not_before_ms: NOW_MS - 1000,
        number: 7,
        publisher: "acme".into(),
    };
    let sign = |kind, bytes, keys: &SigningKeys| {
        Envelope::sign(kind, bytes, keys).map(|signed| signed.to_json()).map_err(BenchError::new)
    };
    let manifest = sign(Kind::Manifest, manifest.to_bytes(), &publisher)?;
    let certificate = sign(Kind::Certificate, certificate.to_bytes(), &root)?;
    let certified = Certified::check(&certificate, &root.public(), None, NOW_MS);
    let checked = Checked::check(&manifest, &certified.map_err(BenchError::new)?);
    let admitted = checked.and_then(|checked| checked.admit(component)).map_err(BenchError::new)?;
    let satisfied = admitted.manifest().policy.satisfied_by(measured()).map_err(BenchError::new)?;
    let facts = Facts {
        manifest: &manifest,
        certificate: &certificate,
        started_ms: NOW_MS,
        completed_ms: NOW_MS + 5,
        input: INPUT,
        output: INPUT,
        fuel: 900,
        memory_bytes: 131_072,
    };
    let public = operator.verifying_key();

    let mut made = Vec::new();
    let meter = Meter::start(std::process::id());
    for _ in 0..options.iterations.unwrap_or(2000) {
        let start = Instant::now();
        let draft = Draft::new(&admitted, &satisfied, &facts, &public, &SystemRng);
        let draft = draft.map_err(BenchError::new)?;
        let statement = capsule_statement(&draft.transcript());
        let proof = prove_identity(&operator, &statement, &SystemRng as &dyn Rng);
        let receipt = draft.prove(proof).map_err(BenchError::new)?.to_json();
        meter.record(start);
        made.push(receipt);
    }
    let (named, other): (OperatorKey, OperatorKey) = (public.into(), key().verifying_key().into());
    let trusted = root.public();
    let holds = |receipt: &[u8]| verify_capsule(receipt, Some(&named), Some(&trusted)).is_ok();
    let correct = made.iter().all(|receipt| holds(receipt));
    report.row(&meter.row("capsule", "prove-receipt", 1, "none", correct));

    let Some(receipt) = made.first() else { return Err(BenchError::new("no receipt was made")) };
    let mut correct = verify_capsule(receipt, Some(&other), Some(&trusted)).is_err();
    let meter = Meter::start(std::process::id());
    for _ in 0..options.iterations.unwrap_or(2000) {
        let start = Instant::now();
        let is_good = holds(receipt);
        meter.record(start);
        correct &= is_good;
    }
    let mut row = meter.row("capsule", "verify-receipt", 1, "none", correct);
    row.note = Some(format!("{} bytes", receipt.len()));
    report.row(&row);
    Ok(())
}

/// As a process that is shut in finds itself.
fn measured() -> Measured {
    Measured {
        cpu: vec!["aes".into()],
        landlock_abi: 6,
        no_dumps: true,
        no_new_privileges: true,
        seccomp_mode: 2,
        syscalls: Some(SYSCALL_PROFILE.into()),
    }
}
