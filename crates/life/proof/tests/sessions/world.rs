//! A relying party, two issuers, and a holder with claims.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex};

use symbolon_ambient::{Clock, ManualClock, SeededRng};
use symbolon_circuits::{
    Claim, ClaimSet, ClaimType, Hidden, Holder, IssuerKey, IssuerPublicKey, Nonce, ProvingKey,
    Signature, document, identity, returning,
};
use symbolon_proof::{
    Acceptance, Accepted, Held, Identity, Policy, Presentation, ProofError, ProofStore,
    RelyingParty, Request, Returning, Sessions, StoreError, StoredSession, Unique, Verified,
};
use symbolon_secret::Secret;

pub static IDENTITY: LazyLock<ProvingKey<identity::Identity>> =
    LazyLock::new(|| ProvingKey::make().unwrap());
pub static RETURNING: LazyLock<ProvingKey<returning::Returning>> =
    LazyLock::new(|| ProvingKey::make().unwrap());

/// Runs what never waits: the store in memory answers at once.
pub fn run(future: impl Future<Output = ()>) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut future = std::pin::pin!(future);
    assert!(future.as_mut().poll(&mut context).is_ready(), "a store in memory does not wait");
}

/// 2026-11-22, noon.
pub const NOON: u64 = 1_795_348_800_000;

/// Sessions in memory, shared by servers as a database is.
#[derive(Default)]
pub struct Memory {
    sessions: Mutex<HashMap<[u8; 16], StoredSession>>,
    nullifiers: Mutex<HashSet<Unique>>,
    pub revoked: Mutex<HashSet<[u8; 32]>>,
}

impl ProofStore for Memory {
    async fn begin(&self, session: &StoredSession) -> Result<(), StoreError> {
        self.sessions.lock().unwrap().insert(session.nonce.0, session.clone());
        Ok(())
    }

    async fn find(&self, nonce: Nonce) -> Result<Option<StoredSession>, StoreError> {
        Ok(self.sessions.lock().unwrap().get(&nonce.0).cloned())
    }

    async fn accept(&self, acceptance: &Acceptance) -> Result<Accepted, StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        let Some(session) =
            sessions.get_mut(&acceptance.nonce.0).filter(|one| one.outcome.is_none())
        else {
            return Ok(Accepted::Spent);
        };
        if let Some(unique) = &acceptance.unique
            && !self.nullifiers.lock().unwrap().insert(unique.clone())
        {
            return Ok(Accepted::SeenBefore);
        }
        session.outcome = Some(acceptance.outcome.clone());
        Ok(Accepted::Taken)
    }

    async fn is_revoked(&self, issuer: IssuerPublicKey) -> Result<bool, StoreError> {
        Ok(self.revoked.lock().unwrap().contains(&issuer.to_bytes()))
    }

    async fn purge_proofs(&self, ended_unix_ms: u64) -> Result<u64, StoreError> {
        let mut sessions = self.sessions.lock().unwrap();
        let before = sessions.len();
        sessions.retain(|_, session| session.expires_unix_ms > ended_unix_ms);
        Ok((before - sessions.len()) as u64)
    }
}

/// A relying party with a server of its own, or one of several at a server.
pub struct Shop {
    pub sessions: Sessions<Memory>,
    pub party: RelyingParty,
}

impl Shop {
    pub async fn begin(
        &self,
        policy: Policy,
        account: &str,
        binding: Option<[u8; 32]>,
    ) -> Result<Request, ProofError> {
        self.sessions.begin(&self.party, policy, account, binding).await
    }

    pub async fn accept(&self, presentation: &[u8]) -> Result<Verified, ProofError> {
        self.sessions.accept(presentation).await
    }
}

pub struct World {
    pub store: Arc<Memory>,
    pub clock: Arc<ManualClock>,
    pub shop: Shop,
    pub issuer: IssuerKey,
    pub stranger: IssuerKey,
}

impl World {
    pub fn new() -> Self {
        let (store, clock) = (Arc::new(Memory::default()), Arc::new(ManualClock::at(NOON)));
        let rng = SeededRng::new(11);
        let shop = shop(&store, &clock, "https://shop.example", 1);
        let (issuer, stranger) = (IssuerKey::make(&rng), IssuerKey::make(&rng));
        Self { store, clock, shop, issuer, stranger }
    }

    /// Another server of the same shop, or another relying party.
    pub fn server(&self, audience: &str) -> Shop {
        shop(&self.store, &self.clock, audience, 2)
    }

    pub fn adults(&self, unique_epoch: Option<u32>) -> Policy {
        let issuers = vec![self.issuer.public()];
        let group = "EU/1".parse().unwrap();
        Policy::Identity(Identity { at_least_years: 18, group, issuers, unique_epoch })
    }

    pub fn answer(&self, request: &Request, person: &Person) -> Vec<u8> {
        self.answer_by(&self.issuer, request, person)
    }

    pub fn answer_by(&self, issuer: &IssuerKey, request: &Request, person: &Person) -> Vec<u8> {
        let (rng, agreed) = (SeededRng::new(21), self.clock.unix_ms());
        let signature = person.signed(issuer);
        let held = person.held(issuer, &signature);
        Presentation::identity(request, &held, &IDENTITY, agreed, &rng).unwrap().to_bytes()
    }

    pub fn answer_again(&self, request: &Request, person: &Person) -> Vec<u8> {
        let signature = person.signed(&self.issuer);
        let held = person.held(&self.issuer, &signature);
        let rng = SeededRng::new(22);
        Presentation::returning(request, &held, &RETURNING, NOON, &rng).unwrap().to_bytes()
    }
}

pub fn regulars() -> Policy {
    Policy::Returning(Returning { at_least_years: 18, group: "EU/1".parse().unwrap() })
}

fn shop(store: &Arc<Memory>, clock: &Arc<ManualClock>, audience: &str, seed: u64) -> Shop {
    let rng = Arc::new(SeededRng::new(seed));
    let sessions = Sessions::new(store.clone(), clock.clone(), rng).unwrap();
    Shop { sessions, party: RelyingParty { audience: audience.parse().unwrap(), asker: None } }
}

pub struct Person {
    pub claims: ClaimSet,
    pub holder: Holder,
}

impl Person {
    pub fn new(birth: &str, nationality: &str, seed: u64) -> Self {
        let rng = SeededRng::new(seed);
        let claim = |kind, text: &str| Claim::make(kind, &secret(text), &rng).unwrap();
        let claims = [
            claim(ClaimType::BIRTH_DATE, birth),
            claim(ClaimType::NATIONALITY, nationality),
            claim(ClaimType::DOCUMENT_EXPIRY, "2031-05-01"),
        ];
        let holder = Holder::new(Hidden::make(&rng), "2027-12-31".parse().unwrap());
        let document = document(&secret("UTO"), &secret("L898902C3"));
        let claims = ClaimSet::new(document, claims, holder.commitment(), Vec::new()).unwrap();
        Self { claims, holder }
    }

    pub fn signed(&self, issuer: &IssuerKey) -> Signature {
        issuer.sign(&self.claims.root(), &SeededRng::new(31))
    }

    pub fn held<'h>(&'h self, issuer: &IssuerKey, signature: &'h Signature) -> Held<'h> {
        Held { claims: &self.claims, holder: &self.holder, issuer: issuer.public(), signature }
    }
}

pub fn ann() -> Person {
    Person::new("1990-03-14", "FRA", 41)
}

fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |bytes| bytes.copy_from_slice(text.as_bytes()))
}
