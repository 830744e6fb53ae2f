//! Whether enough witnesses saw the checkpoint that a receipt stands under (`specs/witness.md`, "Final").

use symbolon_log::{Cosignature, CosignatureError, WitnessKey};

use crate::verify::VerifiedReceipt;

/// Witnesses that a receipt wants, where nobody says another number.
pub const WITNESSES_DEFAULT: usize = 2;

/// What a witness has to do with a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The witness that the verifier named.
    pub witness: WitnessKey,
    /// Its cosignature, or why there is none.
    pub said: Result<Cosignature, CosignatureError>,
}

/// What the witnesses that a verifier named say of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finality {
    needed: usize,
    heard: Vec<Heard>,
}

impl Finality {
    /// How many the verifier asks for.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// Each witness once, in the order in which they were named; two names with one key are one.
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }

    /// How many signed.
    pub fn signed(&self) -> usize {
        self.heard.iter().filter(|heard| heard.said.is_ok()).count()
    }

    /// How many signed before this moment, Unix time in ms, by their own clocks.
    pub fn signed_before(&self, unix_ms: u64) -> usize {
        let seconds = |heard: &&Heard| {
            let said = heard.said.as_ref();
            said.is_ok_and(|said| said.unix_seconds().saturating_mul(1000) < unix_ms)
        };
        self.heard.iter().filter(seconds).count()
    }

    /// Whether as many signed as are asked for.
    pub fn is_final(&self) -> bool {
        self.signed() >= self.needed
    }
}

impl VerifiedReceipt {
    /// What these witnesses say of it. A receipt that is not final is no forgery: it may be asked for again later.
    pub fn finality(&self, witnesses: &[WitnessKey], needed: usize) -> Finality {
        Finality::of(self.note(), witnesses, needed)
    }
}

impl Finality {
    /// What these witnesses say of a checkpoint's note.
    pub(crate) fn of(note: &str, witnesses: &[WitnessKey], needed: usize) -> Self {
        let mut heard: Vec<Heard> = Vec::new();
        for witness in witnesses {
            let said = witness.verify(note);
            match heard.iter_mut().find(|it| it.witness.key() == witness.key()) {
                None => heard.push(Heard { witness: witness.clone(), said }),
                Some(known) if known.said.is_err() => {
                    *known = Heard { witness: witness.clone(), said };
                }
                Some(_) => {}
            }
        }
        Self { needed, heard }
    }
}
