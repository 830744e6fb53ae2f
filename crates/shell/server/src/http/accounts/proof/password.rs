//! Passwords by OPAQUE (RFC 9807): the server has a record, and never the password.

use serde::Deserialize;
use serde_json::Value;
use symbolon_account::{AccountId, AccountStore, ChallengeId, Credential, Handle, SignIn};
use symbolon_ambient::SystemRng;
use symbolon_broker::CallError;
use symbolon_crypto::opaque::{
    CredentialFinalization, CredentialRequest, OpaqueError, RegistrationRequest,
    RegistrationUpload, ServerLogin,
};

use super::{super::bytes::Base64Url, Begun, Recognised, Step, fault, read};
use crate::http::accounts::{
    challenge::{AskingOpaque, Wanted},
    service::Service,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPasswordProof {
    record: Base64Url,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordProof {
    finalization: Base64Url,
}

impl<S: AccountStore> Service<S> {
    /// RegistrationResponse.
    pub(super) async fn make_password(&self, wanted: &Wanted) -> Result<Begun, CallError> {
        let handle = self.handle(wanted).await?;
        let request = RegistrationRequest::from_bytes(asked(wanted)?).map_err(protocol)?;
        let response = self.opaque.start_registration(&request, handle.as_str().as_bytes());
        let response = response.map_err(protocol)?.to_bytes().to_vec();
        Ok(Begun { opaque: Some(self.asking(response)), ..Step::NewPassword.into() })
    }

    /// CredentialResponse. Where nobody has the name, it comes of the same look-ups and the same work.
    pub(super) async fn ask_password(
        &self,
        id: ChallengeId,
        wanted: &Wanted,
    ) -> Result<Begun, CallError> {
        let handle = self.handle(wanted).await?;
        let request = CredentialRequest::from_bytes(asked(wanted)?).map_err(protocol)?;
        let record = match self.password_of(&handle).await? {
            Some(kept) => Some(
                RegistrationUpload::from_bytes(&kept.state)
                    .map_err(|_| fault::bug("a password's record"))?,
            ),
            None => None,
        };
        let name = handle.as_str().as_bytes();
        let started = self.opaque.start_login(record.as_ref(), &request, name, &SystemRng);
        let (login, response) = started.map_err(protocol)?;
        let state = login.to_secret().map_err(protocol)?;
        let sealed = self.key.seal_challenge(id, &state, &*self.rng);
        let step = Step::Password(Base64Url(sealed));
        Ok(Begun { opaque: Some(self.asking(response.to_bytes().to_vec())), ..step.into() })
    }

    /// Whoever sent this knows the password of the name.
    pub(super) async fn shown_password(
        &self,
        id: ChallengeId,
        handle: Option<&str>,
        sealed: &[u8],
        proof: Value,
    ) -> Result<Recognised, CallError> {
        let PasswordProof { finalization } = read(proof)?;
        let finalization =
            CredentialFinalization::from_bytes(&finalization.0).map_err(|_| fault::proof())?;
        let state = self.key.open_challenge(id, sealed).map_err(|_| fault::challenge())?;
        let login = ServerLogin::from_secret(&state).map_err(protocol)?;
        login.finish(&finalization).map_err(|_| fault::proof())?;
        let handle = Handle::parse(handle.unwrap_or_default()).map_err(|_| fault::proof())?;
        let credential = self.password_of(&handle).await?.ok_or_else(fault::proof)?;
        Ok(Recognised { state: credential.state.clone(), credential })
    }

    fn asking(&self, response: Vec<u8>) -> AskingOpaque {
        let server_key = self.opaque.public_key().to_string();
        AskingOpaque { response: Base64Url(response), server_key }
    }

    /// The name that was sent, or the name of who is signed in.
    async fn handle(&self, wanted: &Wanted) -> Result<Handle, CallError> {
        let (Some(account), Some(_)) = (wanted.account, wanted.session) else {
            let missing = || fault::malformed("A password needs a handle.");
            return wanted.handle.clone().ok_or_else(missing);
        };
        let own = self.store.account(account).await.map_err(fault::stored)?.handle;
        let own = own.ok_or_else(|| {
            fault::malformed("This account has no handle, and a password is given with one.")
        })?;
        match &wanted.handle {
            Some(other) if *other != own => {
                Err(fault::malformed("The handle is not this account's."))
            }
            _ => Ok(own),
        }
    }

    /// Two look-ups, also where the first finds nothing: their number tells nobody whether a name is taken.
    async fn password_of(&self, handle: &Handle) -> Result<Option<Credential>, CallError> {
        let account = self.store.account_of(handle).await.map_err(fault::stored)?;
        let nobody = || AccountId::make(&*self.rng);
        let subject = account.as_ref().map_or_else(nobody, |account| account.id);
        let found = self.store.credential_of(SignIn::Password, subject.as_bytes()).await;
        found.map_err(fault::stored)
    }
}

/// The record of a password that was registered.
pub(super) fn made(account: AccountId, proof: Value) -> Result<(Vec<u8>, Vec<u8>), CallError> {
    let NewPasswordProof { record } = read(proof)?;
    let record = RegistrationUpload::from_bytes(&record.0).map_err(protocol)?;
    Ok((account.as_bytes().to_vec(), record.to_bytes().to_vec()))
}

fn asked(wanted: &Wanted) -> Result<&[u8], CallError> {
    let missing = || fault::malformed("A password needs opaque.request.");
    wanted.opaque.as_deref().ok_or_else(missing)
}

fn protocol(error: OpaqueError) -> CallError {
    match error {
        OpaqueError::NoPage | OpaqueError::Memory => fault::bug("OPAQUE has no memory"),
        error => fault::malformed(format!("OPAQUE: {error}.")),
    }
}
