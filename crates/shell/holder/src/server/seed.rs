//! Sign-up and sign-in by a seed phrase: as the Ethereum wallet that it is for (`specs/wallet.md`).

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_account::siwe::{Account, Message};
use symbolon_ambient::{Clock, Rng};
use symbolon_codec::b64url;
use symbolon_crypto::Seed;
use symbolon_crypto::ethereum::personal_message_digest;
use symbolon_custody::{Chain, Enrol, Origin, WrapError};

use super::client::{By, Client};
use super::error::ClientError;
use super::sign_in::{Asking, Session};
use super::sync::SyncFailure;
use super::url::ServerUrl;
use crate::card::{CARD, Card};
use crate::error::HolderError;
use crate::open::OpenVault;

impl Client {
    /// Makes an account that a seed phrase signs in to. `vault` is what `POST /api/account` takes of it.
    ///
    /// # Errors
    /// [`ClientError`]; `exists` where the handle or the wallet is somebody's.
    pub async fn sign_up_by_seed(
        &mut self,
        handle: &str,
        seed: &Seed,
        vault: &Value,
    ) -> Result<Session, ClientError> {
        let ask = json!({
            "purpose": "sign-up", "method": "ethereum", "address": address(seed), "handle": handle,
        });
        let mut body = self.answered(By::Nobody, "/api/account/challenge", &ask, seed).await?;
        body["vault"] = vault.clone();
        let answer = self.send(By::Nobody, Method::POST, "/api/account", &body).await?;
        self.session(&answer)
    }

    /// Signs in by a seed phrase.
    ///
    /// # Errors
    /// [`ClientError`]; `bad_proof` where no account has the phrase's wallet.
    pub async fn sign_in_by_seed(&mut self, seed: &Seed) -> Result<Session, ClientError> {
        let ask = json!({ "purpose": "sign-in", "method": "ethereum", "address": address(seed) });
        let body = self.answered(By::Nobody, "/api/account/challenge", &ask, seed).await?;
        let answer = self.send(By::Nobody, Method::POST, "/api/session", &body).await?;
        self.session(&answer)
    }

    /// Has a seed phrase sign in to the account of a session.
    ///
    /// # Errors
    /// [`ClientError`]; `exists` where its wallet signs in to an account already.
    async fn add_seed(&mut self, session: &Session, seed: &Seed) -> Result<(), ClientError> {
        let by = By::Session(session);
        let ask = json!({ "purpose": "add", "method": "ethereum", "address": address(seed) });
        let mut body = self.answered(by, "/api/account/challenge", &ask, seed).await?;
        body["name"] = "Seed phrase".into();
        self.send(by, Method::POST, "/api/account/credentials", &body).await.map(drop)
    }

    /// Whether a seed phrase signs in to the account of a session.
    async fn has_seed(&mut self, session: &Session, seed: &Seed) -> Result<bool, ClientError> {
        let own: Credentials = self.get(By::Session(session), "/api/account/credentials").await?;
        let subject = b64url::encode(seed.ethereum_key().address().as_bytes());
        let is_seed =
            |it: &Credential| it.method == "ethereum" && it.subject.as_deref() == Some(&*subject);
        Ok(own.credentials.iter().any(is_seed))
    }

    /// A challenge, and the answer to it.
    async fn answered(
        &mut self,
        by: By<'_>,
        target: &str,
        ask: &Value,
        seed: &Seed,
    ) -> Result<Value, ClientError> {
        let answer = self.send(by, Method::POST, target, ask).await?;
        let asked: Asking = self.json(&answer)?;
        let text = asked.message.unwrap_or_default();
        if !is_sign_in(&text, self.url(), seed) {
            return Err(self.other("a message that is no sign-in at this server".into()));
        }
        let signed = seed.ethereum_key().sign(&personal_message_digest(text.as_bytes()));
        // EXPOSE: this signature is the proof that the server is sent; it opens nothing.
        let signature = b64url::encode(signed.expose());
        Ok(json!({ "challenge_id": asked.challenge_id, "proof": { "signature": signature } }))
    }
}

impl OpenVault {
    /// Adds the wallet of a seed phrase as a way to open the vault. The vault is on this device alone.
    ///
    /// # Errors
    /// [`HolderError`]; nothing has changed then.
    pub fn add_seed(
        &mut self,
        seed: &Seed,
        (rng, clock): (&dyn Rng, &dyn Clock),
    ) -> Result<(), HolderError> {
        let origin = no_server();
        let enrol = Enrol::seed(&origin, seed, Chain::Ethereum);
        let change = self.card.custody.add_wrap(&self.unlocked, &enrol, rng, clock)?;
        let card = Card { custody: change.vault, ..self.card.clone() };
        self.folder.write(CARD, &card.encode())?;
        self.card = card;
        Ok(())
    }

