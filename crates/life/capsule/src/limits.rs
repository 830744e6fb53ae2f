//! What a run may at most use.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::DocumentError;

/// Limits of one run. Each is enforced by the host, and each has an error of its own there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Units of fuel: about one for each WebAssembly instruction. 1 to 10^12.
    pub fuel: u64,
    /// Bytes of all linear memories together. 64 KiB to 1 GiB.
    pub memory_bytes: u64,
    /// Bytes of output. 1 to 16 MiB.
    pub output_bytes: u64,
    /// Milliseconds by the wall's clock. 1 to 600,000.
    pub time_ms: u64,
}

/// One of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Units of fuel.
    Fuel,
    /// Bytes of memory.
    Memory,
    /// Bytes of output.
    Output,
    /// Milliseconds.
    Time,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fuel => "fuel",
            Self::Memory => "memory_bytes",
            Self::Output => "output_bytes",
            Self::Time => "time_ms",
        })
    }
}

impl Limits {
    /// What a draft begins with: a tenth of a second of work, 16 MiB, 64 KiB of output, a second.
    pub const DRAFT: Self = Self {
        fuel: 100_000_000,
        memory_bytes: 16 * 1024 * 1024,
        output_bytes: 64 * 1024,
        time_ms: 1000,
    };

    /// The largest that a manifest or certificate can say.
    pub const MOST: Self = Self {
        fuel: 1_000_000_000_000,
        memory_bytes: 1024 * 1024 * 1024,
        output_bytes: 16 * 1024 * 1024,
        time_ms: 600_000,
    };

    const LEAST: Self = Self { fuel: 1, memory_bytes: 64 * 1024, output_bytes: 1, time_ms: 1 };

    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        let outside = Self::LEAST.exceeds(self).or_else(|| self.exceeds(&Self::MOST));
        match outside {
            None => Ok(()),
            Some(Limit::Fuel) => Err(DocumentError::Field("limits.fuel")),
            Some(Limit::Memory) => Err(DocumentError::Field("limits.memory_bytes")),
            Some(Limit::Output) => Err(DocumentError::Field("limits.output_bytes")),
            Some(Limit::Time) => Err(DocumentError::Field("limits.time_ms")),
        }
    }

    /// The first limit that is above another's.
    pub fn exceeds(&self, other: &Self) -> Option<Limit> {
        let all = [
            (Limit::Fuel, self.fuel, other.fuel),
            (Limit::Memory, self.memory_bytes, other.memory_bytes),
            (Limit::Output, self.output_bytes, other.output_bytes),
            (Limit::Time, self.time_ms, other.time_ms),
        ];
        all.into_iter().find_map(|(limit, mine, theirs)| (mine > theirs).then_some(limit))
    }
}
