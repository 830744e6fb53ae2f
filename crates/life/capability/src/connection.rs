//! A service at a fixed base URL, with a sealed credential.

use std::sync::Arc;

use symbolon_codec::Digest32;
use symbolon_crypto::labels::{self, Tag};
use symbolon_crypto::{Aad, AeadKey, OpenError, plain_len};
use symbolon_secret::Secret;

use crate::catalog::{ScopeSet, Service};
use crate::{AgentName, ConnectionName, MintedId, Scheme};

/// What an owner set up. The credential is sealed to every field that [`Connection::aad`] names, so
/// a changed row in the database does not send it anywhere else: it no longer opens.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its name.
    pub name: ConnectionName,
    /// The service's id in the catalogue.
    pub service: String,
    /// Where it leads: checked, canonical, without a trailing slash.
    pub base_url: String,
    /// How the credential goes out.
    pub auth: Scheme,
    /// Extra root certificate in PEM, for self-hosted services.
    pub ca_pem: Option<String>,
    /// The upstream may be on a loopback address.
    pub allow_loopback: bool,
    /// The upstream may be on a private address.
    pub allow_private: bool,
    /// Scope patterns: the most that grants on it can give.
    pub scopes: Vec<String>,
    /// The machine that it is bound to.
    pub fingerprint: Digest32,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
}

impl Connection {
    /// What its credential is sealed to: vault, name, service, destination, scheme, machine.
    pub fn aad(&self, vault: &[u8]) -> Aad {
        self.bound(&labels::CONNECTION_CREDENTIAL, vault, &[])
    }

    /// What its refresh token is sealed to: the same, and when the connection was made.
    pub fn refresh_aad(&self, vault: &[u8]) -> Aad {
        let made = self.created_unix_ms.to_be_bytes();
        self.bound(&labels::REFRESH_TOKEN, vault, &[&made])
    }

    /// What its access token is sealed to: the same as its refresh token, and when it expires
    /// (in Unix milliseconds; `None` where nobody said).
    pub fn access_aad(&self, vault: &[u8], expires_unix_ms: Option<u64>) -> Aad {
        let made = self.created_unix_ms.to_be_bytes();
        let expires = expires_unix_ms.unwrap_or(0).to_be_bytes();
        self.bound(&labels::ACCESS_TOKEN, vault, &[&made, &expires])
    }

    /// What a credential is sealed to that was minted through it: the same as its refresh token, the
    /// minted one's id, whose it is, and when it ends (in Unix milliseconds; `None` where nobody said).
    pub fn minted_aad(
        &self,
        vault: &[u8],
        id: &MintedId,
        agent: &AgentName,
        expires_unix_ms: Option<u64>,
    ) -> Aad {
        let made = self.created_unix_ms.to_be_bytes();
        let expires = expires_unix_ms.unwrap_or(0).to_be_bytes();
        let more: [&[u8]; 4] = [&made, id.as_bytes(), agent.as_str().as_bytes(), &expires];
        self.bound(&labels::MINTED_TOKEN, vault, &more)
    }

    fn bound(&self, tag: &Tag, vault: &[u8], more: &[&[u8]]) -> Aad {
        let auth = self.auth.to_string();
        let allowed = [u8::from(self.allow_loopback), u8::from(self.allow_private)];
        let own: [&[u8]; 8] = [
            vault,
            self.name.as_str().as_bytes(),
            self.service.as_bytes(),
            self.base_url.as_bytes(),
            auth.as_bytes(),
            self.ca_pem.as_deref().unwrap_or_default().as_bytes(),
            &allowed,
            self.fingerprint.as_bytes(),
        ];
        Aad::new(tag, &[&own, more].concat())
    }
}

/// A credential that nobody has opened: in wire form, under the vault's connections key.
#[derive(Debug)]
pub struct SealedCredential {
    key: Arc<AeadKey>,
    aad: Aad,
    envelope: Box<[u8]>,
}

impl SealedCredential {
    /// Takes a stored envelope; nothing is opened.
    pub fn new(key: Arc<AeadKey>, aad: Aad, envelope: Box<[u8]>) -> Self {
        Self { key, aad, envelope }
    }

    /// Bytes of the credential as it goes out.
    pub fn wire_len(&self) -> usize {
        plain_len(&self.envelope).unwrap_or(0)
    }

    /// Opens the credential into `out`, which must be secret memory, on the secret stack.
    /// Returns its length. Crate-private: the way there is a [`crate::Release`], or the owner's own
    /// [`SealedCredential::check`].
    pub(crate) fn open_into(&self, out: &mut [u8]) -> Result<usize, OpenError> {
        self.key.open_into_with(&self.aad, &self.envelope, out)
    }

    /// Opens it into a secret page of its own. Crate-private: the way there is a
    /// [`crate::Release`].
    pub(crate) fn open(&self) -> Result<Secret<[u8]>, OpenError> {
        self.key.open_with(&self.aad, &self.envelope)
    }

    /// Opens the credential into a secret page of its own for as long as `learn` runs: for the
    /// redaction pattern, once, when a connection is put into force. The result must not hold what
    /// was seen.
    ///
    /// # Errors
    /// [`CheckError`]; `Open(Damaged)` after a change of the row in the database.
    pub fn learn<R>(&self, learn: impl FnOnce(&Secret<[u8]>) -> R) -> Result<R, CheckError> {
        Ok(learn(&self.open()?))
    }

    /// Opens the credential in a secret window, beside `scratch_len` bytes of scratch there, and
    /// gives both to `inspect`: to confirm an echo. The result must not hold what was seen.
    ///
    /// # Errors
    /// [`CheckError`].
    pub fn check<R>(
        &self,
        scratch_len: usize,
        inspect: impl FnOnce(&[u8], &mut [u8]) -> R,
    ) -> Result<R, CheckError> {
        let len = self.wire_len();
        symbolon_secret::with_window(|w| {
            w.opened();
            let (wire, scratch) = w.take(len + scratch_len).split_at_mut(len);
            let n = self.open_into(wire)?;
            let result = inspect(&wire[..n], scratch);
            w.sealed();
            Ok(result)
        })?
    }
}

/// Why a sealed credential could not be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The envelope does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no secret memory, or this thread has a window open.
    #[error(transparent)]
    Window(#[from] symbolon_secret::WindowError),
}

/// A connection that is in force: what the engine and the wire need, computed once.
#[derive(Debug)]
pub struct Registration {
    /// What the owner set up.
    pub connection: Connection,
    /// The catalogue's service.
    pub service: Arc<Service>,
    /// The most that grants on it can give, as bits.
    pub scopes: ScopeSet,
    /// Its credential, sealed.
    pub credential: SealedCredential,
    /// Where requests go, as intents name it: scheme, host and port.
    pub origin: String,
}
