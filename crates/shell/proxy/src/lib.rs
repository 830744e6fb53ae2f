#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod authority;
mod environment;
mod front;
mod leaves;
mod open;
mod proxy;
mod refusal;
mod relay;
mod request;
mod rule;
mod run;
mod scanned;
mod slot;
mod tunnel;

pub use open::{NewRun, RunConnection, RunGuard, RunView};
pub use proxy::Proxy;
pub use rule::{Rule, RuleError};
