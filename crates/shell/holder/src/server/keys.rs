//! What a key's holder, and who issued it, ask of a server and a service (`specs/pzk-auth.md`).

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use symbolon_ambient::{Clock, Rng, SystemClock};
use symbolon_codec::b64url;
use symbolon_crypto::oprf::OprfError;
use symbolon_crypto::schnorr::Point;
use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_possession::token::{Jwk, Scopes};
use symbolon_possession::{
    Act, Audience, Domain, Enrolling, KeyAccount, NONCE_BYTES, PossessedKey, Purpose, Statement,
    StrongKey,
};
use symbolon_secret::Secret;

use super::client::{Answer, By, Client};
use super::error::ClientError;
use super::url::ServerUrl;
use crate::possession::{KeyCard, OpenKey};

/// A service, as it says of itself who issues tokens for it (RFC 9728).
#[derive(Debug, Clone)]
pub struct RelyingService {
    /// Who issues tokens.
    pub issuer: ServerUrl,
    /// What a key is derived for.
    pub domain: Domain,
}

/// A token.
#[derive(Deserialize)]
pub struct Token {
    /// The JWT.
    pub access_token: String,
    /// `DPoP`.
    pub token_type: String,
    /// How long it is good, in seconds.
    pub expires_in: u64,
    /// What it is good for.
    pub scope: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token({})", self.scope)
    }
}

