//! A passkey authenticator that others wrote (the crate `passkey`), with PRF, in a browser's place.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{CredentialCreationOptions, CredentialRequestOptions};
use passkey_authenticator::extensions::HmacSecretConfig;
use serde_json::{Value, json};
use url::Url;

/// What came of a ceremony.
#[derive(Clone, Debug)]
pub struct Done {
    /// For the server: without what the PRF gave.
    pub proof: Value,
    /// As the browser gives it.
    pub whole: Value,
    /// What the PRF gave, base64url; for the holder alone.
    pub prf: Option<String>,
}

/// A device that keeps one passkey, and a person who always agrees.
#[derive(Clone, Debug, Default)]
pub struct Device {
    kept: Option<Passkey>,
}

impl Device {
    /// Makes a passkey with the server's options, on a page of this origin.
    pub fn create(&mut self, origin: &str, options: &Value) -> Done {
        let mut client = Client::new(self.device()).allows_insecure_localhost(true);
        let options: CredentialCreationOptions =
            serde_json::from_value(json!({ "publicKey": options })).expect("options of WebAuthn");
        let made = now(client.register(&url(origin), options, DefaultClientData));
        let made = made.expect("the device makes a passkey");
        self.kept = client.authenticator().store().clone();
        done(serde_json::to_value(made).expect("JSON"))
    }

    /// Shows the passkey.
    pub fn get(&mut self, origin: &str, options: &Value) -> Done {
        let mut client = Client::new(self.device()).allows_insecure_localhost(true);
        let options: CredentialRequestOptions =
            serde_json::from_value(json!({ "publicKey": options })).expect("options of WebAuthn");
        let shown = now(client.authenticate(&url(origin), options, DefaultClientData));
        let shown = shown.expect("the device shows its passkey");
        self.kept = client.authenticator().store().clone();
        done(serde_json::to_value(shown).expect("JSON"))
    }

    fn device(&self) -> Authenticator<Option<Passkey>, Person, RustCryptoBackend> {
        let prf = HmacSecretConfig::new_without_uv().enable_on_make_credential();
        let kept = self.kept.clone();
        let mut device = Authenticator::new(Aaguid::new_empty(), kept, Person, RustCryptoBackend)
            .hmac_secret(prf);
        device.set_make_credentials_with_signature_counter(true);
        device
    }
}

/// Somebody who agrees to everything.
struct Person;

#[async_trait::async_trait]
impl UserValidationMethod for Person {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck { presence, verification })
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }
}

fn done(whole: Value) -> Done {
    let prf = whole.pointer("/clientExtensionResults/prf/results/first");
    let prf = prf.and_then(Value::as_str).map(str::to_owned);
    let mut proof = whole.clone();
    if let Some(prf) =
        proof.pointer_mut("/clientExtensionResults/prf").and_then(Value::as_object_mut)
    {
        prf.remove("results");
    }
    Done { proof, whole, prf }
}

fn url(origin: &str) -> Url {
    Url::parse(origin).expect("an origin")
}

/// The device waits for nothing.
fn now<T>(coming: impl Future<Output = T>) -> T {
    match pin!(coming).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the device waits for something"),
    }
}
