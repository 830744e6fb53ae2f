//! `vectors/pzk-auth/possession.json`, which `tests/interop/pzk_auth.py` made from the specification.

use serde_json::Value;
use symbolon_ambient::Rng;
use symbolon_codec::{b64url, hex};
use symbolon_crypto::SigningKey;
use symbolon_secret::Secret;
use symbolon_token::dpop::DpopClaims;
use symbolon_token::{Jwk, Scopes, compact};

use crate::*;

/// Gives these bytes, and zeros behind them.
struct Fixed(Vec<u8>);

impl Rng for Fixed {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0);
        let n = out.len().min(self.0.len());
        out[..n].copy_from_slice(&self.0[..n]);
    }
}

struct Vectors(Value);

impl Vectors {
    fn read() -> Self {
        let text = include_str!("../../../../../vectors/pzk-auth/possession.json");
        Self(serde_json::from_str(text).unwrap())
    }

    fn text(&self, at: &str) -> &str {
        self.0.pointer(at).and_then(Value::as_str).unwrap_or_else(|| panic!("{at}"))
    }

    fn bytes(&self, at: &str) -> Vec<u8> {
        hex::decode(self.text(at)).unwrap()
    }

    fn array<const N: usize>(&self, at: &str) -> [u8; N] {
        self.bytes(at).try_into().unwrap()
    }

    fn fixed(&self, at: &str) -> Fixed {
        Fixed(self.bytes(at))
    }

    fn secret<const N: usize>(&self, at: &str) -> Secret<[u8; N]> {
        let bytes = self.array::<N>(at);
        Secret::<[u8; N]>::make(|b| *b = bytes)
    }

    fn server(&self) -> PossessionKeys {
        PossessionKeys::from_secret(
            self.secret("/given/server_secret"),
            self.text("/given/domain/issuer"),
        )
    }

    fn domain(&self) -> Domain {
        Domain {
            issuer: self.text("/given/domain/issuer").to_owned(),
            service: self.array("/given/domain/service").into(),
            audience: Audience::parse(self.text("/given/domain/audience")).unwrap(),
            account: KeyAccount::parse(self.text("/given/domain/account")).unwrap(),
        }
    }

    fn device(&self) -> SigningKey {
        SigningKey::from_seed(self.secret("/given/device_seed"))
    }

    fn possessed(&self, name: &str) -> PossessedKey {
        let text = self.text(&format!("/given/{name}")).as_bytes();
        let secret = Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text));
        let key = StrongKey::of(secret).unwrap();
        let enrolling = Enrolling::start(&key, &self.fixed("/given/blind")).unwrap();
        assert_eq!(enrolling.element(), &self.array(&format!("/{name}/blinded")));
        let evaluated = self.server().evaluate(self.domain().service, enrolling.element()).unwrap();
        assert_eq!(evaluated, self.array(&format!("/{name}/evaluated")));
        let possessed = enrolling.finish(&key, &evaluated, &self.domain()).unwrap();
        // EXPOSE: a test compares.
        assert_eq!(possessed.value().expose()[..], self.bytes(&format!("/{name}/value")));
        assert_eq!(possessed.point().as_bytes(), &self.array(&format!("/{name}/point")));
        possessed
    }

    fn nonce(&self) -> [u8; NONCE_BYTES] {
        let at = self.0["given"]["at_unix_ms"].as_u64().unwrap();
        let public = self.device().verifying_key();
        let drawn = self.fixed("/given/nonce_drawn");
        let nonce = self.server().nonces.make(self.domain().service, &public, at, &drawn);
        assert_eq!(nonce, self.array("/nonce"));
        nonce
    }

    fn statement(&self, purpose: Purpose, scopes: &str, act: Act) -> Statement {
        Statement {
            purpose,
            domain: self.domain(),
            nonce: self.nonce(),
            device: self.device().verifying_key(),
            scopes: Scopes::parse(scopes).unwrap(),
            channel: None,
            act,
        }
    }
}

