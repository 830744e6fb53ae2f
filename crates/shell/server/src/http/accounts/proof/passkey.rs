//! Passkeys (WebAuthn Level 3), discoverable, with user verification and the PRF extension.

use serde_json::{Value, json};
use symbolon_account::{AccountStore, SignIn};
use symbolon_broker::CallError;
use symbolon_codec::b64url;
use symbolon_custody::prf_input;
use webauthn_rs::prelude::{
    CredentialID, DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, Uuid,
};

use super::{Begun, Recognised, Step, fault, read};
use crate::http::accounts::{challenge::Wanted, service::Service};

impl<S: AccountStore> Service<S> {
    /// Options of `navigator.credentials.create`.
    pub(super) async fn make_passkey(&self, wanted: &Wanted) -> Result<Begun, CallError> {
        let account = wanted.account.ok_or_else(fault::nobody)?;
        let known: Vec<CredentialID> = self.passkeys(wanted).await?.into_iter().collect();
        let name = wanted.handle.as_ref().map_or("Symbolon", |handle| handle.as_str());
        let user = Uuid::from_bytes(*account.as_bytes());
        let (options, state) = self
            .relying_party
            .start_passkey_registration(user, name, name, Some(known))
            .map_err(|_| fault::bug("a passkey's options"))?;
        let mut options = public_key(&options)?;
        // Without a name at sign-in the authenticator must find the passkey by itself.
        options["authenticatorSelection"]["residentKey"] = "required".into();
        options["authenticatorSelection"]["requireResidentKey"] = true.into();
        options["extensions"] = json!({ "credProps": true, "prf": prf() });
        Ok(Begun { passkey: Some(options), ..Step::NewPasskey(Box::new(state)).into() })
    }

    /// Options of `navigator.credentials.get`.
    pub(super) async fn ask_passkey(&self, wanted: &Wanted) -> Result<Begun, CallError> {
        let (options, state) = self
            .relying_party
            .start_discoverable_authentication()
            .map_err(|_| fault::bug("a passkey's options"))?;
        let mut options = public_key(&options)?;
        options["extensions"] = json!({ "prf": prf() });
        // Who is signed in has named passkeys; a sign-in names none, so that it tells nothing.
        let named = self
            .passkeys(wanted)
            .await?
            .into_iter()
            .map(|id| json!({ "type": "public-key", "id": b64url::encode(&id) }));
        options["allowCredentials"] = named.collect();
        Ok(Begun { passkey: Some(options), ..Step::Passkey(Box::new(state)).into() })
    }

    /// The passkeys of the account that asks, where it is there already.
    async fn passkeys(&self, wanted: &Wanted) -> Result<Vec<Vec<u8>>, CallError> {
        let (Some(account), Some(_)) = (wanted.account, wanted.session) else {
            return Ok(Vec::new());
        };
        let all = self.store.credentials(account).await.map_err(fault::stored)?;
        let passkeys = all.into_iter().filter(|one| one.method == SignIn::Passkey);
        Ok(passkeys.map(|one| one.subject).collect())
    }

    /// The passkey that was made: origin, relying party, challenge, flags and its own signature hold.
    pub(super) fn made_passkey(
        &self,
        state: &PasskeyRegistration,
        proof: Value,
    ) -> Result<(Vec<u8>, Vec<u8>), CallError> {
        keeps_its_secret(&proof)?;
        let made: RegisterPublicKeyCredential = read(proof)?;
        let passkey = self.relying_party.finish_passkey_registration(&made, state);
        let passkey = passkey.map_err(|_| fault::proof())?;
        Ok((passkey.cred_id().to_vec(), kept(&passkey)?))
    }

    /// The passkey that was shown, with its counter raised.
    pub(super) async fn shown_passkey(
        &self,
        state: DiscoverableAuthentication,
        proof: Value,
    ) -> Result<Recognised, CallError> {
        keeps_its_secret(&proof)?;
        let shown: PublicKeyCredential = read(proof)?;
        let credential = self.credential(SignIn::Passkey, shown.get_credential_id()).await?;
        let is_other = |user: &[u8]| user != credential.account.as_bytes();
        if shown.get_user_unique_id().is_some_and(is_other) {
            return Err(fault::proof());
        }
        let mut passkey: Passkey = serde_json::from_slice(&credential.state)
            .map_err(|_| fault::bug("a passkey that is kept"))?;
        // The counter is judged against what is kept now, not when the challenge was made.
        let result = self
            .relying_party
            .finish_discoverable_authentication_v2(&shown, state, DiscoverableKey::from(&passkey))
            .map_err(|_| fault::proof())?;
        if !result.user_verified() {
            return Err(fault::proof());
        }
        let state = match passkey.update_credential(&result) {
            Some(true) => kept(&passkey)?,
            Some(false) => credential.state.clone(),
            None => return Err(fault::proof()),
        };
        Ok(Recognised { credential, state })
    }
}

/// The members of `publicKey`.
fn public_key(options: &impl serde::Serialize) -> Result<Value, CallError> {
    let mut whole = serde_json::to_value(options).map_err(|_| fault::bug("a passkey's options"))?;
    Ok(whole["publicKey"].take())
}

fn kept(passkey: &Passkey) -> Result<Vec<u8>, CallError> {
    serde_json::to_vec(passkey).map_err(|_| fault::bug("a passkey to keep"))
}

/// PRF results open the vault, and are no business of ours: a client that sends them is refused, so that it is
/// noticed where it is written and not where it is attacked.
fn keeps_its_secret(proof: &Value) -> Result<(), CallError> {
    let results = proof.pointer("/clientExtensionResults/prf/results");
    let has_secret = results.is_some_and(|results| !results.is_null());
    if has_secret {
        return Err(fault::malformed(
            "The proof has PRF results, which open the vault: take them out of it before it is sent.",
        ));
    }
    Ok(())
}

/// The input of the PRF: one for all, as a sign-in does not know yet whose passkey will answer. Each wrap has
/// a salt of its own beside it.
fn prf() -> Value {
    json!({ "eval": { "first": b64url::encode(&prf_input().0) } })
}
