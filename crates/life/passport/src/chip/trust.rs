//! Which states' authorities are believed, and what they took back.

use std::fmt;

use der::{Decode, DecodePem};
use x509_cert::certificate::Certificate;
use x509_cert::crl::CertificateList;

use super::certificate::{Authority, Signer, is_valid_at};
use super::error::Who;
use super::{ChipError, Revocation, TrustError};

/// Certificates of all states with their links are some hundreds.
const AUTHORITIES_MAX: usize = 2000;
const LISTS_MAX: usize = 500;

/// Certificates of authorities (CSCA) whose documents are believed, with their lists of revoked
/// signers. They come from who judges documents: a chip's own are never taken.
#[derive(Default)]
pub struct Trust {
    authorities: Vec<Authority>,
    lists: Vec<CertificateList>,
}

impl Trust {
    /// In nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes an authority, by its certificate in DER or PEM.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn add_authority(&mut self, certificate: &[u8]) -> Result<(), TrustError> {
        if self.authorities.len() >= AUTHORITIES_MAX {
            return Err(TrustError::Many(AUTHORITIES_MAX));
        }
        let read =
            Certificate::from_der(certificate).or_else(|_| Certificate::from_pem(certificate));
        self.authorities.push(Authority::of(read.map_err(|_| TrustError::Malformed)?)?);
        Ok(())
    }

    /// Takes a list of revoked signers (RFC 5280, section 5) in DER or PEM, by an authority that is
    /// already believed.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn add_list(&mut self, list: &[u8]) -> Result<(), TrustError> {
        if self.lists.len() >= LISTS_MAX {
            return Err(TrustError::Many(LISTS_MAX));
        }
        let read = CertificateList::from_der(list).or_else(|_| CertificateList::from_pem(list));
        let list = read.map_err(|_| TrustError::List)?;
        let is_bytes = list.signature.unused_bits() == 0;
        let is_one = list.tbs_cert_list.signature == list.signature_algorithm;
        let critical = |extension: &x509_cert::ext::Extension| extension.critical;
        let extensions = list.tbs_cert_list.crl_extensions.as_deref().unwrap_or_default();
        // A critical extension narrows what a list is about (section 5.2): such a list is no whole one.
        if !is_bytes || !is_one || extensions.iter().any(critical) || !self.is_signed(&list) {
            return Err(TrustError::List);
        }
        self.lists.push(list);
        Ok(())
    }

    /// Whether nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.authorities.is_empty()
    }

    fn is_signed(&self, list: &CertificateList) -> bool {
        let own = |authority: &&Authority| {
            authority.may_sign_lists() && *authority.subject() == list.tbs_cert_list.issuer
        };
        let signature = list.signature.raw_bytes();
        self.authorities.iter().filter(own).any(|authority| {
            let signed =
                authority.has_signed(&list.tbs_cert_list, &list.signature_algorithm, signature);
            signed == Ok(true)
        })
    }

    /// The name of the authority that stands for the signer, and whether revocation was looked up.
    pub(super) fn judge(
        &self,
        signer: &Signer,
        now_unix_ms: u64,
    ) -> Result<(&str, Revocation), ChipError> {
        let mut found = None;
        for authority in &self.authorities {
            if authority.signed(signer)? {
                found = Some(authority);
                break;
            }
        }
        let authority =
            found.ok_or_else(|| ChipError::Untrusted(signer.country().to_ascii_uppercase()))?;
        if !is_valid_at(authority.certificate(), now_unix_ms) {
            return Err(ChipError::Time(Who::Authority));
        }
        if !is_valid_at(signer.certificate(), now_unix_ms) {
            return Err(ChipError::Time(Who::Signer));
        }
        self.revocation(signer, now_unix_ms).map(|revocation| (authority.name(), revocation))
    }

    /// A signer that any list names is revoked, however old the list is; only a list that is good now
    /// says of one that it is not.
    fn revocation(&self, signer: &Signer, now_unix_ms: u64) -> Result<Revocation, ChipError> {
        let own = signer.certificate().tbs_certificate();
        let lists = || self.lists.iter().map(|list| &list.tbs_cert_list);
        let of_issuer = || lists().filter(|list| list.issuer == *own.issuer());
        let mut revoked =
            of_issuer().filter_map(|list| list.revoked_certificates.as_ref()).flatten();
        if revoked.any(|revoked| revoked.serial_number == *own.serial_number()) {
            return Err(ChipError::Revoked);
        }
        let now = u128::from(now_unix_ms / 1000);
        let seconds = |time: x509_cert::time::Time| u128::from(time.to_unix_duration().as_secs());
        let is_good = |list: &x509_cert::crl::TbsCertList| {
            seconds(list.this_update) <= now
                && list.next_update.is_some_and(|next| now <= seconds(next))
        };
        match (of_issuer().next(), of_issuer().any(is_good)) {
            (None, _) => Ok(Revocation::NotChecked),
            (Some(_), true) => Ok(Revocation::NotRevoked),
            (Some(_), false) => Err(ChipError::ListOutOfDate),
        }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("authorities", &self.authorities.len())
            .field("lists", &self.lists.len())
            .finish()
    }
}