#[test]
fn proofs_are_those_of_the_vectors() {
    let v = Vectors::read();
    let (key, device) = (v.possessed("key"), v.device());
    let scopes = v.text("/given/scopes");
    let channel = Some(v.array("/given/channel"));
    let name = Act::Name(v.text("/given/device_name").to_owned());
    for (at, statement) in [
        ("enrol", v.statement(Purpose::Enrol, "", name)),
        ("login", v.statement(Purpose::Login, scopes, Act::None)),
        ("login_channel", Statement { channel, ..v.statement(Purpose::Login, scopes, Act::None) }),
        ("manage", v.statement(Purpose::Manage, "", Act::Words("list".to_owned()))),
    ] {
        assert_eq!(statement.to_bytes(), v.bytes(&format!("/{at}/statement")), "{at}");
        let proof = key.prove(&statement, &device, &v.fixed("/given/drawn"));
        assert_eq!(proof.schnorr, v.array(&format!("/{at}/proof")), "{at}");
        assert_eq!(proof.signature, v.array(&format!("/{at}/signature")), "{at}");
        let evidence = verify(&statement, &key.point(), &proof).unwrap();
        assert_eq!(evidence.proof_hash(), v.text(&format!("/{at}/proof_hash")), "{at}");
    }
}

#[test]
fn a_rotation_is_that_of_the_vectors() {
    let v = Vectors::read();
    let (old, new) = (v.possessed("key"), v.possessed("new_key"));
    let rotate = v.statement(Purpose::Rotate, "", Act::Point(*new.point().as_bytes()));
    let replace = v.statement(Purpose::Replace, "", Act::Point(*old.point().as_bytes()));
    assert_eq!(rotate.to_bytes(), v.bytes("/rotate/statement"));
    assert_eq!(replace.to_bytes(), v.bytes("/rotate/replace_statement"));
    let drawn = v.fixed("/given/drawn");
    let proof = old.prove_rotation(&new, &rotate, &replace, &v.device(), &drawn);
    assert_eq!(proof.old, v.array("/rotate/proof"));
    assert_eq!(proof.new, v.array("/rotate/new_proof"));
    assert_eq!(proof.signature, v.array("/rotate/signature"));
    assert!(verify_rotation(&rotate, &replace, &old.point(), &new.point(), &proof).is_ok());
}

#[test]
fn the_token_and_its_proof_are_those_of_the_vectors() {
    let v = Vectors::read();
    let (key, device) = (v.possessed("key"), v.device());
    let at = v.0["given"]["at_unix_ms"].as_u64().unwrap();
    let scopes = v.text("/given/scopes");
    let statement = v.statement(Purpose::Login, scopes, Act::None);
    let proof = key.prove(&statement, &device, &v.fixed("/given/drawn"));
    let (service, api_key, row) = super::rows();
    let service = Service { id: v.domain().service, ..service };
    let api_key = ApiKey {
        id: v.array("/given/key_id").into(),
        service: service.id,
        account: v.domain().account,
        point: key.point(),
        ..api_key
    };
    let row = Device {
        id: v.array("/given/device_id").into(),
        key: api_key.id,
        public: device.verifying_key(),
        ..row
    };
    let evidence = verify(&statement, &key.point(), &proof).unwrap();
    let drawn = v.fixed("/given/token_id");
    let issued = v.server().tokens.issue(evidence, &service, &api_key, &row, at, &drawn).unwrap();
    assert_eq!(issued.text, v.text("/token/token"));
    assert_eq!(serde_json::to_value(&issued.claims).unwrap(), v.0["token"]["claims"]);
    let jwks = v.server().tokens.jwks();
    assert_eq!(b64url::encode(jwks.keys[0].as_bytes()), v.text("/token/jwk_x"));

    let jwk = Jwk::from_bytes(device.verifying_key().as_bytes()).unwrap();
    assert_eq!(jwk.thumbprint(), v.text("/device/jkt"));
    let claims: DpopClaims = serde_json::from_value(v.0["dpop"]["claims"].clone()).unwrap();
    let input = claims.signing_input(&jwk);
    let signature = device.sign(input.as_bytes());
    assert_eq!(compact(input, &signature), v.text("/dpop/proof"));
}
