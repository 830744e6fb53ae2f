#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod answer;
pub mod batch;
pub mod certificate;
pub mod checkpoint;
mod cosigned;
pub mod entry;
pub mod evidence;
pub mod fault;
mod frontier;
mod list;
mod mesh;
mod name;
mod port;
mod remote;
mod replica;
pub mod request;
mod seen;

pub use answer::{ANSWER_BYTES_MAX, Answer, AnswerError};
pub use batch::{Batch, RawBatch};
pub use certificate::{Certificate, CertificateError, derive_endpoint};
pub use checkpoint::{RawCheckpoint, SpreadError};
pub use entry::{Claim, EntryError, SignedEntry};
pub use evidence::{Contradiction, Evidence, EvidenceError, Side};
pub use fault::Fault;
pub use mesh::{FollowError, Forwards, LOGS_MAX, Mesh, WITNESSES_MAX};
pub use name::{LogId, LogName, NameError};
pub use port::{Input, Output, Peer, Topic, Verdict, Verified};
pub use replica::ReplicaError;
pub use request::{REQUEST_BYTES_MAX, Request, RequestError};
