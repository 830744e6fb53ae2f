//! The server's half.

use std::fmt;

use opaque_ke::{ServerLoginParameters, ServerRegistration};
use symbolon_ambient::Rng;
use symbolon_secret::{Secret, on_stack};

use super::entropy::Entropy;
use super::{
    CREDENTIAL_BYTES_MAX, CredentialFinalization, CredentialRequest, CredentialResponse,
    OpaqueError, RegistrationRequest, RegistrationResponse, RegistrationUpload, ServerKey,
    SessionKey, Suite, Terms,
};

/// Bytes of a server's long-term secrets: seed of the OPRF keys (64), private key (32), public key
/// of the record that stands for unknown accounts (32).
pub const SERVER_SETUP_BYTES: usize = 128;

/// A server's long-term secrets, in a secret page. One for all its accounts; a server that loses
/// them loses every password.
pub struct ServerSetup {
    inner: Secret<opaque_ke::ServerSetup<Suite>>,
    public: ServerKey,
}

impl ServerSetup {
    /// A new one. `rng` is the kernel's in production.
    pub fn make(rng: &dyn Rng) -> Self {
        Self::new(Secret::place(|| opaque_ke::ServerSetup::new(&mut Entropy(rng))))
    }

    /// From what [`ServerSetup::to_secret`] gave.
    ///
    /// # Errors
    /// [`OpaqueError::Malformed`], [`OpaqueError::NoPage`].
    pub fn from_secret(secret: &Secret<[u8; SERVER_SETUP_BYTES]>) -> Result<Self, OpaqueError> {
        // EXPOSE: the keys are read, on the secret stack, into a secret page.
        let read = || Ok(opaque_ke::ServerSetup::deserialize(secret.expose())?);
        Secret::place_or(read).map(Self::new)
    }

    /// The secrets, to be sealed and stored.
    pub fn to_secret(&self) -> Secret<[u8; SERVER_SETUP_BYTES]> {
        Secret::<[u8; SERVER_SETUP_BYTES]>::make(|out| {
            // EXPOSE: written from one secret page to another, on the secret stack.
            on_stack(|| out.copy_from_slice(&self.inner.expose().serialize()));
        })
    }

    /// What clients pin.
    pub fn public_key(&self) -> ServerKey {
        self.public
    }

    /// Answers the beginning of a registration. `credential` names the account: the same bytes at
    /// every login of it.
    ///
    /// # Errors
    /// [`OpaqueError::Name`].
    pub fn start_registration(
        &self,
        request: &RegistrationRequest,
        credential: &[u8],
    ) -> Result<RegistrationResponse, OpaqueError> {
        check(credential)?;
        let request = request.0.clone();
        let started = on_stack(|| {
            // EXPOSE: the account's OPRF key is derived, on the secret stack.
            ServerRegistration::start(self.inner.expose(), request, credential)
        })?;
        Ok(RegistrationResponse(started.message))
    }

    /// Answers the beginning of a login. Without a record (an unknown account) the answer has the
    /// same length, comes of the same work, and says nothing: whatever password is tried with it is
    /// wrong.
    ///
    /// # Errors
    /// [`OpaqueError::Name`], [`OpaqueError::NoPage`].
    pub fn start_login(
        &self,
        record: Option<&RegistrationUpload>,
        request: &CredentialRequest,
        credential: &[u8],
        rng: &dyn Rng,
    ) -> Result<(ServerLogin, CredentialResponse), OpaqueError> {
        self.start_login_with(&Terms::default(), record, request, credential, rng)
    }

