//! The constraints of `specs/sha3-stark.md`, by their numbers there.

use std::borrow::Borrow;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_keccak_air::{KeccakAir, KeccakCols, NUM_KECCAK_COLS};
use p3_uni_stark::SubAirBuilder;

use super::{COLUMNS, columns::Column, limb_of_digest};
use crate::sponge::{DIGEST_LIMBS, RATE_LIMBS, ROUNDS, STATE_LIMBS};

/// A constraint by its number in `specs/sha3-stark.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Constraint {
    /// 1: each 24 rows are a permutation. These are the library's.
    Permutation,
    /// 2: nothing was absorbed before the first block.
    FirstBefore,
    /// 3: the capacity is zero in the first block.
    FirstCapacity,
    /// 4: a block is added to what the permutation before left.
    Before,
    /// 5: the capacity goes from one permutation to the next as it is.
    Capacity,
    /// 6: the first row counts as many blocks as the statement says.
    FirstLeft,
    /// 7: blocks are counted down one by one.
    Left,
    /// 8: the last block is the one that is counted as 1.
    Last,
    /// 9: padding is looked at in the first row of the last block.
    Padding,
    /// 10: padding begins in one limb there, and in none elsewhere.
    OneLimb,
    /// 11: what should be bits are.
    Bits,
    /// 12: the bits are those of that limb, before and after the block.
    BitsOfLimb,
    /// 13: of that limb, the high byte was changed by padding alone.
    HighByte,
    /// 14: and the low one, where padding begins in it.
    LowByte,
    /// 15: limbs after it are as before, but for the padding's last bit.
    AfterPadding,
    /// 16: the digest is what the last permutation left.
    Digest,
}

/// SHA3-512 of hidden blocks: the permutation's constraints, and ours over and between permutations.
#[derive(Debug, Default)]
pub(crate) struct Sponge {
    /// The constraint that a test does without, to see that it alone refuses a trace.
    #[cfg(test)]
    pub without: Option<Constraint>,
}

impl Sponge {
    #[cfg(test)]
    fn has(&self, constraint: Constraint) -> bool {
        self.without != Some(constraint)
    }

    #[cfg(not(test))]
    const fn has(&self, _: Constraint) -> bool {
        true
    }
}

impl<F> BaseAir<F> for Sponge {
    fn width(&self) -> usize {
        COLUMNS
    }

    fn num_public_values(&self) -> usize {
        1 + DIGEST_LIMBS
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        Some(3)
    }
}

impl<AB: AirBuilder> Air<AB> for Sponge {
    fn eval(&self, builder: &mut AB) {
        // 1
        if self.has(Constraint::Permutation) {
            let columns = 0..NUM_KECCAK_COLS;
            KeccakAir {}.eval(&mut SubAirBuilder::<AB, KeccakAir, AB::Var>::new(builder, columns));
        }

        let main = builder.main();
        let row = Row::<AB::Var>::new(main.current_slice());
        let next = Row::<AB::Var>::new(main.next_slice());
        let public: Vec<AB::Expr> =
            builder.public_values().iter().map(|&value| value.into()).collect();

        self.chain(builder, &row, &next);
        self.count(builder, &row, &next, &public[0]);
        self.padding_place(builder, &row);
        self.padding(builder, &row);

        // 16
        if self.has(Constraint::Digest) {
            let end = row.own(Column::LAST) * row.last_round();
            for limb in 0..DIGEST_LIMBS {
                let expected = public[limb_of_digest(limb)].clone();
                builder.when(end.clone()).assert_eq(row.output(limb), expected);
            }
        }
    }
}

/// One row, by the names of what stands in it.
struct Row<'a, T> {
    keccak: &'a KeccakCols<T>,
    all: &'a [T],
}

impl<'a, T: Copy> Row<'a, T> {
    fn new(all: &'a [T]) -> Self {
        Self { keccak: all[..NUM_KECCAK_COLS].borrow(), all }
    }

    fn own(&self, column: usize) -> T {
        self.all[column]
    }

    /// A limb of the state that this permutation began with.
    fn input(&self, limb: usize) -> T {
        self.keccak.preimage[limb / 20][limb / 4 % 5][limb % 4]
    }

    /// A limb of the state after this row's round.
    fn output(&self, limb: usize) -> T {
        self.keccak.a_prime_prime_prime(limb / 20, limb / 4 % 5, limb % 4)
    }

    fn first_round(&self) -> T {
        self.keccak.step_flags[0]
    }

    fn last_round(&self) -> T {
        self.keccak.step_flags[ROUNDS - 1]
    }
}

impl Sponge {
    /// From one permutation to the next. The block itself needs no column: whatever the rate became, the block is
    /// its difference to what was there, and every block but the last is the prover's to choose.
    fn chain<AB: AirBuilder>(
        &self,
        builder: &mut AB,
        row: &Row<'_, AB::Var>,
        next: &Row<'_, AB::Var>,
    ) {
        // 2
        if self.has(Constraint::FirstBefore) {
            for limb in 0..RATE_LIMBS {
                builder.when_first_row().assert_zero(row.own(Column::BEFORE + limb));
            }
        }
        // 3
        if self.has(Constraint::FirstCapacity) {
            for limb in RATE_LIMBS..STATE_LIMBS {
                builder.when_first_row().assert_zero(row.input(limb));
            }
        }
        let mut end = builder.when_transition();
        let mut end = end.when(row.last_round());
        // 4
        if self.has(Constraint::Before) {
            for limb in 0..RATE_LIMBS {
                end.assert_eq(next.own(Column::BEFORE + limb), row.output(limb));
            }
        }
        // 5
        if self.has(Constraint::Capacity) {
            for limb in RATE_LIMBS..STATE_LIMBS {
                end.assert_eq(next.input(limb), row.output(limb));
            }
        }
    }

