//! What is public.

use midnight_proofs::circuit::{Layouter, Value};

use super::{Witness, circuit, native};
use crate::Fr;
use crate::gadget::{Board, Drawn};
use crate::key::{Pins, RETURNING};
use crate::statements::combined::{Facts, Opened};
use crate::statements::relation::{Chips, Circuit, Which, id};
use crate::statements::{Binding, Statement, WitnessError};
use crate::value::Session;

/// Facts of a holder whose binding the verifier registered when it took an
/// [`Identity`](crate::identity::Identity) of it: no issuer is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returning {
    /// What for.
    pub session: Session,
    /// Whom it is about; one that the verifier registered.
    pub binding: Binding,
    /// What holds.
    pub facts: Facts,
}

impl Statement for Returning {
    const NAME: &'static str = "returning";
    const VERSION: u8 = 1;
    const PINS: &'static Pins = &RETURNING;
}

impl Circuit for Returning {
    type Witness<'w> = Witness<'w>;
    type Opened = Opened;

    const WHICH: Which = Which::Returning;
    const ID: u32 = 0x0701;
    const K: u32 = 9;
    const CHIPS: Chips = Chips { ranges: 1, jubjub: false };

    fn publics(&self) -> Vec<Fr> {
        self.facts.publics(&self.session, &self.binding, id::<Self>())
    }

    fn open(&self, witness: Witness<'_>) -> Result<Opened, WitnessError> {
        Opened::of(self.facts.group, witness.claims, witness.holder)
    }

    fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
        native::broken(publics, opened)
    }

    fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
        circuit::draw(board, opened)
    }
}
