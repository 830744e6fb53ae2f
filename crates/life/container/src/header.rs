//! The header: who signed, which layers, for whom. Its bytes are one field list (`specs/container.md`).

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::{HPKE_SEALED_BYTES, labels};

use crate::error::ContainerError;
use crate::layer::Layer;

/// A container's header, of which nothing but the form was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub id: [u8; 16],
    pub created_unix_ms: u64,
    pub signer: [u8; 32],
    pub layers: Vec<Entry>,
    pub recipients: Vec<Recipient>,
}

/// One line of the table of layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub layer: Layer,
    /// Of the sealed bytes.
    pub digest: Digest32,
    pub len: usize,
}

/// One recipient, with the keys of its layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipient {
    pub key: [u8; 32],
    pub keys: Vec<(Layer, [u8; HPKE_SEALED_BYTES])>,
}

impl Header {
    pub fn encode(&self) -> Vec<u8> {
        let mut fields = Fields::new(labels::CONTAINER.as_str())
            .bytes(&self.id)
            .u64(self.created_unix_ms)
            .bytes(&self.signer)
            .u64(self.layers.len() as u64);
        for entry in &self.layers {
            fields = fields
                .bytes(&[entry.layer.byte()])
                .bytes(entry.digest.as_bytes())
                .u64(entry.len as u64);
        }
        fields = fields.u64(self.recipients.len() as u64);
        for recipient in &self.recipients {
            fields = fields.bytes(&recipient.key).u64(recipient.keys.len() as u64);
            for (layer, sealed) in &recipient.keys {
                fields = fields.bytes(&[layer.byte()]).bytes(sealed);
            }
        }
        fields.finish()
    }

    /// Reads a header that stands at byte `at`. What encodes to other bytes is refused: one header has
    /// one form.
    pub fn decode(bytes: &[u8], at: usize) -> Result<Self, ContainerError> {
        let framing = |what| ContainerError::Framing { at, what };
        let header = Self::fields(bytes).map_err(|_| framing("the header is no field list"))?;
        let header = header.ok_or_else(|| framing("the header names what is not known"))?;
        if !is_rising(header.layers.iter().map(|e| e.layer)) {
            return Err(framing("layers are not in order, or stand twice"));
        }
        for (n, recipient) in header.recipients.iter().enumerate() {
            if header.recipients[..n].iter().any(|other| other.key == recipient.key) {
                return Err(framing("a recipient stands twice"));
            }
            let has = |layer: &Layer| header.layers.iter().any(|e| e.layer == *layer);
            if !is_rising(recipient.keys.iter().map(|(layer, _)| *layer))
                || !recipient.keys.iter().all(|(layer, _)| has(layer))
            {
                return Err(framing("a recipient's layers are not those of the table, in order"));
            }
        }
        Ok(header)
    }

    /// `None` where a number is out of its bounds.
    fn fields(bytes: &[u8]) -> Result<Option<Self>, CodecError> {
        let mut reader = FieldsReader::new(labels::CONTAINER.as_str(), bytes)?;
        let (id, created_unix_ms) = (reader.array()?, reader.u64()?);
        let signer = reader.array()?;
        let mut layers = Vec::new();
        let count = reader.u64()?;
        if count > Layer::ALL.len() as u64 {
            return Ok(None);
        }
        for _ in 0..count {
            let [byte] = reader.array()?;
            let (digest, len) = (Digest32(reader.array()?), reader.u64()?);
            let Some(layer) = Layer::from_byte(byte) else { return Ok(None) };
            let Ok(len) = usize::try_from(len) else { return Ok(None) };
            layers.push(Entry { layer, digest, len });
        }
        let mut recipients = Vec::new();
        let count = reader.u64()?;
        if count > RECIPIENTS_MAX as u64 {
            return Ok(None);
        }
        for _ in 0..count {
            let key = reader.array()?;
            let mut keys = Vec::new();
            let count = reader.u64()?;
            if count > Layer::ALL.len() as u64 {
                return Ok(None);
            }
            for _ in 0..count {
                let [byte] = reader.array()?;
                let sealed = reader.array()?;
                let Some(layer) = Layer::from_byte(byte) else { return Ok(None) };
                keys.push((layer, sealed));
            }
            recipients.push(Recipient { key, keys });
        }
        reader.end()?;
        Ok(Some(Self { id, created_unix_ms, signer, layers, recipients }))
    }

    /// What a layer's key is bound to when it is sealed to a recipient.
    pub fn key_context(&self, layer: Layer, recipient: &[u8; 32]) -> Vec<u8> {
        Fields::new(labels::CONTAINER_LAYER_KEY.as_str())
            .bytes(&self.id)
            .bytes(&self.signer)
            .bytes(&[layer.byte()])
            .bytes(recipient)
            .finish()
    }
}

/// Whether each layer comes after the one before.
fn is_rising(mut layers: impl Iterator<Item = Layer>) -> bool {
    let mut last = None;
    layers.all(|layer| last.replace(layer).is_none_or(|before| before < layer))
}

/// The most recipients of a container.
pub const RECIPIENTS_MAX: usize = 8;
