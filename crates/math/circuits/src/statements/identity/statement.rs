//! What is public.

use midnight_proofs::circuit::{Layouter, Value};

use super::{Nullifier, Witness, circuit, native, witness::Opened};
use crate::Fr;
use crate::gadget::{Board, Drawn};
use crate::issuer::{IssuerPublicKey, coordinates};
use crate::key::{IDENTITY, Pins};
use crate::statements::combined::Facts;
use crate::statements::relation::{Chips, Circuit, Which, id};
use crate::statements::{Binding, Statement, WitnessError};
use crate::value::Session;

/// Facts of a holder, by claims that an issuer signed. The signature is checked in the circuit: two
/// presentations have nothing in common but what the verifiers asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// What for.
    pub session: Session,
    /// Whom it is about: what the verifier may register.
    pub binding: Binding,
    /// What holds.
    pub facts: Facts,
    /// Who signed the claims; one that the verifier trusts.
    pub issuer: IssuerPublicKey,
    /// One holder, one account; or nothing of it.
    pub unique: Option<Uniqueness>,
}

/// A nullifier: the same whenever one holder comes to one audience in one epoch, and different in
/// another epoch or at another audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uniqueness {
    /// Which epoch; the verifier counts them.
    pub epoch: u32,
    /// The nullifier, to be looked up among those that were seen in this epoch.
    pub nullifier: Nullifier,
}

impl Statement for Identity {
    const NAME: &'static str = "identity";
    const VERSION: u8 = 1;
    const PINS: &'static Pins = &IDENTITY;
}

impl Circuit for Identity {
    type Witness<'w> = Witness<'w>;
    type Opened = Opened;

    const WHICH: Which = Which::Identity;
    const ID: u32 = 0x0801;
    const K: u32 = 11;
    const CHIPS: Chips = Chips { ranges: 1, jubjub: true };

    fn publics(&self) -> Vec<Fr> {
        let mut publics = self.facts.publics(&self.session, &self.binding, id::<Self>());
        let (u, v) = coordinates(&self.issuer.0);
        let unique = self.unique.map_or([Fr::from(0); 3], |unique| {
            [Fr::from(1), Fr::from(u64::from(unique.epoch)), unique.nullifier.0.0]
        });
        publics.extend([u, v]);
        publics.extend(unique);
        publics
    }

    fn open(&self, witness: Witness<'_>) -> Result<Opened, WitnessError> {
        Opened::of(self.facts.group, witness)
    }

    fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
        native::broken(publics, opened)
    }

    fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
        circuit::draw(board, opened)
    }
}
