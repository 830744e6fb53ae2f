//! C2SP logs beside an implementation that others wrote: Go's `golang.org/x/mod/sumdb` reads our checkpoints, cosignatures and
//! tiles, and our witness cosigns a log of its making.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::place;
use symbolon_tests::witness::{Witness, serve_log, until};

/// The program of `tests/go`, compiled.
struct Go {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Go {
    fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("c2sp");
        let built = Command::new("go")
            .args(["build", "-o", program.to_str().unwrap()])
            .arg(place::fixture("go/c2sp.go"))
            .current_dir(folder.path())
            // Debian's packages of Go are sources below this folder.
            .env("GOPATH", "/usr/share/gocode")
            .env("GO111MODULE", "off")
            .env("GOFLAGS", "")
            .env("GOCACHE", folder.path().join("cache"))
            .output()
            .expect("go is installed; next: cargo xtask test --only setup");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self { program, folder }
    }

    fn run(&self, words: &[&str]) -> Output {
        Command::new(&self.program).args(words).output().expect("it starts")
    }

    #[track_caller]
    fn json(&self, words: &[&str]) -> Value {
        let output = self.run(words);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON value")
    }
}

#[test]
fn gos_reader_of_logs_takes_our_checkpoint_its_cosignature_and_every_tile() {
    let go = Go::build();
    let (home, _upstream) = Home::with_upstream("cli");
    let witness = Witness::of(&home);
    home.ok(&["witnesses", "add", "one", &witness.url, &witness.key]);
    // More than one tile of leaves.
    let mut last = 0;
    for _ in 0..130 {
        last = home.json(&["call", "upstream.notes.list"])["receipt"].as_u64().unwrap();
    }
    let receipt = home.export_receipt(last);
    until(&home, "one", "cosigned", last + 1);
    let (_service, url) = serve_log(&home);
    let operator = std::fs::read_to_string(home.operator_key()).unwrap();
    let operator = operator.trim();

    let said = go.json(&["read", &url, operator, &witness.key]);
    let size = said["size"].as_u64().unwrap();
    assert!(size > 256 && size > last, "{size}");
    assert_eq!(said["signed_by"].as_array().unwrap().len(), 2, "{}", said["signed_by"]);
    let receipt: Value = serde_json::from_slice(&std::fs::read(receipt).unwrap()).unwrap();
    let payload = receipt["dsseEnvelope"]["payload"].as_str().unwrap();
    let entry = symbolon_codec::b64::decode(payload, 1 << 20).unwrap();
    let leaf = symbolon_log::leaf_hash(&entry).to_string();
    assert_eq!(said["leaves"][last as usize], json!(leaf));

    // The control: another operator's key opens nothing.
    let other = std::fs::read_to_string(Home::new().operator_key()).unwrap();
    assert!(!go.run(&["read", &url, other.trim()]).status.success());
}

#[test]
fn our_witness_cosigns_a_log_that_go_wrote_and_no_history_that_it_rewrote() {
    let go = Go::build();
    let (key, public) = (go.folder.path().join("log.key"), go.folder.path().join("log.pub"));
    let key = key.to_str().unwrap();
    let text = go.json(&["key", "example.test/go", key]);
    std::fs::write(&public, text.as_str().unwrap()).unwrap();
    let witness = Witness::of_key(&public);
    let said = go.json(&["grow", key, &witness.url, &witness.key]);
    // `behind` says an older size than the witness has; `rewritten` has other entries before it.
    let wanted = json!({ "first": 200, "grown": 200, "again": 200, "behind": 409, "rewritten": 422, "on": 200 });
    assert_eq!(said, wanted);
}
