//! OPAQUE-3DH (RFC 9807): a password that the server never sees, over ristretto255 and SHA-512,
//! stretched with Argon2id: `specs/opaque.md`.

use std::fmt;

use opaque_ke::errors::{InternalError, ProtocolError};
use opaque_ke::{CipherSuite, Identifiers, Ristretto255, TripleDh};
use symbolon_codec::hex;
use symbolon_secret::{MemoryError, Secret};

mod client;
mod entropy;
mod ksf;
mod message;
mod server;
#[cfg(test)]
mod tests;

pub(crate) use entropy::Entropy;

pub use client::{ClientLogin, ClientRegistration, LoggedIn, Registered};
pub use message::{
    CredentialFinalization, CredentialRequest, CredentialResponse, RegistrationRequest,
    RegistrationResponse, RegistrationUpload,
};
pub use server::{SERVER_SETUP_BYTES, ServerLogin, ServerSetup};

/// The longest password that is taken, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// The shortest that can be registered, in bytes: Argon2id cannot save a shorter one.
pub const PASSWORD_BYTES_MIN: usize = 8;
/// The longest name of an account, in bytes.
pub const CREDENTIAL_BYTES_MAX: usize = 256;

/// What only the password and the server's record together give: 64 bytes, the same at each login,
/// and not known to the server.
pub struct ExportKey(Secret<[u8; 64]>);

/// What client and server share after one login, and nobody else: 64 bytes.
pub struct SessionKey(Secret<[u8; 64]>);

impl ExportKey {
    /// The bytes.
    pub fn secret(&self) -> &Secret<[u8; 64]> {
        &self.0
    }

    /// From the bytes of an earlier login.
    pub fn from_secret(secret: Secret<[u8; 64]>) -> Self {
        Self(secret)
    }
}

impl SessionKey {
    /// The bytes.
    pub fn secret(&self) -> &Secret<[u8; 64]> {
        &self.0
    }
}

impl fmt::Debug for ExportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExportKey")
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey")
    }
}

/// The server's public key, which clients pin. Shown and read as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerKey([u8; 32]);

impl ServerKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// [`OpaqueError::Malformed`] where they are no element of the group.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, OpaqueError> {
        opaque_ke::keypair::PublicKey::<Ristretto255>::deserialize(bytes)?;
        Ok(Self(*bytes))
    }

    /// From 64 hex digits of either case.
    ///
    /// # Errors
    /// [`OpaqueError::Malformed`].
    pub fn from_hex(text: &str) -> Result<Self, OpaqueError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| OpaqueError::Malformed)?;
        Self::from_bytes(&bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerKey({self})")
    }
}

/// Why a step of the protocol was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpaqueError {
    /// The password is wrong, or there is no such account, or a message was changed on its way:
    /// the protocol does not let anybody tell these apart.
    #[error("the password is wrong, or there is no such account")]
    Refused,
    /// The server that answered has another key than the pinned one.
    #[error("the server's key is {found}, not {expected}")]
    OtherServer {
        /// The key that is pinned.
        expected: ServerKey,
        /// The key that answered.
        found: ServerKey,
    },
    /// The bytes are no message of the protocol.
    #[error("this is no message of the protocol")]
    Malformed,
    /// The server gave the client's own message back.
    #[error("the server gave the client's message back")]
    Reflected,
    /// A password outside of the bounds.
    #[error("a password has {PASSWORD_BYTES_MIN} to {PASSWORD_BYTES_MAX} bytes")]
    Length,
    /// A name outside of the bounds.
    #[error("the name of an account has 1 to {CREDENTIAL_BYTES_MAX} bytes")]
    Name,
    /// The machine has too little memory to stretch the password at this moment.
    #[error("there is not enough memory to stretch the password")]
    Memory,
    /// No secret page was left.
    #[error(
        "no secret memory is left; raise the limit on locked memory with `ulimit -l` or LimitMEMLOCK="
    )]
    NoPage,
}

impl From<MemoryError> for OpaqueError {
    fn from(_: MemoryError) -> Self {
        Self::NoPage
    }
}

impl From<ProtocolError> for OpaqueError {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::InvalidLoginError => Self::Refused,
            ProtocolError::ReflectedValueError => Self::Reflected,
            ProtocolError::LibraryError(InternalError::KsfError) => Self::Memory,
            _ => Self::Malformed,
        }
    }
}

/// The suite of RFC 9807, section 7: ristretto255-SHA512, HKDF and HMAC with SHA-512, Argon2id.
struct Suite;

impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, sha2_010::Sha512>;
    type Ksf = ksf::Stretch;
}

/// What both sides agree on beforehand. The RFC's vectors have another context and do not stretch.
#[derive(Clone, Copy, Default)]
struct Terms<'a> {
    context: &'a [u8],
    identifiers: Identifiers<'a>,
    stretch: ksf::Stretch,
}
