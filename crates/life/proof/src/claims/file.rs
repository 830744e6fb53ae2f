//! What an issuer hands to a holder.

use serde::Deserialize;
use symbolon_circuits::{
    Claim, ClaimSet, ClaimType, Date, Hidden, Holder, HolderCommitment, IssuerPublicKey,
    OTHER_CLAIMS_MAX, SIGNATURE_BYTES, Signature, document,
};
use symbolon_codec::b64url;
use symbolon_secret::Secret;

use super::json::{self, Page};
use super::{ClaimsError, IssuerName, is_demo};
use crate::{Held, text};

const TYPE: &str = "symbolon/claims/v1";
const WHAT: &str = "claims";
/// Birth date, nationality, expiry and the others.
const CLAIMS_MAX: usize = 3 + OTHER_CLAIMS_MAX;

/// Claims with their salts and the issuer's signature over them. Who has them can try values against
/// the claims' hashes, and knows the holder again; without the holder's secret they prove nothing.
pub struct ClaimsFile {
    pub(super) issuer: IssuerPublicKey,
    pub(super) issuer_name: IssuerName,
    pub(super) state: Secret<[u8]>,
    pub(super) number: Secret<[u8]>,
    pub(super) claims: Vec<Entry>,
    pub(super) holder: HolderCommitment,
    pub(super) until: Date,
    pub(super) signature: Signature,
}

/// A claim with its value.
pub(super) struct Entry {
    pub(super) kind: ClaimType,
    pub(super) value: Secret<[u8]>,
    pub(super) salt: Hidden,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire<'a> {
    r#type: &'a str,
    issuer: &'a str,
    issuer_name: &'a str,
    state: &'a str,
    number: &'a str,
    #[serde(borrow)]
    claims: Vec<WireClaim<'a>>,
    holder: &'a str,
    until: &'a str,
    signature: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireClaim<'a> {
    r#type: &'a str,
    value: &'a str,
    salt: &'a str,
}

impl ClaimsFile {
    /// Reads the file and checks the issuer's signature.
    ///
    /// # Errors
    /// [`ClaimsError`]. Whether the issuer is to be believed is the caller's to say.
    pub fn parse(file: &Secret<[u8]>) -> Result<Self, ClaimsError> {
        // EXPOSE: read where it lies; values go to pages of their own.
        Self::of_wire(&json::read(file.expose(), WHAT)?)
    }

