//! The key that a node answers with, and whose node it is.

use symbolon_codec::{CodecError, Fields, FieldsReader};
use symbolon_crypto::labels::{MESH_CERTIFICATE, MESH_ENDPOINT};
use symbolon_crypto::{SigningKey, VerifyingKey};

use crate::Peer;

/// Longest certificate that is read.
pub const CERTIFICATE_BYTES_MAX: usize = 512;
/// Longest time that a certificate is good for: 400 days.
pub const VALIDITY_MS_MAX: u64 = 400 * 24 * 3600 * 1000;
/// How far two clocks may differ before a certificate counts as early or over.
pub const CLOCK_SKEW_MS_MAX: u64 = 5 * 60 * 1000;

/// Why a certificate was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Peer: its bytes are no certificate.
    #[error("this is no certificate of a node: {0}")]
    Form(#[from] CodecError),
    /// Peer: the operator's key cannot verify anything.
    #[error("the operator's key in the certificate is no Ed25519 key")]
    Operator,
    /// Peer: the node's key cannot verify anything.
    #[error("the node's key in the certificate is no Ed25519 key")]
    Endpoint,
    /// Peer: it is good for no time, or for too long.
    #[error("the certificate is good for no time, or for more than 400 days")]
    Validity,
    /// Peer: the operator did not sign it.
    #[error("the operator did not sign the certificate")]
    Signature,
    /// Peer: it is for the key of another node.
    #[error("the certificate is for another node's key")]
    Subject,
    /// Nobody's: it is not good yet, by this clock.
    #[error("the certificate is not good yet")]
    Early,
    /// Nobody's: it is over, by this clock.
    #[error("the certificate is over")]
    Over,
}

/// The key of an operator's node: a hardened child of the operator's. `number` counts the keys that were given up.
pub fn derive_endpoint(operator: &SigningKey, number: u64) -> SigningKey {
    operator.derive_child(&MESH_ENDPOINT, &number.to_be_bytes())
}

/// An operator's word that a key is its node's. Its signature holds: only checked ones exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    operator: VerifyingKey,
    endpoint: VerifyingKey,
    from_ms: u64,
    until_ms: u64,
    bytes: Vec<u8>,
}

impl Certificate {
    /// Signs for a node's key, good between two moments in milliseconds since 1970.
    ///
    /// # Errors
    /// [`CertificateError::Validity`].
    pub fn sign(
        operator: &SigningKey,
        endpoint: VerifyingKey,
        from_ms: u64,
        until_ms: u64,
    ) -> Result<Self, CertificateError> {
        check_validity(from_ms, until_ms)?;
        let said = said(&operator.verifying_key(), &endpoint, from_ms, until_ms);
        let signature = operator.sign(&said.clone().finish());
        let bytes = said.bytes(&signature).finish();
        Ok(Self { operator: operator.verifying_key(), endpoint, from_ms, until_ms, bytes })
    }

    /// Reads one and checks its signature; not its time.
    ///
    /// # Errors
    /// [`CertificateError`] but [`CertificateError::Early`], [`CertificateError::Over`] and
    /// [`CertificateError::Subject`].
    pub fn open(bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.len() > CERTIFICATE_BYTES_MAX {
            let found = bytes.len();
            return Err(CodecError::TooLong { found, max: CERTIFICATE_BYTES_MAX }.into());
        }
        let mut r = FieldsReader::new(MESH_CERTIFICATE.as_str(), bytes)?;
        let (operator, endpoint) = (r.array()?, r.array()?);
        let (from_ms, until_ms) = (r.u64()?, r.u64()?);
        let signature = r.array()?;
        r.end()?;
        let operator =
            VerifyingKey::from_bytes(&operator).map_err(|_| CertificateError::Operator)?;
        let endpoint =
            VerifyingKey::from_bytes(&endpoint).map_err(|_| CertificateError::Endpoint)?;
        check_validity(from_ms, until_ms)?;
        let said = said(&operator, &endpoint, from_ms, until_ms).finish();
        operator.verify(&said, &signature).map_err(|_| CertificateError::Signature)?;
        Ok(Self { operator, endpoint, from_ms, until_ms, bytes: bytes.to_vec() })
    }

    /// Checks that it is good at a moment, give or take what clocks differ.
    ///
    /// # Errors
    /// [`CertificateError::Early`] or [`CertificateError::Over`].
    pub fn check_time(&self, now_ms: u64) -> Result<(), CertificateError> {
        if now_ms.saturating_add(CLOCK_SKEW_MS_MAX) < self.from_ms {
            Err(CertificateError::Early)
        } else if now_ms > self.until_ms.saturating_add(CLOCK_SKEW_MS_MAX) {
            Err(CertificateError::Over)
        } else {
            Ok(())
        }
    }

