//! Nonces of a server: made without a row, good for two minutes, for one service and one device, once.

use symbolon_ambient::Rng;
use symbolon_codec::Fields;
use symbolon_crypto::{VerifyingKey, hmac_sha256, labels, sha256};
use symbolon_secret::Secret;

use crate::ServiceId;

/// Bytes of a nonce: time (8), random (16), service (16), device (16), tag (16).
pub const NONCE_BYTES: usize = 72;
/// How long a nonce is good, in milliseconds.
pub const NONCE_MS: u64 = 120_000;
/// How far the clock of the server that made it may be ahead, in milliseconds.
const AHEAD_MS: u64 = 30_000;
const TAGGED_BYTES: usize = 56;

/// The key that tags nonces.
#[derive(Debug)]
pub struct NonceKey(Secret<[u8; 32]>);

/// A nonce whose tag, service, device and time hold. Whether it was used, the store says.
#[derive(Debug)]
pub struct TimelyNonce {
    bytes: [u8; NONCE_BYTES],
}

impl TimelyNonce {
    /// All of it, as it stands in the statement.
    pub const fn as_bytes(&self) -> &[u8; NONCE_BYTES] {
        &self.bytes
    }

    /// What it is remembered by.
    pub fn id(&self) -> [u8; 16] {
        part(&self.bytes, 8)
    }

    /// Until when it is remembered, in Unix milliseconds: it is too old from then on for every server whose clock
    /// is right to half a minute.
    pub fn until_unix_ms(&self) -> u64 {
        issued(&self.bytes).saturating_add(NONCE_MS + AHEAD_MS)
    }
}

impl NonceKey {
    pub(crate) fn from_secret(secret: Secret<[u8; 32]>) -> Self {
        Self(secret)
    }

    /// A new one.
    pub fn make(
        &self,
        service: ServiceId,
        device: &VerifyingKey,
        now_unix_ms: u64,
        rng: &dyn Rng,
    ) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        nonce[..8].copy_from_slice(&now_unix_ms.to_be_bytes());
        rng.fill(&mut nonce[8..24]);
        nonce[24..40].copy_from_slice(service.as_bytes());
        nonce[40..56].copy_from_slice(&device_tag(device));
        let tag = self.tag(&nonce);
        nonce[TAGGED_BYTES..].copy_from_slice(&tag);
        nonce
    }

    /// Judges one that comes back, in this order.
    ///
    /// # Errors
    /// [`NonceError`].
    pub fn judge(
        &self,
        nonce: &[u8],
        service: ServiceId,
        device: &VerifyingKey,
        now_unix_ms: u64,
    ) -> Result<TimelyNonce, NonceError> {
        let bytes: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| NonceError::Length)?;
        let tag = self.tag(&bytes);
        if tag.iter().zip(&bytes[TAGGED_BYTES..]).fold(0, |all, (a, b)| all | (a ^ b)) != 0 {
            return Err(NonceError::NotOurs);
        }
        if bytes[24..40] != service.as_bytes()[..] {
            return Err(NonceError::OtherService);
        }
        if bytes[40..56] != device_tag(device)[..] {
            return Err(NonceError::OtherDevice);
        }
        let issued = issued(&bytes);
        if issued > now_unix_ms.saturating_add(AHEAD_MS) {
            return Err(NonceError::Early);
        }
        if now_unix_ms >= issued.saturating_add(NONCE_MS) {
            return Err(NonceError::Late);
        }
        Ok(TimelyNonce { bytes })
    }

    fn tag(&self, nonce: &[u8; NONCE_BYTES]) -> [u8; 16] {
        let fields = Fields::new(labels::POSSESSION_NONCE.as_str()).bytes(&nonce[..TAGGED_BYTES]);
        part(&hmac_sha256(&self.0, &[&fields.finish()]).0, 0)
    }
}

/// Why a nonce is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NonceError {
    /// Another length.
    #[error("a nonce has {NONCE_BYTES} bytes")]
    Length,
    /// No server of this database made it, or it was changed.
    #[error("this server did not make the nonce")]
    NotOurs,
    /// Made for another service.
    #[error("the nonce is for another service")]
    OtherService,
    /// Made for another device.
    #[error("the nonce is for another device")]
    OtherDevice,
    /// Made later than now.
    #[error("the nonce is from the future: the servers' clocks differ")]
    Early,
    /// Made too long ago.
    #[error("the nonce is older than {} seconds", NONCE_MS / 1000)]
    Late,
}

fn device_tag(device: &VerifyingKey) -> [u8; 16] {
    part(&sha256(device.as_bytes()).0, 0)
}

fn issued(nonce: &[u8; NONCE_BYTES]) -> u64 {
    u64::from_be_bytes(part(nonce, 0))
}

/// `N` bytes of a longer array.
fn part<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[from..from + N]);
    out
}
