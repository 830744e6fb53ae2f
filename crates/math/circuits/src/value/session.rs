//! What a proof is made for: each statement has these, so that a proof for one is none for another.

use symbolon_ambient::Rng;
use symbolon_crypto::labels;

use crate::Fr;
use crate::value::poseidon::{self, Domain};
use crate::value::{Element, tag};

/// The longest name of an audience or an account, in bytes.
pub const NAME_BYTES_MAX: usize = 1024;

/// A name that is empty or longer than [`NAME_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {NAME_BYTES_MAX} bytes")]
pub struct NameLength;

/// 128 bits that the verifier drew, and takes once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; 16]);

/// The relying party, by the name that it is known by: a web origin such as `https://shop.example`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience(Fr);

/// Who is asked, by the relying party's own name for them.
///
/// The element is a hash over the audience too: the same name at two relying parties is two
/// elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account(Fr);

/// Nonce, audience and account of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Drawn for this session.
    pub nonce: Nonce,
    /// Who asks.
    pub audience: Audience,
    /// Who is asked.
    pub account: Account,
}

impl Nonce {
    /// A fresh one.
    pub fn make(rng: &impl Rng) -> Self {
        Self(rng.bytes())
    }
}

impl Session {
    /// For an account at an audience, by their names' bytes, 1 to [`NAME_BYTES_MAX`] each.
    pub fn new(nonce: Nonce, audience: &[u8], account: &[u8]) -> Result<Self, NameLength> {
        if [audience, account].iter().any(|n| n.is_empty() || n.len() > NAME_BYTES_MAX) {
            return Err(NameLength);
        }
        let audience = Element::hash(&labels::FIELD_AUDIENCE, audience).0;
        let name = Element::hash(&labels::FIELD_ACCOUNT, account).0;
        let account = poseidon::hash(&[tag(Domain::Account, 0), audience, name]);
        Ok(Self { nonce, audience: Audience(audience), account: Account(account) })
    }

    /// The first public inputs of each statement: its id, nonce, audience, account.
    pub(crate) fn public_inputs(&self, id: Fr) -> Vec<Fr> {
        let nonce = ff::PrimeField::from_u128(u128::from_le_bytes(self.nonce.0));
        vec![id, nonce, self.audience.0, self.account.0]
    }

    pub(crate) fn audience(&self) -> Fr {
        self.audience.0
    }

    pub(crate) fn account(&self) -> Fr {
        self.account.0
    }
}
