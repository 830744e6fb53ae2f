//! Why a call to an upstream failed, and whether its credential could have left.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustls::AlertDescription;
use symbolon_connector::inject::{FramingError, InjectError};
use symbolon_connector::ssrf::{Blocked, Host, ReachError};
use symbolon_secret::WindowError;

use super::armed::OpenError;

/// Why there is no response, or not all of it. Never holds a byte of a request or response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The name may not be resolved under the connection's policy.
    #[error("{host} is not an allowed host")]
    Host {
        /// The host asked for.
        host: String,
        /// What is wrong with it.
        source: ReachError,
    },
    /// The name did not resolve, or to nothing. The environment's fault.
    #[error("{host} did not resolve")]
    Resolve {
        /// The host asked for.
        host: String,
        /// The resolver's answer.
        source: io::Error,
    },
    /// The name resolved to an address that the connection does not allow. All of its addresses
    /// are refused then: a name that mixes them is up to something.
    #[error("{host} resolved to an address that is not allowed")]
    Blocked {
        /// The host asked for.
        host: String,
        /// The address and what it is.
        source: Blocked,
    },
    /// Plain HTTP to an address that is not loopback, without permission.
    #[error("plain HTTP to {address} would show the credential to the network")]
    Plaintext {
        /// The address.
        address: IpAddr,
    },
    /// No connection. The peer's or the network's fault.
    #[error("no connection to {address}")]
    Connect {
        /// The last address tried.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// No TLS session: certificate, version or protocol. The peer's fault, or a root is missing.
    #[error("no TLS session with {host}")]
    Tls {
        /// The host asked for.
        host: String,
        /// The TLS stack's answer.
        source: io::Error,
        /// See [`WireError::released`]: whether a client certificate's key had signed.
        released: bool,
    },
    /// The peer wants a client certificate and got none, or not the one that it wants (RFC 8446,
    /// section 6.2). The fault of whoever made the connection.
    #[error("the upstream wants a client certificate that it accepts (TLS alert {alert:?})")]
    ClientCertificate {
        /// What the peer said.
        alert: AlertDescription,
        /// See [`WireError::released`].
        released: bool,
    },
    /// The trust roots could not be made into a configuration.
    #[error("the trust roots cannot be used")]
    Roots(#[source] super::roots::RootsError),
    /// Too slow. The peer's fault.
    #[error("the upstream took too long ({phase})")]
    Timeout {
        /// What was being waited for.
        phase: Phase,
        /// See [`WireError::released`].
        released: bool,
    },
    /// The request was refused at the wire. Whoever shaped the request is at fault, or the
    /// credential did not open.
    #[error("the request was refused at the wire")]
    Refused {
        /// The check that failed.
        source: StreamError,
        /// See [`WireError::released`].
        released: bool,
    },
    /// The connection ended before the response did. The peer's or the network's fault.
    #[error("the upstream ended the connection")]
    Reset {
        /// See [`WireError::released`].
        released: bool,
        /// What was seen.
        source: Option<hyper::Error>,
    },
    /// What came back is not HTTP/1.1. The peer's fault.
    #[error("the upstream's response is not valid HTTP")]
    Protocol {
        /// See [`WireError::released`].
        released: bool,
        /// What was seen.
        source: hyper::Error,
    },
    /// More response headers than the limits allow. The peer's fault.
    #[error("the upstream's response headers are too large")]
    HeadTooLarge {
        /// See [`WireError::released`].
        released: bool,
    },
    /// A longer response body than the limit. The peer's fault.
    #[error("the upstream's response body is longer than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
}

impl WireError {
    /// Whether the credential was opened for sending, so that it may have reached the upstream.
    /// `false` is certain: no byte of it left.
    pub fn released(&self) -> bool {
        match self {
            WireError::Timeout { released, .. }
            | WireError::Refused { released, .. }
            | WireError::Reset { released, .. }
            | WireError::Protocol { released, .. }
            | WireError::Tls { released, .. }
            | WireError::ClientCertificate { released, .. }
            | WireError::HeadTooLarge { released } => *released,
            WireError::BodyTooLarge { .. } => true,
            WireError::Host { .. }
            | WireError::Resolve { .. }
            | WireError::Blocked { .. }
            | WireError::Plaintext { .. }
            | WireError::Connect { .. }
            | WireError::Roots(_) => false,
        }
    }

    /// What the HTTP stack's error was, seen through its wrappers.
    pub(super) fn from_hyper(error: hyper::Error, released: bool) -> Self {
        if let Some(source) = refusal(&error) {
            return WireError::Refused { source, released };
        }
        // In TLS 1.3 a client is done before the server has looked at its certificate.
        if let Some(alert) = inside::<rustls::Error>(&error).and_then(alert) {
            return WireError::ClientCertificate { alert, released };
        }
        if error.is_parse_too_large() {
            return WireError::HeadTooLarge { released };
        }
        if error.is_parse() || error.is_parse_status() {
            return WireError::Protocol { released, source: error };
        }
        WireError::Reset { released, source: Some(error) }
    }

    /// A handshake that failed before any key had signed.
    pub(super) fn from_tls(host: &Host, source: io::Error) -> Self {
        let inner = source.get_ref().and_then(|inner| inner.downcast_ref());
        match inner.and_then(alert) {
            Some(alert) => WireError::ClientCertificate { alert, released: false },
            None => WireError::Tls { host: host.as_str().to_owned(), source, released: false },
        }
    }

    /// The same of a handshake in which a client certificate's key had signed.
    pub(super) fn proved(mut self, is_proved: bool) -> Self {
        if let WireError::Tls { released, .. }
        | WireError::ClientCertificate { released, .. }
        | WireError::Timeout { released, .. } = &mut self
        {
            *released |= is_proved;
        }
        self
    }
}

/// What a server says of a client's certificate, or of there being none (RFC 8446, section 6.2).
fn alert(error: &rustls::Error) -> Option<AlertDescription> {
    let rustls::Error::AlertReceived(alert) = error else { return None };
    let is_of_certificate = matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    );
    is_of_certificate.then_some(*alert)
}

