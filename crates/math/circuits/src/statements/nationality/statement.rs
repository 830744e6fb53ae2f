//! What is public.

use midnight_proofs::circuit::{Layouter, Value};

use super::{Witness, circuit, native, witness::Opened};
use crate::Fr;
use crate::gadget::{Board, Drawn};
use crate::group::GroupName;
use crate::key::{NATIONALITY, Pins};
use crate::statements::relation::{Chips, Circuit, Which, id};
use crate::statements::{Binding, Statement, WitnessError};
use crate::value::Session;

/// The holder's nationality is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nationality {
    /// What for.
    pub session: Session,
    /// Whom it is about.
    pub binding: Binding,
    /// In which group; its root is the pinned one, never one that came with a proof.
    pub group: GroupName,
}

impl Statement for Nationality {
    const NAME: &'static str = "nationality";
    const VERSION: u8 = 1;
    const PINS: &'static Pins = &NATIONALITY;
}

impl Circuit for Nationality {
    type Witness<'w> = Witness<'w>;
    type Opened = Opened;

    const WHICH: Which = Which::Nationality;
    const ID: u32 = 0x0301;
    const K: u32 = 9;
    const CHIPS: Chips = Chips { ranges: 1, jubjub: false };

    fn publics(&self) -> Vec<Fr> {
        let mut publics = self.session.public_inputs(id::<Self>());
        publics.extend([self.binding.0.0, self.group.root().0]);
        publics
    }

    fn open(&self, witness: Witness<'_>) -> Result<Opened, WitnessError> {
        Opened::of(self.group, witness.claims, witness.holder)
    }

    fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
        native::broken(publics, opened)
    }

    fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
        circuit::draw(board, opened)
    }
}
