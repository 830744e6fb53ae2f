//! Sign-up and sign-in by a password that the server never sees (`specs/opaque.md`), and the device's key.

use http::{Method, header};
use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_account::{ChallengeId, SessionToken};
use symbolon_ambient::Rng;
use symbolon_codec::{Fields, b64url};
use symbolon_crypto::opaque::{
    ClientLogin, ClientRegistration, CredentialResponse, ExportKey, RegistrationResponse, ServerKey,
};
use symbolon_crypto::{SigningKey, labels};
use symbolon_custody::{OldKey, Vault, VaultId, Wrap};
use symbolon_secret::Secret;

use super::client::{Answer, By, Client};
use super::error::ClientError;

/// A sign-up that has a challenge to answer, and the password's export key.
#[derive(Debug)]
pub struct Begun {
    challenge_id: ChallengeId,
    record: String,
    /// For a wrap of the vault's data key.
    pub export_key: ExportKey,
    /// The server's key, to be pinned.
    pub server_key: ServerKey,
}

/// A session at the server, until [`Client::sign_out`].
#[derive(Debug)]
pub struct Session {
    token: SessionToken,
    /// The account's id, 32 hex digits.
    pub account: String,
}

/// What a sign-in came to.
#[derive(Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The same as at the sign-up.
    pub export_key: ExportKey,
    /// The server's key, to be pinned.
    pub server_key: ServerKey,
}

/// A vault's keys as a server has them; what it says is believed as far as the wraps open.
#[derive(Debug, Deserialize)]
pub struct VaultView {
    /// The vault.
    pub id: VaultId,
    /// Which data key it is.
    pub epoch: u32,
    /// What a change of the keys is made on.
    pub keys_version: u64,
    wraps: Vec<Wrap>,
    ring: String,
}

impl Session {
    pub(super) fn cookie(&self) -> String {
        format!("{COOKIE}={}", self.token.to_cookie())
    }

    pub(super) fn csrf(&self) -> String {
        self.token.csrf().to_header()
    }
}

impl VaultView {
    /// The wraps and the ring, as custody has them. The day that a vault was made is that of its first wrap.
    pub fn custody(self) -> Option<Vault> {
        let created = self.wraps.iter().map(Wrap::created_unix_ms).min()?;
        let ring = self.ring_keys()?;
        Vault::from_parts(self.id, created, self.wraps).ok()?.with_ring(ring).ok()
    }

    /// The list of wraps, and the old data keys.
    pub fn parts(self) -> Option<(Vec<Wrap>, Vec<OldKey>)> {
        let ring = self.ring_keys()?;
        Some((self.wraps, ring))
    }

    fn ring_keys(&self) -> Option<Vec<OldKey>> {
        let bytes = b64url::decode(&self.ring, RING_BYTES_MAX).ok()?;
        if bytes.is_empty() { Some(Vec::new()) } else { serde_json::from_slice(&bytes).ok() }
    }
}

#[derive(Deserialize)]
pub(super) struct Asking {
    pub(super) challenge_id: ChallengeId,
    opaque: Option<AskingOpaque>,
    nonce: Option<String>,
    /// What a wallet signs.
    pub(super) message: Option<String>,
}

#[derive(Deserialize)]
struct AskingOpaque {
    response: String,
    server_key: String,
}

#[derive(Deserialize)]
struct SessionView {
    account: String,
}

