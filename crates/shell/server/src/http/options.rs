//! How the HTTP door is started, and why it does not start.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use symbolon_broker::{CallError, Fault, Lanes};
use symbolon_mcp::SessionLimits;

use super::accounts::Accounts;

/// How the HTTP door is started.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where to listen. Port 0 takes a free one. Without TLS only loopback addresses are taken.
    pub listen: SocketAddr,
    /// Certificate and key; needed anywhere but on loopback.
    pub tls: Option<Tls>,
    /// More names that `Host` may carry, such as `agents.example`.
    pub hosts: Vec<String>,
    /// Accounts and their vaults; without, their routes do not exist.
    pub accounts: Option<Accounts>,
    /// Bounds of time and number.
    pub bounds: Bounds,
    /// Where connections live; without, on the runtime that serves.
    pub lanes: Option<Lanes>,
    /// Serve `/mcp` without a key, with the conformance suite's fixtures. On loopback alone.
    #[cfg(feature = "conformance")]
    pub conformance: bool,
}

impl ServeOptions {
    /// Plain HTTP on an address, which must be a loopback one.
    pub fn on(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            hosts: Vec::new(),
            accounts: None,
            bounds: Bounds::default(),
            lanes: None,
            #[cfg(feature = "conformance")]
            conformance: false,
        }
    }
}

/// Files in PEM.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// Its private key, readable by its owner alone.
    pub key: PathBuf,
}

/// Bounds of time and number.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Connections at once; others wait in the system's queue.
    pub connections_max: usize,
    /// Connections at once of one agent.
    pub agent_connections_max: usize,
    /// The largest body, in bytes.
    pub body_bytes_max: usize,
    /// Bytes of all bodies that are being read or worked on; one agent's may be a quarter of them.
    pub bodies_bytes_max: usize,
    /// From a connection's first byte, or from the answer before, to the end of a request's head.
    pub head: Duration,
    /// From the head to the end of the body.
    pub body: Duration,
    /// From the body to the head of the answer.
    pub answer: Duration,
    /// How long a peer may read nothing of an answer that waits for it.
    pub unread: Duration,
    /// What running requests are given when the server stops.
    pub grace: Duration,
    /// Bounds of MCP sessions of revision 2025-11-25.
    pub sessions: SessionLimits,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            agent_connections_max: 256,
            body_bytes_max: 1024 * 1024,
            bodies_bytes_max: 64 * 1024 * 1024,
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            answer: Duration::from_secs(150),
            unread: Duration::from_secs(60),
            grace: Duration::from_secs(10),
            sessions: SessionLimits::default(),
        }
    }
}

/// Why the HTTP door does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Keys would cross a network in the clear.
    #[error(
        "{listen} is not a loopback address, and without TLS keys would cross the network in the clear"
    )]
    NeedsTls {
        /// The address that was asked for.
        listen: SocketAddr,
    },
    /// The conformance build's open `/mcp` is for loopback alone.
    #[error(
        "{listen} is not a loopback address, and the conformance fixtures have no authentication"
    )]
    NeedsLoopback {
        /// The address that was asked for.
        listen: SocketAddr,
    },
    /// The address is taken or not ours.
    #[error("cannot listen on {listen}")]
    Listen {
        /// The address that was asked for.
        listen: SocketAddr,
        /// The system's reason.
        #[source]
        cause: std::io::Error,
    },
    /// A PEM file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// The private key's file is open to others.
    #[error("{} is readable by others", path.display())]
    OpenKey {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key do not go together, or TLS cannot use them.
    #[error("the certificate and key cannot be used: {0}")]
    Tls(#[source] rustls::Error),
}

impl ServeError {
    /// The next step, as an exact command.
    pub fn next(&self) -> String {
        match self {
            Self::NeedsTls { listen } => format!(
                "symbolon serve --listen {listen} --tls-cert cert.pem --tls-key key.pem, or --listen 127.0.0.1:{}",
                listen.port()
            ),
            Self::NeedsLoopback { listen } => {
                format!("symbolon serve --conformance --listen 127.0.0.1:{}", listen.port())
            }
            Self::Listen { .. } => "symbolon serve --listen 127.0.0.1:0".to_owned(),
            Self::Pem { path, .. } => format!("ls -l {}", quoted(path)),
            Self::OpenKey { path } => format!("chmod 600 {}", quoted(path)),
            Self::Tls(_) => {
                "Give --tls-cert the chain and --tls-key its own private key.".to_owned()
            }
        }
    }
}

impl From<ServeError> for CallError {
    fn from(error: ServeError) -> Self {
        let fault = match error {
            ServeError::Listen { .. } => Fault::Environment,
            _ => Fault::Caller,
        };
        Self {
            code: "cannot_serve".to_owned(),
            message: error.to_string(),
            next: Some(error.next()),
            fault,
            http_status: 500,
            receipt: None,
            retry_after_seconds: None,
        }
    }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
