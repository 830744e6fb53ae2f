//! The rows that a binary makes.

use p3_field::{Field, PrimeCharacteristicRing};
use p3_keccak_air::{NUM_KECCAK_COLS, generate_trace_rows};
use p3_matrix::dense::RowMajorMatrix;

use super::columns::{COLUMNS, Column};
use crate::config::{HEIGHT_LOG2_MIN, Value};
use crate::sponge::{
    Absorbed, PaddingAt, RATE_LIMBS, ROUNDS, absorb, digest_limbs, limbs, permuted,
};
use crate::statement::Digest;

/// How high the trace of so many blocks is: a power of two, with a whole permutation for each block.
pub(crate) fn height_log2(blocks: usize) -> usize {
    let rows = (blocks * ROUNDS).next_power_of_two();
    (rows.trailing_zeros() as usize).max(HEIGHT_LOG2_MIN)
}

/// What the verifier puts in: how many blocks, and the digest's limbs.
pub(crate) fn public_values(blocks: usize, digest: &Digest) -> Vec<Value> {
    let limbs = digest_limbs(digest).map(Value::from_u16);
    std::iter::once(Value::from_usize(blocks)).chain(limbs).collect()
}

/// The trace of a binary. Rows after its last block go on with blocks of zeros, which say nothing.
pub(crate) fn trace(binary: &[u8]) -> RowMajorMatrix<Value> {
    let (absorbed, padding) = absorb(binary);
    trace_of(&absorbed, padding)
}

/// The trace of permutations whose last ends a message.
pub(crate) fn trace_of(absorbed: &[Absorbed], padding: PaddingAt) -> RowMajorMatrix<Value> {
    let height = 1 << height_log2(absorbed.len());
    let mut values = Value::zero_vec(height * COLUMNS);
    let mut state = [0; 25];
    for (index, rows) in values.chunks_mut(ROUNDS * COLUMNS).enumerate() {
        let step = absorbed.get(index).copied().unwrap_or(Absorbed { before: state, input: state });
        fill(rows, &step, absorbed.len(), index);
        if index + 1 == absorbed.len() {
            mark_padding(&mut rows[..COLUMNS], &step, padding);
        }
        state = permuted(step.input);
    }
    RowMajorMatrix::new(values, COLUMNS)
}

/// One permutation's rows, of which the trace's end may cut some off.
fn fill(rows: &mut [Value], step: &Absorbed, blocks: usize, index: usize) {
    let permutation = generate_trace_rows::<Value>(vec![step.input], 0);
    let before = limbs(&step.before);
    // Below zero after the last block, as the constraint counts it.
    let left = Value::from_usize(blocks) - Value::from_usize(index);
    let others = left - Value::ONE;
    for (round, row) in rows.chunks_exact_mut(COLUMNS).enumerate() {
        let from = round * NUM_KECCAK_COLS;
        row[..NUM_KECCAK_COLS].copy_from_slice(&permutation.values[from..from + NUM_KECCAK_COLS]);
        row[Column::LEFT] = left;
        row[Column::INVERSE] = others.try_inverse().unwrap_or(Value::ZERO);
        row[Column::LAST] = Value::from_bool(others == Value::ZERO);
        for limb in 0..RATE_LIMBS {
            row[Column::BEFORE + limb] = Value::from_u16(before[limb]);
        }
    }
}

/// The columns that show where padding begins, in the first row of the last block.
fn mark_padding(row: &mut [Value], step: &Absorbed, PaddingAt(at): PaddingAt) {
    let (before, after) = (limbs(&step.before), limbs(&step.input));
    let limb = at / 2;
    row[Column::PADDING] = Value::ONE;
    row[Column::ODD] = Value::from_bool(at % 2 == 1);
    row[Column::TOP] = Value::from_bool(before[RATE_LIMBS - 1] >> 15 == 1);
    row[Column::LIMB + limb] = Value::ONE;
    for bit in 0..16 {
        row[Column::BITS_BEFORE + bit] = Value::from_bool(before[limb] >> bit & 1 == 1);
        row[Column::BITS_AFTER + bit] = Value::from_bool(after[limb] >> bit & 1 == 1);
    }
}
