//! Sessions of relying parties.

use std::fmt;
use std::sync::Arc;

use symbolon_ambient::{Clock, Rng};
use symbolon_circuits::{BATCH_MAX, Date, IssuerPublicKey, Nonce};
use symbolon_codec::utc_date;

use crate::evidence::Evidence;
use crate::judge::{Keys, check_issuer};
use crate::{
    Acceptance, Accepted, Asker, MalformedError, Outcome, Policy, Presentation, ProofError,
    ProofStore, RelyingParty, Request, StoredSession, Unique, Verified, text,
};

/// How long a session lives, in milliseconds.
pub const SESSION_MS: u64 = 15 * 60 * 1000;

/// How long an ended session is kept, in milliseconds: until then who asked can fetch what came of it.
pub const SESSION_KEPT_MS: u64 = 60 * 60 * 1000;

/// What relying parties ask, and the answers to it: many audiences over one store and one set of keys.
pub struct Sessions<S> {
    store: Arc<S>,
    keys: Keys,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

/// An answer to a session that is open, by an issuer that was asked for: its proof is yet to be checked.
#[derive(Debug)]
pub struct Ready {
    presentation: Presentation,
    party: RelyingParty,
}

/// An answer whose proof shows what was asked. It counts for nothing until its session is used up.
#[derive(Debug)]
pub struct Judged(Ready);

/// A session, as who began it sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Who is asked.
    pub account: String,
    /// Where it stands.
    pub state: SessionState,
}

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// Nothing was taken yet.
    Open,
    /// It was used up.
    Shown(Outcome),
    /// Its time went by.
    Over,
}

impl<S: ProofStore> Sessions<S> {
    /// Over a store. `None` where the pinned keys are not what the program was built with.
    pub fn new(store: Arc<S>, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Option<Self> {
        Some(Self { store, keys: Keys::pinned()?, clock, rng })
    }

    /// Asks an account. `binding` is what was registered of it, and is there for `returning/1` alone.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] for an account's name or a binding that cannot be; [`ProofError::Store`].
    pub async fn begin(
        &self,
        party: &RelyingParty,
        policy: Policy,
        account: &str,
        binding: Option<[u8; 32]>,
    ) -> Result<Request, ProofError> {
        if binding.is_some() != matches!(policy, Policy::Returning(_)) {
            let what =
                "a session for `returning/1` has the binding that was registered, and no other";
            return Err(MalformedError::Member(what.to_owned()).into());
        }
        let now = self.clock.unix_ms();
        let mut nonce = [0; 16];
        self.rng.fill(&mut nonce);
        let (year, month, day) = utc_date(now);
        let date = Date::new(year, month, day);
        let request = Request {
            audience: party.audience.clone(),
            account: account.to_owned(),
            nonce: Nonce(nonce),
            date: date.map_err(|error| MalformedError::Member(error.to_string()))?,
            expires_unix_ms: now + SESSION_MS,
            policy,
        };
        // What is asked is what can be read.
        let request = Request::from_value(request.to_value())?;
        let session = StoredSession {
            nonce: request.nonce,
            party: party.clone(),
            account: request.account.clone(),
            request_hash: request.hash(),
            expires_unix_ms: request.expires_unix_ms,
            binding,
            outcome: None,
        };
        self.store.begin(&session).await?;
        Ok(request)
    }

    /// A session of this service, by its nonce as it stands in the request.
    ///
    /// # Errors
    /// [`ProofError::UnknownSession`], also for another service's; [`ProofError::Store`].
    pub async fn look(&self, service: [u8; 16], nonce: &str) -> Result<SessionView, ProofError> {
        let nonce = text::nonce(nonce).map_err(|_| ProofError::UnknownSession)?;
        let is_own = |asker: Asker| asker.service == service;
        let found = self.store.find(nonce).await?;
        let found = found.filter(|session| session.party.asker.is_some_and(is_own));
        let session = found.ok_or(ProofError::UnknownSession)?;
        let state = match session.outcome {
            Some(outcome) => SessionState::Shown(outcome),
            None if self.is_over(session.expires_unix_ms) => SessionState::Over,
            None => SessionState::Open,
        };
        Ok(SessionView { account: session.account, state })
    }

    /// Judges an answer, and uses its session up where it is taken. The proof's check is milliseconds of
    /// work; who must not wait for it calls [`Sessions::ready`], [`Sessions::judge`] and [`Sessions::take`].
    ///
    /// # Errors
    /// [`ProofError`], by the first check of `specs/proof.md` that fails; nothing is used up by it.
    pub async fn accept(&self, presentation: &[u8]) -> Result<Verified, ProofError> {
        let ready = self.ready(Presentation::parse(presentation)?).await?;
        self.take(self.judge(ready)?).await
    }

    /// Judges many answers at once, each as [`Sessions::accept`] would, in the order given.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] for none, or more than [`BATCH_MAX`].
    pub async fn accept_many(
        &self,
        presentations: &[&[u8]],
    ) -> Result<Vec<Result<Verified, ProofError>>, ProofError> {
        if !(1..=BATCH_MAX).contains(&presentations.len()) {
            let what = format!("a batch has 1 to {BATCH_MAX} presentations");
            return Err(MalformedError::Member(what).into());
        }
        let mut judged = Vec::with_capacity(presentations.len());
        for bytes in presentations {
            judged.push(match Presentation::parse(bytes) {
                Ok(presentation) => self.ready(presentation).await,
                Err(error) => Err(error.into()),
            });
        }
        let mut outcomes = Vec::with_capacity(judged.len());
        for one in self.judge_many(judged) {
            outcomes.push(match one {
                Ok(judged) => self.take(judged).await,
                Err(error) => Err(error),
            });
        }
        Ok(outcomes)
    }

    /// 10 to 15 of `specs/proof.md`.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn ready(&self, presentation: Presentation) -> Result<Ready, ProofError> {
        let request = &presentation.request;
        let session = self.store.find(request.nonce).await?.ok_or(ProofError::UnknownSession)?;
        // The audience is part of the request.
        if session.request_hash != request.hash() {
            return Err(ProofError::AnotherRequest);
        }
        if self.is_over(session.expires_unix_ms) {
            return Err(ProofError::Expired);
        }
        if session.outcome.is_some() {
            return Err(ProofError::Spent);
        }
        check_issuer(&presentation)?;
        self.check_revoked(presentation.issuer).await?;
        if session.binding.is_some_and(|binding| binding != presentation.binding.0.to_bytes()) {
            return Err(ProofError::AnotherBinding);
        }
        Ok(Ready { presentation, party: session.party })
    }

