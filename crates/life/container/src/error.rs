//! Why a container is not opened: the stage at which it was refused.

use symbolon_crypto::{HpkeError, PasswordError, VerifyingKey};
use symbolon_secret::MemoryError;

use crate::layer::Layer;

/// Stages, in the order in which a container passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The bytes are a container's.
    Framing,
    /// The version is known.
    Version,
    /// The signature is that of the key in it.
    Signature,
    /// That key is one that this home knows.
    Signer,
    /// It is sealed to this recipient.
    Recipient,
    /// The layer's key opens.
    LayerKey,
    /// The layer's bytes are those of the table.
    LayerDigest,
    /// The layer opens.
    Layer,
    /// The seal under the passphrase opens.
    InnerSeal,
}

/// Why it was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// The bytes are none of a container.
    #[error("this is no container, or a damaged one: {what} (byte {at})")]
    Framing {
        /// From 0.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A later version, or none.
    #[error("the container is of version {found}; this program knows version 1")]
    Version {
        /// What stands there.
        found: u8,
    },
    /// What was signed is not what is there.
    #[error(
        "the signature does not hold: the container was changed, or was not made by its signer"
    )]
    Signature,
    /// Signed by somebody whom this home does not know.
    #[error("the container is signed by {}, a key that this home does not know", hex(.signer))]
    Signer {
        /// The key in it.
        signer: Box<VerifyingKey>,
    },
    /// Not for this recipient.
    #[error("the container is not sealed to this home's key")]
    Recipient,
    /// Sealed to this recipient, and not this layer.
    #[error("the layer {0} is not sealed to this home's key")]
    NotGiven(Layer),
    /// The container has no such layer.
    #[error("the container has no layer {0}")]
    NoLayer(Layer),
    /// The layer's key did not open.
    #[error("the key of the layer {0} does not open")]
    LayerKey(Layer),
    /// The layer's bytes are others than those that were signed for.
    #[error("the layer {0} is not the one that the container's table names")]
    LayerDigest(Layer),
    /// The layer did not open under its key.
    #[error("the layer {0} does not open under its key")]
    Layer(Layer),
    /// The passphrase is another, or the inner seal was changed.
    #[error("the credentials do not open: another passphrase, or they were changed")]
    InnerSeal,
    /// A bound was passed while making one.
    #[error("{what} is {found}; {max} at most")]
    TooMuch {
        /// What is bounded.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// A layer or a recipient stands twice, or one is given what is not there.
    #[error("{0}")]
    Plan(&'static str),
    /// A recipient's key is none.
    #[error(transparent)]
    Key(#[from] HpkeError),
    /// A passphrase gave no key.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// No secret page was left.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl ContainerError {
    /// The stage that refused; `None` for what is wrong around the container.
    pub const fn stage(&self) -> Option<Stage> {
        Some(match self {
            Self::Framing { .. } => Stage::Framing,
            Self::Version { .. } => Stage::Version,
            Self::Signature => Stage::Signature,
            Self::Signer { .. } => Stage::Signer,
            Self::Recipient => Stage::Recipient,
            Self::NotGiven(_) | Self::LayerKey(_) => Stage::LayerKey,
            Self::LayerDigest(_) => Stage::LayerDigest,
            Self::Layer(_) => Stage::Layer,
            Self::InnerSeal => Stage::InnerSeal,
            _ => return None,
        })
    }
}

fn hex(key: &VerifyingKey) -> String {
    symbolon_codec::hex::encode(key.as_bytes())
}
