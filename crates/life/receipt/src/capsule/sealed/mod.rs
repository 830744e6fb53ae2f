//! Fields for whoever has a key, or for everybody once holders release them (`specs/receipt.md`, "Disclosure to some,
//! and for later").

mod form;
mod open;
mod seal;
#[cfg(test)]
mod tests;

use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::labels::{CAPSULE_SEALED, CAPSULE_SHARE};
use symbolon_crypto::{HPKE_SEALED_BYTES, RecipientKey, sha256};

use super::CapsuleReceipt;

pub use form::DisclosureFormError;
pub use open::DisclosureError;
pub use seal::SealError;

/// Media type of a disclosure; the version is in it.
pub const DISCLOSURE_MEDIA_TYPE: &str =
    "application/vnd.symbolon.capsule-disclosure+json;version=1";
/// Longest disclosure that is read.
pub const DISCLOSURE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Media type of a release; the version is in it.
pub const RELEASE_MEDIA_TYPE: &str = "application/vnd.symbolon.capsule-release+json;version=1";
/// Longest release that is read.
pub const RELEASE_BYTES_MAX: usize = 4096;
/// Most holders of one disclosure.
pub const HOLDERS_MAX: usize = symbolon_crypto::SHARES_MAX as usize;

/// Who can open it, and from when on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How many holders it takes: 1 to all of them.
    pub threshold: u8,
    /// Before it no holder releases its share: Unix milliseconds; 0 is from the first moment on.
    pub not_before_ms: u64,
    /// Their keys, each once.
    pub holders: Vec<RecipientKey>,
}

impl Terms {
    fn holds(&self) -> bool {
        let count = self.holders.len();
        let is_twice = |at: usize| self.holders[..at].contains(&self.holders[at]);
        (1..=HOLDERS_MAX).contains(&count)
            && (1..=count).contains(&usize::from(self.threshold))
            && !(0..count).any(is_twice)
    }

    /// What everything in a disclosure is bound to.
    fn digest(&self, transcript: &Digest32) -> Digest32 {
        let mut fields = Fields::new(CAPSULE_SEALED.as_str())
            .bytes(transcript.as_bytes())
            .u64(self.threshold.into())
            .u64(self.not_before_ms)
            .u64(self.holders.len() as u64);
        for key in &self.holders {
            fields = fields.bytes(key.as_bytes());
        }
        sha256(&fields.finish())
    }
}

/// A disclosure, read or made; whether it opens is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    receipt: CapsuleReceipt,
    terms: Terms,
    shares: Vec<SealedShare>,
    fields: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SealedShare {
    commitment: Digest32,
    sealed: [u8; HPKE_SEALED_BYTES],
}

/// A holder's share, for everybody to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    terms: Digest32,
    holder: u8,
    share: Digest32,
}

impl Disclosure {
    /// Who can open it, and from when on.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The receipt, with all of its fields withheld.
    pub const fn receipt(&self) -> &CapsuleReceipt {
        &self.receipt
    }

    fn terms_digest(&self) -> Digest32 {
        self.terms.digest(&self.receipt.transcript())
    }
}

impl Release {
    /// The number of its holder, from 1.
    pub const fn holder(&self) -> u8 {
        self.holder
    }
}

fn place(terms: &Digest32, number: u8) -> Fields {
    Fields::new(CAPSULE_SHARE.as_str()).bytes(terms.as_bytes()).u64(number.into())
}

fn commitment(terms: &Digest32, number: u8, share: &[u8; 32]) -> Digest32 {
    sha256(&place(terms, number).bytes(share).finish())
}
