//! Passwords, in two steps each: the server answers in between.

use symbolon_ambient::SystemRng;
use wasm_bindgen::prelude::wasm_bindgen;

use super::custody::BroughtWay;
use super::secret::taken;
use crate::Failed;
use crate::account::{Login, Registration, ServerPin};

/// A password that waits for the server's answer.
#[wasm_bindgen]
pub struct Password(Begun);

enum Begun {
    New(Registration),
    Known(Login),
}

/// What a password came to.
#[wasm_bindgen]
pub struct PasswordDone {
    proof: String,
    way: BroughtWay,
}

#[wasm_bindgen]
impl Password {
    /// Begins to register a password, or to show it.
    #[wasm_bindgen(constructor)]
    pub fn start(password: Vec<u8>, is_new: bool) -> Result<Self, Failed> {
        let password = taken(password);
        Ok(Self(if is_new {
            Begun::New(Registration::start(password, &SystemRng)?)
        } else {
            Begun::Known(Login::start(password, &SystemRng)?)
        }))
    }

    /// `opaque.request` of the challenge.
    #[wasm_bindgen(getter)]
    pub fn request(&self) -> String {
        match &self.0 {
            Begun::New(registration) => registration.request().to_owned(),
            Begun::Known(login) => login.request().to_owned(),
        }
    }

    /// Takes the server's answer. Takes as long as Argon2id does.
    pub fn finish(
        self,
        response: &str,
        server_key: &str,
        pinned: Option<String>,
    ) -> Result<PasswordDone, Failed> {
        let server = ServerPin::new(pinned.as_deref(), server_key)?;
        let (proof, way) = match self.0 {
            Begun::New(registration) => registration.finish(response, server, &SystemRng)?,
            Begun::Known(login) => login.finish(response, server, &SystemRng)?,
        };
        Ok(PasswordDone { proof: proof.to_string(), way: way.into() })
    }
}

#[wasm_bindgen]
impl PasswordDone {
    /// The proof that the server wants, as JSON.
    #[wasm_bindgen(getter)]
    pub fn proof(&self) -> String {
        self.proof.clone()
    }

    /// The way to open the vault.
    pub fn way(self) -> BroughtWay {
        self.way
    }
}
