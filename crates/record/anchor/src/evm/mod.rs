//! Checkpoints in an EVM contract (`contracts/CheckpointAnchor.sol`): what is sent, and what an RPC server's answers
//! must say before an anchor is believed. Nothing here speaks to a server.

mod answer;
mod contract;
mod record;
#[cfg(test)]
mod tests;
mod transaction;

pub use answer::{AnswerError, Block, Receipt, RpcError, answer, quantity};
pub use contract::{Anchored, Latest, creation, runtime};
pub use record::{AnchorRecord, RECORD_BYTES_MAX, RecordError, Seen};
pub use transaction::{FeeLimit, Transaction};
