//! Sealing in a TPM 2.0: `specs/custody.md`, section TPM.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use symbolon_codec::{Fields, FieldsReader};
use symbolon_crypto::labels;
use symbolon_custody::{Sealer, SealerError};
use symbolon_secret::{Secret, on_stack};
use tss_esapi::TctiNameConf;

use crate::facts::Facts;
use crate::fingerprint::{Fingerprint, FingerprintError};

mod session;

use session::{Blob, Session};

/// This machine's TPM. Talks to it only while it seals or unseals.
#[derive(Debug)]
pub struct Tpm {
    tcti: TctiNameConf,
    place: String,
    pcrs: PcrMask,
    /// A TPM without a resource manager has three slots; one caller at a time is enough for us.
    turn: Mutex<()>,
}

/// Platform configuration registers, SHA-256 bank. Binding to them means: unseal only if the
/// machine booted what it boots now. An update of firmware or boot loader changes them, so keep
/// another wrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PcrMask(u32);

impl PcrMask {
    /// Bound to none.
    pub const NONE: Self = Self(0);

    /// These registers; `None` where a number is above 23.
    pub fn of(registers: &[u8]) -> Option<Self> {
        registers.iter().try_fold(0, |all, r| (*r < 24).then(|| all | 1 << r)).map(Self)
    }

    pub(crate) fn slots(self) -> impl Iterator<Item = u32> {
        (0..24).map(|n| 1 << n).filter(move |bit| self.0 & bit != 0)
    }
}

impl Tpm {
    /// At the address in `TPM2TOOLS_TCTI` or `TCTI`, as tpm2-tools have it, else at
    /// `/dev/tpmrm0`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SealerError::Absent`] where the address is no address.
    pub fn from_env() -> Result<Self, SealerError> {
        let set = ["TPM2TOOLS_TCTI", "TCTI"].into_iter().find_map(|v| std::env::var(v).ok());
        Self::at(set.as_deref().unwrap_or("device:/dev/tpmrm0"))
    }

    /// At an address such as `device:/dev/tpmrm0` or `swtpm:host=127.0.0.1,port=2321`.
    ///
    /// # Errors
    /// [`SealerError::Absent`] where it is no address.
    pub fn at(tcti: &str) -> Result<Self, SealerError> {
        let place = tcti.to_owned();
        let tcti = TctiNameConf::from_str(tcti)
            .map_err(|e| SealerError::Absent { place: place.clone(), source: Box::new(e) })?;
        Ok(Self { tcti, place, pcrs: PcrMask::NONE, turn: Mutex::new(()) })
    }

    /// What is sealed from now on is bound to these registers as they are then. What was sealed
    /// before keeps its own binding.
    #[must_use]
    pub fn bound_to(self, pcrs: PcrMask) -> Self {
        Self { pcrs, ..self }
    }

    /// The fingerprint over this user's facts and the TPM's storage key. The key's name is what
    /// the TPM says, without attestation.
    ///
    /// # Errors
    /// [`SealerError`]; facts that cannot be read are [`SealerError::Failed`].
    pub fn fingerprint(&self, facts: &Facts) -> Result<Fingerprint, SealerError> {
        let name = self.session(Session::name)?;
        facts.fingerprint_with(facts.set(), Some(&name)).map_err(|e: FingerprintError| {
            SealerError::Failed { what: "read this machine's facts", source: Box::new(e) }
        })
    }

    fn session<R>(
        &self,
        f: impl FnOnce(&mut Session) -> Result<R, SealerError>,
    ) -> Result<R, SealerError> {
        // A poisoned turn guards nothing that could be half done.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let result = Session::open(&self.tcti, &self.place).and_then(|mut s| f(&mut s));
        session::overwrite_freed();
        result
    }
}

impl Sealer for Tpm {
    fn seal(&self, secret: &Secret<[u8; 32]>) -> Result<Vec<u8>, SealerError> {
        let blob = self.session(|s| s.seal(secret, self.pcrs))?;
        Ok(Fields::new(labels::TPM_SEALED.as_str())
            .u64(self.pcrs.0.into())
            .bytes(&blob.public)
            .bytes(&blob.private)
            .finish())
    }

    fn unseal(&self, blob: &[u8]) -> Result<Secret<[u8; 32]>, SealerError> {
        let (blob, pcrs) = parse(blob).ok_or(SealerError::Damaged)?;
        let unsealed = self.session(|s| s.unseal(&blob, pcrs))?;
        Secret::<[u8; 32]>::try_make(|out| {
            // EXPOSE: copied from one secret page to another, on the secret stack.
            on_stack(|| match unsealed.expose().try_into() as Result<&[u8; 32], _> {
                Ok(bytes) => {
                    out.copy_from_slice(bytes);
                    Ok(())
                }
                Err(_) => Err(ParseError::Size),
            })
        })
        .map_err(|e| match e {
            ParseError::Size => SealerError::Damaged,
            ParseError::Memory(e) => session::failed("keep the secret")(e),
        })
    }
}

enum ParseError {
    Size,
    Memory(symbolon_secret::MemoryError),
}

impl From<symbolon_secret::MemoryError> for ParseError {
    fn from(e: symbolon_secret::MemoryError) -> Self {
        Self::Memory(e)
    }
}

fn parse(blob: &[u8]) -> Option<(Blob, PcrMask)> {
    let mut fields = FieldsReader::new(labels::TPM_SEALED.as_str(), blob).ok()?;
    let mask = u32::try_from(fields.u64().ok()?).ok().filter(|m| *m < 1 << 24)?;
    let public = fields.bytes(PART_BYTES_MAX).ok()?.to_vec();
    let private = fields.bytes(PART_BYTES_MAX).ok()?.to_vec();
    fields.end().ok()?;
    Some((Blob { public, private }, PcrMask(mask)))
}

/// A sealed object's public part has under 100 bytes, its private part under 200.
const PART_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_counted_to_23() {
        assert_eq!(PcrMask::of(&[0, 7, 23]).unwrap().slots().count(), 3);
        assert_eq!(PcrMask::of(&[24]), None);
        assert_eq!(PcrMask::of(&[]), Some(PcrMask::NONE));
    }

    #[test]
    fn what_is_no_blob_is_damage_before_a_tpm_is_asked() {
        let tpm = Tpm::at("device:/nonexistent").unwrap();
        let tag = labels::TPM_SEALED.as_str();
        let too_large = Fields::new(tag).u64(0).bytes(&[0; 1025]).bytes(b"").finish();
        let bad_mask = Fields::new(tag).u64(1 << 24).bytes(b"").bytes(b"").finish();
        for blob in [&b""[..], b"x", &too_large, &bad_mask] {
            assert!(matches!(tpm.unseal(blob), Err(SealerError::Damaged)));
        }
        let whole = Fields::new(tag).u64(0).bytes(b"").bytes(b"").finish();
        assert!(matches!(tpm.unseal(&whole), Err(SealerError::Absent { .. })));
        assert!(matches!(Tpm::at("nothing:"), Err(SealerError::Absent { .. })));
    }
}
