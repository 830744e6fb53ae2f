//! Passive authentication of a chip's files (ICAO 9303-10, sections 4.6 and 4.7; 9303-11, section 5.1):
//! that a state signed what the chip says. It does not show that the chip is no copy, nor that who holds
//! it is whose it is.

mod certificate;
mod error;
mod lds;
mod signed;
mod tlv;
mod trust;

use std::fmt;

pub use error::{ChipError, TrustError, Who};
pub use trust::Trust;

use crate::{Date, Mrz};
use lds::SecurityObject;
use signed::Signed;

/// The longest EF.SOD, in bytes.
pub const SOD_BYTES_MAX: usize = 64 << 10;
/// Tag of EF.DG1, and of the zone in it.
const DG1_TAGS: [u32; 2] = [0x61, 0x5f1f];
/// Tag of EF.SOD.
const SOD_TAG: u32 = 0x77;
/// The number of the data group of the zone.
const ZONE_GROUP: u8 = 1;

/// Files of a chip, read and not believed.
pub struct Chip {
    dg1: Vec<u8>,
    zone: Vec<u8>,
    signed: Signed,
    object: SecurityObject,
}

impl Chip {
    /// Reads EF.DG1 and EF.SOD.
    ///
    /// # Errors
    /// [`ChipError::Group`], [`ChipError::Object`] and [`ChipError::Algorithm`].
    pub fn read(dg1: &[u8], sod: &[u8]) -> Result<Self, ChipError> {
        let [group, zone] = DG1_TAGS;
        let zone = tlv::only(group, dg1).and_then(|inner| tlv::only(zone, inner));
        let zone = zone.ok_or(ChipError::Group)?.to_vec();
        if sod.len() > SOD_BYTES_MAX {
            return Err(ChipError::Object("longer than 64 KiB"));
        }
        let content = tlv::only(SOD_TAG, sod).ok_or(ChipError::Object("not of the tag 77"))?;
        let signed = Signed::read(content)?;
        let object = SecurityObject::read(signed.content())?;
        Ok(Self { dg1: dg1.to_vec(), zone, signed, object })
    }

    /// Whether a state that is trusted signed it, and all of it holds now. In order: the data group is
    /// the one that was signed, the signature is the signer's, the signer is the state's, neither has
    /// ended nor was revoked, the zone is one, and its issuer is that state.
    ///
    /// # Errors
    /// [`ChipError`], by the first that does not hold.
    pub fn authenticate(&self, trust: &Trust, now_unix_ms: u64) -> Result<Authentic, ChipError> {
        let known = self.object.digest_of(ZONE_GROUP).ok_or(ChipError::NoDigest)?;
        if self.object.hash().digest(&self.dg1) != known {
            return Err(ChipError::Changed);
        }
        self.signed.verify()?;
        let signer = self.signed.signer();
        let (authority, revocation) = trust.judge(signer, now_unix_ms)?;
        let mrz = Mrz::parse(&self.zone, Date::of_unix_ms(now_unix_ms))?;
        if !mrz.issuer().is_of(signer.country()) {
            return Err(ChipError::OtherState);
        }
        Ok(Authentic { mrz, authority: authority.to_owned(), revocation })
    }
}

impl fmt::Debug for Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chip(..)")
    }
}

/// Whether it was looked up if the signer was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// No list of the authority's was given.
    NotChecked,
    /// A list that is good now does not name the signer.
    NotRevoked,
}

/// A zone that a trusted state signed: only [`Chip::authenticate`] makes one.
pub struct Authentic {
    mrz: Mrz,
    authority: String,
    revocation: Revocation,
}

impl Authentic {
    /// What the state says of the holder.
    pub const fn mrz(&self) -> &Mrz {
        &self.mrz
    }

    /// The name of the state's certificate authority (RFC 4514).
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether revocation was looked up.
    pub const fn revocation(&self) -> Revocation {
        self.revocation
    }
}

impl fmt::Debug for Authentic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentic").field("authority", &self.authority).finish_non_exhaustive()
    }
}
