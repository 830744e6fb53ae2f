//! Why a chip's files are not believed.

use std::fmt;

use symbolon_crypto::DocumentKeyError;

use crate::MrzError;

/// Whose certificate it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The document signer.
    Signer,
    /// The state's certificate authority (CSCA).
    Authority,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signer => "document signer",
            Self::Authority => "state's certificate authority",
        })
    }
}

/// Why a chip's files are not believed. Nothing of what the chip says of its holder is in the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChipError {
    /// EF.DG1 is no data group with a machine-readable zone.
    #[error("EF.DG1 holds no machine-readable zone")]
    Group,
    /// EF.SOD is no document security object.
    #[error("EF.SOD is no document security object: {0}")]
    Object(&'static str),
    /// An algorithm or a key that is not taken.
    #[error("{0}")]
    Algorithm(#[from] DocumentKeyError),
    /// The state signed no digest of the data group.
    #[error("the state did not sign EF.DG1")]
    NoDigest,
    /// The data group is not what was signed.
    #[error("EF.DG1 is not what the state signed: it was changed")]
    Changed,
    /// The signed attributes are of another content.
    #[error("the signature is of another document security object")]
    OtherContent,
    /// The signature is not by the signer's key.
    #[error("the document signer did not sign this")]
    Signature,
    /// A certificate that may not be what it is used as.
    #[error("the certificate of the {0} is not one: {1}")]
    Certificate(Who, &'static str),
    /// No trusted authority signed the signer's certificate.
    #[error(
        "no trusted certificate authority of {0:?} signed the document signer; add its CSCA certificate"
    )]
    Untrusted(String),
    /// Not now.
    #[error("the certificate of the {0} is not valid now")]
    Time(Who),
    /// The state took the signer back.
    #[error("the state revoked the document signer")]
    Revoked,
    /// The list of the authority is too old to say.
    #[error("the state's list of revoked signers is out of date; fetch the next one")]
    ListOutOfDate,
    /// What is signed is no zone.
    #[error("the machine-readable zone of the chip: {0}")]
    Zone(#[from] MrzError),
    /// A state signed a document of another.
    #[error("the document says that another state issued it than the one that signed it")]
    OtherState,
}

/// Why a certificate or a list is not taken into [`super::Trust`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Neither DER nor PEM of a certificate.
    #[error("not an X.509 certificate in DER or PEM")]
    Malformed,
    /// Not an authority's certificate.
    #[error("not the certificate of a state's authority: {0}")]
    NotAuthority(&'static str),
    /// Its key or algorithm is not taken.
    #[error("{0}")]
    Algorithm(#[from] DocumentKeyError),
    /// Not a list, or one of an authority that is not trusted, or not signed by it.
    #[error("not a list of revoked certificates by an authority that is trusted")]
    List,
    /// More than are kept.
    #[error("more than {0} certificates or lists")]
    Many(usize),
}
