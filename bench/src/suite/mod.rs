//! The suites, one file each.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod authorize;
pub(crate) mod capsule;
pub(crate) mod catalog;
pub(crate) mod flow;
pub(crate) mod inject;
pub(crate) mod isolation;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod mcp;
pub(crate) mod mesh;
pub(crate) mod possession;
pub(crate) mod proofs;
pub(crate) mod proxy;
pub(crate) mod redact;
pub(crate) mod vault;

use crate::BenchError;

/// A runtime of two threads, as the broker's own.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, BenchError> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}