/// A device of a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeviceRow {
    /// Its id.
    pub id: String,
    /// What its holder calls it.
    pub name: String,
    /// When it was enrolled, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When it last logged in, in Unix milliseconds.
    pub used_unix_ms: Option<u64>,
    /// When it was removed, in Unix milliseconds.
    pub revoked_unix_ms: Option<u64>,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFailure {
    /// The server, or the service.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The service's own words are none, or of another service.
    #[error("{service} does not say who checks its keys ({what})")]
    Metadata {
        /// The service.
        service: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The server says other names than the service did.
    #[error("the server speaks for {found}, and the service is {expected}")]
    OtherService {
        /// What the service said.
        expected: String,
        /// What the server said.
        found: String,
    },
    /// The server's step of enrolment.
    #[error("the server's answer is not one of the protocol: {0}")]
    Oprf(#[from] OprfError),
}

#[derive(Deserialize)]
struct Metadata {
    resource: String,
    authorization_servers: Vec<String>,
    symbolon_service: String,
}

#[derive(Deserialize)]
struct Element {
    element: String,
}

#[derive(Deserialize)]
struct Challenge {
    nonce: String,
    issuer: String,
    audience: String,
    channel: bool,
}

#[derive(Deserialize)]
struct Enrolled {
    device: String,
    key: String,
    key_name: String,
    scopes: String,
}

#[derive(Deserialize)]
struct Devices {
    devices: Vec<DeviceRow>,
}

#[derive(Deserialize)]
struct Registered {
    id: String,
}

impl RelyingService {
    /// Asks a service who issues tokens for it.
    ///
    /// # Errors
    /// [`KeyFailure::Metadata`] also where it speaks for another address.
    pub async fn discover(audience: &Audience, account: KeyAccount) -> Result<Self, KeyFailure> {
        let wrong = |what| KeyFailure::Metadata { service: audience.to_string(), what };
        let url: ServerUrl = audience.as_str().parse().map_err(|_| wrong("its address"))?;
        let mut client = Client::new(url);
        let says: Metadata = client.get(By::Nobody, METADATA_PATH).await?;
        if says.resource != audience.as_str() {
            return Err(wrong("it speaks for another address"));
        }
        let [issuer] = says.authorization_servers.as_slice() else {
            return Err(wrong("it names no server, or several"));
        };
        let issuer: ServerUrl = issuer.parse().map_err(|_| wrong("its server has no address"))?;
        let service = says.symbolon_service.parse().map_err(|_| wrong("it has no id"))?;
        let audience = audience.clone();
        let domain = Domain { issuer: issuer.to_string(), service, audience, account };
        Ok(Self { issuer, domain })
    }

    /// Of a key that was enrolled.
    ///
    /// # Errors
    /// [`KeyFailure::Metadata`] where its file names none.
    pub fn of(card: &KeyCard) -> Result<Self, KeyFailure> {
        Ok(Self { issuer: card.issuer.clone(), domain: domain(card)? })
    }

    /// Makes a key's scalar, with the server's help and without its knowledge.
    ///
    /// # Errors
    /// [`KeyFailure`].
    pub async fn derive(
        &self,
        client: &mut Client,
        key: &StrongKey,
        rng: &dyn Rng,
    ) -> Result<PossessedKey, KeyFailure> {
        let enrolling = Enrolling::start(key, rng)?;
        let service = self.domain.service.to_string();
        let element = b64url::encode(enrolling.element());
        let body = json!({ "service": service, "element": element });
        let answer = client.send(By::Nobody, Method::POST, "/api/keys/oprf", &body).await?;
        let answer: Element = client.json(&answer)?;
        let evaluated = b64url::decode(&answer.element, 32).ok();
        let evaluated = evaluated.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let evaluated = evaluated.ok_or(OprfError::Malformed)?;
        Ok(enrolling.finish(key, &evaluated, &self.domain)?)
    }

    /// Enrols this device for a key.
    ///
    /// # Errors
    /// [`KeyFailure`].
    pub async fn enrol(
        &self,
        client: &mut Client,
        possessed: &PossessedKey,
        device: &SigningKey,
        name: &str,
        rng: &dyn Rng,
    ) -> Result<KeyCard, KeyFailure> {
        let proving = Proving { domain: &self.domain, possessed, device };
        let about = (Purpose::Enrol, Scopes::default(), Act::Name(name.to_owned()));
        let public = b64url::encode(device.verifying_key().as_bytes());
        let account = self.domain.account.as_str();
        let body = json!({ "service": self.domain.service.to_string(), "account": account,
            "point": b64url::encode(possessed.point().as_bytes()), "device": public, "name": name });
        let answer = proving.send(client, "/api/keys/enrol", about, body, rng).await?;
        let enrolled: Enrolled = client.json(&answer)?;
        Ok(KeyCard {
            audience: self.domain.audience.to_string(),
            account: account.to_owned(),
            issuer: self.issuer.clone(),
            service: self.domain.service.to_string(),
            key_name: enrolled.key_name,
            key: enrolled.key,
            device: enrolled.device,
            device_name: name.to_owned(),
            scopes: enrolled.scopes,
            public,
            enrolled_unix_ms: SystemClock.unix_ms(),
            sealed: String::new(),
        })
    }

    /// Registers a key that the service issued, by its point, with the service's secret.
    ///
    /// # Errors
    /// [`KeyFailure`].
    pub async fn register(
        &self,
        client: &mut Client,
        secret: &Secret<[u8]>,
        point: &Point,
        name: &str,
        scopes: &str,
    ) -> Result<String, KeyFailure> {
        let point = b64url::encode(point.as_bytes());
        let body = json!({ "point": point, "account": self.domain.account.as_str(), "name": name,
            "scopes": scopes });
        let by = By::Service(secret);
        let answer = client.send(by, Method::POST, "/api/keys/points", &body).await?;
        let registered: Registered = client.json(&answer)?;
        Ok(registered.id)
    }
}

/// What proves.
struct Proving<'a> {
    domain: &'a Domain,
    possessed: &'a PossessedKey,
    device: &'a SigningKey,
}

impl Proving<'_> {
    /// A fresh nonce, and the statement with it.
    async fn stated(
        &self,
        client: &mut Client,
        purpose: Purpose,
        scopes: Scopes,
        act: Act,
    ) -> Result<Statement, KeyFailure> {
        let device: VerifyingKey = self.device.verifying_key();
        let body = json!({ "service": self.domain.service.to_string(),
            "device": b64url::encode(device.as_bytes()) });
        let answer = client.send(By::Nobody, Method::POST, "/api/keys/challenge", &body).await?;
        let asked: Challenge = client.json(&answer)?;
        let (expected, found) = (self.domain.audience.as_str(), asked.audience);
        if found != expected || asked.issuer != self.domain.issuer {
            let expected = expected.to_owned();
            return Err(KeyFailure::OtherService { expected, found });
        }
        let nonce = b64url::decode(&asked.nonce, NONCE_BYTES).ok();
        let nonce = nonce.and_then(|bytes| <[u8; NONCE_BYTES]>::try_from(bytes).ok());
        let nonce = nonce.ok_or_else(|| client.other("a nonce".to_owned()))?;
        let channel = client.channel().filter(|_| asked.channel);
        let domain = self.domain.clone();
        Ok(Statement { purpose, domain, nonce, device, scopes, channel, act })
    }

    /// Proves what `about` says, and sends it as `signed` in this body; once more where the connection ended that the
    /// first proof was for.
    async fn send(
        &self,
        client: &mut Client,
        target: &str,
        about: (Purpose, Scopes, Act),
        mut body: serde_json::Value,
        rng: &dyn Rng,
    ) -> Result<Answer, KeyFailure> {
        let mut is_last = false;
        loop {
            let (purpose, scopes, act) = about.clone();
            let statement = self.stated(client, purpose, scopes, act).await?;
            let proof = self.possessed.prove(&statement, self.device, rng);
            body["signed"] = as_json(&statement, &proof.schnorr, &proof.signature);
            match client.send(By::Nobody, Method::POST, target, &body).await {
                Err(error) if !is_last && is_again(&error, client, &statement) => is_last = true,
                answer => return Ok(answer?),
            }
        }
    }
}

