//! Each constraint is there for a trace that breaks it alone: without it that trace passes, with it it does not, and a
//! proof that is made without it is refused.

use p3_air::{check_all_constraints, check_constraints};
use p3_field::PrimeCharacteristicRing;
use p3_keccak_air::output_limb;
use p3_matrix::dense::RowMajorMatrix;
use symbolon_ambient::SeededRng;

use super::{binary, context};
use crate::air::{COLUMNS, Column, Constraint, Sponge, public_values, trace, trace_of};
use crate::config::{Value, config};
use crate::sponge::{Absorbed, PaddingAt, RATE_LIMBS, ROUNDS, State, absorb, limbs, permuted};
use crate::statement::Statement;
use crate::{Digest, Proof, VerifyError, verify};

#[test]
fn an_honest_trace_passes_at_every_border_of_a_block() {
    for length in [0, 1, 2, 69, 70, 71, 72, 73, 142, 143, 144, 145, 360] {
        let binary = binary(length);
        let statement = Statement::of(&binary, context()).unwrap();
        let public = public_values(statement.blocks, &statement.digest);
        check_constraints(&Sponge::default(), &trace(&binary), &public);
    }
}

/// A false claim, and the trace that would show it if one constraint were not there.
struct Forged {
    blocks: usize,
    digest: Digest,
    trace: RowMajorMatrix<Value>,
}

impl Forged {
    /// Of permutations that no message makes, claimed as they are.
    fn new(absorbed: &[Absorbed], padding: usize) -> Self {
        let end = limbs(&permuted(absorbed.last().unwrap().input));
        Self {
            blocks: absorbed.len(),
            digest: std::array::from_fn(|at| end[at / 2].to_le_bytes()[at % 2]),
            trace: trace_of(absorbed, PaddingAt(padding)),
        }
    }

    /// Of one block with these limbs as they stand, padding marked to begin at a byte of it.
    fn block(marked: usize, set: &[(usize, u16)]) -> Self {
        let mut rate = [0; RATE_LIMBS];
        rate[RATE_LIMBS - 1] = 0x8000;
        for &(limb, value) in set {
            rate[limb] = value;
        }
        Self::new(&[Absorbed { before: [0; 25], input: state(&rate) }], marked)
    }

    fn set(mut self, row: usize, column: usize, value: Value) -> Self {
        self.trace.values[row * COLUMNS + column] = value;
        self
    }

    fn set_all(mut self, column: usize, value: impl Fn(usize) -> Value) -> Self {
        for (row, values) in self.trace.values.chunks_mut(COLUMNS).enumerate() {
            values[column] = value(row);
        }
        self
    }

    /// Sets the bits of the limb in the first row.
    fn set_bits(mut self, from: usize, bits: u16) -> Self {
        for bit in 0..16 {
            self = self.set(0, from + bit, Value::from_bool(bits >> bit & 1 == 1));
        }
        self
    }
}

/// A state whose rate has these limbs.
fn state(rate: &[u16; RATE_LIMBS]) -> State {
    let mut state = [0; 25];
    for (limb, value) in rate.iter().enumerate() {
        state[limb / 4] |= u64::from(*value) << (16 * (limb % 4));
    }
    state
}

/// The permutations of two honest blocks, the second changed.
fn second_changed(change: impl Fn(&mut Absorbed)) -> Forged {
    let (mut absorbed, PaddingAt(at)) = absorb(&binary(100));
    change(&mut absorbed[1]);
    Forged::new(&absorbed, at)
}

