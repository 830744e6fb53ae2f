//! What is public.

use midnight_proofs::circuit::{Layouter, Value};
use symbolon_crypto::labels;

use super::{ComponentCommitment, Witness, circuit, native, witness::Opened};
use crate::Fr;
use crate::gadget::{Board, Drawn};
use crate::issuer::{IssuerPublicKey, coordinates};
use crate::key::{CAPSULE, Pins};
use crate::statements::relation::{Chips, Circuit, Which, id};
use crate::statements::{Statement, WitnessError};
use crate::value::Element;

/// Whoever proves knows a component, hidden in a commitment, that a publisher signed for a policy; and proves it for one
/// receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capsule {
    /// The receipt, by the hash of its transcript ([`Capsule::receipt`]).
    pub receipt: Element,
    /// The policy, by the hash of its bytes ([`Capsule::policy`]).
    pub policy: Element,
    /// Whose signature it is; one that the verifier believes.
    pub publisher: IssuerPublicKey,
    /// The component, hidden.
    pub commitment: ComponentCommitment,
}

impl Capsule {
    /// The element of a receipt's transcript.
    pub fn receipt(transcript: &[u8; 32]) -> Element {
        Element::hash(&labels::FIELD_RECEIPT, transcript)
    }

    /// The element of a policy, by the bytes of its one spelling.
    pub fn policy(bytes: &[u8]) -> Element {
        Element::hash(&labels::FIELD_POLICY, bytes)
    }
}

impl Statement for Capsule {
    const NAME: &'static str = "capsule";
    const VERSION: u8 = 1;
    const PINS: &'static Pins = &CAPSULE;
}

impl Circuit for Capsule {
    type Witness<'w> = Witness<'w>;
    type Opened = Opened;

    const WHICH: Which = Which::Capsule;
    const ID: u32 = 0x0901;
    const K: u32 = 11;
    const CHIPS: Chips = Chips { ranges: 1, jubjub: true };

    fn publics(&self) -> Vec<Fr> {
        let (u, v) = coordinates(&self.publisher.0);
        vec![id::<Self>(), self.receipt.0, self.policy.0, u, v, self.commitment.0.0]
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
