//! A holder, with claims by whoever signs them.

use std::sync::LazyLock;

use serde_json::Value;
use symbolon_ambient::SeededRng;
use symbolon_circuits::{
    Claim, ClaimSet, ClaimType, Hidden, Holder, IssuerKey, ProvingKey, document, identity,
};
use symbolon_proof::{Held, Lacking, Presentation, Request};
use symbolon_secret::Secret;

/// Made once for all tests: seconds of work.
static IDENTITY: LazyLock<ProvingKey<identity::Identity>> =
    LazyLock::new(|| ProvingKey::make().unwrap());

pub struct Person {
    claims: ClaimSet,
    holder: Holder,
}

impl Person {
    pub fn ann() -> Self {
        Self::born("1990-03-14")
    }

    pub fn born(day: &str) -> Self {
        let rng = SeededRng::new(41);
        let claim = |kind, text: &str| Claim::make(kind, &secret(text), &rng).unwrap();
        let claims = [
            claim(ClaimType::BIRTH_DATE, day),
            claim(ClaimType::NATIONALITY, "FRA"),
            claim(ClaimType::DOCUMENT_EXPIRY, "2039-05-01"),
        ];
        let holder = Holder::new(Hidden::make(&rng), "2039-12-31".parse().unwrap());
        let document = document(&secret("UTO"), &secret("L898902C3"));
        let claims = ClaimSet::new(document, claims, holder.commitment(), Vec::new()).unwrap();
        Self { claims, holder }
    }

    /// Answers a request with a real proof.
    pub fn answer(&self, request: &Value, issuer: &IssuerKey) -> Value {
        self.tries(request, issuer).unwrap()
    }

    /// The same, where it holds.
    pub fn tries(&self, request: &Value, issuer: &IssuerKey) -> Option<Value> {
        let signature = &issuer.sign(&self.claims.root(), &SeededRng::new(31));
        let (claims, holder) = (&self.claims, &self.holder);
        let held = Held { claims, holder, issuer: issuer.public(), signature };
        let request = Request::from_value(request.clone()).unwrap();
        let rng = SeededRng::new(21);
        match Presentation::identity(&request, &held, &IDENTITY, 1, &rng) {
            Ok(made) => Some(serde_json::from_slice(&made.to_bytes()).unwrap()),
            Err(error) if error.lacking() == Some(Lacking::Age) => None,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The same answer, but for one letter of its proof.
pub fn changed_proof(answer: &Value) -> Value {
    let mut changed = answer.clone();
    let proof = answer["proof"].as_str().unwrap();
    let other = if proof.as_bytes()[500] == b'A' { "B" } else { "A" };
    changed["proof"] = format!("{}{other}{}", &proof[..500], &proof[501..]).into();
    changed
}

fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |bytes| bytes.copy_from_slice(text.as_bytes()))
}