/// The stream's own refusal inside of an error that hyper gives.
fn refusal(error: &hyper::Error) -> Option<StreamError> {
    inside(error).copied()
}

/// An error of the stream or of TLS inside of one that hyper gives.
fn inside<E: std::error::Error + 'static>(error: &hyper::Error) -> Option<&E> {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>()
            && let Some(inner) = io.get_ref()
            && let Some(found) = inner.downcast_ref::<E>()
        {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// What a call was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The resolver.
    Resolve,
    /// The TCP handshake.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The response's status and headers.
    Head,
    /// The response's body.
    Body,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Phase::Resolve => "resolving its name",
            Phase::Connect => "connecting",
            Phase::Tls => "TLS handshake",
            Phase::Head => "response head",
            Phase::Body => "response body",
        })
    }
}

/// Why the stream refused. The connection is dead afterwards: nothing more goes out on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The head is not what was armed.
    #[error(transparent)]
    Inject(#[from] InjectError),
    /// The body is not framed as its head says.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// A frame of HTTP/2 that is not passed on.
    #[error("the HTTP/2 stack wrote a frame that is not passed on")]
    Frame,
    /// A head came that no credential was armed for.
    #[error("a request came that no credential was armed for")]
    NotArmed,
    /// Head and credential do not fit one TLS record.
    #[error("the request head with its credential does not fit one TLS record")]
    RecordTooLong,
    /// The credential did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The credential has another length than it said.
    #[error("the credential has another length than was said")]
    Length,
    /// The record that reached the encrypter is not the one that was armed.
    #[error("the TLS record is not the one that was armed")]
    OtherRecord,
    /// The TLS stack did not take the armed record (its keys are used up).
    #[error("the TLS session takes no more records")]
    NotSealed,
    /// AES-GCM or ChaCha20-Poly1305 failed: a bug.
    #[error("the TLS record could not be sealed")]
    Seal,
    /// No window on secret memory.
    #[error("no secret memory for the credential")]
    Memory,
    /// An earlier refusal ended this connection.
    #[error("an earlier refusal ended this connection")]
    Poisoned,
}

impl From<WindowError> for StreamError {
    fn from(_: WindowError) -> Self {
        StreamError::Memory
    }
}

impl From<StreamError> for io::Error {
    fn from(error: StreamError) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}
