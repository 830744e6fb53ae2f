//! Opens a disclosure, and releases a share of it.

use serde::Deserialize;
use serde_json::Value;
use symbolon_codec::{Digest32, json};
use symbolon_crypto::labels::{CAPSULE_FIELDS, CAPSULE_SHARE};
use symbolon_crypto::{AeadKey, HpkeError, OpenError, RecipientSecret, ShareError, combine_shares};
use symbolon_secret::Secret;

use super::super::{CapsuleReceipt, DEPTH_MAX, Field, FieldName};
use super::{DISCLOSURE_BYTES_MAX, Disclosure, Release, commitment, place};

/// Why a disclosure does not open. In the order in which things are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisclosureError {
    /// Whoever asks holds no share.
    #[error("it was not sealed to this key")]
    Holder,
    /// The time has not come.
    #[error("it is not to be opened yet")]
    Early {
        /// From when on: Unix milliseconds.
        not_before_ms: u64,
    },
    /// The share was changed, or is of another disclosure.
    #[error("the share does not open: {0}")]
    Seal(#[from] HpkeError),
    /// What was sealed is not what was committed to.
    #[error("the share that was sealed to this key is not the one that was committed to")]
    Share,
    /// A release is of another disclosure.
    #[error("the release of holder {holder} is of another disclosure")]
    OtherRelease {
        /// Which.
        holder: u8,
    },
    /// A release is of nobody.
    #[error("there is no holder {holder}")]
    NoHolder {
        /// Which.
        holder: u8,
    },
    /// A release is not what was committed to.
    #[error("the share that holder {holder} released is not the one that was committed to")]
    Release {
        /// Which.
        holder: u8,
    },
    /// More holders are needed.
    #[error("it takes the shares of {needed} holders, and {found} are here")]
    TooFew {
        /// How many it takes.
        needed: u8,
        /// How many are here.
        found: u8,
    },
    /// The shares do not make a key.
    #[error("{0}")]
    Combine(ShareError),
    /// The fields do not open by the key that the shares make.
    #[error("the fields do not open: {0}")]
    Envelope(OpenError),
    /// What was sealed is no list of this receipt's fields, each once.
    #[error("what was sealed is no list of fields of this receipt")]
    Fields,
    /// A field does not belong to the receipt.
    #[error("the `{0}` that was sealed is not what the receipt committed to")]
    Field(FieldName),
}

impl Disclosure {
    /// Opens with a holder's key what one holder can open alone. What comes out is the receipt with the fields
    /// shown, each of which belongs to it; whose it is, is still to be verified.
    ///
    /// # Errors
    /// [`DisclosureError`].
    pub fn open(
        &self,
        own: &RecipientSecret,
        now_ms: u64,
    ) -> Result<CapsuleReceipt, DisclosureError> {
        let (number, share) = self.share(own, now_ms)?;
        self.open_with(&[(number, &share)])
    }

    /// A holder's share, for everybody to see. It cannot be taken back.
    ///
    /// # Errors
    /// [`DisclosureError`]: [`DisclosureError::Early`] before the time that everything is bound to.
    pub fn release(&self, own: &RecipientSecret, now_ms: u64) -> Result<Release, DisclosureError> {
        let (holder, share) = self.share(own, now_ms)?;
        // EXPOSE: to release a share is to show it; its holder asked for that.
        Ok(Release { terms: self.terms_digest(), holder, share: Digest32(*share.expose()) })
    }

    /// Opens with what holders released.
    ///
    /// # Errors
    /// [`DisclosureError`].
    pub fn open_released(&self, releases: &[Release]) -> Result<CapsuleReceipt, DisclosureError> {
        let terms = self.terms_digest();
        let mut shares: Vec<(u8, Secret<[u8; 32]>)> = Vec::new();
        for release in releases {
            let holder = release.holder;
            if release.terms != terms {
                return Err(DisclosureError::OtherRelease { holder });
            }
            let at = usize::from(holder).checked_sub(1);
            let sealed = at.and_then(|at| self.shares.get(at));
            let sealed = sealed.ok_or(DisclosureError::NoHolder { holder })?;
            if commitment(&terms, holder, release.share.as_bytes()) != sealed.commitment {
                return Err(DisclosureError::Release { holder });
            }
            if shares.iter().any(|(it, _)| *it == holder) {
                continue;
            }
            let share = Secret::<[u8; 32]>::try_make(|page| {
                page.copy_from_slice(release.share.as_bytes());
                Ok::<_, HpkeError>(())
            })?;
            shares.push((holder, share));
        }
        let shares: Vec<_> = shares.iter().map(|(holder, share)| (*holder, share)).collect();
        self.open_with(&shares)
    }

    /// The holder's number and share.
    fn share(
        &self,
        own: &RecipientSecret,
        now_ms: u64,
    ) -> Result<(u8, Secret<[u8; 32]>), DisclosureError> {
        let public = own.public();
        let at = self.terms.holders.iter().position(|it| *it == public);
        let at = at.ok_or(DisclosureError::Holder)?;
        let not_before_ms = self.terms.not_before_ms;
        if now_ms < not_before_ms {
            return Err(DisclosureError::Early { not_before_ms });
        }
        // There are 16 holders at most, and as many shares.
        let (number, terms, sealed) = (at as u8 + 1, self.terms_digest(), &self.shares[at]);
        let share = own.open(&CAPSULE_SHARE, &place(&terms, number).finish(), &sealed.sealed)?;
        // EXPOSE: hashed, to be held against the commitment.
        if commitment(&terms, number, share.expose()) == sealed.commitment {
            Ok((number, share))
        } else {
            Err(DisclosureError::Share)
        }
    }

    /// With shares that belong to their commitments, of different holders.
    fn open_with(
        &self,
        shares: &[(u8, &Secret<[u8; 32]>)],
    ) -> Result<CapsuleReceipt, DisclosureError> {
        // There are no more than holders.
        let (needed, found) = (self.terms.threshold, shares.len() as u8);
        if found < needed {
            return Err(DisclosureError::TooFew { needed, found });
        }
        let key = combine_shares(&shares[..usize::from(needed)]);
        let key = AeadKey::from_secret(&key.map_err(DisclosureError::Combine)?);
        let terms = self.terms_digest();
        let opened = key.open(&CAPSULE_FIELDS, &[terms.as_bytes()], &self.fields);
        let plain = opened.map_err(DisclosureError::Envelope)?;
        // EXPOSE: read into the receipt that whoever opened it asked for.
        self.open_list(plain.expose())
    }

    /// The receipt with the fields of this list shown.
    pub(super) fn open_list(&self, plain: &[u8]) -> Result<CapsuleReceipt, DisclosureError> {
        let parsed = json::parse_bounded(plain, DISCLOSURE_BYTES_MAX, DEPTH_MAX);
        let value = parsed.map_err(|_| DisclosureError::Fields)?;
        let read: Vec<FieldJson> =
            serde_json::from_value(value).map_err(|_| DisclosureError::Fields)?;
        let mut receipt = self.receipt.clone();
        for one in read {
            let name = one.name.parse().map_err(|_| DisclosureError::Fields)?;
            let place = receipt.fields.iter_mut().find(|it| it.name() == name);
            let place = place.filter(|it| it.shown().is_none()).ok_or(DisclosureError::Fields)?;
            *place = Field::read(name, *place.commitment(), Some((one.salt, one.value)));
            if !place.holds() {
                return Err(DisclosureError::Field(name));
            }
        }
        Ok(receipt)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldJson {
    name: String,
    salt: Digest32,
    value: Value,
}
