//! Capsules: how long a cached component takes to be ready, what a call costs beyond what it does, and receipts of runs
//! made and checked. The engine runs in this process: starting the child that shuts it in is not in these times.

use std::sync::Arc;
use std::time::Instant;

use symbolon_ambient::SystemRng;
use symbolon_capsule::{
    Admitted, Ceiling, Certificate, Certified, Checked, ComponentDigest, Envelope, Kind, Limits,
    Manifest, Measured, SYSCALL_PROFILE, Satisfied, SigningKeys,
};
use symbolon_capsule_host::{Cache, Compiled, Doors, Given, Job, Runtime};
use symbolon_circuits::{IssuerKey, ProvingKey, prove};
use symbolon_crypto::{SigningKey, prove_identity};
use symbolon_receipt::OperatorKey;
use symbolon_receipt::capsule::{
    CapsuleReceipt, Draft, Facts, FieldName, PrivateDraft, capsule_statement, verify_capsule,
};

use crate::meter::Meter;
use crate::row::Report;
use crate::{BenchError, Options};

/// Gives its input back.
const ECHO: &str = r#"(component
  (core module $main
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
    (func (export "handle") (param $at i32) (param $length i32) (result i32)
      (i32.store8 (i32.const 16) (i32.const 0))
      (i32.store (i32.const 20) (local.get $at))
      (i32.store (i32.const 24) (local.get $length))
      (i32.const 16)))
  (core instance $main (instantiate $main))
  (func (export "handle") (param "input" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $main "handle") (memory (core memory $main "memory"))
      (realloc (core func $main "realloc")))))"#;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let component = wat::parse_str(ECHO).map_err(BenchError::new)?;
    runs(options, &component, report)?;
    let publisher = Publisher::make(&component)?;
    publisher.standard(options, report)?;
    publisher.private(options, report)
}

struct Nobody;

impl Doors for Nobody {
    fn line(&self, _text: &str) {}
    fn call(&self, _operation: &str, _parameters: &str) -> Result<String, String> {
        Err("nobody".into())
    }
}

/// A component that is kept compiled: loaded, and called.
fn runs(options: &Options, component: &[u8], report: &mut Report) -> Result<(), BenchError> {
    let folder = tempfile::tempdir()?;
    let cache = Cache::open(folder.path()).map_err(BenchError::new)?;
    let runtime = Runtime::new().map_err(BenchError::new)?;
    let digest = ComponentDigest::of(component);
    let compiled = Compiled::make(&runtime, component).map_err(BenchError::new)?;
    cache.put(&runtime.version(), &digest, &compiled).map_err(BenchError::new)?;
    let given = Given { call: false, log: false, random: false, time: false, deterministic: true };
    let job =
        Job { input: b"{\"a\":1}".to_vec(), limits: Limits::DRAFT, given, now_ms: 1, seed: 1 };
    let doors: Arc<dyn Doors> = Arc::new(Nobody);

    let mut correct = true;
    let meter = Meter::start(std::process::id());
    for _ in 0..options.iterations.unwrap_or(300).clamp(1, 10_000) {
        let began = Instant::now();
        let Some(compiled) = cache.get(&runtime.version(), &digest) else {
            return Err(BenchError::new("the compiled component is not in the cache"));
        };
        let loaded = runtime.load(&compiled, given).map_err(BenchError::new)?;
        meter.record(began);
        let done = runtime.run(&loaded, &job, doors.clone()).map_err(BenchError::new)?;
        correct &= done.output == job.input;
    }
    report.row(&meter.row(SUITE, "cached start", 1, "none", correct));

    let loaded = runtime.load(&compiled, given).map_err(BenchError::new)?;
    let meter = Meter::start(std::process::id());
    for _ in 0..options.iterations.unwrap_or(5000).clamp(1, 100_000) {
        let began = Instant::now();
        let done = runtime.run(&loaded, &job, doors.clone()).map_err(BenchError::new)?;
        meter.record(began);
        correct &= done.output == job.input;
    }
    let mut row = meter.row(SUITE, "call", 1, "none", correct);
    row.note = Some("in a new instance".to_owned());
    report.row(&row);
    Ok(())
}

/// A signed capsule, and who runs it.
struct Publisher {
    component: Vec<u8>,
    manifest: Vec<u8>,
    certificate: Vec<u8>,
    checked: Checked,
    root: SigningKeys,
    operator: SigningKey,
}

