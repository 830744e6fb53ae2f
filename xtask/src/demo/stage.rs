//! What the demo plays on: a throw-away folder, the upstream, and the product.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use symbolon_tests::random;
use symbolon_tests::service::free_port;

use crate::{Failure, process};

/// The upstream's catalogue file.
const SERVICE: &str = include_str!("../../../tests/upstream/service.toml");

/// Everything here ends and is removed when it is dropped, unless [`Stage::keep`] is called.
pub struct Stage {
    folder: Option<tempfile::TempDir>,
    program: String,
    upstream: Option<Child>,
    server: Option<Child>,
    /// `https://localhost:PORT`.
    pub url: String,
    /// What the upstream accepts. The product is given it once, on standard input.
    pub credential: String,
}

/// What goes on after the demo.
pub struct Kept {
    pub home: String,
    pub folder: String,
    pub programs: String,
    /// Of the service, and of the server where there is one.
    pub pids: String,
    pub is_served: bool,
}

impl Stage {
    pub fn set(program: &Path, upstream: &Path) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("symbolon-demo-").tempdir();
        let folder =
            folder.map_err(|error| Failure::new(format!("no temporary folder: {error}")))?;
        let credential = random::secret(40);
        let mut command = Command::new(upstream);
        command.args(["api", "--stay", "--ca"]).arg(folder.path().join("ca.pem"));
        // Standard error too: who reads the demo through a pipe must not wait for what stays.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command
            .spawn()
            .map_err(|error| Failure::new(format!("cannot start the HTTPS service: {error}")))?;
        let port = introduce(&mut child, &credential);
        let mut stage = Self {
            folder: Some(folder),
            program: program.display().to_string(),
            upstream: Some(child),
            server: None,
            url: String::new(),
            credential,
        };
        let port = port.ok_or_else(|| Failure::new("the HTTPS service did not start"))?;
        stage.url = format!("https://localhost:{port}");
        Ok(stage)
    }

    pub fn home(&self) -> String {
        self.file("home")
    }

    /// A file beside the home.
    pub fn file(&self, name: &str) -> String {
        let folder = self.folder.as_ref().map(|it| it.path().join(name));
        folder.unwrap_or_default().display().to_string()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("SYMBOLON_HOME", self.home()).stdin(Stdio::null());
        command
    }

    pub fn symbolon(&self, arguments: &[&str]) -> Result<String, Failure> {
        process::capture(&mut self.command(arguments))
    }

    pub fn json(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let said = self.symbolon(&[&["--json"], arguments].concat())?;
        serde_json::from_str(&said).map_err(|error| Failure::new(format!("{error}: {said}")))
    }

    /// What is in a file beside the home.
    pub fn read(&self, name: &str) -> Result<String, Failure> {
        let file = self.file(name);
        std::fs::read_to_string(&file).map_err(Failure::io("read", Path::new(&file)))
    }

    /// Teaches the home the service.
    pub fn teach(&self) -> Result<(), Failure> {
        let folder = Path::new(&self.home()).join("catalog");
        std::fs::create_dir_all(&folder).map_err(Failure::io("make", &folder))?;
        let file = folder.join("upstream.toml");
        std::fs::write(&file, SERVICE).map_err(Failure::io("write", &file))?;
        private(&folder, 0o700)?;
        private(&file, 0o600)
    }

    /// Serves the home to a browser and gives the page's origin.
    pub fn serve(&mut self) -> Result<String, Failure> {
        self.symbolon(&["lock", "--stop"])?;
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let mut command = self.command(&["up", "--listen", &listen]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let failed = |error| Failure::new(format!("cannot start `symbolon up`: {error}"));
        self.server = Some(command.spawn().map_err(failed)?);
        let origin = format!("http://localhost:{port}");
        let began = Instant::now();
        while TcpStream::connect(&listen).is_err() {
            if began.elapsed() > Duration::from_secs(30) {
                return Err(Failure::new("`symbolon up` does not listen"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(origin)
    }

    /// Gives the home the credential on standard input.
    pub fn connect(&self) -> Result<(), Failure> {
        let (url, ca) = (&self.url, self.file("ca.pem"));
        let mut command = self.command(&[
            "connect",
            "upstream",
            "--base-url",
            url,
            "--ca",
            &ca,
            "--allow-loopback",
            "--verify",
            "--from-stdin",
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |error| Failure::new(format!("`symbolon connect`: {error}"));
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(self.credential.as_bytes()).map_err(failed)?;
        }
        let output = child.wait_with_output().map_err(failed)?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!("`symbolon connect` did not succeed:\n{said}")))
    }

    pub fn export_receipt(&self, number: u64) -> Result<(), Failure> {
        let (number, file) = (number.to_string(), self.file("receipt.json"));
        self.symbolon(&["receipts", "show", &number, "--out", &file]).map(drop)
    }

    pub fn verify(&self) -> Result<String, Failure> {
        let key = Path::new(&self.home()).join("operator.pub").display().to_string();
        self.symbolon(&["verify", &self.file("receipt.json"), "--key", &key])
    }

    /// Leaves everything running.
    pub fn keep(mut self) -> Kept {
        let home = self.home();
        let folder = self.folder.take().map(tempfile::TempDir::keep).unwrap_or_default();
        let programs = Path::new(&self.program).parent().unwrap_or(Path::new("."));
        Kept {
            home,
            folder: folder.display().to_string(),
            programs: programs.display().to_string(),
            is_served: self.server.is_some(),
            pids: [self.upstream.take(), self.server.take()]
                .into_iter()
                .flatten()
                .map(|child| child.id().to_string())
                .collect::<Vec<_>>()
                .join(" "),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let Some(upstream) = self.upstream.take() else { return };
        // There is no broker to stop where the demo ended before it made a home.
        let _ = self.symbolon(&["lock", "--stop"]);
        for mut child in [Some(upstream), self.server.take()].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Gives the upstream its credential and reads the port that it listens at.
fn introduce(child: &mut Child, credential: &str) -> Option<u64> {
    writeln!(child.stdin.take()?, "{credential}").ok()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
    serde_json::from_str::<Value>(&line).ok()?["port"].as_u64()
}

fn private(path: &Path, mode: u32) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .map_err(Failure::io("set the mode of", path))
}

/// A text in JSON, empty for anything else.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
