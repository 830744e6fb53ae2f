//! What is public.

use midnight_proofs::circuit::{Layouter, Value};

use super::{Witness, circuit, native, witness::Opened};
use crate::Fr;
use crate::gadget::{Board, Drawn};
use crate::key::{AGE, Pins};
use crate::statements::relation::{Chips, Circuit, Which, id};
use crate::statements::{Binding, Statement, WitnessError};
use crate::value::{Date, Session};

/// The holder is at least `years` years old on `date`, by the calendar.
///
/// Who is born on 29 February is a year older on 1 March where the year has no 29th.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// What for.
    pub session: Session,
    /// Whom it is about.
    pub binding: Binding,
    /// The day on which it holds: the verifier's today.
    pub date: Date,
    /// N.
    pub years: u8,
}

impl Statement for Age {
    const NAME: &'static str = "age";
    const VERSION: u8 = 1;
    const PINS: &'static Pins = &AGE;
}

impl Circuit for Age {
    type Witness<'w> = Witness<'w>;
    type Opened = Opened;

    const WHICH: Which = Which::Age;
    const ID: u32 = 0x0101;
    const K: u32 = 8;
    const CHIPS: Chips = Chips { ranges: 1, jubjub: false };

    fn publics(&self) -> Vec<Fr> {
        let mut publics = self.session.public_inputs(id::<Self>());
        let years = Fr::from(u64::from(self.years));
        publics.extend([self.binding.0.0, self.date.element(), years]);
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
