#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod backoff;
mod check;
mod condition;
pub mod convert;
mod error;
mod flow;
mod inputs;
mod parse;
mod path;
mod run;
mod shape;
mod state;
mod store;
#[cfg(test)]
mod tests;

pub use backoff::{Backoff, Retry};
pub use condition::Condition;
pub use error::{ExpandError, FlowError, InputError};
pub use flow::{
    BURST_AT_ONCE, CONCURRENCY_MAX, Call, FLOW_BYTES_MAX, Flow, FlowName, Kind, OnFailure,
    Rollback, STEPS_MAX, Step,
};
pub use inputs::{Input, InputType};
pub use path::{Path, Root};
pub use run::{Failure, Outcome, Run, Start, Work};
pub use shape::Shape;
pub use state::{Change, RunId, Scope, StepState};
pub use store::{FlowRow, FlowStore, RUNS_KEPT, RunRow, RunState, StepRow};
