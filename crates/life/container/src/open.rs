//! Opening, stage by stage. Each stage takes the value of the one before, so none is left out.

use symbolon_codec::Digest32;
use symbolon_crypto::{AeadKey, HPKE_SEALED_BYTES, RecipientSecret, VerifyingKey, labels, sha256};
use symbolon_secret::Secret;

use crate::error::ContainerError;
use crate::header::Header;
use crate::layer::Layer;
use crate::make::{layer_context, signed_message};
use crate::{CONTAINER_BYTES_MAX, MAGIC, VERSION, inner, padding};

/// Bytes that have the form of a container. Nothing that they say is known to be true.
#[derive(Debug)]
pub struct Framed<'b> {
    header: Header,
    body: &'b [u8],
    digest: Digest32,
    signature: &'b [u8; 64],
}

/// A container that the key in it signed. Whose key that is, is open.
#[derive(Debug)]
pub struct Signed<'b> {
    header: Header,
    body: &'b [u8],
    digest: Digest32,
    signer: VerifyingKey,
}

/// A container of a signer whom its reader knows.
#[derive(Debug)]
pub struct Trusted<'b>(Signed<'b>);

/// A container that is sealed to its reader, with the sealed keys of the reader's layers.
#[derive(Debug)]
pub struct Received<'b> {
    of: Signed<'b>,
    recipient: [u8; 32],
    keys: Vec<(Layer, [u8; HPKE_SEALED_BYTES])>,
}

impl<'b> Framed<'b> {
    /// Reads the form.
    ///
    /// # Errors
    /// [`ContainerError::Framing`], [`ContainerError::Version`].
    pub fn parse(bytes: &'b [u8]) -> Result<Self, ContainerError> {
        let framing = |at, what| ContainerError::Framing { at, what };
        if bytes.len() > CONTAINER_BYTES_MAX {
            return Err(framing(CONTAINER_BYTES_MAX, "it is longer than any container"));
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or(framing(0, "it does not begin as one"))?;
        let (version, rest) =
            rest.split_first().ok_or(framing(MAGIC.len(), "it ends before its version"))?;
        if *version != VERSION {
            return Err(ContainerError::Version { found: *version });
        }
        let at = MAGIC.len() + 1;
        let (len, rest) =
            rest.split_first_chunk::<4>().ok_or(framing(at, "it ends before its header"))?;
        let at = at + 4;
        let len = u32::from_be_bytes(*len) as usize;
        let (header, rest) =
            rest.split_at_checked(len).ok_or(framing(at, "it ends within its header"))?;
        let header = Header::decode(header, at)?;
        let (body, signature) = rest
            .split_last_chunk::<64>()
            .ok_or(framing(bytes.len(), "it ends before its signature"))?;
        let total = header.layers.iter().try_fold(0_usize, |sum, e| sum.checked_add(e.len));
        if total != Some(body.len()) {
            return Err(framing(at + len, "its layers are not as long as its table says"));
        }
        let digest = sha256(&bytes[..bytes.len() - 64]);
        Ok(Self { header, body, digest, signature })
    }

    /// Checks the signature under the key in the container.
    ///
    /// # Errors
    /// [`ContainerError::Signature`].
    pub fn verify(self) -> Result<Signed<'b>, ContainerError> {
        let refused = |_| ContainerError::Signature;
        let signer = VerifyingKey::from_bytes(&self.header.signer).map_err(refused)?;
        signer.verify(&signed_message(&self.digest), self.signature).map_err(refused)?;
        let Self { header, body, digest, .. } = self;
        Ok(Signed { header, body, digest, signer })
    }
}

impl<'b> Signed<'b> {
    /// The container's id.
    pub const fn id(&self) -> &[u8; 16] {
        &self.header.id
    }

    /// When it says that it was made, in Unix milliseconds.
    pub const fn created_unix_ms(&self) -> u64 {
        self.header.created_unix_ms
    }

    /// The key that signed.
    pub const fn signer(&self) -> &VerifyingKey {
        &self.signer
    }

    /// SHA-256 of all before the signature: what a deed names.
    pub const fn digest(&self) -> &Digest32 {
        &self.digest
    }

    /// Its layers with the bytes that each takes, sealed and padded.
    pub fn layers(&self) -> impl Iterator<Item = (Layer, usize)> {
        self.header.layers.iter().map(|e| (e.layer, e.len))
    }

    /// Its recipients, each with its layers.
    pub fn recipients(&self) -> impl Iterator<Item = (&[u8; 32], Vec<Layer>)> {
        let layers = |keys: &[(Layer, _)]| keys.iter().map(|(layer, _)| *layer).collect();
        self.header.recipients.iter().map(move |r| (&r.key, layers(&r.keys)))
    }

