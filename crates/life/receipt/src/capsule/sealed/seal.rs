//! Makes a disclosure.

use serde_json::{Value, json};
use symbolon_ambient::Rng;
use symbolon_codec::json;
use symbolon_crypto::labels::{CAPSULE_FIELDS, CAPSULE_SHARE};
use symbolon_crypto::{AeadKey, HpkeError, ShareError, split_shares};
use symbolon_secret::Secret;

use super::super::{CapsuleReceipt, FieldName};
use super::{Disclosure, SealedShare, Terms, commitment, place};

/// Why nothing was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The receipt does not have such a field, or withholds it.
    #[error("`{0}` is not shown in this receipt")]
    Withheld(FieldName),
    /// A field that is shown does not belong to the receipt.
    #[error("the receipt's `{0}` is not what was committed to")]
    Field(FieldName),
    /// No holder, too many, one twice, or more wanted than there are.
    #[error("a disclosure has 1 to 16 holders, each once, and needs 1 to all of them")]
    Terms,
    /// A key of a holder.
    #[error("{0}")]
    Hpke(#[from] HpkeError),
    /// The shares.
    #[error("{0}")]
    Share(#[from] ShareError),
}

impl Disclosure {
    /// Seals the named fields of a receipt for the holders of these terms.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(
        receipt: &CapsuleReceipt,
        show: &[FieldName],
        terms: Terms,
        rng: &dyn Rng,
    ) -> Result<Self, SealError> {
        if !terms.holds() {
            return Err(SealError::Terms);
        }
        let plain = json::canonical(&shown(receipt, show)?);
        let receipt = receipt.disclose(&[]);
        let digest = terms.digest(&receipt.transcript());
        let key = Secret::<[u8; 32]>::try_make(|page| {
            rng.fill(page);
            Ok::<_, HpkeError>(())
        })?;
        let fields =
            AeadKey::from_secret(&key).seal(&CAPSULE_FIELDS, &[digest.as_bytes()], &plain, rng);
        // There are 16 holders at most.
        let split = split_shares(&key, terms.threshold, terms.holders.len() as u8, rng)?;
        let seal = |((number, to), share): ((u8, &symbolon_crypto::RecipientKey), &Secret<_>)| {
            let sealed = to.seal(&CAPSULE_SHARE, &place(&digest, number).finish(), share, rng)?;
            // EXPOSE: hashed; the share is as random as the key, so its digest says nothing of it.
            let commitment = commitment(&digest, number, share.expose());
            Ok::<_, SealError>(SealedShare { commitment, sealed })
        };
        let shares = (1..).zip(&terms.holders).zip(&split).map(seal).collect::<Result<_, _>>()?;
        Ok(Self { receipt, terms, shares, fields })
    }
}

/// The named fields, in the receipt's order, each once.
fn shown(receipt: &CapsuleReceipt, show: &[FieldName]) -> Result<Value, SealError> {
    let missing = show.iter().find(|name| receipt.dangerous_unverified(**name).is_none());
    if let Some(name) = missing {
        return Err(SealError::Withheld(*name));
    }
    let mut all = Vec::new();
    for field in receipt.fields.iter().filter(|it| show.contains(&it.name())) {
        if !field.holds() {
            return Err(SealError::Field(field.name()));
        }
        let Some((salt, value)) = field.shown() else { continue };
        all.push(json!({ "name": field.name().as_str(), "salt": salt, "value": value }));
    }
    Ok(Value::Array(all))
}
