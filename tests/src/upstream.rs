//! The HTTPS service of `tests/upstream`, and TLS in front of services that speak plain HTTP.

use std::io::Write;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::place;
use crate::service::Service;

/// A running upstream on loopback with a certificate authority of its own.
#[derive(Debug)]
pub struct Upstream {
    // Ends the process when it is dropped; the process also ends with us.
    _service: Service,
    _stdin: ChildStdin,
    folder: TempDir,
    port: u16,
}

impl Upstream {
    /// The service `api`, which accepts this credential.
    pub fn api(credential: &str) -> Self {
        Self::start(&["api"], credential)
    }

    /// TLS in front of a plain service.
    pub fn tls_for(port: u16) -> Self {
        Self::start(&["forward", "--to", &format!("127.0.0.1:{port}")], "")
    }

    /// Takes the request, then resets the connection.
    pub fn reset() -> Self {
        Self::start(&["reset"], "")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `https://localhost:PORT`.
    pub fn base_url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificate that a client must trust, in PEM.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What `/stats` says: `authorized` and `refused` requests. Asked by curl, since this crate
    /// speaks no TLS.
    pub fn stats(&self) -> Value {
        let url = format!("{}/stats", self.base_url());
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--max-time", "10", "--cacert"])
            .arg(self.ca())
            .arg(&url)
            .output()
            .expect("curl runs");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{url}: {error}: {}", String::from_utf8_lossy(&output.stderr))
        })
    }

    /// How many requests came with the credential.
    pub fn authorized(&self) -> u64 {
        self.stats()["authorized"].as_u64().expect("a number")
    }

    fn start(arguments: &[&str], credential: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(place::upstream());
        command.args(arguments).arg("--ca").arg(folder.path().join("ca.pem"));
        let mut service = Service::start("symbolon-upstream", command.stdin(Stdio::piped()));
        let mut stdin = service.take_stdin();
        if !credential.is_empty() {
            writeln!(stdin, "{credential}").expect("it reads its credential");
        }
        let port = service.wait_for("port", |said| {
            let line: Value = serde_json::from_str(said.lines().next()?).ok()?;
            u16::try_from(line["port"].as_u64()?).ok()
        });
        Self { _service: service, _stdin: stdin, folder, port }
    }
}
