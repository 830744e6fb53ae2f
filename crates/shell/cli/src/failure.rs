//! Errors in pairs: what went wrong, and the next step.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use symbolon_broker::{CallError, Fault};
use symbolon_server::control::ControlError;

use crate::out;

/// Why a command did not do what was asked.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// A stable word for programs.
    pub code: String,
    /// What went wrong, in a sentence.
    pub message: String,
    /// The next step: an exact command where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The receipt, where one was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
    /// Seconds to wait before the same can succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    #[serde(skip)]
    exit: Exit,
    /// The JSON result stands on standard output already, and says it all.
    #[serde(skip)]
    told: bool,
}

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Refused or failed.
    Refused = 1,
    /// Wrong usage.
    Usage = 2,
    /// The vault is locked.
    Locked = 3,
    /// Disk, network, permissions, no broker.
    Environment = 4,
    /// True, and not final yet: ask again later.
    NotFinal = 5,
}

impl Failure {
    fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            next: None,
            receipt: None,
            retry_after_seconds: None,
            exit,
            told: false,
        }
    }

    /// The request was understood and not done.
    pub fn refused(code: &str, message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, code, message)
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// The vault is locked and nobody is there to ask.
    pub fn locked(message: impl Into<String>) -> Self {
        Self::new(Exit::Locked, "locked", message)
    }

    /// What was checked is true, and not final yet.
    pub fn not_final(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFinal, "not_final", message)
    }

    /// The machine's fault.
    pub fn environment(code: &str, message: impl Into<String>) -> Self {
        Self::new(Exit::Environment, code, message)
    }

    /// A file could not be read or written.
    pub fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        Self::environment("file", format!("cannot {doing} {}: {error}", path.display()))
            .next(format!("ls -ld {}", path.display()))
    }

    /// Adds the next step.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Says that the JSON result was printed already.
    pub fn already_told(mut self) -> Self {
        self.told = true;
        self
    }

    /// Whether another process has the home.
    pub fn is_home_busy(&self) -> bool {
        self.code == HOME_BUSY
    }

    /// Prints the pair, or the JSON object, and gives the exit code.
    pub fn tell(mut self, json: bool) -> ExitCode {
        // Errors come in pairs, also those of a broker that had nothing to suggest.
        let fallback = match (self.exit, self.receipt) {
            (Exit::Usage, _) => "symbolon --help".to_owned(),
            (_, Some(number)) => format!("symbolon receipts show {number}"),
            _ => "symbolon status".to_owned(),
        };
        let next = self.next.take().unwrap_or(fallback);
        self.next = Some(next.clone());
        if json && !self.told {
            // Where standard output is gone there is nobody left to tell.
            let _ = out::json(&serde_json::json!({ "error": self }));
        } else if !json {
            match self.receipt {
                Some(number) => out::say_error(&format!("{} (receipt {number})", self.message)),
                None => out::say_error(&self.message),
            }
            out::say_next(&next);
        }
        ExitCode::from(self.exit as u8)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let exit = match (error.code.as_str(), error.fault) {
            ("locked", _) => Exit::Locked,
            (_, Fault::Environment) => Exit::Environment,
            _ => Exit::Refused,
        };
        Self {
            code: error.code,
            message: error.message,
            next: error.next,
            receipt: error.receipt,
            retry_after_seconds: error.retry_after_seconds,
            exit,
            told: false,
        }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        CallError::from(error).into()
    }
}

/// The broker's word for a home whose lock another process holds.
const HOME_BUSY: &str = "home_in_use";
