//! The client's half.

use std::fmt;

use opaque_ke::{ClientLoginFinishParameters, ClientRegistrationFinishParameters};
use symbolon_ambient::Rng;
use symbolon_secret::{Secret, on_stack};

use super::entropy::Entropy;
use super::{
    CredentialFinalization, CredentialRequest, CredentialResponse, ExportKey, OpaqueError,
    PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN, RegistrationRequest, RegistrationResponse,
    RegistrationUpload, ServerKey, SessionKey, Suite, Terms,
};

/// A registration that waits for the server's answer, in a secret page.
pub struct ClientRegistration {
    state: Secret<opaque_ke::ClientRegistration<Suite>>,
}

/// What a registration came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Registered {
    /// For the server, which keeps it as the account's record.
    pub upload: RegistrationUpload,
    /// For the client alone.
    pub export_key: ExportKey,
}

impl ClientRegistration {
    /// Blinds a password.
    ///
    /// # Errors
    /// [`OpaqueError::Length`], [`OpaqueError::NoPage`].
    pub fn start(
        password: &Secret<[u8]>,
        rng: &dyn Rng,
    ) -> Result<(Self, RegistrationRequest), OpaqueError> {
        let (state, message) = blind(password, PASSWORD_BYTES_MIN, |password| {
            let started = opaque_ke::ClientRegistration::start(&mut Entropy(rng), password)?;
            Ok((started.state, started.message))
        })?;
        Ok((Self { state }, RegistrationRequest(message)))
    }

    /// Takes the server's answer. Takes as long as Argon2id does.
    ///
    /// # Errors
    /// [`OpaqueError::OtherServer`] before anything is made, [`OpaqueError::Reflected`],
    /// [`OpaqueError::Memory`], [`OpaqueError::NoPage`].
    pub fn finish(
        self,
        password: &Secret<[u8]>,
        response: &RegistrationResponse,
        pinned: &ServerKey,
        rng: &dyn Rng,
    ) -> Result<Registered, OpaqueError> {
        self.finish_with(&Terms::default(), password, response, pinned, rng)
    }

    pub(super) fn finish_with(
        self,
        terms: &Terms<'_>,
        password: &Secret<[u8]>,
        response: &RegistrationResponse,
        pinned: &ServerKey,
        rng: &dyn Rng,
    ) -> Result<Registered, OpaqueError> {
        check(pinned, &response.to_bytes()[32..])?;
        let response = response.0.clone();
        let ids = terms.identifiers;
        let parameters = ClientRegistrationFinishParameters::new(ids, Some(&terms.stretch));
        let mut upload = None;
        let export_key = Secret::<[u8; 64]>::try_make(|out| {
            on_stack(|| {
                // EXPOSE: the library takes the state by value, on the secret stack, and wipes it.
                let state = self.state.expose().clone();
                // EXPOSE: the password is hashed, on the secret stack.
                let password = password.expose();
                let finished = state.finish(&mut Entropy(rng), password, response, parameters)?;
                out.copy_from_slice(&finished.export_key);
                upload = Some(RegistrationUpload(finished.message));
                Ok::<_, OpaqueError>(())
            })
        })?;
        let upload = upload.ok_or(OpaqueError::Malformed)?;
        Ok(Registered { upload, export_key: ExportKey(export_key) })
    }
}

impl fmt::Debug for ClientRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientRegistration")
    }
}

/// A login that waits for the server's answer, in a secret page.
pub struct ClientLogin {
    state: Secret<opaque_ke::ClientLogin<Suite>>,
}

/// What a login came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct LoggedIn {
    /// For the server, as the proof.
    pub finalization: CredentialFinalization,
    /// The same as at the registration.
    pub export_key: ExportKey,
    /// Shared with the server.
    pub session_key: SessionKey,
}

