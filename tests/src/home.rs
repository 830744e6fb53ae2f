//! A throw-away home, the commands run in it, and all that they printed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use serde_json::Value;
use tempfile::TempDir;

use crate::mcp::{McpClient, Revision};
use crate::place;
use crate::random;
use crate::upstream::Upstream;

/// A home in a temporary folder. Its broker ends when this is dropped.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    program: PathBuf,
    environment: Vec<(String, String)>,
    said: Mutex<Vec<u8>>,
}

/// How to unlock a new home.
#[derive(Clone, Copy, Debug)]
pub enum Unlock<'a> {
    /// This machine's key: nobody is asked.
    Device,
    /// A passphrase, given on standard input.
    Passphrase(&'a str),
}

impl Home {
    /// An initialised home of the release, unlocked by this device.
    pub fn new() -> Self {
        let home = Self::empty(place::symbolon());
        home.init(Unlock::Device);
        home
    }

    /// A home, and a service whose notes this agent may list.
    pub fn with_upstream(agent: &str) -> (Self, Upstream) {
        let credential = random::secret(40);
        let upstream = Upstream::api(&credential);
        let home = Self::new();
        home.add_service("upstream/service.toml");
        home.connect("upstream", &upstream, &credential);
        home.grant(agent, "upstream.notes.read");
        (home, upstream)
    }

