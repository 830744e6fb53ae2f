//! When a person is asked before a call, and the evidence that they said yes (`specs/approvals.md`).

mod ask;
mod memory;
mod question;

pub use ask::{Ask, AskError, AskRule, AskVia, Threshold};
pub(crate) use memory::Memory;
pub use memory::{Covers, Remembered};
pub use question::{
    Answered, Approval, ApprovalError, Approved, AskEntry, Asked, Consent, Need, Question,
    RecordedAnswer, Via,
};

#[cfg(test)]
mod tests;
