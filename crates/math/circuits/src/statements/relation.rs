//! How a statement becomes a relation of the proving library.

use std::any::Any;
use std::io;
use std::sync::Arc;

use midnight_proofs::circuit::{Layouter, Value};
use midnight_proofs::plonk::Error;
use midnight_zk_stdlib::{Relation, ZkStdLib, ZkStdLibArch};

use super::{
    WitnessError, age, binding, capsule, claim, identity, key, nationality, returning, validity,
};
use crate::Fr;
use crate::gadget::{Board, Drawn};
use crate::value::{Domain, tag};

/// What a statement's circuit is.
pub trait Circuit: Clone + Send + Sync + 'static {
    /// What the prover holds, as it lies with its owner.
    type Witness<'w>;
    /// The same as elements, in ordinary memory.
    #[doc(hidden)]
    type Opened: Clone + Send + Sync + 'static;

    /// Which it is of all.
    #[doc(hidden)]
    const WHICH: Which;
    /// Its number, never given again; with the version it is the first public input.
    #[doc(hidden)]
    const ID: u32;
    /// Its rows are `2^K`.
    #[doc(hidden)]
    const K: u32;
    /// Which parts of the library it is drawn with.
    #[doc(hidden)]
    const CHIPS: Chips;

    #[doc(hidden)]
    fn publics(&self) -> Vec<Fr>;
    #[doc(hidden)]
    fn open(&self, witness: Self::Witness<'_>) -> Result<Self::Opened, WitnessError>;
    /// The native twin: the numbers of the constraints that do not hold.
    #[doc(hidden)]
    fn broken(publics: &[Fr], opened: &Self::Opened) -> Vec<u8>;
    #[doc(hidden)]
    fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Self::Opened>) -> Drawn<()>;
}

/// Parts of the library.
#[derive(Debug, Clone, Copy)]
pub struct Chips {
    /// Columns of range checks side by side.
    pub ranges: u8,
    /// Jubjub.
    pub jubjub: bool,
}

/// The first public input of a statement: `number * 256 + version`.
pub(crate) fn id<S: Circuit>() -> Fr {
    tag(Domain::Statement, S::ID)
}

/// The statements that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(hidden)]
pub enum Which {
    Age,
    Validity,
    Nationality,
    Binding,
    Key,
    Claim,
    Returning,
    Identity,
    Capsule,
}

/// A statement's circuit, as the library sees it: one type for all of them, so that its prover is
/// compiled once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape(Which);

/// The opened witness of whichever statement.
#[derive(Clone)]
pub(crate) struct Held(Arc<dyn Any + Send + Sync>);

impl Shape {
    #[cfg(any(feature = "prove", test))]
    pub(crate) const fn of<S: Circuit>() -> Self {
        Self(S::WHICH)
    }

    const fn chips(self) -> Chips {
        match self.0 {
            Which::Age => age::Age::CHIPS,
            Which::Validity => validity::Validity::CHIPS,
            Which::Nationality => nationality::Nationality::CHIPS,
            Which::Binding => binding::Bound::CHIPS,
            Which::Key => key::Key::CHIPS,
            Which::Claim => claim::Says::CHIPS,
            Which::Returning => returning::Returning::CHIPS,
            Which::Identity => identity::Identity::CHIPS,
            Which::Capsule => capsule::Capsule::CHIPS,
        }
    }
}

impl Held {
    #[cfg(any(feature = "prove", test))]
    pub(crate) fn new<S: Circuit>(opened: S::Opened) -> Self {
        Self(Arc::new(opened))
    }
}

fn draw<S: Circuit, L: Layouter<Fr>>(board: &mut Board<'_, L>, held: &Value<Held>) -> Drawn<()> {
    let opened = held.as_ref().map(|held| held.0.downcast_ref::<S::Opened>().cloned());
    opened.error_if_known_and(Option::is_none)?;
    // INFALLIBLE: the line above refused what is none.
    S::draw(board, &opened.map(|opened| opened.expect("an opened witness of this statement")))
}

impl Relation for Shape {
    type Instance = Vec<Fr>;
    type Witness = Held;
    type Error = Error;

    fn format_instance(instance: &Vec<Fr>) -> Result<Vec<Fr>, Error> {
        Ok(instance.clone())
    }

    fn circuit(
        &self,
        std: &ZkStdLib,
        layouter: &mut impl Layouter<Fr>,
        instance: Value<Vec<Fr>>,
        held: Value<Held>,
    ) -> Result<(), Error> {
        let board = &mut Board::new(std, layouter, instance);
        match self.0 {
            Which::Age => draw::<age::Age, _>(board, &held),
            Which::Validity => draw::<validity::Validity, _>(board, &held),
            Which::Nationality => draw::<nationality::Nationality, _>(board, &held),
            Which::Binding => draw::<binding::Bound, _>(board, &held),
            Which::Key => draw::<key::Key, _>(board, &held),
            Which::Claim => draw::<claim::Says, _>(board, &held),
            Which::Returning => draw::<returning::Returning, _>(board, &held),
            Which::Identity => draw::<identity::Identity, _>(board, &held),
            Which::Capsule => draw::<capsule::Capsule, _>(board, &held),
        }
    }

    fn used_chips(&self) -> ZkStdLibArch {
        let Chips { ranges, jubjub } = self.chips();
        ZkStdLibArch {
            poseidon: true,
            jubjub,
            nr_pow2range_cols: ranges,
            ..ZkStdLibArch::default()
        }
    }

    fn write_relation<W: io::Write>(&self, to: &mut W) -> io::Result<()> {
        to.write_all(&[self.0 as u8])
    }

    fn read_relation<R: io::Read>(from: &mut R) -> io::Result<Self> {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        let which = [
            Which::Age,
            Which::Validity,
            Which::Nationality,
            Which::Binding,
            Which::Key,
            Which::Claim,
            Which::Returning,
            Which::Identity,
            Which::Capsule,
        ];
        let found = which.into_iter().find(|which| *which as u8 == byte[0]);
        found.map(Self).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}
