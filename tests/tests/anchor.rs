//! `symbolon anchor`: against a calendar and a chain of OpenTimestamps' own library.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;
use symbolon_tests::random;
use symbolon_tests::service::{Service, free_port};
use symbolon_tests::upstream::Upstream;

struct Calendar {
    _service: Service,
    port: u16,
    url: String,
}

impl Calendar {
    fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(place::python());
        command.arg(place::fixture("python/calendar_server.py")).arg(port.to_string());
        let mut service = Service::start("calendar", &mut command);
        service.wait_for_port(port);
        Self { _service: service, port, url: format!("http://127.0.0.1:{port}") }
    }

    /// Puts all that waits into blocks.
    fn mine(&self) {
        Request::post(self.port, "/mine").bytes(Vec::new()).answer().expect(200);
    }

    fn header(&self, height: u64) -> String {
        let get = |path: &str| Request::get(self.port, path).answer().expect(200).text();
        let hash = get(&format!("/block-height/{height}"));
        get(&format!("/block/{hash}/header"))
    }
}

/// What the library of the format's authors reads in a proof.
fn read_by_others(proof: &Path, header: &str) -> Value {
    let output = Command::new(place::python())
        .arg(place::fixture("python/verify_ots.py"))
        .arg(proof)
        .args((!header.is_empty()).then_some(header))
        .output()
        .expect("python runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "opentimestamps refuses it: {said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_file_is_anchored_and_verified_and_others_agree() {
    let (calendar, home) = (Calendar::start(), Home::empty(place::symbolon()));
    let file = home.beside("report.txt");
    std::fs::write(&file, "what was known that day").unwrap();
    let (file, proof) = (file.to_str().unwrap(), home.beside("report.txt.ots"));
    let name = proof.to_str().unwrap();

    let made = home.json(&["anchor", "create", file, "--calendar", &calendar.url]);
    assert_eq!(made["calendars"], json!([calendar.url]));
    let read = read_by_others(&proof, "");
    assert_eq!((&read["pending"], &read["same_bytes"]), (&json!([calendar.url]), &json!(true)));
    assert_eq!(home.refused(&["anchor", "verify", name]).code, "pending");
    assert_eq!(
        home.refused(&["anchor", "create", file, "--calendar", &calendar.url]).code,
        "file_exists"
    );

    // A calendar that nobody named is not asked, whatever the proof says.
    let unasked = home.json(&["anchor", "upgrade", name]);
    assert_eq!((&unasked["changed"], &unasked["blocks"]), (&json!(false), &json!([])));
    let early = home.json(&["anchor", "upgrade", name, "--calendar", &calendar.url]);
    assert_eq!(early["changed"], false);
    calendar.mine();
    let led = home.json(&["anchor", "upgrade", name, "--calendar", &calendar.url]);
    assert_eq!((&led["changed"], &led["blocks"]), (&json!(true), &json!([0])));
    assert_eq!(led["waiting"], json!([]));

    let header = calendar.header(0);
    let read = read_by_others(&proof, &header);
    assert_eq!((&read["blocks"], &read["pending"]), (&json!({"0": 1_700_000_000}), &json!([])));
    assert_eq!(read["same_bytes"], true);

    let headers = home.beside("headers.txt");
    std::fs::write(&headers, format!("0 {header}\n")).unwrap();
    let headers = headers.to_str().unwrap();
    let verified = home.json(&["anchor", "verify", name, "--headers", headers, "--regtest"]);
    assert_eq!(verified["existed_at_unix_seconds"], 1_700_000_000);
    assert_eq!(verified["network"], "regtest");
    let asked = home.json(&["anchor", "verify", name, "--esplora", &calendar.url, "--regtest"]);
    assert_eq!(asked, verified);

    // A chain that anybody makes at home is not the world's.
    assert_eq!(
        home.refused(&["anchor", "verify", name, "--headers", headers]).code,
        "block_header"
    );
    assert_eq!(home.refused(&["anchor", "verify", name, "--regtest"]).code, "no_header");
    std::fs::write(file, "what was known later").unwrap();
    let other = home.refused(&["anchor", "verify", name, "--headers", headers, "--regtest"]);
    assert_eq!(other.code, "other_file");
}

#[test]
fn a_header_of_another_block_does_not_do() {
    let (calendar, home) = (Calendar::start(), Home::empty(place::symbolon()));
    let file = home.beside("first.txt");
    let mut proofs = Vec::new();
    for name in ["first.txt", "second.txt"] {
        let path = home.beside(name);
        std::fs::write(&path, name).unwrap();
        home.ok(&["anchor", "create", path.to_str().unwrap(), "--calendar", &calendar.url]);
        calendar.mine();
        proofs.push(home.beside(&format!("{name}.ots")));
    }
    let proof = proofs[0].to_str().unwrap();
    home.ok(&["anchor", "upgrade", proof, "--calendar", &calendar.url]);
    let headers = home.beside("headers.txt");
    std::fs::write(&headers, format!("0 {}\n", calendar.header(1))).unwrap();
    let file = file.to_str().unwrap();
    let headers = headers.to_str().unwrap();
    let refused =
        home.refused(&["anchor", "verify", proof, file, "--headers", headers, "--regtest"]);
    assert_eq!(refused.code, "other_block");
}

#[test]
fn calendars_that_do_not_answer_leave_nothing() {
    let home = Home::empty(place::symbolon());
    let file = home.beside("report.txt");
    std::fs::write(&file, "x").unwrap();
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let file = file.to_str().unwrap();
    let refused = home.refused(&["anchor", "create", file, "--calendar", &nobody]);
    assert_eq!((refused.code.as_str(), refused.exit), ("calendars", 4));
    assert!(!home.beside("report.txt.ots").exists());
    let calendar = Calendar::start();
    let both = ["anchor", "create", file, "--calendar", &nobody, "--calendar", &calendar.url];
    assert_eq!(home.refused(&both).code, "calendars", "two must answer");
    let made = home.json(&[&both[..], &["--needed", "1"]].concat());
    assert_eq!(made["failed"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_logs_checkpoint_is_anchored_once() {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let (calendar, home) = (Calendar::start(), Home::new());
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    home.grant("cli", "upstream.notes.read");
    let anchor = ["anchor", "create", "--log", "--calendar", &calendar.url];
    home.ok(&["call", "upstream.notes.list"]);
    home.ok(&["lock"]);
    let made = home.json(&anchor);
    assert_eq!(made["new"], true);
    assert_eq!(home.json(&anchor)["new"], false, "the same checkpoint");
    calendar.mine();
    home.ok(&["anchor", "upgrade", "--calendar", &calendar.url]);
    let all = home.json(&["anchor", "ls"]);
    assert_eq!((&all[0]["blocks"], &all[0]["waiting"]), (&json!([0]), &json!(0)));

    // What was anchored is the checkpoint itself, kept beside its proof.
    let proof = made["proof"].as_str().unwrap();
    let checkpoint = proof.replace(".ots", ".checkpoint");
    let kept = std::fs::read(&checkpoint).unwrap();
    assert_eq!(kept, std::fs::read(home.path().join("log/checkpoint")).unwrap());
    let verified = home.json(&[
        "anchor",
        "verify",
        proof,
        &checkpoint,
        "--esplora",
        &calendar.url,
        "--regtest",
    ]);
    assert_eq!(verified["verified"], true);
}