    pub(super) fn of_wire(wire: &Wire<'_>) -> Result<Self, ClaimsError> {
        let member = |name: &'static str| move || ClaimsError::Member(name);
        if wire.r#type != TYPE {
            return Err(ClaimsError::Member("type"));
        }
        if !(3..=CLAIMS_MAX).contains(&wire.claims.len()) {
            return Err(ClaimsError::Member("claims"));
        }
        let signature: [u8; SIGNATURE_BYTES] = b64url::decode(wire.signature, SIGNATURE_BYTES)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(member("signature"))?;
        let file = Self {
            issuer: text::issuer(wire.issuer).map_err(|_| ClaimsError::Member("issuer"))?,
            issuer_name: IssuerName::new(wire.issuer_name)
                .map_err(|_| ClaimsError::Member("issuer_name"))?,
            state: json::secret(wire.state)?,
            number: json::secret(wire.number)?,
            claims: wire.claims.iter().map(Entry::of_wire).collect::<Result<_, _>>()?,
            holder: HolderCommitment(json::element(wire.holder, "holder")?),
            until: json::day(wire.until, "until")?,
            signature: Signature::from_bytes(&signature)
                .map_err(|_| ClaimsError::Member("signature"))?,
        };
        file.verified().map(|_| file)
    }

    /// The claims, where the issuer signed them.
    fn verified(&self) -> Result<ClaimSet, ClaimsError> {
        let set = set_of(&self.claims, document(&self.state, &self.number), self.holder)?;
        let signed = self.signature.verify(&self.issuer, &set.root());
        signed.map(|()| set).map_err(|_| ClaimsError::Signature)
    }

    /// Checks that the issuer signed them, and that they are about this holder.
    ///
    /// # Errors
    /// [`ClaimsError::Signature`], [`ClaimsError::AnotherHolder`].
    pub fn check(&self, holder: &Holder) -> Result<ClaimSet, ClaimsError> {
        let set = self.verified()?;
        if holder.commitment() == self.holder { Ok(set) } else { Err(ClaimsError::AnotherHolder) }
    }

    /// What a presentation is made of.
    pub const fn held<'h>(&'h self, set: &'h ClaimSet, holder: &'h Holder) -> Held<'h> {
        Held { claims: set, holder, issuer: self.issuer, signature: &self.signature }
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// [`ClaimsError::NoPage`].
    pub fn write(&self) -> Result<Secret<[u8]>, ClaimsError> {
        json::write(|page| self.write_into(page))
    }

    pub(super) fn write_into(&self, page: &mut Page<'_>) {
        let issuer = text::issuer_text(self.issuer);
        page.raw(&format!("{{\"type\":\"{TYPE}\",\"issuer\":\"{issuer}\",\"issuer_name\":\""));
        page.raw(self.issuer_name.as_str());
        page.raw("\",\"state\":\"");
        page.secret(&self.state);
        page.raw("\",\"number\":\"");
        page.secret(&self.number);
        page.raw("\",\"claims\":[");
        for (at, entry) in self.claims.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            page.raw(&format!("{comma}{{\"type\":\"{:#x}\",\"value\":\"", entry.kind.number()));
            page.secret(&entry.value);
            page.raw("\",\"salt\":\"");
            page.hidden(&entry.salt);
            page.raw("\"}");
        }
        let (holder, until) = (text::element_text(self.holder.0), self.until);
        let signature = b64url::encode(&self.signature.to_bytes());
        page.raw(&format!(
            "],\"holder\":\"{holder}\",\"until\":\"{until}\",\"signature\":\"{signature}\"}}"
        ));
    }

    /// Whose claims they are.
    pub const fn issuer(&self) -> IssuerPublicKey {
        self.issuer
    }

    /// Whom they are about.
    pub const fn holder(&self) -> HolderCommitment {
        self.holder
    }

    /// What the issuer calls itself. It is not signed.
    pub const fn issuer_name(&self) -> &IssuerName {
        &self.issuer_name
    }

    /// Whether anybody could have made them.
    pub fn is_demo(&self) -> bool {
        is_demo(&self.issuer)
    }

    /// Of which types there are claims.
    pub fn kinds(&self) -> impl Iterator<Item = ClaimType> {
        self.claims.iter().map(|entry| entry.kind)
    }

    /// The last day on which something can be proven: of the holder's secret or of the document,
    /// whichever is first.
    pub fn good_until(&self) -> Date {
        let ends = self.claims.iter().find(|entry| entry.kind == ClaimType::DOCUMENT_EXPIRY);
        // EXPOSE: a day is read; when something ends is shown to its owner.
        let day = ends.and_then(|entry| std::str::from_utf8(entry.value.expose()).ok());
        let day = day.and_then(|day| day.parse::<Date>().ok());
        day.map_or(self.until, |day| day.min(self.until))
    }
}

/// What an issuer signs of claims in their order.
pub(super) fn set_of(
    claims: &[Entry],
    document: Hidden,
    holder: HolderCommitment,
) -> Result<ClaimSet, ClaimsError> {
    let mut claims = claims.iter().map(Entry::claim).collect::<Result<Vec<_>, _>>()?;
    let others = claims.split_off(3.min(claims.len()));
    let first = claims.try_into().map_err(|_| ClaimsError::Member("claims"))?;
    ClaimSet::new(document, first, holder, others).map_err(|_| ClaimsError::Member("claims"))
}

impl Entry {
    fn of_wire(wire: &WireClaim<'_>) -> Result<Self, ClaimsError> {
        let wrong = || ClaimsError::Member("claims");
        let digits = wire.r#type.strip_prefix("0x").filter(|digits| digits.len() == 3);
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let kind = ClaimType::new(number.ok_or_else(wrong)?).map_err(|_| wrong())?;
        // One way to write it, as everywhere.
        if format!("{:#x}", kind.number()) != wire.r#type {
            return Err(wrong());
        }
        let salt = json::hidden(wire.salt, "salt")?;
        Ok(Self { kind, value: json::secret(wire.value)?, salt })
    }

    fn claim(&self) -> Result<Claim, ClaimsError> {
        Claim::with_salt(self.kind, &self.value, json::again(&self.salt)?)
            .map_err(|_| ClaimsError::Member("value"))
    }
}

impl std::fmt::Debug for ClaimsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClaimsFile").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
