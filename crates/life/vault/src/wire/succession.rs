//! New keys of a vault, under the signature of the old.

use symbolon_codec::{CodecError, Fields, FieldsReader};
use symbolon_crypto::{RecipientKey, SigningKey, VerifyingKey, labels};
use symbolon_custody::VaultId;

use super::error::WireError;
use super::text::as_text;

/// The public keys of a vault from an epoch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Succession {
    vault: VaultId,
    epoch: u32,
    head_key: VerifyingKey,
    share_key: RecipientKey,
    signature: [u8; 64],
}

impl Succession {
    /// Signs new keys with the head key before.
    pub fn sign(
        vault: VaultId,
        epoch: u32,
        head_key: VerifyingKey,
        share_key: RecipientKey,
        before: &SigningKey,
    ) -> Self {
        let mut own = Self { vault, epoch, head_key, share_key, signature: [0; 64] };
        own.signature = before.sign(&own.signed());
        own
    }

    /// The vault.
    pub const fn vault(&self) -> VaultId {
        self.vault
    }

    /// From which epoch on.
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What signs heads from then on.
    pub const fn head_key(&self) -> &VerifyingKey {
        &self.head_key
    }

    /// What shares are sealed to from then on.
    pub const fn share_key(&self) -> &RecipientKey {
        &self.share_key
    }

    /// Whether the head key before signed it.
    pub fn is_signed_by(&self, before: &VerifyingKey) -> bool {
        before.verify(&self.signed(), &self.signature).is_ok()
    }

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.fields().bytes(&self.signature).finish()
    }

    /// From its bytes.
    ///
    /// # Errors
    /// [`WireError`]; keys under which anybody can sign or open are refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > SUCCESSION_BYTES_MAX {
            let (found, max) = (bytes.len(), SUCCESSION_BYTES_MAX);
            return Err(CodecError::TooLong { found, max }.into());
        }
        let mut r = FieldsReader::new(labels::VAULT_SUCCESSION.as_str(), bytes)?;
        let vault = VaultId::from(r.array()?);
        let epoch = u32::try_from(r.u64()?).ok().filter(|e| *e > 1);
        let epoch = epoch.ok_or(WireError::Value("epoch"))?;
        let head_key = VerifyingKey::from_bytes(&r.array()?).map_err(|_| WireError::Key)?;
        let share_key = RecipientKey::from_bytes(&r.array()?).map_err(|_| WireError::Key)?;
        let signature = r.array()?;
        r.end()?;
        Ok(Self { vault, epoch, head_key, share_key, signature })
    }

    fn signed(&self) -> Vec<u8> {
        self.fields().finish()
    }

    fn fields(&self) -> Fields {
        Fields::new(labels::VAULT_SUCCESSION.as_str())
            .bytes(self.vault.as_bytes())
            .u64(u64::from(self.epoch))
            .bytes(self.head_key.as_bytes())
            .bytes(self.share_key.as_bytes())
    }
}

as_text!(Succession, SUCCESSION_BYTES_MAX);

/// More than any succession has.
pub(super) const SUCCESSION_BYTES_MAX: usize = 512;
