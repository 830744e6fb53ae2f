//! A circuit being drawn: cells, and constraints between them.

use ff::PrimeField;
use midnight_circuits::instructions::{
    ArithInstructions, AssertionInstructions, AssignmentInstructions, ControlFlowInstructions,
    PublicInputInstructions, RangeCheckInstructions,
};
use midnight_circuits::types::{AssignedBit, AssignedNative};
use midnight_proofs::circuit::{Layouter, Value};
use midnight_proofs::plonk::Error;
use midnight_zk_stdlib::ZkStdLib;
use num_bigint::BigUint;

use crate::Fr;
use crate::value::{Domain, tag};

/// A cell of a circuit with an element in it.
pub(crate) type Cell = AssignedNative<Fr>;
/// What drawing a part gives.
pub type Drawn<T> = Result<T, Error>;

/// A circuit being drawn. Public inputs are taken in the order of their list.
pub struct Board<'a, L> {
    pub std: &'a ZkStdLib,
    pub layouter: &'a mut L,
    publics: Value<Vec<Fr>>,
    taken: usize,
}

impl<'a, L: Layouter<Fr>> Board<'a, L> {
    pub(crate) fn new(std: &'a ZkStdLib, layouter: &'a mut L, publics: Value<Vec<Fr>>) -> Self {
        Self { std, layouter, publics, taken: 0 }
    }

    /// The next public input.
    pub(crate) fn public(&mut self) -> Drawn<Cell> {
        let value = self.look(self.taken);
        self.taken += 1;
        self.std.assign_as_public_input(self.layouter, value)
    }

    /// The value of a public input that is not taken yet.
    pub(crate) fn look(&self, at: usize) -> Value<Fr> {
        self.publics.as_ref().map(|all| all.get(at).copied().unwrap_or_default())
    }

    /// Says that a cell is the next public input.
    pub(crate) fn publish(&mut self, cell: &Cell) -> Drawn<()> {
        self.taken += 1;
        self.std.constrain_as_public_input(self.layouter, cell)
    }

    /// A cell that the prover fills as it likes.
    pub(crate) fn private(&mut self, value: Value<Fr>) -> Drawn<Cell> {
        self.std.assign(self.layouter, value)
    }

    /// A bit that the prover chooses.
    pub(crate) fn private_bit(&mut self, value: Value<bool>) -> Drawn<AssignedBit<Fr>> {
        self.std.assign(self.layouter, value)
    }

    /// A constant.
    pub(crate) fn fixed(&mut self, element: Fr) -> Drawn<Cell> {
        self.std.assign_fixed(self.layouter, element)
    }

    /// The constant of a domain.
    pub(crate) fn tag(&mut self, domain: Domain, below: u32) -> Drawn<Cell> {
        self.fixed(tag(domain, below))
    }

    /// Poseidon of a list.
    pub(crate) fn hash(&mut self, cells: &[&Cell]) -> Drawn<Cell> {
        let cells: Vec<Cell> = cells.iter().map(|c| (*c).clone()).collect();
        self.std.poseidon(self.layouter, &cells)
    }

    /// `constant` and each cell times its factor, added up.
    pub(crate) fn sum(&mut self, terms: &[(Fr, &Cell)], constant: Fr) -> Drawn<Cell> {
        let terms: Vec<(Fr, Cell)> = terms.iter().map(|(f, c)| (*f, (*c).clone())).collect();
        self.std.linear_combination(self.layouter, &terms, constant)
    }

    /// The product of two cells.
    pub(crate) fn product(&mut self, a: &Cell, b: &Cell) -> Drawn<Cell> {
        self.std.mul(self.layouter, a, b, None)
    }

    /// Two cells are equal.
    pub(crate) fn equal(&mut self, a: &Cell, b: &Cell) -> Drawn<()> {
        self.std.assert_equal(self.layouter, a, b)
    }

    /// A cell has this constant.
    pub(crate) fn equal_fixed(&mut self, cell: &Cell, element: Fr) -> Drawn<()> {
        self.std.assert_equal_to_fixed(self.layouter, cell, element)
    }

    /// A cell is below `2^bits`, up to 64: it is equal to one that is.
    ///
    /// The other one gets the low bits of whatever the prover has. So a number that is too large
    /// fails at the constraint of equality, and not in the library's witness generator, which
    /// would panic.
    pub(crate) fn below(&mut self, cell: &Cell, bits: u32) -> Drawn<()> {
        let mask = u64::MAX >> (64 - bits);
        let low = cell.value().map(|element| Fr::from(low_word(element) & mask));
        let bound = BigUint::from(1u8) << bits;
        let bounded = self.std.assign_lower_than_fixed(self.layouter, low, &bound)?;
        self.equal(&bounded, cell)
    }

    /// `low <= high`, where both are known to be below `2^bits`, or not far above: their
    /// difference is below `2^bits`.
    pub(crate) fn at_most(&mut self, low: &Cell, high: &Cell, bits: u32) -> Drawn<()> {
        let one = Fr::from_u128(1);
        let difference = self.sum(&[(one, high), (-one, low)], Fr::default())?;
        self.below(&difference, bits)
    }

    /// Both in order, or the other way round where the bit is set.
    pub(crate) fn swap(
        &mut self,
        bit: &AssignedBit<Fr>,
        a: &Cell,
        b: &Cell,
    ) -> Drawn<(Cell, Cell)> {
        self.std.cond_swap(self.layouter, bit, a, b)
    }
}

/// The low 64 bits of an element's integer.
fn low_word(element: &Fr) -> u64 {
    let repr = element.to_repr();
    repr.as_ref()[..8].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}