    /// A folder that nothing was made in yet, for this program.
    pub fn empty(program: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, program, environment: Vec::new(), said: Mutex::default() }
    }

    /// Sets a variable for every command, and so for the broker that the first of them starts.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes the home and returns the words of the recovery code.
    pub fn init(&self, unlock: Unlock) -> String {
        let code = self.folder.path().join("recovery-code");
        let file = code.to_str().expect("a plain path");
        match unlock {
            Unlock::Device => self.ok(&["init", "--device", "--recovery-file", file]),
            Unlock::Passphrase(passphrase) => {
                let given = ["init", "--passphrase", "--from-stdin", "--recovery-file", file];
                self.ok_with(&given, passphrase.as_bytes())
            }
        };
        let words = std::fs::read_to_string(&code).expect("the code is in its file");
        // What is searched for secrets later must not hold the one that a person keeps.
        std::fs::remove_file(&code).expect("it can be taken away");
        words.trim().to_owned()
    }

    /// The home's folder, `$SYMBOLON_HOME`.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A place beside the home for files that a test makes.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command, ready to run, with nothing of this process's environment but the path.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("SYMBOLON_HOME", self.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"")
    }

    /// Runs a command with this standard input.
    pub fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("symbolon starts");
        let mut input = child.stdin.take().expect("piped");
        // A command that does not read its input may have ended before this.
        let _ = input.write_all(stdin);
        drop(input);
        let output = child.wait_with_output().expect("a child can be waited for");
        let mut said = self.said.lock().expect("not poisoned");
        said.extend_from_slice(&output.stdout);
        said.extend_from_slice(&output.stderr);
        Ran { line: arguments.join(" "), output }
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> Ran {
        self.run(arguments).succeeded()
    }

    #[track_caller]
    pub fn ok_with(&self, arguments: &[&str], stdin: &[u8]) -> Ran {
        self.run_with(arguments, stdin).succeeded()
    }

    /// Runs a command with `--json` that must succeed, and returns what it printed.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.ok(&[&["--json"], arguments].concat()).json()
    }

    /// Runs a command with `--json` that must be refused, and returns the error.
    #[track_caller]
    pub fn refused(&self, arguments: &[&str]) -> Refusal {
        self.run(&[&["--json"], arguments].concat()).refused()
    }

    /// Adds the catalogue file of a service of the tests.
    pub fn add_service(&self, file: &str) {
        let from = place::fixture(file);
        let folder = self.path().join("catalog");
        std::fs::create_dir_all(&folder).expect("the home takes a folder");
        let name = from.file_name().expect("a file");
        private(&folder, 0o700);
        let to = folder.join(name);
        std::fs::copy(&from, &to).expect("the folder takes a file");
        private(&to, 0o600);
    }

    /// As [`Home::add_service`], of a file that a test writes.
    pub fn add_service_text(&self, name: &str, text: &str) {
        let folder = self.path().join("catalog");
        std::fs::create_dir_all(&folder).expect("the home takes a folder");
        private(&folder, 0o700);
        let to = folder.join(name);
        std::fs::write(&to, text).expect("the folder takes a file");
        private(&to, 0o600);
    }

    /// Connects a service to something on loopback.
    #[track_caller]
    pub fn connect(&self, service: &str, upstream: &Upstream, credential: &str) -> Ran {
        self.try_connect(service, upstream, credential).succeeded()
    }

    pub fn try_connect(&self, service: &str, upstream: &Upstream, credential: &str) -> Ran {
        let ca = upstream.ca();
        let (url, ca) = (upstream.base_url(), ca.to_str().expect("a plain path"));
        let given = ["connect", service, "--base-url", &url, "--ca", ca, "--allow-loopback"];
        self.run_with(&[&given[..], &["--from-stdin"]].concat(), credential.as_bytes())
    }

    /// Grants an agent a scope for an hour.
    #[track_caller]
    pub fn grant(&self, agent: &str, scope: &str) -> Value {
        self.json(&["grant", agent, scope, "--for", "1h"])
    }

    /// The one call that waits for approval, as soon as it does.
    #[track_caller]
    pub fn question(&self) -> Value {
        for _ in 0..400 {
            let all = self.json(&["approvals"]);
            if let [one] = &all["pending"].as_array().expect("a list")[..] {
                return one.clone();
            }
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
        panic!("no call waits for approval");
    }

    /// Starts `symbolon mcp` as an agent.
    pub fn mcp(&self, agent: &str, revision: Revision) -> McpClient {
        McpClient::start(&mut self.command(&["mcp", "--agent", agent]), revision)
    }

    /// The broker's process. It runs from the first command that needs it.
    #[track_caller]
    pub fn broker_pid(&self) -> u32 {
        let status = self.json(&["status"]);
        let pid = status["pid"].as_u64().unwrap_or_else(|| panic!("no broker runs: {status}"));
        u32::try_from(pid).expect("a pid")
    }

    /// Ends the broker as the kernel would: no handler runs.
    pub fn kill_broker(&self) {
        let pid = self.broker_pid().to_string();
        let killed = Command::new("kill").args(["-9", &pid]).status().expect("kill runs");
        assert!(killed.success(), "no broker to kill");
        while Path::new("/proc").join(&pid).join("exe").exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Every byte that the commands printed, both streams.
    pub fn said(&self) -> Vec<u8> {
        self.said.lock().expect("not poisoned").clone()
    }

    /// The rows of the list of receipts, newest first.
    #[track_caller]
    pub fn receipts(&self) -> Vec<Value> {
        let listed = self.json(&["receipts", "--limit", "1000"]);
        listed.as_array().unwrap_or_else(|| panic!("no list: {listed}")).clone()
    }

    /// Writes a receipt's bundle to a file and returns the file.
    #[track_caller]
    pub fn export_receipt(&self, number: u64) -> PathBuf {
        let file = self.beside(&format!("receipt-{number}.json"));
        let out = file.to_str().expect("a plain path");
        self.ok(&["receipts", "show", &number.to_string(), "--out", out]);
        file
    }

    /// The operator's public key, as text.
    pub fn operator_key(&self) -> PathBuf {
        self.path().join("operator.pub")
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // There may be no broker, and a test may have damaged the home: then there is none to stop.
        let _ =
            self.command(&["lock", "--stop"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// A command that ran to its end.
#[derive(Debug)]
pub struct Ran {
    line: String,
    output: Output,
}

/// How a command refused.
#[derive(Debug)]
pub struct Refusal {
    /// The exit status.
    pub exit: i32,
    /// The stable word.
    pub code: String,
    pub message: String,
    /// The next step.
    pub next: Option<String>,
    /// The whole error object.
    pub error: Value,
}

impl Ran {
    pub fn is_success(&self) -> bool {
        self.output.status.success()
    }

    /// The exit status.
    pub fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Both streams, for messages and searches.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout(), self.stderr())
    }

    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert!(
            self.is_success(),
            "symbolon {}: {}\n{}",
            self.line,
            self.output.status,
            self.all()
        );
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.output.stdout)
            .unwrap_or_else(|error| panic!("symbolon {}: {error}:\n{}", self.line, self.all()))
    }

    /// The error of a command that ran with `--json` and must not have succeeded.
    #[track_caller]
    pub fn refused(&self) -> Refusal {
        assert!(!self.is_success(), "symbolon {} succeeded: {}", self.line, self.all());
        let exit = self.output.status.code();
        let exit =
            exit.unwrap_or_else(|| panic!("symbolon {} was killed: {}", self.line, self.all()));
        assert!(exit != 101, "symbolon {} panicked: {}", self.line, self.all());
        let error = self.json()["error"].take();
        let text = |name: &str| error[name].as_str().map(str::to_owned);
        let missing = || panic!("symbolon {}: not an error pair: {}", self.line, self.all());
        let (code, message) = (text("code").unwrap_or_else(missing), text("message"));
        Refusal { exit, code, message: message.unwrap_or_default(), next: text("next"), error }
    }
}

fn private(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, mode).expect("our own file");
}