    /// Adds the wallet of a seed phrase as a way to open the vault and to sign in, everywhere. The wrap is
    /// put beside those that the server has, so that what was removed there does not come back; then the
    /// wallet signs in. A run that is cut short between is finished by the next.
    ///
    /// # Errors
    /// [`SyncFailure`]; [`WrapError::Full`].
    pub async fn send_seed(
        &mut self,
        client: &mut Client,
        session: &Session,
        seed: &Seed,
        (rng, clock): (&dyn Rng, &dyn Clock),
    ) -> Result<(), SyncFailure> {
        let base = client.vault(By::Session(session)).await?;
        let base_version = base.keys_version;
        let unknown = || client.other("wraps that are of no known form".into());
        let (mut theirs, ring) = base.parts().ok_or_else(unknown)?;
        let known = self.card.with_wraps(theirs.clone(), ring.clone());
        let mut card = known.ok_or_else(|| HolderError::Wrap(WrapError::OldEpoch))?;
        let origin = client.url().origin();
        let origin = origin.map_err(|error| client.other(error.to_string()))?;
        let enrol = Enrol::seed(&origin, seed, Chain::Ethereum);
        let change = card.custody.add_wrap(&self.unlocked, &enrol, rng, clock);
        let change = change.map_err(HolderError::from)?;
        card.custody = change.vault;
        theirs.extend(change.inserted);
        // INFALLIBLE: a list of numbers and strings has a JSON form.
        let ring = serde_json::to_vec(&ring).expect("a ring has a JSON form");
        let body = json!({
            "base_version": base_version, "wraps": theirs, "ring": b64url::encode(&ring),
        });
        let by = By::Session(session);
        client.send(by, Method::PUT, "/api/vault/wraps", &body).await?;
        self.folder.write(CARD, &card.encode())?;
        self.card = card;
        match client.add_seed(session, seed).await {
            // A run before this one came as far as here, or the wallet is of another account.
            Err(error) if error.is_code("exists") && client.has_seed(session, seed).await? => {
                Ok(())
            }
            done => Ok(done?),
        }
    }
}

#[derive(Deserialize)]
struct Credentials {
    credentials: Vec<Credential>,
}

#[derive(Deserialize)]
struct Credential {
    method: String,
    subject: Option<String>,
}

/// Where the wallet of a seed phrase would be asked for a vault that no server keeps.
pub fn no_server() -> Origin {
    // INFALLIBLE: it is one of the origins that custody names.
    "http://localhost".parse().expect("an origin")
}

fn address(seed: &Seed) -> String {
    seed.ethereum_key().address().to_string()
}

/// Whether a text is a sign-in of this wallet at this server, and not a request for a key.
fn is_sign_in(text: &str, server: &ServerUrl, seed: &Seed) -> bool {
    Message::parse(text).is_ok_and(|message| {
        let fields = message.fields();
        fields.domain == server.authority()
            && fields.uri == server.to_string()
            && fields.account == Account::Ethereum(seed.ethereum_key().address())
    })
}

#[cfg(test)]
mod tests {
    use symbolon_account::siwe::{Fields, Moment};
    use symbolon_custody::{KeyDerivation, Origin};
    use symbolon_secret::Secret;

    use super::*;

    fn seed(words: &[u8]) -> Seed {
        let page = |bytes: &[u8]| {
            Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes))
        };
        Seed::parse(&page(words), &page(b"")).expect("a phrase")
    }

    fn message(authority: &str, uri: &str, account: Account) -> String {
        let fields = Fields {
            scheme: Some("https".into()),
            domain: authority.into(),
            account,
            statement: Some("Sign in.".into()),
            uri: uri.into(),
            chain_id: "1".into(),
            nonce: "0123456789abcdef".into(),
            issued_at: Moment::from_unix_ms(1_800_000_000_000),
            expiration_time: None,
            not_before: None,
            request_id: None,
            resources: Vec::new(),
        };
        Message::make(fields).expect("a message").text().to_owned()
    }

    #[test]
    fn nothing_is_signed_but_a_sign_in_of_this_wallet_at_this_server() {
        let own = seed(b"test test test test test test test test test test test junk");
        let other = seed(
            b"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
        );
        let server: ServerUrl = "https://vault.example".parse().unwrap();
        let account = Account::Ethereum(own.ethereum_key().address());
        let good = message("vault.example", "https://vault.example", account);
        assert!(is_sign_in(&good, &server, &own));
        assert!(!is_sign_in(&good, &server, &other));
        for (authority, uri) in
            [("evil.example", "https://vault.example"), ("vault.example", "https://evil.example")]
        {
            assert!(!is_sign_in(&message(authority, uri, account), &server, &own));
        }
        let origin: Origin = "https://vault.example".parse().unwrap();
        let asked = KeyDerivation { origin: &origin, vault: [7; 16].into() };
        for text in [asked.solana_message(), asked.ethereum_json(), String::new()] {
            assert!(!is_sign_in(&text, &server, &own), "a key's request would be signed");
        }
    }
}
