//! Whose claims are proven.

use symbolon_ambient::SystemRng;
use symbolon_circuits::{
    Claim, ClaimSet, ClaimType, Hidden, Holder, IssuerKey, Signature, document,
};
use symbolon_secret::Secret;

use crate::ProofsError;

pub(crate) struct Person {
    pub(crate) claims: ClaimSet,
    pub(crate) holder: Holder,
    pub(crate) issuer: IssuerKey,
    pub(crate) signature: Signature,
}

impl Person {
    pub(crate) fn make() -> Result<Self, ProofsError> {
        let claim =
            |kind, text| Claim::make(kind, &secret(text), &SystemRng).map_err(ProofsError::new);
        let first = [
            claim(ClaimType::BIRTH_DATE, "2000-05-17")?,
            claim(ClaimType::NATIONALITY, "DEU")?,
            claim(ClaimType::DOCUMENT_EXPIRY, "2030-01-31")?,
        ];
        let until = "2027-12-31".parse().map_err(ProofsError::new)?;
        let holder = Holder::new(Hidden::make(&SystemRng), until);
        let document = document(&secret("DEU"), &secret("L898902C3"));
        let claims = ClaimSet::new(document, first, holder.commitment(), Vec::new());
        let claims = claims.map_err(ProofsError::new)?;
        let issuer = IssuerKey::make(&SystemRng);
        let signature = issuer.sign(&claims.root(), &SystemRng);
        Ok(Self { claims, holder, issuer, signature })
    }
}

pub(crate) fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |bytes| bytes.copy_from_slice(text.as_bytes()))
}