impl Publisher {
    fn make(component: &[u8]) -> Result<Self, BenchError> {
        let keys = || SigningKeys::from(SigningKey::make(&SystemRng));
        let (root, mut publisher) = (keys(), keys());
        publisher.jubjub = Some(IssuerKey::make(&SystemRng));
        let digest = ComponentDigest::of(component);
        let mut manifest = Manifest::template("echo", digest, component.len() as u64);
        manifest.sign_statement(publisher.jubjub.as_ref(), &SystemRng);
        let certificate = Certificate {
            ceiling: Ceiling::plain(),
            keys: publisher.public(),
            not_after_ms: NOW_MS + 1,
            not_before_ms: NOW_MS,
            number: 1,
            publisher: "bench".into(),
        };
        let signed = |kind, bytes, keys: &SigningKeys| {
            Envelope::sign(kind, bytes, keys).map(|it| it.to_json()).map_err(BenchError::new)
        };
        let manifest = signed(Kind::Manifest, manifest.to_bytes(), &publisher)?;
        let certificate = signed(Kind::Certificate, certificate.to_bytes(), &root)?;
        let certified = Certified::check(&certificate, &root.public(), None, NOW_MS);
        let checked = Checked::check(&manifest, &certified.map_err(BenchError::new)?);
        let (checked, operator) = (checked.map_err(BenchError::new)?, SigningKey::make(&SystemRng));
        let component = component.to_vec();
        Ok(Self { component, manifest, certificate, checked, root, operator })
    }

    fn evidence(&self) -> Result<(Admitted<'_>, Satisfied), BenchError> {
        let admitted = self.checked.clone().admit(&self.component).map_err(BenchError::new)?;
        let measured = Measured {
            cpu: Vec::new(),
            landlock_abi: 1,
            no_dumps: true,
            no_new_privileges: true,
            seccomp_mode: 2,
            syscalls: Some(SYSCALL_PROFILE.to_owned()),
        };
        let satisfied = admitted.manifest().policy.satisfied_by(measured);
        Ok((admitted, satisfied.map_err(BenchError::new)?))
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            manifest: &self.manifest,
            certificate: &self.certificate,
            started_ms: NOW_MS,
            completed_ms: NOW_MS,
            input: b"in",
            output: b"out",
            fuel: 1,
            memory_bytes: 65_536,
        }
    }

    /// Receipts of the standard form.
    fn standard(&self, options: &Options, report: &mut Report) -> Result<(), BenchError> {
        let (admitted, satisfied) = self.evidence()?;
        let key = self.operator.verifying_key();
        let make = || {
            let facts = self.facts();
            let draft = Draft::new(&admitted, &satisfied, &facts, &key, &SystemRng);
            let draft = draft.map_err(BenchError::new)?;
            let statement = capsule_statement(&draft.transcript());
            let proof = prove_identity(&self.operator, &statement, &SystemRng);
            draft.prove(proof).map_err(BenchError::new)
        };
        let runs = options.iterations.unwrap_or(500).clamp(1, 10_000);
        self.measured("receipt", runs, make, report)
    }

    /// Receipts of the private form.
    fn private(&self, options: &Options, report: &mut Report) -> Result<(), BenchError> {
        let (admitted, satisfied) = self.evidence()?;
        let operator = self.operator.verifying_key();
        let key = ProvingKey::make().map_err(BenchError::new)?;
        let make = || {
            let facts = self.facts();
            let draft = PrivateDraft::new(&admitted, &satisfied, &facts, &operator, &SystemRng);
            let draft = draft.map_err(BenchError::new)?;
            let shown = prove(&key, &draft.statement(), draft.witness(), &SystemRng);
            let statement = capsule_statement(&draft.transcript());
            let proof = prove_identity(&self.operator, &statement, &SystemRng);
            let receipt = draft.prove(proof, shown.map_err(BenchError::new)?);
            receipt.map(|it| it.disclose(FieldName::PRIVATE_SHOWN)).map_err(BenchError::new)
        };
        let runs = options.iterations.unwrap_or(9).clamp(1, 1000);
        self.measured("private receipt", runs, make, report)
    }

    /// Receipts made, then each checked; one that was changed is refused.
    fn measured(
        &self,
        case: &str,
        runs: usize,
        make: impl Fn() -> Result<CapsuleReceipt, BenchError>,
        report: &mut Report,
    ) -> Result<(), BenchError> {
        let mut all = Vec::with_capacity(runs);
        let meter = Meter::start(std::process::id());
        for _ in 0..runs {
            let began = Instant::now();
            all.push(make()?.to_json());
            meter.record(began);
        }
        report.row(&meter.row(SUITE, &format!("{case}, made"), 1, "none", all.len() == runs));

        let operator = OperatorKey::from(self.operator.verifying_key());
        let root = self.root.public();
        let check = |bytes: &[u8]| verify_capsule(bytes, Some(&operator), Some(&root)).is_ok();
        let mut correct = true;
        let meter = Meter::start(std::process::id());
        for bytes in &all {
            let began = Instant::now();
            correct &= check(bytes);
            meter.record(began);
        }
        let mut changed = all.swap_remove(0);
        let place = changed.windows(12).position(|it| it == b"\"commitment\"").unwrap_or_default();
        changed[place + 20] ^= 1;
        correct &= !check(&changed);
        let mut row = meter.row(SUITE, &format!("{case}, checked"), 1, "none", correct);
        row.note = Some(format!("{} bytes", changed.len()));
        report.row(&row);
        Ok(())
    }
}

const SUITE: &str = "capsule";
const NOW_MS: u64 = 1_790_000_000_000;
