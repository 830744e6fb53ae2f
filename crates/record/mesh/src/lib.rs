#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod answer;
pub mod certificate;
pub mod checkpoint;
pub mod entry;
pub mod evidence;
pub mod fault;
mod list;
mod name;
mod port;
pub mod request;

pub use answer::{ANSWER_BYTES_MAX, Answer, AnswerError};
pub use certificate::{Certificate, CertificateError, derive_endpoint};
pub use checkpoint::{RawCheckpoint, SpreadError};
pub use entry::{Claim, EntryError, RawEntry, SignedEntry};
pub use evidence::{Contradiction, Evidence, EvidenceError, Side};
pub use fault::Fault;
pub use name::{LogId, LogName, NameError};
pub use port::{Input, Output, Peer, Topic, Verdict, Verified};
pub use request::{REQUEST_BYTES_MAX, Request, RequestError};
