#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod bundle;
#[cfg(feature = "capsule")]
pub mod capsule;
pub mod check;
pub mod dsse;
pub mod finality;
pub mod salt;
pub mod statement;
pub mod time;
pub mod verify;

pub use bundle::{BUNDLE_BYTES_MAX, BUNDLE_MEDIA_TYPE, Bundle};
pub use check::StatementError;
pub use dsse::{DsseError, Envelope, PAYLOAD_TYPE};
pub use finality::{Finality, Heard, WITNESSES_DEFAULT};
pub use salt::Salt;
pub use statement::{
    Approval, ApprovalOutcome, Decision, Door, Gate, IntentRef, Minted, Outcome, Predicate,
    Redaction, RequestBody, Response, Searched, Statement, Times, media_type,
};
pub use time::Time;
pub use verify::{OperatorKey, VerifiedReceipt, VerifyError, verify};