impl ClientLogin {
    /// Blinds a password.
    ///
    /// # Errors
    /// [`OpaqueError::Length`] for none, or too long a one; [`OpaqueError::NoPage`].
    pub fn start(
        password: &Secret<[u8]>,
        rng: &dyn Rng,
    ) -> Result<(Self, CredentialRequest), OpaqueError> {
        let (state, message) = blind(password, 1, |password| {
            let started = opaque_ke::ClientLogin::start(&mut Entropy(rng), password)?;
            Ok((started.state, started.message))
        })?;
        Ok((Self { state }, CredentialRequest(message)))
    }

    /// Takes the server's answer. Takes as long as Argon2id does.
    ///
    /// # Errors
    /// [`OpaqueError::Refused`], [`OpaqueError::OtherServer`], [`OpaqueError::Reflected`],
    /// [`OpaqueError::Memory`], [`OpaqueError::NoPage`].
    pub fn finish(
        self,
        password: &Secret<[u8]>,
        response: &CredentialResponse,
        pinned: &ServerKey,
        rng: &dyn Rng,
    ) -> Result<LoggedIn, OpaqueError> {
        self.finish_with(&Terms::default(), password, response, pinned, rng)
    }

    pub(super) fn finish_with(
        self,
        terms: &Terms<'_>,
        password: &Secret<[u8]>,
        response: &CredentialResponse,
        pinned: &ServerKey,
        rng: &dyn Rng,
    ) -> Result<LoggedIn, OpaqueError> {
        let response = response.0.clone();
        let (context, ids) = (Some(terms.context), terms.identifiers);
        let parameters = ClientLoginFinishParameters::new(context, ids, Some(&terms.stretch));
        let mut finalization = None;
        let mut session_key = Secret::<[u8; 64]>::make(|_| {});
        let export_key = Secret::<[u8; 64]>::try_make(|out| {
            on_stack(|| {
                // EXPOSE: the library takes the state by value, on the secret stack, and wipes it.
                let state = self.state.expose().clone();
                // EXPOSE: the password is hashed, on the secret stack.
                let password = password.expose();
                let finished = state.finish(&mut Entropy(rng), password, response, parameters)?;
                check(pinned, &finished.server_s_pk.serialize())?;
                out.copy_from_slice(&finished.export_key);
                // EXPOSE: written into its secret page.
                session_key.expose_mut().copy_from_slice(&finished.session_key);
                finalization = Some(CredentialFinalization(finished.message));
                Ok::<_, OpaqueError>(())
            })
        })?;
        Ok(LoggedIn {
            finalization: finalization.ok_or(OpaqueError::Malformed)?,
            export_key: ExportKey(export_key),
            session_key: SessionKey(session_key),
        })
    }
}

impl fmt::Debug for ClientLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientLogin")
    }
}

/// A state in its secret page, and the first message.
fn blind<State, Message>(
    password: &Secret<[u8]>,
    bytes_min: usize,
    start: impl FnOnce(&[u8]) -> Result<(State, Message), OpaqueError>,
) -> Result<(Secret<State>, Message), OpaqueError> {
    if !(bytes_min..=PASSWORD_BYTES_MAX).contains(&password.len()) {
        return Err(OpaqueError::Length);
    }
    let mut message = None;
    let state = Secret::place_or(|| {
        // EXPOSE: the password is hashed and blinded, on the secret stack.
        let (state, first) = start(password.expose())?;
        message = Some(first);
        Ok::<_, OpaqueError>(state)
    })?;
    Ok((state, message.ok_or(OpaqueError::Malformed)?))
}

/// Both keys are public: the comparison may take the time that it takes.
fn check(pinned: &ServerKey, found: &[u8]) -> Result<(), OpaqueError> {
    if pinned.as_bytes() == found {
        return Ok(());
    }
    let found = found.try_into().map_err(|_| OpaqueError::Malformed)?;
    Err(OpaqueError::OtherServer { expected: *pinned, found: ServerKey(found) })
}
