//! What is public.

use midnight_proofs::circuit::{Layouter, Value};

use super::{Witness, circuit, native, witness::Opened};
use crate::Fr;
use crate::claim::{BadValue, ClaimType, Form};
use crate::gadget::{Board, Drawn};
use crate::key::{CLAIM, Pins};
use crate::statements::relation::{Chips, Circuit, Which, id};
use crate::statements::{Binding, Statement, WitnessError};
use crate::value::{Date, Session};

/// The holder has a claim of a type whose value is as the predicate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Says {
    /// What for.
    pub session: Session,
    /// Whom it is about.
    pub binding: Binding,
    /// The claim's type.
    pub kind: ClaimType,
    /// What holds of its value.
    pub predicate: Predicate,
}

/// What is said of a claim's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Predicate(Compared);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    Equal(Fr),
    Between(u64, u64),
}

/// A range that is empty, or of a type whose values have no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no range: its ends are not in order, or values of this type have none")]
pub struct NotComparable;

impl Predicate {
    /// The value is this one, in the form of its type.
    pub fn equals(kind: ClaimType, value: &[u8]) -> Result<Self, BadValue> {
        kind.encode(value).map(|element| Self(Compared::Equal(element)))
    }

    /// The value is a number from `low` to `high`, both included.
    pub fn between(kind: ClaimType, low: u64, high: u64) -> Result<Self, NotComparable> {
        if kind.form() != Form::Number || low > high {
            return Err(NotComparable);
        }
        Ok(Self(Compared::Between(low, high)))
    }

    /// The value is a day from `low` to `high`, both included.
    pub fn between_days(kind: ClaimType, low: Date, high: Date) -> Result<Self, NotComparable> {
        if kind.form() != Form::Date || low > high {
            return Err(NotComparable);
        }
        Ok(Self(Compared::Between(low.packed().into(), high.packed().into())))
    }
}

impl Statement for Says {
    const NAME: &'static str = "claim";
    const VERSION: u8 = 1;
    const PINS: &'static Pins = &CLAIM;
}

impl Circuit for Says {
    type Witness<'w> = Witness<'w>;
    type Opened = Opened;

    const WHICH: Which = Which::Claim;
    const ID: u32 = 0x0601;
    const K: u32 = 9;
    const CHIPS: Chips = Chips { ranges: 1, jubjub: false };

    fn publics(&self) -> Vec<Fr> {
        let mut publics = self.session.public_inputs(id::<Self>());
        let kind = Fr::from(u64::from(self.kind.number()));
        let zero = Fr::from(0);
        let compared = match self.predicate.0 {
            Compared::Equal(element) => [Fr::from(1), element, zero, zero],
            Compared::Between(low, high) => [zero, zero, Fr::from(low), Fr::from(high)],
        };
        publics.extend([self.binding.0.0, kind]);
        publics.extend(compared);
        publics
    }

    fn open(&self, witness: Witness<'_>) -> Result<Opened, WitnessError> {
        Opened::of(self.kind, witness)
    }

    fn broken(publics: &[Fr], opened: &Opened) -> Vec<u8> {
        native::broken(publics, opened)
    }

    fn draw<L: Layouter<Fr>>(board: &mut Board<'_, L>, opened: &Value<Opened>) -> Drawn<()> {
        circuit::draw(board, opened)
    }
}