    /// 16 of `specs/proof.md`: milliseconds of work, and no waiting.
    ///
    /// # Errors
    /// [`ProofError::NotShown`].
    pub fn judge(&self, ready: Ready) -> Result<Judged, ProofError> {
        self.keys.check(&ready.presentation)?;
        Ok(Judged(ready))
    }

    /// 16 of `specs/proof.md` for many, by one computation; what was refused before keeps its place and its reason. A
    /// good batch costs a third of its proofs alone, one with a bad proof as much as all of them alone and that.
    pub fn judge_many(
        &self,
        all: Vec<Result<Ready, ProofError>>,
    ) -> Vec<Result<Judged, ProofError>> {
        let ready: Vec<&Presentation> =
            all.iter().flatten().map(|ready| &ready.presentation).collect();
        let mut shown = self.keys.shown(&ready).into_iter();
        let judged = |one: Result<Ready, ProofError>| {
            let ready = one?;
            // One outcome for each that is ready, in their order.
            shown.next().unwrap_or(Err(ProofError::NotShown)).map(|()| Judged(ready))
        };
        all.into_iter().map(judged).collect()
    }

    /// 17 of `specs/proof.md`.
    ///
    /// # Errors
    /// [`ProofError::Spent`], [`ProofError::SeenBefore`], [`ProofError::Store`].
    pub async fn take(&self, judged: Judged) -> Result<Verified, ProofError> {
        let Judged(Ready { presentation, party }) = judged;
        let request = &presentation.request;
        let unique = match (&request.policy, presentation.nullifier) {
            (Policy::Identity(policy), Some(nullifier)) => {
                policy.unique_epoch.map(|epoch| Unique {
                    operator: party.asker.map(|asker| asker.operator),
                    audience: party.audience,
                    epoch,
                    nullifier: nullifier.0.to_bytes(),
                })
            }
            _ => None,
        };
        let evidence = Evidence::of(&presentation, self.clock.unix_ms());
        let outcome = Outcome {
            binding: presentation.binding.0.to_bytes(),
            evidence: evidence.to_value().to_string(),
        };
        match self.store.accept(&Acceptance { nonce: request.nonce, unique, outcome }).await? {
            Accepted::Taken => Ok(Verified { presentation, evidence }),
            Accepted::Spent => Err(ProofError::Spent),
            Accepted::SeenBefore => Err(ProofError::SeenBefore),
        }
    }

    /// Forgets sessions that ended [`SESSION_KEPT_MS`] ago; gives how many.
    ///
    /// # Errors
    /// [`ProofError::Store`].
    pub async fn purge(&self) -> Result<u64, ProofError> {
        let ended = self.clock.unix_ms().saturating_sub(SESSION_KEPT_MS);
        Ok(self.store.purge_proofs(ended).await?)
    }

    async fn check_revoked(&self, issuer: Option<IssuerPublicKey>) -> Result<(), ProofError> {
        match issuer {
            Some(issuer) if self.store.is_revoked(issuer).await? => Err(ProofError::RevokedIssuer),
            _ => Ok(()),
        }
    }

    fn is_over(&self, expires_unix_ms: u64) -> bool {
        self.clock.unix_ms() >= expires_unix_ms
    }
}

impl<S> fmt::Debug for Sessions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}
