//! Starting a broker that outlives the command which needs it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_broker::CallError;
use symbolon_server::control::{Client, Op};
use symbolon_store::Home;

use crate::failure::Failure;

/// Connects to the broker of a home; where none runs, starts one. [`START_TIMEOUT`] at most.
pub fn connect_or_start(home: &Home) -> Result<Client, Failure> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        if let Some(mut client) = Client::connect(&home.run())? {
            if served(client.ask::<Value>(&Op::Status {}))?.is_some() {
                return Ok(client);
            }
            std::thread::sleep(RETRY_PAUSE);
        }
        match start(home, deadline) {
            Ok(()) => {}
            // Another broker is starting or stopping at this moment: whichever it is, try again.
            Err(failure) if failure.is_home_busy() && Instant::now() < deadline => {
                std::thread::sleep(RETRY_PAUSE);
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// Connects to the broker of a home where one runs.
pub fn connect(home: &Home) -> Result<Option<Client>, Failure> {
    Ok(Client::connect(&home.run())?)
}

/// Asks the broker of a home where one runs. `None` where none does, or the one that did ended in
/// the middle: its socket may take a connection that nobody will serve.
pub fn ask_running<T: DeserializeOwned>(home: &Home, op: &Op) -> Result<Option<T>, Failure> {
    let Some(mut client) = Client::connect(&home.run())? else { return Ok(None) };
    served(client.ask(op))
}

/// Ends the broker of a home where one runs.
pub fn stop_running(home: &Home) -> Result<(), Failure> {
    let Some(client) = Client::connect(&home.run())? else { return Ok(()) };
    served(client.stop()).map(drop)
}

fn served<T>(answer: Result<T, CallError>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code == "control_io" => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a broker says on its standard output once it listens, or instead of listening.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// It listens.
    Ready,
    /// It could not; the pair of the failure.
    Failed {
        /// The failure's code.
        code: String,
        /// What went wrong.
        message: String,
        /// The next step.
        next: Option<String>,
    },
}

impl Report {
    /// Says it to the command that started this broker, and lets go of its pipe.
    pub fn give(&self) {
        if let Ok(text) = serde_json::to_string(self) {
            let mut stdout = io::stdout();
            let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        }
        // The log takes what else is printed, and the starter's read sees the end.
        let _ = rustix::stdio::dup2_stdout(rustix::stdio::stderr());
    }
}

fn start(home: &Home, deadline: Instant) -> Result<(), Failure> {
    let log = home.broker_log();
    let file = open_log(&log).map_err(|error| Failure::file("open", &log, &error))?;
    let program = std::env::current_exe().map_err(|error| {
        Failure::environment("program", format!("cannot find this program's file: {error}"))
    })?;
    let mut child = Command::new(&program)
        .arg("broker")
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| is_kept(name)))
        .env("SYMBOLON_HOME", home.path())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(file))
        .spawn()
        .map_err(|error| Failure::file("start", &program, &error))?;
    let Some(stdout) = child.stdout.take() else {
        return Err(Failure::environment("broker_start", "the broker has no standard output"));
    };
    let report = read_report(stdout, deadline);
    match report {
        Ok(Some(Report::Ready)) => Ok(()),
        Ok(Some(Report::Failed { code, message, next })) => {
            let failure = Failure::environment(&code, message);
            Err(match next {
                Some(next) => failure.next(next),
                None => failure,
            })
        }
        Ok(None) => Err(died(&mut child, &log)),
        Err(error) => {
            let _ = child.kill();
            Err(Failure::environment("broker_start", format!("the broker did not start: {error}"))
                .next(format!("tail {}", log.display())))
        }
    }
}

fn died(child: &mut Child, log: &Path) -> Failure {
    let how = match child.wait() {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    Failure::environment("broker_start", format!("the broker ended before it listened: {how}"))
        .next(format!("tail {}", log.display()))
}

/// The report's line; `None` where the broker closed its output without one.
fn read_report(mut from: ChildStdout, deadline: Instant) -> io::Result<Option<Report>> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") && line.len() < REPORT_BYTES_MAX {
        let left = deadline.saturating_duration_since(Instant::now());
        let wait = Timespec {
            // A few seconds: it fits.
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&from, PollFlags::IN)], Some(&wait)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let mut some = [0; 1024];
        match from.read(&mut some)? {
            0 => return Ok(None),
            n => line.extend_from_slice(&some[..n]),
        }
    }
    Ok(serde_json::from_slice(&line).ok())
}

/// The log, begun anew where it has grown long; the one before is kept.
fn open_log(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path).is_ok_and(|it| it.len() > LOG_BYTES_MAX) {
        std::fs::rename(path, path.with_extension("log.old"))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// The starter's environment may hold keys of its owner; a broker lives for long and needs none.
fn is_kept(name: &OsString) -> bool {
    let Some(name) = name.to_str() else { return false };
    name.starts_with("SYMBOLON_") || KEPT.contains(&name)
}

const KEPT: &[&str] = &[
    "HOME",
    "LANG",
    "LLVM_PROFILE_FILE",
    "PATH",
    "RUST_BACKTRACE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TCTI",
    "TMPDIR",
    "TPM2TOOLS_TCTI",
    "TSS2_LOG",
    "TZ",
    "USER",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
];
const START_TIMEOUT: Duration = Duration::from_secs(5);
const RETRY_PAUSE: Duration = Duration::from_millis(20);
const REPORT_BYTES_MAX: usize = 64 << 10;
const LOG_BYTES_MAX: u64 = 4 << 20;
