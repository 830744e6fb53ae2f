//! Rules beside the gates, as the broker keeps them: what was spent, shadow mode, explanations.
//! `specs/policy.md`.

mod decision;
mod explain;
mod grants;
mod shadow;
mod spending;
pub(crate) mod zones;

pub(crate) use decision::{decision_of, refused_decision};
pub(crate) use grants::said;
pub(crate) use spending::{Spending, settlement};
pub(crate) use zones::zone;
