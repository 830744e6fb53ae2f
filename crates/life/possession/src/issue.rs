//! Tokens of a server.

use symbolon_ambient::Rng;
use symbolon_crypto::SigningKey;
use symbolon_token::{
    Claims, Confirmation, Expected, Jwk, Jwks, Scopes, TokenError, VerifiedToken, compact, verify,
};

use crate::key::thumbprint;
use crate::{ApiKey, Device, Possessed, Purpose, Service, TokenId};

/// Signs the tokens of one server.
#[derive(Debug)]
pub struct TokenSigner {
    key: SigningKey,
    public: Option<Jwk>,
    kid: String,
    issuer: String,
}

/// A token, for its one way out, and what it says.
pub struct Issued {
    /// The token.
    pub text: String,
    /// What it says.
    pub claims: Claims,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Issued").field(&self.claims).finish()
    }
}

impl TokenSigner {
    pub(crate) fn new(key: SigningKey, issuer: &str) -> Self {
        let public = Jwk::from_bytes(key.verifying_key().as_bytes()).ok();
        let kid = public.map(|jwk| jwk.thumbprint()).unwrap_or_default();
        Self { key, public, kid, issuer: issuer.to_owned() }
    }

    /// The server's origin, which its tokens name.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What tokens are checked by.
    pub fn jwks(&self) -> Jwks {
        Jwks { keys: self.public.into_iter().collect() }
    }

    /// A token for what was proven at a login. The evidence is used up. None where it is of another purpose, of
    /// another device, or asks for what the key may not.
    pub fn issue(
        &self,
        possessed: Possessed,
        service: &Service,
        key: &ApiKey,
        device: &Device,
        now_unix_ms: u64,
        rng: &dyn Rng,
    ) -> Option<Issued> {
        let is_of_these = possessed.purpose() == Purpose::Login
            && *possessed.device() == device.public
            && device.key == key.id
            && key.service == service.id;
        let asked: &Scopes = possessed.scopes();
        if !is_of_these || asked.is_empty() || !asked.is_within(&key.scopes) {
            return None;
        }
        let mut id = [0; 16];
        rng.fill(&mut id);
        let iat = now_unix_ms / 1000;
        let account = key.account.as_str();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: service.audience.as_str().to_owned(),
            sub: key.id.to_string(),
            client_id: key.id.to_string(),
            account: (!account.is_empty()).then(|| account.to_owned()),
            service: service.id.to_string(),
            device: device.id.to_string(),
            scope: asked.clone(),
            iat,
            exp: iat + service.token_seconds,
            jti: TokenId::from(id).to_string(),
            cnf: Confirmation { jkt: thumbprint(&device.public) },
            proof: possessed.proof_hash().to_owned(),
        };
        let input = claims.signing_input(&self.kid);
        let signature = self.key.sign(input.as_bytes());
        Some(Issued { text: compact(input, &signature), claims })
    }

    /// Reads one of this server's own tokens again, for a service.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read(
        &self,
        text: &str,
        service: &Service,
        now_unix_ms: u64,
    ) -> Result<VerifiedToken, TokenError> {
        let expected = Expected {
            issuer: &self.issuer,
            audience: service.audience.as_str(),
            service: &service.id.to_string(),
        };
        verify(text, self.public.as_slice(), &expected, now_unix_ms / 1000)
    }
}
