//! The child process: shut in, measured, held to the policy; and what it cannot do any more.
#![cfg(target_os = "linux")]

mod common;

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use common::*;
use symbolon_ambient::SeededRng;
use symbolon_capsule::{
    Admitted, Capability, Ceiling, Certificate, Certified, Checked, ComponentDigest, Envelope,
    HostPattern, Kind, Limits, Manifest, PolicyError, SigningKeys,
};
use symbolon_capsule_host::{Cache, Doors, Keeper, Ran, RunError};
use symbolon_crypto::SigningKey;

const NOW: u64 = 1_790_000_000_000;

/// The example that is a child, beside the tests.
fn child() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples/capsule_child")
}

fn keeper() -> Keeper {
    Keeper::new(child(), &[])
}

fn admit<'a>(component: &'a [u8], change: impl Fn(&mut Manifest)) -> Admitted<'a> {
    let key = |seed| SigningKeys::from(SigningKey::make(&SeededRng::new(seed)));
    let digest = ComponentDigest::of(component);
    let mut manifest = Manifest::template("test", digest, component.len() as u64);
    change(&mut manifest);
    let certificate = Certificate {
        ceiling: Ceiling {
            calls: vec!["github.*".into()],
            capabilities: vec![Capability::Call, Capability::Log, Capability::Random],
            hosts: vec![HostPattern::new("api.github.com")],
            limits: Limits::MOST,
        },
        keys: key(2).public(),
        not_after_ms: NOW + 1,
        not_before_ms: NOW,
        number: 1,
        publisher: "acme".into(),
    };
    let sign = |kind, bytes, seed| Envelope::sign(kind, bytes, &key(seed)).unwrap().to_json();
    let envelope = sign(Kind::Certificate, certificate.to_bytes(), 1);
    let certified = Certified::check(&envelope, &key(1).public(), None, NOW).unwrap();
    let envelope = sign(Kind::Manifest, manifest.to_bytes(), 2);
    Checked::check(&envelope, &certified).unwrap().admit(component).unwrap()
}

fn run(admitted: &Admitted<'_>, cache: Option<&Cache>, doors: Arc<Kept>) -> Result<Ran, RunError> {
    keeper().run(admitted, cache, b"hi".to_vec(), NOW, 1, doors)
}

#[test]
fn a_capsule_runs_in_a_child_that_measured_what_the_strict_policy_asks_for() {
    let component = echo();
    let ran = run(&admit(&component, |_| ()), None, Arc::default()).unwrap();
    assert_eq!(ran.finished.output, b"hi");
    let measured = ran.satisfied.measured();
    assert!(measured.landlock_abi >= 1 && measured.no_new_privileges && measured.no_dumps);
    assert_eq!((measured.seccomp_mode, measured.syscalls.as_deref()), (2, Some("capsule-1")));
}

#[test]
fn compiled_code_is_kept_and_code_that_was_changed_is_made_anew() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let component = echo();
    let admitted = admit(&component, |_| ());
    let first = run(&admitted, Some(&cache), Arc::default()).unwrap();
    let second = run(&admitted, Some(&cache), Arc::default()).unwrap();
    assert_eq!((first.was_cached, second.was_cached), (false, true));
    assert_eq!(first.finished, second.finished);
    let folder = home.path().join("capsules/compiled");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let third = run(&admitted, Some(&cache), Arc::default()).unwrap();
    assert_eq!((third.was_cached, third.finished), (false, first.finished));
}

#[test]
fn a_policy_that_is_not_satisfied_is_refused_with_what_was_missing() {
    let component = echo();
    let admitted = admit(&component, |it| it.policy.landlock_abi = 200);
    let refused = run(&admitted, None, Arc::default()).unwrap_err();
    let RunError::Policy(PolicyError::Landlock { required: 200, .. }) = refused else {
        panic!("{refused}")
    };
    // No processor has the vector units of both.
    let feature = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
    let admitted = admit(&component, |it| it.policy.cpu_required = vec![feature.into()]);
    let refused = run(&admitted, None, Arc::default()).unwrap_err();
    assert_eq!(refused, RunError::Policy(PolicyError::CpuMissing(feature.into())));
}

