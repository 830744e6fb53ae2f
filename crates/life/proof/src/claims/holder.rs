//! What a holder keeps: the secret that claims are about, and the claims.

use serde::Deserialize;
use symbolon_ambient::Rng;
use symbolon_circuits::{Date, Hidden, Holder};
use symbolon_secret::Secret;

use super::file::Wire as WireClaims;
use super::{ClaimsError, ClaimsFile, ClaimsRequest, json};

const TYPE: &str = "symbolon/holder/v1";
const WHAT: &str = "a holder's record";

/// A custody secret, its last day, and what an issuer said of who has it. It is kept in a vault, and
/// nowhere in the clear.
pub struct HolderRecord {
    secret: Hidden,
    until: Date,
    claims: Option<ClaimsFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    r#type: &'a str,
    secret: &'a str,
    until: &'a str,
    #[serde(borrow)]
    claims: Option<WireClaims<'a>>,
}

impl HolderRecord {
    /// With a fresh secret that is good up to and including a day.
    pub fn make(until: Date, rng: &impl Rng) -> Self {
        Self { secret: Hidden::make(rng), until, claims: None }
    }

    /// Reads the record; its claims are checked again.
    ///
    /// # Errors
    /// [`ClaimsError`].
    pub fn parse(record: &Secret<[u8]>) -> Result<Self, ClaimsError> {
        // EXPOSE: read where it lies; what is secret of it goes to pages of its own.
        let wire: Wire<'_> = json::read(record.expose(), WHAT)?;
        if wire.r#type != TYPE {
            return Err(ClaimsError::Member("type"));
        }
        let secret = json::hidden(wire.secret, "secret")?;
        let mut read = Self { secret, until: json::day(wire.until, "until")?, claims: None };
        if let Some(claims) = &wire.claims {
            read.add(ClaimsFile::of_wire(claims)?)?;
        }
        Ok(read)
    }

    /// The record's bytes.
    ///
    /// # Errors
    /// [`ClaimsError::NoPage`].
    pub fn write(&self) -> Result<Secret<[u8]>, ClaimsError> {
        json::write(|page| {
            page.raw(&format!("{{\"type\":\"{TYPE}\",\"secret\":\""));
            page.hidden(&self.secret);
            page.raw(&format!("\",\"until\":\"{}\",\"claims\":", self.until));
            match &self.claims {
                Some(claims) => claims.write_into(page),
                None => page.raw("null"),
            }
            page.raw("}");
        })
    }

    /// Who claims are about.
    ///
    /// # Errors
    /// [`ClaimsError::NoPage`].
    pub fn holder(&self) -> Result<Holder, ClaimsError> {
        Ok(Holder::new(json::again(&self.secret)?, self.until))
    }

    /// What an issuer is handed.
    ///
    /// # Errors
    /// [`ClaimsError::NoPage`].
    pub fn request(&self) -> Result<ClaimsRequest, ClaimsError> {
        Ok(ClaimsRequest { holder: self.holder()?.commitment(), until: self.until })
    }

    /// Keeps claims, in place of those of before.
    ///
    /// # Errors
    /// [`ClaimsError::Signature`]; [`ClaimsError::AnotherHolder`], also where they name another last day.
    pub fn add(&mut self, claims: ClaimsFile) -> Result<(), ClaimsError> {
        claims.check(&self.holder()?)?;
        if claims.until != self.until {
            return Err(ClaimsError::AnotherHolder);
        }
        self.claims = Some(claims);
        Ok(())
    }

    /// What an issuer said.
    pub const fn claims(&self) -> Option<&ClaimsFile> {
        self.claims.as_ref()
    }

    /// The last day on which the secret is good.
    pub const fn until(&self) -> Date {
        self.until
    }
}

impl std::fmt::Debug for HolderRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HolderRecord").field("until", &self.until).finish_non_exhaustive()
    }
}