fn forged(constraint: Constraint) -> Forged {
    let one = Value::ONE;
    match constraint {
        // The round's result is another than the round makes.
        Constraint::Permutation => {
            let mut forged = Forged::new(&absorb(b"abc").0, 3);
            forged.digest[0] ^= 1;
            let limb = u16::from_le_bytes([forged.digest[0], forged.digest[1]]);
            // The next permutation carries it on where it is looked at.
            let forged = forged.set(ROUNDS - 1, output_limb(0), Value::from_u16(limb));
            forged.set(ROUNDS, Column::BEFORE, Value::from_u16(limb))
        }
        // A first block that is padded over something that was there.
        Constraint::FirstBefore => {
            let (mut absorbed, PaddingAt(at)) = absorb(b"abc");
            let first = &mut absorbed[0];
            let there = state(&[0x1234; RATE_LIMBS]);
            first.before = there;
            first.input.iter_mut().zip(there).for_each(|(lane, there)| *lane ^= there);
            Forged::new(&absorbed, at)
        }
        Constraint::FirstCapacity => {
            let (mut absorbed, PaddingAt(at)) = absorb(b"abc");
            absorbed[0].input[24] = 1;
            Forged::new(&absorbed, at)
        }
        Constraint::Before => second_changed(|second| {
            second.before[0] ^= 1;
            second.input[0] ^= 1;
            second.before[8] ^= 1;
            second.input[8] ^= 1;
        }),
        Constraint::Capacity => second_changed(|second| second.input[9] ^= 1),
        // One block, claimed as two.
        Constraint::FirstLeft => {
            let forged = Forged::new(&absorb(b"abc").0, 3);
            Forged { blocks: 2, ..forged }
        }
        // Three blocks, claimed as two: the first is counted twice.
        Constraint::Left => {
            let (absorbed, PaddingAt(at)) = absorb(&binary(150));
            let forged = Forged::new(&absorbed, at);
            let count =
                |row: usize| Value::from_usize(3) - Value::from_usize((row / ROUNDS).max(1));
            let inverse = |row: usize| {
                use p3_field::Field;
                (count(row) - Value::ONE).try_inverse().unwrap_or(Value::ZERO)
            };
            let forged = forged.set_all(Column::LEFT, count).set_all(Column::INVERSE, inverse);
            Forged { blocks: 2, ..forged }
        }
        // No block is the last, and any digest is the right one.
        Constraint::Last => {
            let mut forged =
                Forged::new(&absorb(b"abc").0, 3).set_all(Column::LAST, |_| Value::ZERO);
            for column in Column::PADDING..=Column::TOP {
                forged = forged.set(0, column, Value::ZERO);
            }
            for column in Column::LIMB..COLUMNS {
                forged = forged.set(0, column, Value::ZERO);
            }
            Forged { digest: [7; 64], ..forged }
        }
        // A last block without padding, at which nobody looks.
        Constraint::Padding => {
            let mut forged = Forged::block(0, &[(0, 5), (35, 5)]);
            for column in (Column::PADDING..=Column::TOP).chain(Column::LIMB..COLUMNS) {
                forged = forged.set(0, column, Value::ZERO);
            }
            forged
        }
        // Limbs that are chosen once, taken back and chosen again, with a limb of anything in between.
        Constraint::OneLimb => Forged::block(0, &[(0, 5), (2, 0x4242), (3, 1)])
            .set(0, Column::LIMB + 1, -one)
            .set(0, Column::LIMB + 3, one)
            .set_bits(Column::BITS_AFTER, 6),
        // Zero as 2 - 2 * 1, so that what is flipped in it is another number.
        Constraint::Bits => Forged::block(0, &[(0, 10)])
            .set(0, Column::BITS_BEFORE, Value::TWO)
            .set(0, Column::BITS_BEFORE + 1, -one)
            .set_bits(Column::BITS_AFTER, 4)
            .set(0, Column::BITS_AFTER, Value::TWO)
            .set(0, Column::BITS_AFTER + 1, Value::TWO),
        // The bits of a limb that is not there.
        Constraint::BitsOfLimb => {
            Forged::block(0, &[(0, 0x5555)]).set_bits(Column::BITS_AFTER, 0x0006)
        }
        Constraint::HighByte => Forged::block(0, &[(0, 0x5506)]),
        Constraint::LowByte => Forged::block(0, &[(0, 0x0055)]),
        Constraint::AfterPadding => Forged::block(0, &[(0, 6), (20, 1)]),
        Constraint::Digest => Forged { digest: [7; 64], ..Forged::new(&absorb(b"abc").0, 3) },
    }
}

const ALL: [Constraint; 16] = [
    Constraint::Permutation,
    Constraint::FirstBefore,
    Constraint::FirstCapacity,
    Constraint::Before,
    Constraint::Capacity,
    Constraint::FirstLeft,
    Constraint::Left,
    Constraint::Last,
    Constraint::Padding,
    Constraint::OneLimb,
    Constraint::Bits,
    Constraint::BitsOfLimb,
    Constraint::HighByte,
    Constraint::LowByte,
    Constraint::AfterPadding,
    Constraint::Digest,
];

#[test]
fn each_constraint_alone_refuses_a_trace() {
    for constraint in ALL {
        let Forged { blocks, digest, trace } = forged(constraint);
        let public = public_values(blocks, &digest);
        let without = Sponge { without: Some(constraint) };
        let report = check_all_constraints(&without, &trace, &public, Some(3));
        assert!(report.is_ok(), "without {constraint:?} others fail: {:?}", report.failures);
        let report = check_all_constraints(&Sponge::default(), &trace, &public, Some(1));
        assert!(!report.is_ok(), "{constraint:?} refuses nothing");
    }
}

#[test]
fn a_proof_that_is_made_without_a_constraint_is_refused() {
    for constraint in ALL {
        let Forged { blocks, digest, trace } = forged(constraint);
        let statement = Statement { digest, blocks, context: context() };
        let public = public_values(blocks, &digest);
        let config = config(&statement, &SeededRng::new(5));
        let without = Sponge { without: Some(constraint) };
        let inner = p3_uni_stark::prove(&config, &without, trace, &public).unwrap();
        let proof = Proof::new(statement, inner);
        let proof = Proof::from_bytes(&proof.to_bytes().unwrap()).unwrap();
        let refused = verify(&proof, &digest, &context());
        assert_eq!(refused, Err(VerifyError::Refused), "{constraint:?}");
    }
}
