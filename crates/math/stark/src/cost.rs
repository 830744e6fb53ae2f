//! What a proof takes, before it is made.

use crate::air::{COLUMNS, height_log2};
use crate::config::{BLOWUP_LOG2, RANDOM_COLUMNS, SALT};
use crate::sponge::blocks_of;
use crate::statement::{BINARY_BYTES_MAX, TooLong};

/// What proving a binary takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Blocks of the sponge.
    pub blocks: usize,
    /// Rows of the trace.
    pub rows: usize,
    /// Columns of the trace.
    pub columns: usize,
    /// Memory at its most, in bytes.
    pub memory_bytes: u64,
    /// About how long, in seconds, on a machine like the one that was measured (`specs/sha3-stark.md`).
    pub seconds: u64,
}

impl Cost {
    /// What a binary of `length` bytes takes.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn of(length: usize) -> Result<Self, TooLong> {
        if length > BINARY_BYTES_MAX {
            return Err(TooLong { found: length });
        }
        let blocks = blocks_of(length);
        let rows = 1 << height_log2(blocks);
        let encoded_rows = (rows as u64) << (1 + BLOWUP_LOG2);
        let row_bytes = 4 * (COLUMNS + RANDOM_COLUMNS + SALT) as u64;
        Ok(Self {
            blocks,
            rows,
            columns: COLUMNS,
            memory_bytes: encoded_rows * row_bytes * MEMORY_PERCENT / 100 + MEMORY_BASE_BYTES,
            seconds: 1 + encoded_rows * SECONDS_PER_MILLION_ROWS / 1_000_000,
        })
    }
}

/// Memory at its most in hundredths of the encoded trace, measured (105) and rounded up.
const MEMORY_PERCENT: u64 = 110;
/// What the program takes without any.
const MEMORY_BASE_BYTES: u64 = 64 << 20;
/// Seconds for a million rows of the encoded trace, measured on two cores.
const SECONDS_PER_MILLION_ROWS: u64 = 240;
