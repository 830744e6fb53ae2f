//! Making a container: layers, recipients, and a signature that somebody else's key gives.

use symbolon_ambient::Rng;
use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::{AeadKey, Params, RecipientKey, VerifyingKey, labels, sha256};
use symbolon_secret::Secret;

use crate::error::ContainerError;
use crate::header::{Entry, Header, RECIPIENTS_MAX, Recipient};
use crate::layer::Layer;
use crate::{CONTAINER_BYTES_MAX, LAYER_BYTES_MAX, MAGIC, VERSION, inner, padding};

/// What goes into a container.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Each layer once, with what it holds.
    pub layers: Vec<(Layer, &'a Secret<[u8]>)>,
    /// Who may open which layers; [`RECIPIENTS_MAX`] at most.
    pub recipients: Vec<(RecipientKey, Vec<Layer>)>,
    /// The passphrase of the credentials; needed where there are any.
    pub passphrase: Option<&'a Secret<[u8]>>,
    /// What a guess at the passphrase costs.
    pub params: Params,
    /// Who will sign.
    pub signer: VerifyingKey,
    /// When it is made, in Unix milliseconds.
    pub created_unix_ms: u64,
}

/// A container that wants its signature.
pub struct Unsigned {
    bytes: Vec<u8>,
    signer: VerifyingKey,
}

impl Plan<'_> {
    /// Seals every layer under a key of its own, and the keys to the recipients.
    ///
    /// # Errors
    /// [`ContainerError::Plan`], [`ContainerError::TooMuch`], and what a passphrase or memory gives.
    pub fn seal(mut self, rng: &dyn Rng) -> Result<Unsigned, ContainerError> {
        self.layers.sort_by_key(|(layer, _)| *layer);
        self.check()?;
        let mut id = [0; 16];
        rng.fill(&mut id);
        let (signer, created_unix_ms) = (*self.signer.as_bytes(), self.created_unix_ms);
        let mut header =
            Header { id, created_unix_ms, signer, layers: Vec::new(), recipients: Vec::new() };
        let mut body = Vec::new();
        let mut keys = Vec::new();
        for (layer, content) in &self.layers {
            let key = Secret::<[u8; 32]>::make(|b| rng.fill(b));
            let inner = match (layer, self.passphrase) {
                (Layer::Credentials, Some(passphrase)) => {
                    Some(inner::seal(&id, passphrase, content, self.params, rng)?)
                }
                _ => None,
            };
            let padded = padding::pad(inner.as_ref().unwrap_or(content))?;
            let context = layer_context(&header, *layer);
            // EXPOSE: sealed from its page into an envelope.
            let sealed = AeadKey::from_secret(&key).seal(
                &labels::CONTAINER_LAYER,
                &[&context],
                padded.expose(),
                rng,
            );
            let (digest, len) = (sha256(&sealed), sealed.len());
            header.layers.push(Entry { layer: *layer, digest, len });
            body.extend_from_slice(&sealed);
            keys.push((*layer, key));
        }
        for (recipient, mut layers) in self.recipients {
            layers.sort_unstable();
            let mut sealed = Vec::new();
            for layer in layers {
                let own = keys.iter().find(|(own, _)| *own == layer);
                let (_, key) = own.ok_or(ContainerError::NoLayer(layer))?;
                let context = header.key_context(layer, recipient.as_bytes());
                let label = &labels::CONTAINER_LAYER_KEY;
                sealed.push((layer, recipient.seal(label, &context, key, rng)?));
            }
            header.recipients.push(Recipient { key: *recipient.as_bytes(), keys: sealed });
        }
        let encoded = header.encode();
        let mut bytes = Vec::with_capacity(MAGIC.len() + 5 + encoded.len() + body.len() + 64);
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        // Eight recipients of seven layers are some kilobytes.
        bytes.extend_from_slice(&(encoded.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&encoded);
        bytes.extend_from_slice(&body);
        bound("the container's length", bytes.len() + 64, CONTAINER_BYTES_MAX)?;
        Ok(Unsigned { bytes, signer: self.signer })
    }

    fn check(&self) -> Result<(), ContainerError> {
        let plan = |what| Err(ContainerError::Plan(what));
        if self.layers.is_empty() || self.recipients.is_empty() {
            return plan("a container has a layer and a recipient");
        }
        if self.layers.windows(2).any(|two| two[0].0 == two[1].0) {
            return plan("a layer stands twice");
        }
        bound("the number of recipients", self.recipients.len(), RECIPIENTS_MAX)?;
        for (n, (key, layers)) in self.recipients.iter().enumerate() {
            if self.recipients[..n].iter().any(|(other, _)| other == key) {
                return plan("a recipient stands twice");
            }
            let is_twice = |at: usize| layers[..at].contains(&layers[at]);
            if layers.is_empty() || (0..layers.len()).any(is_twice) {
                return plan("a recipient is given layers, each once");
            }
        }
        for (layer, content) in &self.layers {
            bound("the length of a layer", content.len(), LAYER_BYTES_MAX)?;
            if *layer == Layer::Credentials && self.passphrase.is_none() {
                return plan("credentials are sealed by a passphrase too");
            }
        }
        Ok(())
    }
}

impl Unsigned {
    /// What is signed: [`signed_message`] of this.
    pub fn digest(&self) -> Digest32 {
        sha256(&self.bytes)
    }

    /// The container, whole.
    ///
    /// # Errors
    /// [`ContainerError::Signature`] where the signature is not the signer's.
    pub fn sign(mut self, signature: &[u8; 64]) -> Result<Vec<u8>, ContainerError> {
        let message = signed_message(&self.digest());
        self.signer.verify(&message, signature).map_err(|_| ContainerError::Signature)?;
        self.bytes.extend_from_slice(signature);
        Ok(self.bytes)
    }
}

impl std::fmt::Debug for Unsigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unsigned").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// The message under a container's signature: the label, then the digest of all before the signature.
pub fn signed_message(digest: &Digest32) -> Vec<u8> {
    Fields::new(labels::CONTAINER_SIGNATURE.as_str()).bytes(digest.as_bytes()).finish()
}

/// What a layer is bound to.
pub(crate) fn layer_context(header: &Header, layer: Layer) -> Vec<u8> {
    Fields::new(labels::CONTAINER.as_str())
        .bytes(&header.id)
        .bytes(&header.signer)
        .u64(header.created_unix_ms)
        .bytes(&[layer.byte()])
        .finish()
}

fn bound(what: &'static str, found: usize, max: usize) -> Result<(), ContainerError> {
    if found > max { Err(ContainerError::TooMuch { what, found, max }) } else { Ok(()) }
}
