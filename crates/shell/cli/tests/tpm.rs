//! A home that a TPM opens, from the command line, with a real (software) TPM.
#![cfg(feature = "tpm")]

mod common;

#[path = "../../device/tests/chip/mod.rs"]
mod chip;

use chip::Chip;
use common::Place;

#[test]
fn a_tpm_opens_the_home_for_a_broker_that_nobody_asked_and_no_other_tpm_does() {
    let place = Place::new();
    let run = |tcti: &str, words: &[&str]| {
        let mut command = place.command(words);
        command.env("TPM2TOOLS_TCTI", tcti).env("TSS2_LOG", "all+none");
        command.output().unwrap()
    };
    let (own, other) = (Chip::new(), Chip::new());
    let code = place.file("code").display().to_string();
    let made = run(&own.tcti(), &["init", "--tpm", "--recovery-file", &code]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // Nobody is asked for anything: the TPM opens the vault for the broker that this starts.
    assert!(run(&own.tcti(), &["unlock"]).status.success());
    let listed = run(&own.tcti(), &["--json", "custody", "list"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("\"tpm\""));
    let status = run(&own.tcti(), &["--json", "status"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["unlocked"], true, "{status}");
    assert!(run(&own.tcti(), &["lock", "--stop"]).status.success());

    let refused = run(&other.tcti(), &["unlock"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("next:"));
}
