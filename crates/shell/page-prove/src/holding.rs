//! A holder with claims, in secret memory.

use serde::Serialize;
use symbolon_ambient::Rng;
use symbolon_circuits::{ClaimSet, Date, Holder};
use symbolon_codec::hex;
use symbolon_proof::{
    ClaimsError, ClaimsFile, Held, HolderRecord, IssuerName, Particulars, demo_issuer,
};
use symbolon_secret::Secret;

use crate::Refused;

/// What the demo issuer calls itself here.
const DEMO_NAME: &str = "Demo issuer";

/// A holder and claims about them, which were held against the issuer's signature.
#[derive(Debug)]
pub struct Holding {
    record: HolderRecord,
    holder: Holder,
    claims: ClaimSet,
}

/// What a document says, as somebody typed it.
#[derive(Debug)]
pub struct Document {
    /// `2000-05-17`.
    pub birth: Secret<[u8]>,
    /// `DEU`; its issuing state's too.
    pub nationality: Secret<[u8]>,
    /// Capital letters, digits and dashes.
    pub number: Secret<[u8]>,
    /// Its last day.
    pub expiry: Secret<[u8]>,
}

/// Who said something of a holder, and until when it is good. No value of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// The issuer's public key, 64 hex digits.
    pub issuer: String,
    /// What it calls itself.
    pub issuer_name: String,
    /// The last day on which something can be proven.
    pub until: String,
    /// Whether anybody could have made the claims.
    pub demo: bool,
}

impl Holding {
    /// Reads a holder's record (`specs/issuer.md`).
    ///
    /// # Errors
    /// `claims` where it is none, or nobody has issued anything yet.
    pub fn read(record: &Secret<[u8]>) -> Result<Self, Refused> {
        Self::of(HolderRecord::parse(record)?)
    }

    /// A fresh holder with claims of the demo issuer, which everybody can make: of use to try things out, and marked.
    ///
    /// # Errors
    /// `claims` where what was typed is no day, no nationality or no number.
    pub fn demo(document: Document, today: &str, rng: &impl Rng) -> Result<Self, Refused> {
        let today: Date = today.parse().map_err(|_| ClaimsError::Member("today"))?;
        // EXPOSE: a day is read, which the holder's secret lasts as long as.
        let until = std::str::from_utf8(document.expiry.expose()).ok();
        let until = until.and_then(|day| day.parse().ok()).unwrap_or(today);
        let mut record = HolderRecord::make(until, rng);
        let Document { birth, nationality, number, expiry } = document;
        // The state that issued it is the one that the holder is of.
        let state = again(&nationality)?;
        let said = Particulars::new([birth, nationality, expiry, state, number], today)?;
        let name = IssuerName::new(DEMO_NAME)?;
        record.add(said.issue(&demo_issuer(), name, &record.request()?, rng)?)?;
        Self::of(record)
    }

    /// Who said it, until when.
    pub fn about(&self) -> Option<About> {
        let claims = self.file()?;
        Some(About {
            issuer: hex::encode(claims.issuer().to_bytes()),
            issuer_name: claims.issuer_name().to_string(),
            until: claims.good_until().to_string(),
            demo: claims.is_demo(),
        })
    }

    /// What a presentation is made of.
    pub(crate) fn held(&self) -> Option<Held<'_>> {
        Some(self.file()?.held(&self.claims, &self.holder))
    }

    const fn file(&self) -> Option<&ClaimsFile> {
        self.record.claims()
    }

    fn of(record: HolderRecord) -> Result<Self, Refused> {
        let holder = record.holder()?;
        let Some(claims) = record.claims() else { return Err(Refused::nothing_issued()) };
        let claims = claims.check(&holder)?;
        Ok(Self { record, holder, claims })
    }
}

/// The same text in a secret page of its own.
fn again(text: &Secret<[u8]>) -> Result<Secret<[u8]>, ClaimsError> {
    // EXPOSE: copied from one secret page to another.
    let bytes = text.expose();
    Secret::<[u8]>::try_make_slice(bytes.len(), |page| {
        page.copy_from_slice(bytes);
        Ok(bytes.len())
    })
}
