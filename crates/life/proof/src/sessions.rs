//! Sessions of a relying party.

use std::fmt;
use std::sync::Arc;

use symbolon_ambient::{Clock, Rng};
use symbolon_circuits::{BATCH_MAX, Date, Nonce};
use symbolon_codec::utc_date;
use symbolon_custody::Origin;

use crate::evidence::Evidence;
use crate::judge::{Keys, check_issuer};
use crate::{
    Acceptance, Accepted, MalformedError, Policy, Presentation, ProofError, ProofStore, Request,
    StoredSession, Verified,
};

/// How long a session lives, in milliseconds.
pub const SESSION_MS: u64 = 15 * 60 * 1000;

/// What a relying party asks, and the answers to it.
pub struct Sessions<S> {
    store: Arc<S>,
    audience: Origin,
    keys: Keys,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl<S: ProofStore> Sessions<S> {
    /// Of an audience. `None` where the pinned keys are not what the program was built with.
    pub fn new(
        store: Arc<S>,
        audience: Origin,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Option<Self> {
        Some(Self { store, audience, keys: Keys::pinned()?, clock, rng })
    }

    /// Asks an account. `binding` is what was registered of it, and is there for `returning/1` alone.
    ///
    /// # Errors
    /// [`ProofError::Malformed`] for an account's name or a binding that cannot be; [`ProofError::Store`].
    pub async fn begin(
        &self,
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
            audience: self.audience.clone(),
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
            request_hash: request.hash(),
            expires_unix_ms: request.expires_unix_ms,
            binding,
            is_spent: false,
        };
        self.store.begin(&session).await?;
        Ok(request)
    }

    /// Judges an answer, and uses its session up where it is taken.
    ///
    /// # Errors
    /// [`ProofError`], by the first check of `specs/proof.md` that fails; nothing is used up by it.
    pub async fn accept(&self, presentation: &[u8]) -> Result<Verified, ProofError> {
        let presentation = Presentation::parse(presentation)?;
        self.ready(&presentation).await?;
        if !self.keys.refused(&[&presentation])?.is_empty() {
            return Err(ProofError::NotShown);
        }
        self.take(presentation).await
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
                Ok(presentation) => self.ready(&presentation).await.map(|()| presentation),
                Err(error) => Err(error.into()),
            });
        }
        let ready: Vec<&Presentation> = judged.iter().filter_map(|one| one.as_ref().ok()).collect();
        let refused = self.keys.refused(&ready)?;
        let mut outcomes = Vec::with_capacity(judged.len());
        let mut place = 0;
        for one in judged {
            outcomes.push(match one {
                Err(error) => Err(error),
                Ok(presentation) => {
                    place += 1;
                    if refused.contains(&(place - 1)) {
                        Err(ProofError::NotShown)
                    } else {
                        self.take(presentation).await
                    }
                }
            });
        }
        Ok(outcomes)
    }

    /// 10 to 15 of `specs/proof.md`.
    async fn ready(&self, presentation: &Presentation) -> Result<(), ProofError> {
        let request = &presentation.request;
        let session = self.store.find(request.nonce).await?.ok_or(ProofError::UnknownSession)?;
        if session.request_hash != request.hash() || request.audience != self.audience {
            return Err(ProofError::AnotherRequest);
        }
        if self.clock.unix_ms() >= session.expires_unix_ms {
            return Err(ProofError::Expired);
        }
        if session.is_spent {
            return Err(ProofError::Spent);
        }
        check_issuer(presentation)?;
        if let Some(issuer) = presentation.issuer
            && self.store.is_revoked(issuer).await?
        {
            return Err(ProofError::RevokedIssuer);
        }
        if session.binding.is_some_and(|binding| binding != presentation.binding.0.to_bytes()) {
            return Err(ProofError::AnotherBinding);
        }
        Ok(())
    }

    /// 17 of `specs/proof.md`.
    async fn take(&self, presentation: Presentation) -> Result<Verified, ProofError> {
        let request = &presentation.request;
        let unique = match (&request.policy, presentation.nullifier) {
            (Policy::Identity(policy), Some(nullifier)) => policy
                .unique_epoch
                .map(|epoch| (self.audience.as_str().to_owned(), epoch, nullifier.0.to_bytes())),
            _ => None,
        };
        match self.store.accept(&Acceptance { nonce: request.nonce, unique }).await? {
            Accepted::Taken => {
                let evidence = Evidence::of(&presentation, self.clock.unix_ms());
                Ok(Verified { presentation, evidence })
            }
            Accepted::Spent => Err(ProofError::Spent),
            Accepted::SeenBefore => Err(ProofError::SeenBefore),
        }
    }
}

impl<S> fmt::Debug for Sessions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("audience", &self.audience).finish_non_exhaustive()
    }
}