impl Client {
    /// Registers a password. Takes as long as Argon2id does.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn begin_sign_up(
        &mut self,
        handle: &str,
        password: &Secret<[u8]>,
        pinned: Option<ServerKey>,
        rng: &dyn Rng,
    ) -> Result<Begun, ClientError> {
        let (registration, request) = ClientRegistration::start(password, rng)?;
        let asked = self.challenge("sign-up", handle, &request.to_bytes()).await?;
        let (challenge_id, response, shown) = self.opaque(asked)?;
        let server_key = pinned.unwrap_or(shown);
        let response = RegistrationResponse::from_bytes(&response)?;
        let made = registration.finish(password, &response, &server_key, rng)?;
        let record = b64url::encode(&made.upload.to_bytes());
        Ok(Begun { challenge_id, record, export_key: made.export_key, server_key })
    }

    /// Makes the account. `vault` is what `POST /api/account` takes of it.
    ///
    /// # Errors
    /// [`ClientError`]; `exists` where the handle is somebody's.
    pub async fn sign_up(&mut self, begun: &Begun, vault: &Value) -> Result<Session, ClientError> {
        let body = json!({
            "challenge_id": begun.challenge_id, "proof": { "record": begun.record },
            "vault": vault,
        });
        let answer = self.send(By::Nobody, Method::POST, "/api/account", &body).await?;
        self.session(&answer)
    }

    /// Signs in. Takes as long as Argon2id does.
    ///
    /// # Errors
    /// [`ClientError::Opaque`] for a wrong password, a handle that nobody has, and a server with another
    /// key than the pinned one.
    pub async fn sign_in(
        &mut self,
        handle: &str,
        password: &Secret<[u8]>,
        pinned: Option<ServerKey>,
        rng: &dyn Rng,
    ) -> Result<SignedIn, ClientError> {
        let (login, request) = ClientLogin::start(password, rng)?;
        let asked = self.challenge("sign-in", handle, &request.to_bytes()).await?;
        let (challenge_id, response, shown) = self.opaque(asked)?;
        let server_key = pinned.unwrap_or(shown);
        let response = CredentialResponse::from_bytes(&response)?;
        let done = login.finish(password, &response, &server_key, rng)?;
        let finalization = b64url::encode(&done.finalization.to_bytes());
        let body =
            json!({ "challenge_id": challenge_id, "proof": { "finalization": finalization } });
        let answer = self.send(By::Nobody, Method::POST, "/api/session", &body).await?;
        Ok(SignedIn { session: self.session(&answer)?, export_key: done.export_key, server_key })
    }

    /// Registers this device's key as a way to sign requests.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn add_key(
        &mut self,
        session: &Session,
        key: &SigningKey,
        name: &str,
    ) -> Result<(), ClientError> {
        let ask = json!({ "purpose": "add", "method": "key" });
        let answer =
            self.send(By::Session(session), Method::POST, "/api/account/challenge", &ask).await?;
        let asked: Asking = self.json(&answer)?;
        let nonce = asked.nonce.and_then(|nonce| b64url::decode(&nonce, 32).ok());
        let nonce = nonce.filter(|nonce| nonce.len() == 32);
        let nonce = nonce.ok_or_else(|| self.other("a challenge without a nonce".into()))?;
        let signed = Fields::new(labels::KEY_PROOF.as_str())
            .bytes(asked.challenge_id.as_bytes())
            .str("add")
            .str(&self.url().to_string())
            .bytes(&nonce)
            .finish();
        let proof = json!({
            "public_key": b64url::encode(key.verifying_key().as_bytes()),
            "signature": b64url::encode(&key.sign(&signed)),
        });
        let body = json!({ "challenge_id": asked.challenge_id, "proof": proof, "name": name });
        let by = By::Session(session);
        self.send(by, Method::POST, "/api/account/credentials", &body).await.map(drop)
    }

    /// The vault's keys.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn vault(&mut self, by: By<'_>) -> Result<VaultView, ClientError> {
        self.get(by, "/api/vault").await
    }

    /// Deletes the account of a session, with everything that the server keeps of it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete_account(&mut self, session: &Session) -> Result<(), ClientError> {
        self.ask(By::Session(session), Method::DELETE, "/api/account", None).await.map(drop)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn sign_out(&mut self, session: Session) -> Result<(), ClientError> {
        self.ask(By::Session(&session), Method::DELETE, "/api/session", None).await.map(drop)
    }

    async fn challenge(
        &mut self,
        purpose: &str,
        handle: &str,
        request: &[u8],
    ) -> Result<Asking, ClientError> {
        let ask = json!({
            "purpose": purpose, "method": "password", "handle": handle,
            "opaque": { "request": b64url::encode(request) },
        });
        let target = "/api/account/challenge";
        let answer = self.send(By::Nobody, Method::POST, target, &ask).await?;
        self.json(&answer)
    }

    fn opaque(&self, asked: Asking) -> Result<(ChallengeId, Vec<u8>, ServerKey), ClientError> {
        let missing = || self.other("a challenge without OPAQUE".into());
        let opaque = asked.opaque.ok_or_else(missing)?;
        let response =
            b64url::decode(&opaque.response, MESSAGE_BYTES_MAX).map_err(|_| missing())?;
        Ok((asked.challenge_id, response, ServerKey::from_hex(&opaque.server_key)?))
    }

    pub(super) fn session(&self, answer: &Answer) -> Result<Session, ClientError> {
        let cookies = answer.headers.get_all(header::SET_COOKIE).iter();
        let mut tokens = cookies.filter_map(|value| {
            let pair = value.as_bytes().split(|b| *b == b';').next()?;
            SessionToken::read(pair.strip_prefix(COOKIE.as_bytes())?.strip_prefix(b"=")?)
        });
        let token = tokens.next().ok_or_else(|| self.other("no session".into()))?;
        let view: SessionView = self.json(answer)?;
        Ok(Session { token, account: view.account })
    }
}

const COOKIE: &str = "__Host-symbolon";
/// KE2 has 320 bytes.
const MESSAGE_BYTES_MAX: usize = 512;
const RING_BYTES_MAX: usize = 64 << 10;