/// Whether another proof, for another connection, may be taken where this one was not.
///
/// A proof with a channel is good on its connection alone, and a server closes one that is idle: then what was sent on
/// the next is refused for its signature, and nothing was done. Where no answer came at all it may have been done, so
/// only what may be done twice is: another token, the same device enrolled.
fn is_again(error: &ClientError, client: &Client, statement: &Statement) -> bool {
    let is_elsewhere = statement.channel.is_some() && client.channel() != statement.channel;
    let may_be_twice = matches!(statement.purpose, Purpose::Login | Purpose::Enrol);
    match error {
        ClientError::Unreachable { .. } => may_be_twice,
        error => is_elsewhere && error.is_code("device_signature"),
    }
}

impl OpenKey {
    fn proving<'a>(&'a self, domain: &'a Domain) -> Proving<'a> {
        Proving { domain, possessed: &self.possessed, device: &self.device }
    }

    /// Proves the key, and has a token for it.
    ///
    /// # Errors
    /// [`KeyFailure`].
    pub async fn log_in(
        &self,
        client: &mut Client,
        card: &KeyCard,
        scopes: &Scopes,
        rng: &dyn Rng,
    ) -> Result<Token, KeyFailure> {
        let domain = domain(card)?;
        let proving = self.proving(&domain);
        let about = (Purpose::Login, scopes.clone(), Act::None);
        let body = json!({ "device": card.device, "scope": scopes.as_str() });
        let answer = proving.send(client, "/api/keys/login", about, body, rng).await?;
        Ok(client.json(&answer)?)
    }

    /// Lists the key's devices, removes one, or revokes the key: `list`, `remove DEVICE`, `revoke`.
    ///
    /// # Errors
    /// [`KeyFailure`].
    pub async fn manage(
        &self,
        client: &mut Client,
        card: &KeyCard,
        act: &str,
        rng: &dyn Rng,
    ) -> Result<Vec<DeviceRow>, KeyFailure> {
        let domain = domain(card)?;
        let about = (Purpose::Manage, Scopes::default(), Act::Words(act.to_owned()));
        let body = json!({ "device": card.device, "act": act });
        let proving = self.proving(&domain);
        let answer = proving.send(client, "/api/keys/manage", about, body, rng).await?;
        let devices: Devices = client.json(&answer)?;
        Ok(devices.devices)
    }

    /// Puts a new key in this one's place, both proven.
    ///
    /// # Errors
    /// [`KeyFailure`].
    pub async fn rotate(
        &self,
        client: &mut Client,
        card: &KeyCard,
        new: &PossessedKey,
        rng: &dyn Rng,
    ) -> Result<(), KeyFailure> {
        let domain = domain(card)?;
        let (old_point, new_point) = (self.possessed.point(), new.point());
        let act = Act::Point(*new_point.as_bytes());
        let proving = self.proving(&domain);
        let mut is_last = false;
        loop {
            let scopes = Scopes::default();
            let rotate = proving.stated(client, Purpose::Rotate, scopes, act.clone()).await?;
            let replace = Statement {
                purpose: Purpose::Replace,
                act: Act::Point(*old_point.as_bytes()),
                ..rotate.clone()
            };
            let proof = self.possessed.prove_rotation(new, &rotate, &replace, &self.device, rng);
            let body = json!({ "device": card.device, "point": b64url::encode(new_point.as_bytes()),
                "signed": as_json(&rotate, &proof.old, &proof.signature),
                "new_proof": b64url::encode(&proof.new) });
            match client.send(By::Nobody, Method::POST, "/api/keys/rotate", &body).await {
                Err(error) if !is_last && is_again(&error, client, &rotate) => is_last = true,
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The key that this device's tokens are bound to.
    pub fn jwk(&self) -> Option<Jwk> {
        Jwk::from_bytes(self.device.verifying_key().as_bytes()).ok()
    }
}

fn domain(card: &KeyCard) -> Result<Domain, KeyFailure> {
    let what = "this device's file of it";
    let service = card.audience.clone();
    crate::possession::domain(card).ok_or(KeyFailure::Metadata { service, what })
}

fn as_json(statement: &Statement, proof: &[u8], signature: &[u8]) -> serde_json::Value {
    json!({ "nonce": b64url::encode(&statement.nonce), "proof": b64url::encode(proof),
        "signature": b64url::encode(signature), "channel": statement.channel.is_some() })
}

const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

#[cfg(test)]
mod tests;