#[test]
fn the_limits_hold_in_the_child_too() {
    let component = looping();
    let admitted = admit(&component, |it| {
        it.limits.time_ms = 100;
        it.limits.fuel = Limits::MOST.fuel;
    });
    assert_eq!(run(&admitted, None, Arc::default()).unwrap_err(), RunError::Time);
    let admitted = admit(&component, |it| it.limits.fuel = 1000);
    assert_eq!(run(&admitted, None, Arc::default()).unwrap_err(), RunError::Fuel);
}

#[test]
fn a_call_that_the_manifest_does_not_name_never_reaches_the_broker() {
    let component = caller();
    let may = |calls: &str| {
        let calls = vec![calls.to_owned()];
        move |it: &mut Manifest| {
            it.deterministic = false;
            it.capabilities = vec![Capability::Call];
            it.calls = calls.clone();
            it.hosts = vec!["api.github.com".into()];
        }
    };
    let doors = Arc::new(Kept::default());
    let admitted = admit(&component, may("github.issues.list"));
    let run = |input: &[u8]| keeper().run(&admitted, None, input.to_vec(), NOW, 1, doors.clone());
    assert_eq!(run(b"github.issues.list").unwrap().finished.output, b"[1]");
    let refused = run(b"github.repos.delete").unwrap_err();
    assert!(matches!(&refused, RunError::Guest(why) if why.contains("does not name")), "{refused}");
    assert_eq!(doors.calls.lock().unwrap().len(), 1);
}

/// Doors behind which somebody decides, until nobody waits for it any more.
#[derive(Default)]
struct Deciding {
    left: Mutex<bool>,
    told: Condvar,
}

impl Doors for Deciding {
    fn line(&self, _text: &str) {}

    fn call(&self, _operation: &str, _parameters: &str) -> Result<String, String> {
        let left = self.left.lock().unwrap();
        drop(self.told.wait_timeout_while(left, Duration::from_secs(60), |left| !*left).unwrap());
        Err("nobody decided".into())
    }

    fn leave(&self) {
        *self.left.lock().unwrap() = true;
        self.told.notify_all();
    }
}

#[test]
fn a_call_that_waits_for_somebody_holds_the_run_no_longer_than_its_time() {
    let component = caller();
    let admitted = admit(&component, |it| {
        it.deterministic = false;
        it.capabilities = vec![Capability::Call];
        it.calls = vec!["github.issues.list".into()];
        it.hosts = vec!["api.github.com".into()];
        it.limits.time_ms = 200;
    });
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let doors = Arc::new(Deciding::default());
    let began = Instant::now();
    let input = b"github.issues.list".to_vec();
    let ran = keeper().run(&admitted, Some(&cache), input, NOW, 1, doors.clone());
    assert_eq!(ran.unwrap_err(), RunError::Time);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(*doors.left.lock().unwrap(), "what was asked is still asked");
}

#[test]
fn the_kernel_ends_a_process_that_opens_connects_or_starts_something() {
    use std::os::unix::process::ExitStatusExt;
    for what in ["open", "socket", "spawn"] {
        let status = Command::new(child()).arg(what).status().unwrap();
        assert_eq!(status.signal(), Some(31), "{what}: {status}");
    }
    // And one that does nothing of the kind goes on.
    assert_eq!(Command::new(child()).arg("nothing").status().unwrap().code(), Some(4));
}

#[test]
fn a_program_that_is_no_child_of_ours_is_refused() {
    let component = echo();
    let admitted = admit(&component, |_| ());
    let other = Keeper::new("/bin/true", &[]);
    let refused = other.run(&admitted, None, vec![], NOW, 1, Arc::new(Kept::default()));
    assert!(matches!(refused, Err(RunError::Process(_))));
    let none = Keeper::new("/nonexistent", &[]);
    let refused = none.run(&admitted, None, vec![], NOW, 1, Arc::new(Kept::default()));
    assert!(matches!(refused, Err(RunError::Process(_))));
}
