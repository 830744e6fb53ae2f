//! Why a mounted server gave nothing that can be used.

/// Why, and whether the call may have reached the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct MountError {
    /// What happened.
    #[source]
    pub fault: MountFault,
    /// Whether anything of the call, or its credential, may have left. False is certain.
    pub sent: bool,
}

/// What went wrong between the broker and a mounted server. Nothing of what the server said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MountFault {
    /// The connection is of no mounted server.
    #[error("{0} is not mounted")]
    NotMounted(String),
    /// The tool is not what its owner looked at.
    #[error("the server {mount} describes {tool} in another way than when it was mounted")]
    Changed {
        /// The mount.
        mount: String,
        /// The tool's name in the catalogue.
        tool: String,
    },
    /// The tool is not in the server's list any more.
    #[error("the server {mount} has no tool {tool} any more")]
    Gone {
        /// The mount.
        mount: String,
        /// The tool's name in the catalogue.
        tool: String,
    },
    /// The program cannot be started.
    #[error("the server's program cannot be started: {0}")]
    Start(String),
    /// It ended again and again.
    #[error("the server's program ended {0} times within a minute; it is not started again yet")]
    Crashing(usize),
    /// It ended, or closed its output, before it answered.
    #[error("the server's program ended before it answered")]
    Ended,
    /// It was stopped with the vault or the mount.
    #[error("the server was stopped")]
    Stopped,
    /// No answer in time.
    #[error("the server did not answer in time")]
    Silent,
    /// A message beyond the limit.
    #[error("the server sent a message of more than {0} bytes")]
    TooLong(u64),
    /// A call beyond what a program is sent as one line.
    #[error("the call is {found} bytes long, and a server's program is sent {max} at most")]
    CallTooLong {
        /// The line's length.
        found: usize,
        /// The longest one.
        max: usize,
    },
    /// Something that is no message of JSON-RPC 2.0, or not the one that was due.
    #[error("the server does not speak the protocol: {0}")]
    Malformed(&'static str),
    /// A revision of the protocol that is not spoken here.
    #[error("the server speaks a revision of the protocol that is not known here")]
    Revision,
    /// An error in place of an answer, while the session began.
    #[error("the server refused to begin: JSON-RPC error {0}")]
    Refused(i64),
    /// More than is waited for at once.
    #[error("too many calls wait for this server")]
    Busy,
    /// Its list of tools is longer than is read.
    #[error("the server's list of tools is refused: {0}")]
    List(String),
}

impl MountFault {
    /// Before anything of the call left.
    pub(crate) const fn unsent(self) -> MountError {
        MountError { fault: self, sent: false }
    }

    /// When the call may have arrived.
    pub(crate) const fn sent(self) -> MountError {
        MountError { fault: self, sent: true }
    }

    /// For receipts and callers.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::NotMounted(_) => "not_mounted",
            Self::Changed { .. } | Self::Gone { .. } => "mount_changed",
            Self::Start(_) | Self::Crashing(_) => "mount_start",
            Self::Ended => "mount_ended",
            Self::Stopped => "stopped",
            Self::Silent => "upstream_timeout",
            Self::TooLong(_) => "upstream_too_large",
            Self::CallTooLong { .. } => "mount_call_too_large",
            Self::Malformed(_) | Self::Revision | Self::Refused(_) => "mount_protocol",
            Self::Busy => "mount_busy",
            Self::List(_) => "mount_list",
        }
    }
}