    pub(super) fn start_login_with(
        &self,
        terms: &Terms<'_>,
        record: Option<&RegistrationUpload>,
        request: &CredentialRequest,
        credential: &[u8],
        rng: &dyn Rng,
    ) -> Result<(ServerLogin, CredentialResponse), OpaqueError> {
        check(credential)?;
        let record = record.map(|r| ServerRegistration::finish(r.0.clone()));
        let request = request.0.clone();
        let mut message = None;
        let state = Secret::place_or(|| {
            let started = opaque_ke::ServerLogin::start(
                &mut Entropy(rng),
                // EXPOSE: the server's key takes part in the exchange, on the secret stack.
                self.inner.expose(),
                record,
                request,
                credential,
                parameters(terms),
            )?;
            message = Some(CredentialResponse(started.message));
            Ok::<_, OpaqueError>(started.state)
        })?;
        let message = message.ok_or(OpaqueError::Malformed)?;
        Ok((ServerLogin { state }, message))
    }

    fn new(inner: Secret<opaque_ke::ServerSetup<Suite>>) -> Self {
        // EXPOSE: the public half is read.
        let public = ServerKey(inner.expose().keypair().public().serialize().into());
        Self { inner, public }
    }
}

impl fmt::Debug for ServerSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSetup").field("public", &self.public).finish_non_exhaustive()
    }
}

/// More than a login's state has: hashes and keys of 64 bytes, and what the message said.
const SERVER_LOGIN_BYTES_MAX: usize = 1024;

/// A login that waits for the client's last message, in a secret page. It is used up by it, so a
/// message that comes again finds nothing.
pub struct ServerLogin {
    state: Secret<opaque_ke::ServerLogin<Suite>>,
}

impl ServerLogin {
    /// Takes the client's last message: whoever sent it knows the password.
    ///
    /// # Errors
    /// [`OpaqueError::Refused`], [`OpaqueError::NoPage`].
    pub fn finish(self, message: &CredentialFinalization) -> Result<SessionKey, OpaqueError> {
        self.finish_with(&Terms::default(), message)
    }

    pub(super) fn finish_with(
        self,
        terms: &Terms<'_>,
        message: &CredentialFinalization,
    ) -> Result<SessionKey, OpaqueError> {
        let message = message.0.clone();
        Secret::<[u8; 64]>::try_make(|out| {
            on_stack(|| {
                // EXPOSE: the library takes the state by value, on the secret stack, and wipes it.
                let finished = self.state.expose().clone().finish(message, parameters(terms))?;
                out.copy_from_slice(&finished.session_key);
                Ok(())
            })
        })
        .map(SessionKey)
    }
}

impl ServerLogin {
    /// The state, to be sealed for the one message that it waits for.
    ///
    /// # Errors
    /// [`OpaqueError::NoPage`].
    pub fn to_secret(&self) -> Result<Secret<[u8]>, OpaqueError> {
        Secret::<[u8]>::try_make_slice(SERVER_LOGIN_BYTES_MAX, |out| {
            on_stack(|| {
                // EXPOSE: written from one secret page to another, on the secret stack.
                let state = self.state.expose().serialize();
                let place = out.get_mut(..state.len()).ok_or(OpaqueError::Malformed)?;
                place.copy_from_slice(&state);
                Ok(state.len())
            })
        })
    }

    /// From what [`ServerLogin::to_secret`] gave.
    ///
    /// # Errors
    /// [`OpaqueError::Malformed`], [`OpaqueError::NoPage`].
    pub fn from_secret(secret: &Secret<[u8]>) -> Result<Self, OpaqueError> {
        // EXPOSE: the state is read, on the secret stack, into a secret page.
        let read = || Ok(opaque_ke::ServerLogin::deserialize(secret.expose())?);
        Secret::place_or(read).map(|state| Self { state })
    }
}

impl fmt::Debug for ServerLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerLogin")
    }
}

fn parameters<'a>(terms: &Terms<'a>) -> ServerLoginParameters<'a, 'a> {
    ServerLoginParameters { context: Some(terms.context), identifiers: terms.identifiers }
}

fn check(credential: &[u8]) -> Result<(), OpaqueError> {
    match credential.len() {
        1..=CREDENTIAL_BYTES_MAX => Ok(()),
        _ => Err(OpaqueError::Name),
    }
}