    /// Which block is the last.
    fn count<AB: AirBuilder>(
        &self,
        builder: &mut AB,
        row: &Row<'_, AB::Var>,
        next: &Row<'_, AB::Var>,
        blocks: &AB::Expr,
    ) {
        let left = row.own(Column::LEFT);
        // 6
        if self.has(Constraint::FirstLeft) {
            builder.when_first_row().assert_eq(left, blocks.clone());
        }
        // 7
        if self.has(Constraint::Left) {
            builder.when_transition().assert_eq(next.own(Column::LEFT), left - row.last_round());
        }
        // 8
        let last = row.own(Column::LAST);
        if self.has(Constraint::Last) {
            let others = left - AB::Expr::ONE;
            builder.assert_zero(others.clone() * last);
            builder.assert_eq(others * row.own(Column::INVERSE), AB::Expr::ONE - last);
        }
        // 9
        if self.has(Constraint::Padding) {
            builder.assert_eq(row.own(Column::PADDING), last * row.first_round());
        }
    }

    /// In which limb padding begins, and that limb's bits.
    fn padding_place<AB: AirBuilder>(&self, builder: &mut AB, row: &Row<'_, AB::Var>) {
        // 10
        if self.has(Constraint::OneLimb) {
            let mut sum = AB::Expr::ZERO;
            for limb in 0..RATE_LIMBS {
                builder.assert_bool(row.own(Column::LIMB + limb));
                sum += row.own(Column::LIMB + limb).into();
            }
            builder.assert_eq(sum, row.own(Column::PADDING));
        }
        // 11
        if self.has(Constraint::Bits) {
            builder.assert_bool(row.own(Column::ODD));
            builder.assert_bool(row.own(Column::TOP));
            for bit in 0..16 {
                builder.assert_bool(row.own(Column::BITS_BEFORE + bit));
                builder.assert_bool(row.own(Column::BITS_AFTER + bit));
            }
        }
        // 12
        if self.has(Constraint::BitsOfLimb) {
            let (mut before, mut after) = (AB::Expr::ZERO, AB::Expr::ZERO);
            for limb in 0..RATE_LIMBS {
                let here: AB::Expr = row.own(Column::LIMB + limb).into();
                before += here.clone() * row.own(Column::BEFORE + limb);
                after += here * row.input(limb);
            }
            builder.assert_eq(before, number::<AB>(row, Column::BITS_BEFORE));
            builder.assert_eq(after, number::<AB>(row, Column::BITS_AFTER));
        }
    }

    /// That the last block ends in `0x06, 0, …, 0, 0x80`, wherever that begins.
    fn padding<AB: AirBuilder>(&self, builder: &mut AB, row: &Row<'_, AB::Var>) {
        let here = row.own(Column::PADDING);
        let odd: AB::Expr = row.own(Column::ODD).into();
        let in_last: AB::Expr = row.own(Column::LIMB + RATE_LIMBS - 1).into();
        let before = |bit: usize| -> AB::Expr { row.own(Column::BITS_BEFORE + bit).into() };
        let after = |bit: usize| -> AB::Expr { row.own(Column::BITS_AFTER + bit).into() };
        // 13
        if self.has(Constraint::HighByte) {
            for bit in 8..16 {
                let flipped = match bit {
                    9 | 10 => odd.clone(),
                    15 => in_last.clone(),
                    _ => AB::Expr::ZERO,
                };
                builder.when(here).assert_eq(after(bit), before(bit).xor(&flipped));
            }
        }
        // 14
        if self.has(Constraint::LowByte) {
            let even = AB::Expr::ONE - odd;
            for bit in 0..8 {
                let now = match bit {
                    1 | 2 => AB::Expr::ONE - before(bit),
                    _ => before(bit),
                };
                builder.when(here * even.clone()).assert_eq(after(bit), now);
            }
        }
        // 15
        if self.has(Constraint::AfterPadding) {
            let mut began = AB::Expr::ZERO;
            for limb in 0..RATE_LIMBS {
                let mut change = row.input(limb) - row.own(Column::BEFORE + limb);
                if limb == RATE_LIMBS - 1 {
                    // Both limbs have 16 bits (1), so that no other value of `TOP` fits.
                    let sign = AB::Expr::ONE - AB::Expr::from(row.own(Column::TOP)).double();
                    change -= AB::Expr::from_u16(1 << 15) * sign;
                }
                builder.assert_zero(began.clone() * change);
                began += row.own(Column::LIMB + limb).into();
            }
        }
    }
}

/// The number whose 16 bits begin at a column.
fn number<AB: AirBuilder>(row: &Row<'_, AB::Var>, from: usize) -> AB::Expr {
    (0..16).rev().fold(AB::Expr::ZERO, |high, bit| high.double() + row.own(from + bit))
}
