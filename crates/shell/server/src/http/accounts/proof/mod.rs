//! Proofs: how each method asks, and how an answer is judged.

mod key;
mod passkey;
mod password;
mod wallet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_account::{
    AccountError, AccountId, AccountState, AccountStore, ChallengeId, Credential, Purpose, SignIn,
};
use symbolon_broker::CallError;
use webauthn_rs::prelude::{DiscoverableAuthentication, PasskeyRegistration};

use super::{
    challenge::{Asked, AskingOpaque, Wanted},
    fault,
    service::Service,
};

/// What the answer is checked against. Kept in a row that carries the server's tag.
#[derive(Serialize, Deserialize)]
pub(super) enum Step {
    /// A passkey that is made.
    NewPasskey(Box<PasskeyRegistration>),
    /// A passkey that is shown.
    Passkey(Box<DiscoverableAuthentication>),
    /// A password that is registered.
    NewPassword,
    /// A password that is shown: OPAQUE's state, sealed.
    Password(super::bytes::Base64Url),
    /// A key that signs this nonce.
    Key(super::bytes::Exactly<32>),
    /// A wallet that signs this text.
    Wallet(String),
}

/// What is asked.
pub(super) struct Begun {
    pub step: Step,
    pub passkey: Option<Value>,
    pub opaque: Option<AskingOpaque>,
    pub message: Option<String>,
    pub nonce: Option<String>,
}

impl From<Step> for Begun {
    fn from(step: Step) -> Self {
        Self { step, passkey: None, opaque: None, message: None, nonce: None }
    }
}

/// A way to sign in that was proved and can be kept.
pub(super) struct Enrolled {
    pub account: AccountId,
    pub handle: Option<symbolon_account::Handle>,
    pub method: SignIn,
    pub subject: Vec<u8>,
    pub state: Vec<u8>,
}

/// Somebody who was recognised.
pub(super) struct Recognised {
    pub credential: Credential,
    /// The credential's state after this use.
    pub state: Vec<u8>,
}

impl<S: AccountStore> Service<S> {
    /// Makes a challenge of its method.
    ///
    /// # Errors
    /// `bad_request` where the question lacks what the method needs.
    pub async fn begin(&self, id: ChallengeId, wanted: &Wanted) -> Result<Begun, CallError> {
        let is_new = matches!(wanted.purpose, Purpose::SignUp | Purpose::Add);
        match (wanted.method, is_new) {
            (SignIn::Passkey, true) => self.make_passkey(wanted).await,
            (SignIn::Passkey, false) => self.ask_passkey(wanted).await,
            (SignIn::Password, true) => self.make_password(wanted).await,
            (SignIn::Password, false) => self.ask_password(id, wanted).await,
            (SignIn::Key, _) => Ok(self.ask_key()),
            (SignIn::Ethereum | SignIn::Solana, _) => self.ask_wallet(wanted),
        }
    }

    /// Judges the proof of a way to sign in that is to be kept.
    ///
    /// # Errors
    /// `bad_proof`, 401.
    pub async fn enrol(
        &self,
        id: ChallengeId,
        purpose: Purpose,
        (method, asked): (SignIn, Asked),
        proof: Value,
    ) -> Result<Enrolled, CallError> {
        let account = asked.account.ok_or_else(fault::challenge)?;
        let (subject, state) = match (method, asked.step) {
            (SignIn::Passkey, Step::NewPasskey(state)) => self.made_passkey(&state, proof)?,
            (SignIn::Password, Step::NewPassword) => password::made(account, proof)?,
            (SignIn::Key, Step::Key(nonce)) => {
                (self.shown_key(id, purpose, nonce, proof)?, Vec::new())
            }
            (SignIn::Ethereum | SignIn::Solana, Step::Wallet(text)) => {
                (self.shown_wallet(&text, proof)?, Vec::new())
            }
            _ => return Err(fault::challenge()),
        };
        let handle = asked.handle.as_deref().map(symbolon_account::Handle::parse).transpose();
        let handle = handle.map_err(|_| fault::challenge())?;
        Ok(Enrolled { account, handle, method, subject, state })
    }

    /// Judges the proof of somebody who has a way to sign in. Its use is written down: of two uses of one
    /// counter one stands.
    ///
    /// # Errors
    /// `bad_proof`, 401, whatever is wrong with it.
    pub async fn recognise(
        &self,
        id: ChallengeId,
        purpose: Purpose,
        (method, asked): (SignIn, Asked),
        proof: Value,
    ) -> Result<Credential, CallError> {
        let wanted = asked.account;
        let found = match (method, asked.step) {
            (SignIn::Passkey, Step::Passkey(state)) => self.shown_passkey(*state, proof).await?,
            (SignIn::Password, Step::Password(sealed)) => {
                self.shown_password(id, asked.handle.as_deref(), &sealed.0, proof).await?
            }
            (SignIn::Key, Step::Key(nonce)) => {
                let subject = self.shown_key(id, purpose, nonce, proof)?;
                self.known(method, &subject).await?
            }
            (SignIn::Ethereum | SignIn::Solana, Step::Wallet(text)) => {
                let subject = self.shown_wallet(&text, proof)?;
                self.known(method, &subject).await?
            }
            _ => return Err(fault::challenge()),
        };
        let Recognised { credential, state } = found;
        if wanted.is_some_and(|account| account != credential.account) {
            return Err(fault::proof());
        }
        let account = self.store.account(credential.account).await.map_err(fault::stored)?;
        if account.state != AccountState::Active {
            return Err(fault::proof());
        }
        let used = self.store.use_credential(credential.id, &credential.state, &state, self.now());
        match used.await {
            Ok(()) => Ok(credential),
            Err(AccountError::Conflict(_) | AccountError::Missing(_)) => Err(fault::proof()),
            Err(error) => Err(fault::stored(error)),
        }
    }

    /// Of a method whose credentials keep no state.
    async fn known(&self, method: SignIn, subject: &[u8]) -> Result<Recognised, CallError> {
        let credential = self.credential(method, subject).await?;
        Ok(Recognised { state: credential.state.clone(), credential })
    }

    async fn credential(&self, method: SignIn, subject: &[u8]) -> Result<Credential, CallError> {
        let found = self.store.credential_of(method, subject).await.map_err(fault::stored)?;
        found.ok_or_else(fault::proof)
    }
}

/// A proof as its method has it.
fn read<T: serde::de::DeserializeOwned>(proof: Value) -> Result<T, CallError> {
    serde_json::from_value(proof)
        .map_err(|cause| fault::malformed(format!("The proof has another shape: {cause}.")))
}
