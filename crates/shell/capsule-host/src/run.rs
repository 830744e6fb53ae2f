//! What a run is given, and what it gives.

use symbolon_capsule::{Capability, Limits, Manifest};

/// What a run is given beside its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Bytes on its standard input, or the argument of `handle`.
    pub input: Vec<u8>,
    /// What it may use.
    pub limits: Limits,
    /// What it may touch.
    pub given: Given,
    /// The run's time in Unix milliseconds: what standing clocks show.
    pub now_ms: u64,
    /// What random numbers come from where they are not the kernel's.
    pub seed: u64,
}

/// What a run may touch, of its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// The broker's operations.
    pub call: bool,
    /// Lines for the operator.
    pub log: bool,
    /// Random numbers: the kernel's, or the seed's where `deterministic`.
    pub random: bool,
    /// Clocks: real, or standing at the run's time where `deterministic`.
    pub time: bool,
    /// Nothing of this run is of the moment.
    pub deterministic: bool,
}

impl Given {
    /// What a manifest asks for.
    pub fn of(manifest: &Manifest) -> Self {
        let has = |it| manifest.capabilities.contains(&it);
        Self {
            call: has(Capability::Call),
            log: has(Capability::Log),
            random: has(Capability::Random),
            time: has(Capability::Time),
            deterministic: manifest.deterministic,
        }
    }
}

/// What a run gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its standard output, or the result of `handle`.
    pub output: Vec<u8>,
    /// Fuel that it used: the same each time for the same code and input, where deterministic.
    pub fuel_used: u64,
    /// Bytes of linear memory at the end.
    pub memory_bytes: u64,
}
