//! What can go wrong between a client and its broker, apart from what the broker refuses.

use std::io;

use symbolon_broker::{CallError, Fault};
use symbolon_secret::MemoryError;

use super::frame::{JSON_BYTES_MAX, REPLY_BYTES_MAX, SECRET_BYTES_MAX};

/// Why a frame could not be sent, read or understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The socket.
    #[error("the broker's socket: {0}")]
    Io(#[from] io::Error),
    /// The other side went away in the middle of something.
    #[error("the broker closed the connection")]
    Closed,
    /// A frame took too long to arrive or to be taken.
    #[error("a frame stopped half way")]
    Stalled,
    /// A length out of bounds.
    #[error("a {part} of {found} bytes, {} at most", bound(part))]
    TooLong {
        /// `request`, `reply` or `secret`.
        part: &'static str,
        /// Bytes announced.
        found: usize,
    },
    /// Not the JSON that the protocol has.
    #[error("not a message of the control protocol")]
    Json,
    /// JSON, but no operation; what is wrong with it.
    #[error("not a request of the control protocol: {0}")]
    Request(String),
    /// Another version of the protocol.
    #[error("control protocol version {found}, this broker speaks {}", super::VERSION)]
    Version {
        /// The version in the request.
        found: u64,
    },
    /// Descriptors missing, too many, or where none belong.
    #[error("{found} descriptors where {expected} belong")]
    Descriptors {
        /// How many came, or at least so many.
        found: usize,
        /// How many the operation takes.
        expected: usize,
    },
    /// A secret beside an operation that takes none.
    #[error("this operation takes no secret")]
    UnexpectedSecret,
    /// Too many connections, sessions or agents.
    #[error("too many {0} at once")]
    Busy(&'static str),
    /// The process at the socket is another user's.
    #[error("the process at the socket belongs to user {found}, not to {expected}")]
    Stranger {
        /// The other side's user id.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// No secret memory left.
    #[error("no secret memory: {0}")]
    Memory(#[from] MemoryError),
}

impl ControlError {
    /// Whether nothing more can be read from the connection after it.
    pub(super) fn ends_connection(&self) -> bool {
        !matches!(
            self,
            Self::Json
                | Self::Request(_)
                | Self::Version { .. }
                | Self::Descriptors { .. }
                | Self::UnexpectedSecret
                | Self::Busy("agents")
        )
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Io(_) | Self::Closed | Self::Stalled => "control_io",
            Self::TooLong { .. } => "control_frame",
            Self::Json | Self::Request(_) => "control_request",
            Self::Version { .. } => "control_version",
            Self::Descriptors { .. } => "control_descriptors",
            Self::UnexpectedSecret => "control_secret",
            Self::Busy("agents") => "control_agents",
            Self::Busy(_) => "control_busy",
            Self::Stranger { .. } => "control_stranger",
            Self::Memory(_) => "memory",
        }
    }

    fn next(&self) -> Option<&'static str> {
        match self {
            Self::Io(_) | Self::Closed | Self::Stalled => Some("symbolon status"),
            Self::Version { .. } | Self::Busy(_) => Some("symbolon lock --stop"),
            Self::Stranger { .. } => Some("ls -l the home's run folder; only you should own it"),
            Self::Memory(_) => Some("ulimit -l unlimited, then symbolon lock --stop"),
            _ => None,
        }
    }
}

impl From<ControlError> for CallError {
    fn from(error: ControlError) -> Self {
        let (fault, http_status) = match error {
            ControlError::Io(_)
            | ControlError::Closed
            | ControlError::Stalled
            | ControlError::Stranger { .. }
            | ControlError::Memory(_) => (Fault::Environment, 500),
            ControlError::Busy(_) => (Fault::Environment, 503),
            _ => (Fault::Caller, 400),
        };
        CallError {
            code: error.code().to_owned(),
            message: error.to_string(),
            next: error.next().map(str::to_owned),
            fault,
            http_status,
            receipt: None,
            retry_after_seconds: None,
        }
    }
}

fn bound(part: &str) -> usize {
    match part {
        "secret" => SECRET_BYTES_MAX,
        "reply" => REPLY_BYTES_MAX,
        _ => JSON_BYTES_MAX,
    }
}
