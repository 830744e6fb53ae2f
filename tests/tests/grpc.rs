//! gRPC through `symbolon run`: grpcio on both sides, and the credential on neither side's hands.

use std::process::{Command, Stdio};

use serde_json::Value;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::{Home, Ran};
use symbolon_tests::place;
use symbolon_tests::random;
use symbolon_tests::service::Service;

/// A home with a gRPC server behind a bearer credential.
struct At {
    home: Home,
    port: String,
    canaries: Canaries,
    _server: Service,
    _folder: tempfile::TempDir,
    _stdin: std::process::ChildStdin,
}

impl At {
    fn new() -> Self {
        let credential = random::secret(40);
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(place::python());
        let script = place::fixture("python/grpc_echo.py");
        command.arg(script).arg("server").arg(folder.path()).stdin(Stdio::piped());
        let mut server = Service::start("grpc", &mut command);
        let mut stdin = server.take_stdin();
        std::io::Write::write_all(&mut stdin, format!("{credential}\n").as_bytes())
            .expect("it reads its credential");
        let port = server.wait_for("port", |said| {
            said.lines().find_map(|line| line.strip_prefix("port ")).map(str::to_owned)
        });
        let home = Home::new();
        home.add_service("services/grpc_echo.toml");
        let (url, ca) = (format!("https://localhost:{port}"), folder.path().join("ca.pem"));
        let ca = ca.to_str().expect("a plain path");
        let given = ["connect", "grpc_echo", "--base-url", &url, "--ca", ca, "--allow-loopback"];
        let connected =
            home.run_with(&[&given[..], &["--from-stdin"]].concat(), credential.as_bytes());
        connected.succeeded();
        let canaries = Canaries::new().plant("credential", credential.as_bytes());
        Self { home, port, canaries, _server: server, _folder: folder, _stdin: stdin }
    }

    /// What the client prints of one call.
    fn call_as(&self, grant: &[&str], case: &str) -> Ran {
        let (python, script) = (place::python(), place::fixture("python/grpc_echo.py"));
        let command = [
            python.to_str().expect("a plain path"),
            script.to_str().expect("a plain path"),
            "client",
            &self.port,
            case,
        ];
        let ran = self.home.run(&[&["run"], grant, &["--"], &command].concat());
        assert_clean(&self.canaries.find_in(case, ran.all().as_bytes()));
        ran
    }

    fn call(&self, case: &str) -> String {
        let ran = self.call_as(&["--grant", "grpc_echo.*"], case);
        assert!(ran.is_success(), "{case}: {}", ran.all());
        ran.stdout()
    }

    /// The newest receipt, which verifies.
    fn receipt(&self) -> Value {
        let row = self.home.receipts().remove(0);
        let file = self.home.export_receipt(row["number"].as_u64().expect("a number"));
        let key = self.home.operator_key();
        let words = ["verify", file.to_str().unwrap(), "--key", key.to_str().unwrap()];
        let said = self.home.json(&words);
        said["statement"].clone()
    }
}

#[test]
fn calls_of_every_kind_carry_the_credential_to_a_server_that_wants_it() {
    let at = At::new();
    assert_eq!(at.call("Unary").trim(), "message heard hello");
    let receipt = at.receipt();
    assert_eq!(receipt["tool"], "grpc_echo.unary", "{receipt}");
    assert_eq!(receipt["response"]["grpc_status"], 0, "{receipt}");
    assert_eq!(receipt["response"]["content_type"], "application/grpc", "{receipt}");
    // gRPC's own health service.
    assert_eq!(at.call("Health").trim(), "status 1");
    // Thirty messages of 100 kB.
    let stream = at.call("Stream");
    assert_eq!(stream.lines().filter(|l| l.starts_with("message 1000")).count(), 30, "{stream}");
    assert!(at.receipt()["response"]["bytes_out"].as_u64() > Some(3_000_000));
    // Each word waits for the answer to the one before: nothing is held back on the way.
    let chat: Vec<_> = at.call("Chat").lines().map(str::to_owned).collect();
    let want: Vec<_> =
        (0..5).map(|n| format!("re: word {n}")).chain(["trailer 1".into()]).collect();
    assert_eq!(chat, want);
    assert_clean(&at.canaries.find_below(&at.home.path()).expect("a readable home"));
}

#[test]
fn an_echo_of_the_credential_ends_the_call_with_a_status() {
    let at = At::new();
    for case in ["Leak", "LeakLate", "LeakSplit"] {
        let said = at.call(case);
        assert!(said.contains("failed ABORTED symbolon:"), "{case}: {said}");
        assert!(!said.contains("your token is") && !said.contains("never seen"), "{case}: {said}");
        let receipt = at.receipt();
        assert_eq!(receipt["error"], "unsearchable", "{case}: {receipt}");
    }
    // What came before it was given out.
    assert!(at.call("LeakLate").starts_with("message 8 harmless"));
    // A server that compresses unasked could hide one.
    let said = at.call("Packed");
    assert!(said.contains("failed ABORTED symbolon:"), "{said}");
    assert_eq!(at.receipt()["error"], "undecodable");
    // In a trailer it is taken out, and the server's own status stays.
    let said = at.call("LeakTrailer");
    assert!(said.contains("failed FAILED_PRECONDITION bad token [redacted:symbolon]"), "{said}");
    assert!(said.contains("key='x-token', value='[redacted:symbolon]'"), "{said}");
    assert_eq!(at.receipt()["response"]["grpc_status"], 9);
}

#[test]
fn what_is_not_listed_or_not_granted_does_not_reach_the_server() {
    let at = At::new();
    let said = at.call("Unlisted");
    assert!(said.contains("failed PERMISSION_DENIED"), "{said}");
    let said = at.call_as(&["--grant", "grpc_echo.read"], "Unary").stdout();
    assert!(said.contains("failed PERMISSION_DENIED"), "{said}");
    let rows = at.home.receipts();
    assert!(rows.iter().all(|row| row["outcome"] == "refused"), "{rows:?}");
}
