//! What is public.

use midnight_proofs::circuit::{Layouter, Value};
use symbolon_crypto::labels;

use super::{KeyCommitment, Witness, circuit, native, witness::Opened};
use crate::Fr;
use crate::gadget::{Board, Drawn};
use crate::key::{KEY, Pins};
use crate::statements::relation::{Chips, Circuit, Which, id};
use crate::statements::{Statement, WitnessError};
use crate::value::{Element, Session};

/// Whoever proves has the API key that was enrolled for this account at this audience, and proves
/// it for one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// What for.
    pub session: Session,
    /// What was enrolled.
    pub commitment: KeyCommitment,
    /// The device, by the hash of its public key's bytes ([`Key::device`]).
    pub device: Element,
}

impl Key {
    /// The element of a device's public key.
    pub fn device(public_key: &[u8]) -> Element {
        Element::hash(&labels::FIELD_DEVICE, public_key)
    }
}

impl Statement for Key {
    const NAME: &'static str = "key";
    const VERSION: u8 = 1;
    const PINS: &'static Pins = &KEY;
}

impl Circuit for Key {
    type Witness<'w> = Witness<'w>;
    type Opened = Opened;

    const WHICH: Which = Which::Key;
    const ID: u32 = 0x0501;
    const K: u32 = 9;
    const CHIPS: Chips = Chips { ranges: 1, jubjub: false };

    fn publics(&self) -> Vec<Fr> {
        let mut publics = self.session.public_inputs(id::<Self>());
        publics.extend([self.device.0, self.commitment.0.0]);
        publics
    }

    fn open(&self, witness: Witness<'_>) -> Result<Opened, WitnessError> {
        Ok(Opened::of(witness))
    }

    fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
        native::broken(publics, opened)
    }

    fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
        circuit::draw(board, opened)
    }
}
