//! From bytes to evidence: `Certified`, then `Checked`, then `Admitted`. Each can be made by its
//! check alone.

use crate::certificate::{CeilingError, Certificate};
use crate::digest::ComponentDigest;
use crate::document::{DocumentError, Kind};
use crate::envelope::{Envelope, EnvelopeError, PublicKeys};
use crate::manifest::Manifest;
use crate::revocation::Revocations;

/// Why a capsule may not run. In the order in which things are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The certificate's envelope, or the root's signature.
    #[error("the publisher's certificate: {0}")]
    CertificateEnvelope(EnvelopeError),
    /// What the certificate says.
    #[error("the publisher's certificate: {0}")]
    Certificate(DocumentError),
    /// Its time has not come.
    #[error("the publisher's certificate is not good yet")]
    Early,
    /// Its time is over.
    #[error("the publisher's certificate is not good any more")]
    Expired,
    /// The root took it back.
    #[error("the publisher's certificate {0} was revoked")]
    CertificateRevoked(u64),
    /// The manifest's envelope, or the publisher's signatures.
    #[error("the manifest: {0}")]
    ManifestEnvelope(EnvelopeError),
    /// What the manifest says.
    #[error("the manifest: {0}")]
    Manifest(DocumentError),
    /// It asks for more than its publisher may give.
    #[error("{0}")]
    Ceiling(#[from] CeilingError),
    /// Its statement is signed by nobody, or by another key than the certificate names for statements.
    #[error("the manifest's `statement` is not signed by its publisher's key for statements")]
    Statement,
    /// The root does not stand for this component any more.
    #[error("the component was revoked")]
    ComponentRevoked,
    /// The component is longer or shorter than the manifest says.
    #[error("the component has {found} bytes; the manifest says {expected}")]
    Length {
        /// What the manifest says.
        expected: u64,
        /// What the component has.
        found: u64,
    },
    /// The hash gate: another component than the signed one.
    #[error("the component is not the one that the manifest was signed for")]
    Hash,
}

/// A certificate that a trusted root signed, that is good now and was not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    certificate: Certificate,
    revocations: Option<Revocations>,
}

/// A manifest that a certified publisher signed and that is within the ceiling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    manifest: Manifest,
    publisher: String,
    certificate: u64,
}

/// A component whose hash is its checked manifest's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted<'a> {
    checked: Checked,
    component: &'a [u8],
}

impl Certified {
    /// Checks a publisher's certificate. `revocations` come from [`Revocations::open`] under the
    /// same root.
    ///
    /// # Errors
    /// [`CheckError`]: the first five.
    pub fn check(
        envelope: &[u8],
        root: &PublicKeys,
        revocations: Option<Revocations>,
        now_ms: u64,
    ) -> Result<Self, CheckError> {
        let envelope = Envelope::parse(Kind::Certificate, envelope)
            .map_err(CheckError::CertificateEnvelope)?;
        let payload = envelope.verify(root).map_err(CheckError::CertificateEnvelope)?;
        let certificate = Certificate::parse(payload).map_err(CheckError::Certificate)?;
        if certificate.keys.jubjub.is_some_and(|key| key.public().is_err()) {
            return Err(CheckError::Certificate(DocumentError::Field("keys.jubjub")));
        }
        good_at(&certificate, now_ms)?;
        if revocations.as_ref().is_some_and(|it| it.revokes_certificate(certificate.number)) {
            return Err(CheckError::CertificateRevoked(certificate.number));
        }
        Ok(Self { certificate, revocations })
    }

    /// What it says.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

/// Whether a certificate's time has come and is not over.
fn good_at(certificate: &Certificate, now_ms: u64) -> Result<(), CheckError> {
    if now_ms < certificate.not_before_ms {
        Err(CheckError::Early)
    } else if now_ms >= certificate.not_after_ms {
        Err(CheckError::Expired)
    } else {
        Ok(())
    }
}

/// A certificate that was read already, with its envelope: whether the root signed it, and it was good at a time. For
/// who reads of a run that is over: what may run now is for [`Certified::check`] to say.
///
/// # Errors
/// [`CheckError::CertificateEnvelope`], [`CheckError::Early`] or [`CheckError::Expired`].
pub fn was_certified(
    certificate: &Certificate,
    envelope: &Envelope,
    root: &PublicKeys,
    at_ms: u64,
) -> Result<(), CheckError> {
    envelope.verify(root).map_err(CheckError::CertificateEnvelope)?;
    good_at(certificate, at_ms)
}

/// A manifest that was read already, with its envelope: whether the certificate's keys signed it, and it is within the
/// ceiling. For who reads of a run that is over, as [`was_certified`].
///
/// # Errors
/// [`CheckError::ManifestEnvelope`] or [`CheckError::Ceiling`].
pub fn was_signed(
    manifest: &Manifest,
    envelope: &Envelope,
    certificate: &Certificate,
) -> Result<(), CheckError> {
    envelope.verify(&certificate.keys).map_err(CheckError::ManifestEnvelope)?;
    Ok(certificate.ceiling.admits(manifest)?)
}

impl Checked {
    /// Checks a manifest against its publisher's certificate.
    ///
    /// # Errors
    /// [`CheckError`].
    pub fn check(envelope: &[u8], certified: &Certified) -> Result<Self, CheckError> {
        let envelope =
            Envelope::parse(Kind::Manifest, envelope).map_err(CheckError::ManifestEnvelope)?;
        let Certified { certificate, revocations } = certified;
        let payload = envelope.verify(&certificate.keys).map_err(CheckError::ManifestEnvelope)?;
        let manifest = Manifest::parse(payload).map_err(CheckError::Manifest)?;
        certificate.ceiling.admits(&manifest)?;
        if let Some(signature) = &manifest.statement {
            let key = certificate.keys.jubjub.ok_or(CheckError::Statement)?;
            let key = key.public().map_err(|_| CheckError::Statement)?;
            let signed = manifest.description().verify(&key, signature.as_signature());
            signed.map_err(|_| CheckError::Statement)?;
        }
        let component = &manifest.component.sha3_512;
        if revocations.as_ref().is_some_and(|it| it.revokes_component(component)) {
            return Err(CheckError::ComponentRevoked);
        }
        let publisher = certificate.publisher.clone();
        Ok(Self { manifest, publisher, certificate: certificate.number })
    }

    /// The hash gate: takes the component, if it is the one that was signed.
    ///
    /// # Errors
    /// [`CheckError::Length`] or [`CheckError::Hash`].
    pub fn admit(self, component: &[u8]) -> Result<Admitted<'_>, CheckError> {
        let (expected, found) = (self.manifest.component.bytes, component.len() as u64);
        if expected != found {
            return Err(CheckError::Length { expected, found });
        }
        if ComponentDigest::of(component) != self.manifest.component.sha3_512 {
            return Err(CheckError::Hash);
        }
        Ok(Admitted { checked: self, component })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Who signed it.
    pub fn publisher(&self) -> &str {
        &self.publisher
    }

    /// The number of the publisher's certificate.
    pub fn certificate(&self) -> u64 {
        self.certificate
    }
}

impl Admitted<'_> {
    /// What was checked.
    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.checked.manifest
    }

    /// The bytes that may run.
    pub fn component(&self) -> &[u8] {
        self.component
    }
}
