//! What is public.

use midnight_proofs::circuit::{Layouter, Value};

use super::{Witness, circuit, native, witness::Opened};
use crate::Fr;
use crate::gadget::{Board, Drawn};
use crate::key::{BINDING, Pins};
use crate::statements::relation::{Chips, Circuit, Which, id};
use crate::statements::{Binding, Statement, WitnessError};
use crate::value::{Date, Session};

/// The holder of a binding is here, and their custody secret is good on `date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// What for.
    pub session: Session,
    /// Whom it is about.
    pub binding: Binding,
    /// The day on which it holds: the verifier's today.
    pub date: Date,
}

impl Statement for Bound {
    const NAME: &'static str = "binding";
    const VERSION: u8 = 1;
    const PINS: &'static Pins = &BINDING;
}

impl Circuit for Bound {
    type Witness<'w> = Witness<'w>;
    type Opened = Opened;

    const WHICH: Which = Which::Binding;
    const ID: u32 = 0x0401;
    const K: u32 = 8;
    const CHIPS: Chips = Chips { ranges: 1, jubjub: false };

    fn publics(&self) -> Vec<Fr> {
        let mut publics = self.session.public_inputs(id::<Self>());
        publics.extend([self.binding.0.0, self.date.element()]);
        publics
    }

    fn open(&self, witness: Witness<'_>) -> Result<Opened, WitnessError> {
        Ok(Opened::of(witness.holder, witness.claims))
    }

    fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
        native::broken(publics, opened)
    }

    fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
        circuit::draw(board, opened)
    }
}