    /// Checks that it is for this node's key.
    ///
    /// # Errors
    /// [`CertificateError::Subject`].
    pub fn check_subject(&self, peer: &Peer) -> Result<(), CertificateError> {
        if *self.endpoint.as_bytes() == peer.0 { Ok(()) } else { Err(CertificateError::Subject) }
    }

    /// Whose node it is.
    pub fn operator(&self) -> &VerifyingKey {
        &self.operator
    }

    /// The node's key.
    pub fn endpoint(&self) -> &VerifyingKey {
        &self.endpoint
    }

    /// When it ends, in milliseconds since 1970.
    pub fn until_ms(&self) -> u64 {
        self.until_ms
    }

    /// Its one encoding.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn said(operator: &VerifyingKey, endpoint: &VerifyingKey, from_ms: u64, until_ms: u64) -> Fields {
    Fields::new(MESH_CERTIFICATE.as_str())
        .bytes(operator.as_bytes())
        .bytes(endpoint.as_bytes())
        .u64(from_ms)
        .u64(until_ms)
}

fn check_validity(from_ms: u64, until_ms: u64) -> Result<(), CertificateError> {
    let lasts = until_ms.checked_sub(from_ms).filter(|lasts| (1..=VALIDITY_MS_MAX).contains(lasts));
    lasts.map(|_| ()).ok_or(CertificateError::Validity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;

    fn key(seed: u64) -> SigningKey {
        SigningKey::make(&SeededRng::new(seed))
    }

    fn raw(operator: [u8; 32], endpoint: [u8; 32], times: (u64, u64), by: &SigningKey) -> Vec<u8> {
        let said = Fields::new(MESH_CERTIFICATE.as_str()).bytes(&operator).bytes(&endpoint);
        let said = said.u64(times.0).u64(times.1);
        let signature = by.sign(&said.clone().finish());
        said.bytes(&signature).finish()
    }

    #[test]
    fn each_check_refuses_what_breaks_it_alone() {
        let (operator, other) = (key(1), key(2));
        let endpoint = derive_endpoint(&operator, 0).verifying_key();
        let (of, at) = (*operator.verifying_key().as_bytes(), *endpoint.as_bytes());
        let good = Certificate::sign(&operator, endpoint, 1000, 2000).unwrap();
        assert_eq!(Certificate::open(good.bytes()).as_ref(), Ok(&good));
        assert_eq!(good.bytes(), raw(of, at, (1000, 2000), &operator));

        let open = |bytes: &[u8]| Certificate::open(bytes).unwrap_err();
        use CertificateError as E;
        assert_eq!(open(&raw([0; 32], at, (1000, 2000), &operator)), E::Operator);
        assert_eq!(open(&raw(of, [0; 32], (1000, 2000), &operator)), E::Endpoint);
        assert_eq!(open(&raw(of, at, (2000, 2000), &operator)), E::Validity);
        let long = (5, 6 + VALIDITY_MS_MAX);
        assert_eq!(open(&raw(of, at, long, &operator)), E::Validity);
        assert_eq!(Certificate::sign(&operator, endpoint, 2, 1), Err(E::Validity));
        assert_eq!(open(&raw(of, at, (1000, 2000), &other)), E::Signature);
        assert!(matches!(open(&good.bytes()[..40]), E::Form(CodecError::Truncated)));
        let tail = [good.bytes(), b"x"].concat();
        assert!(matches!(open(&tail), E::Form(CodecError::Trailing(1))));
        let long = [good.bytes(), &[0; CERTIFICATE_BYTES_MAX]].concat();
        assert!(matches!(open(&long), E::Form(CodecError::TooLong { .. })));

        assert_eq!(good.check_subject(&Peer(at)), Ok(()));
        assert_eq!(good.check_subject(&Peer(of)), Err(E::Subject));
    }

    #[test]
    fn clocks_may_differ_by_five_minutes() {
        let operator = key(1);
        let endpoint = derive_endpoint(&operator, 0).verifying_key();
        let from = 10 * CLOCK_SKEW_MS_MAX;
        let good = Certificate::sign(&operator, endpoint, from, 2 * from).unwrap();
        assert_eq!(good.check_time(from - CLOCK_SKEW_MS_MAX), Ok(()));
        let early = good.check_time(from - CLOCK_SKEW_MS_MAX - 1);
        assert_eq!(early, Err(CertificateError::Early));
        assert_eq!(good.check_time(2 * from + CLOCK_SKEW_MS_MAX), Ok(()));
        let over = good.check_time(2 * from + CLOCK_SKEW_MS_MAX + 1);
        assert_eq!(over, Err(CertificateError::Over));
    }

    #[test]
    fn an_endpoint_is_no_other_key_of_its_operator() {
        let operator = key(1);
        let keys = [0, 1].map(|number| derive_endpoint(&operator, number).verifying_key());
        assert!(keys[0] != keys[1] && !keys.contains(&operator.verifying_key()));
        assert_eq!(derive_endpoint(&operator, 0).verifying_key(), keys[0]);
    }
}
