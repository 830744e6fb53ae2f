//! Shares sealed to another vault's share key, signed by the sender's head key.

use symbolon_ambient::{Clock, Rng};
use symbolon_codec::{CodecError, Fields, FieldsReader};
use symbolon_crypto::{
    FieldKey, HPKE_SEALED_BYTES, Place, RecipientKey, VerifyingKey, labels, sha256,
};
use symbolon_secret::Secret;

use super::{SHARE_BYTES_MAX, ShareError, handed, received};
use crate::item::Item;
use crate::keys::Keys;
use crate::wire::ShareId;

/// An item that somebody handed over.
#[derive(Debug)]
pub struct Received {
    /// The share.
    pub id: ShareId,
    /// Who signed it: people compare this with what the sender shows.
    pub sender: VerifyingKey,
    /// When, in milliseconds since 1970, by the sender's clock.
    pub created_unix_ms: u64,
    /// The item, not in any vault yet.
    pub item: Item,
}

/// Who hands what to whom, in the clear.
struct Parties {
    id: ShareId,
    sender: [u8; 32],
    recipient: [u8; 32],
    created_unix_ms: u64,
}

/// Seals a copy of an item to another vault. Compare [`crate::fingerprint`] of its key first: who gave
/// the key decides who reads.
///
/// # Errors
/// [`ShareError::Kind`], [`ShareError::OtherKey`] for a key that is none, [`ShareError::NoPage`].
pub fn seal_share(
    keys: &Keys,
    item: &Item,
    to: &RecipientKey,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<(ShareId, Vec<u8>), ShareError> {
    let handed = handed(item)?;
    let signer = &keys.current().head;
    let parties = Parties {
        id: ShareId::make(rng),
        sender: *signer.verifying_key().as_bytes(),
        recipient: *to.as_bytes(),
        created_unix_ms: clock.unix_ms(),
    };
    let key = Secret::<[u8; 32]>::make(|page| rng.fill(page));
    // EXPOSE: sealed where it lies.
    let field = FieldKey::from_secret(&key).seal(&parties.place(), handed.expose(), rng);
    let sealed_key = to.seal(&labels::VAULT_SHARE_KEY, &parties.aad(), &key, rng)?;
    let signature = signer.sign(&parties.signed(&sealed_key, &field));
    let bytes = parties
        .write(labels::VAULT_SHARE.as_str())
        .bytes(&sealed_key)
        .bytes(&field)
        .bytes(&signature)
        .finish();
    Ok((parties.id, bytes))
}

impl Keys {
    /// Opens a share that was sealed to this vault, by the share key in use or an older one.
    ///
    /// # Errors
    /// [`ShareError`].
    pub fn open_share(&self, bytes: &[u8]) -> Result<Received, ShareError> {
        if bytes.len() > SHARE_BYTES_MAX {
            let (found, max) = (bytes.len(), SHARE_BYTES_MAX);
            return Err(CodecError::TooLong { found, max }.into());
        }
        let mut r = FieldsReader::new(labels::VAULT_SHARE.as_str(), bytes)?;
        let parties = Parties {
            id: ShareId::from(r.array()?),
            sender: r.array()?,
            recipient: r.array()?,
            created_unix_ms: r.u64()?,
        };
        let sealed_key = r.array::<HPKE_SEALED_BYTES>()?;
        let field = r.bytes(SHARE_BYTES_MAX)?;
        let signature = r.array()?;
        r.end()?;
        let own = self
            .newest_first()
            .find(|keys| *keys.share.public().as_bytes() == parties.recipient)
            .ok_or(ShareError::Recipient)?;
        let sender =
            VerifyingKey::from_bytes(&parties.sender).map_err(|_| ShareError::Signature)?;
        sender
            .verify(&parties.signed(&sealed_key, field), &signature)
            .map_err(|_| ShareError::Signature)?;
        let key = own.share.open(&labels::VAULT_SHARE_KEY, &parties.aad(), &sealed_key)?;
        let joined = FieldKey::from_secret(&key).open(&parties.place(), field)?;
        let item = received(&joined)?;
        Ok(Received { id: parties.id, sender, created_unix_ms: parties.created_unix_ms, item })
    }
}

impl Parties {
    fn write(&self, label: &str) -> Fields {
        Fields::new(label)
            .bytes(self.id.as_bytes())
            .bytes(&self.sender)
            .bytes(&self.recipient)
            .u64(self.created_unix_ms)
    }

    fn aad(&self) -> Vec<u8> {
        self.write(labels::VAULT_SHARE_KEY.as_str()).finish()
    }

    fn signed(&self, sealed_key: &[u8], field: &[u8]) -> Vec<u8> {
        self.write(labels::VAULT_SHARE_SIGNATURE.as_str())
            .bytes(sealed_key)
            .bytes(&sha256(field).0)
            .finish()
    }

    fn place(&self) -> Place {
        let context: [&[u8]; 3] = [self.id.as_bytes(), &self.sender, &self.recipient];
        Place::new(&labels::VAULT_SHARED_ITEM, &context)
    }
}