    /// Goes on where the signer is known to the reader.
    ///
    /// # Errors
    /// [`ContainerError::Signer`].
    pub fn trust(
        self,
        knows: impl FnOnce(&VerifyingKey) -> bool,
    ) -> Result<Trusted<'b>, ContainerError> {
        if knows(&self.signer) {
            return Ok(Trusted(self));
        }
        Err(ContainerError::Signer { signer: Box::new(self.signer) })
    }
}

impl<'b> Trusted<'b> {
    /// What was signed.
    pub const fn signed(&self) -> &Signed<'b> {
        &self.0
    }

    /// Goes on where it is sealed to this key.
    ///
    /// # Errors
    /// [`ContainerError::Recipient`].
    pub fn receive(self, recipient: &[u8; 32]) -> Result<Received<'b>, ContainerError> {
        let own = self.0.header.recipients.iter().find(|r| r.key == *recipient);
        let keys = own.ok_or(ContainerError::Recipient)?.keys.clone();
        Ok(Received { of: self.0, recipient: *recipient, keys })
    }
}

impl Received<'_> {
    /// What was signed.
    pub const fn signed(&self) -> &Signed<'_> {
        &self.of
    }

    /// The layers that are sealed to the reader.
    pub fn layers(&self) -> impl Iterator<Item = Layer> {
        self.keys.iter().map(|(layer, _)| *layer)
    }

    /// The sealed key of a layer, and what it is bound to, for whoever holds the private key.
    ///
    /// # Errors
    /// [`ContainerError::NoLayer`], [`ContainerError::NotGiven`].
    pub fn sealed_key(&self, layer: Layer) -> Result<SealedKey, ContainerError> {
        if !self.of.header.layers.iter().any(|e| e.layer == layer) {
            return Err(ContainerError::NoLayer(layer));
        }
        let own = self.keys.iter().find(|(own, _)| *own == layer);
        let (_, sealed) = own.ok_or(ContainerError::NotGiven(layer))?;
        let context = self.of.header.key_context(layer, &self.recipient);
        Ok(SealedKey { layer, context, sealed: *sealed })
    }

    /// Opens a layer under its key: the bytes that stand in the container's table, and what was
    /// sealed, without its filling. Credentials are then still under their passphrase.
    ///
    /// # Errors
    /// [`ContainerError::NoLayer`], [`ContainerError::LayerDigest`], [`ContainerError::Layer`].
    pub fn open(&self, layer: Layer, key: &Secret<[u8; 32]>) -> Result<Opened, ContainerError> {
        let mut at = 0;
        for entry in &self.of.header.layers {
            let sealed = &self.of.body[at..at + entry.len];
            at += entry.len;
            if entry.layer != layer {
                continue;
            }
            if sha256(sealed) != entry.digest {
                return Err(ContainerError::LayerDigest(layer));
            }
            let context = layer_context(&self.of.header, layer);
            let opened =
                AeadKey::from_secret(key).open(&labels::CONTAINER_LAYER, &[&context], sealed);
            let refused = || ContainerError::Layer(layer);
            let content = padding::unpad(&opened.map_err(|_| refused())?).ok_or_else(refused)?;
            return Ok(Opened { id: self.of.header.id, layer, content });
        }
        Err(ContainerError::NoLayer(layer))
    }
}

/// A layer's key, sealed to its reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey {
    layer: Layer,
    /// What it is bound to.
    pub context: Vec<u8>,
    /// `enc | ciphertext | tag` (RFC 9180).
    pub sealed: [u8; HPKE_SEALED_BYTES],
}

impl SealedKey {
    /// Opens it.
    ///
    /// # Errors
    /// [`ContainerError::LayerKey`].
    pub fn open(&self, own: &RecipientSecret) -> Result<Secret<[u8; 32]>, ContainerError> {
        own.open(&labels::CONTAINER_LAYER_KEY, &self.context, &self.sealed)
            .map_err(|_| ContainerError::LayerKey(self.layer))
    }
}

/// A layer that opened.
#[derive(Debug)]
pub struct Opened {
    id: [u8; 16],
    layer: Layer,
    content: Secret<[u8]>,
}

impl Opened {
    /// What the layer holds.
    ///
    /// # Errors
    /// [`ContainerError::InnerSeal`] of credentials, which want their passphrase.
    pub fn content(self) -> Result<Secret<[u8]>, ContainerError> {
        if self.layer == Layer::Credentials {
            Err(ContainerError::InnerSeal)
        } else {
            Ok(self.content)
        }
    }

    /// What a layer of credentials holds. Takes as long as Argon2id is to take.
    ///
    /// # Errors
    /// [`ContainerError::InnerSeal`], [`ContainerError::Password`].
    pub fn credentials(self, passphrase: &Secret<[u8]>) -> Result<Secret<[u8]>, ContainerError> {
        inner::open(&self.id, passphrase, &self.content)
    }
}
