//! The client's half of OPAQUE (`specs/opaque.md`).

use serde_json::{Value, json};
use symbolon_ambient::Rng;
use symbolon_codec::b64url;
use symbolon_crypto::opaque::{
    ClientLogin, ClientRegistration, CredentialResponse, RegistrationResponse, ServerKey,
};
use symbolon_secret::Secret;

use crate::Failed;
use crate::custody::Way;

/// The server's key: the one that this browser saw first, or the one that is shown now.
#[derive(Debug, Clone, Copy)]
pub struct ServerPin(ServerKey);

impl ServerPin {
    /// Of 64 hex digits each; `pinned` is what the browser remembers.
    ///
    /// # Errors
    /// `opaque`.
    pub fn new(pinned: Option<&str>, shown: &str) -> Result<Self, Failed> {
        Ok(Self(ServerKey::from_hex(pinned.unwrap_or(shown))?))
    }
}

/// A password that is being registered.
#[derive(Debug)]
pub struct Registration {
    state: ClientRegistration,
    password: Secret<[u8]>,
    request: String,
}

/// A password that is being shown.
#[derive(Debug)]
pub struct Login {
    state: ClientLogin,
    password: Secret<[u8]>,
    request: String,
}

impl Registration {
    /// # Errors
    /// `length`.
    pub fn start(password: Secret<[u8]>, rng: &dyn Rng) -> Result<Self, Failed> {
        let (state, request) = ClientRegistration::start(&password, rng)?;
        Ok(Self { state, password, request: b64url::encode(&request.to_bytes()) })
    }

    /// `opaque.request` of the challenge.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// Takes the server's answer and gives the proof, and a way to open a vault. Takes as long as Argon2id does.
    ///
    /// # Errors
    /// `other_server`, `opaque`, `memory`.
    pub fn finish(
        self,
        response: &str,
        server: ServerPin,
        rng: &dyn Rng,
    ) -> Result<(Value, Way), Failed> {
        let response = RegistrationResponse::from_bytes(&decoded(response)?)?;
        let made = self.state.finish(&self.password, &response, &server.0, rng)?;
        let proof = json!({ "record": b64url::encode(&made.upload.to_bytes()) });
        Ok((proof, Way::password(made.export_key)))
    }
}

impl Login {
    /// # Errors
    /// `length`.
    pub fn start(password: Secret<[u8]>, rng: &dyn Rng) -> Result<Self, Failed> {
        let (state, request) = ClientLogin::start(&password, rng)?;
        Ok(Self { state, password, request: b64url::encode(&request.to_bytes()) })
    }

    /// `opaque.request` of the challenge.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// As [`Registration::finish`].
    ///
    /// # Errors
    /// `wrong_secret` for a wrong password as for a name that nobody has; `other_server`, `opaque`, `memory`.
    pub fn finish(
        self,
        response: &str,
        server: ServerPin,
        rng: &dyn Rng,
    ) -> Result<(Value, Way), Failed> {
        let response = CredentialResponse::from_bytes(&decoded(response)?)?;
        let done = self.state.finish(&self.password, &response, &server.0, rng)?;
        let proof = json!({ "finalization": b64url::encode(&done.finalization.to_bytes()) });
        Ok((proof, Way::password(done.export_key)))
    }
}

fn decoded(response: &str) -> Result<Vec<u8>, Failed> {
    b64url::decode(response, MESSAGE_BYTES_MAX).map_err(|_| Failed::shape("server's answer"))
}

/// KE2 has 320 bytes.
const MESSAGE_BYTES_MAX: usize = 512;
