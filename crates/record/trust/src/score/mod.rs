//! How far an operator is believed, and on what evidence (`specs/trust.md`). Integers alone, no clock, no I/O.

mod evidence;
mod file;
mod history;
mod policy;
mod reason;
mod scores;
#[cfg(test)]
mod tests;

pub use evidence::{Behaviour, Evidence, EvidenceError, Kind, Verified};
pub use file::{SCORES_BYTES_MAX, ScoresError};
pub use policy::{Alarm, Bar, Policy, UnknownPolicy};
pub use reason::{Reason, Score, THOUSANDTHS_MAX, Why};
pub use scores::{OPERATORS_MAX, Observed, Operator, Scores};
