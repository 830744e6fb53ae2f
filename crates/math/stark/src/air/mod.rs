//! The trace of a sponge over hidden blocks, and its constraints.

mod columns;
mod constraints;
mod trace;

pub(crate) use columns::{COLUMNS, limb_of_digest};
pub(crate) use constraints::Sponge;
pub(crate) use trace::{height_log2, public_values, trace};
#[cfg(test)]
pub(crate) use {columns::Column, constraints::Constraint, trace::trace_of};
