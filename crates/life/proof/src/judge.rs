//! Whether a proof shows what was asked.

use symbolon_circuits::{
    BatchError, Claimed, Statement, VerifyingKey, identity, returning, verify_batch,
};

use crate::evidence::{Evidence, Witnessed};
use crate::{MalformedError, Policy, Presentation, ProofError, Request};

/// Both statements' keys.
pub(crate) struct Keys {
    identity: VerifyingKey<identity::Identity>,
    returning: VerifyingKey<returning::Returning>,
}

impl Keys {
    /// The pinned ones. `None` where the program is not what it was built as.
    pub(crate) fn pinned() -> Option<Self> {
        Some(Self { identity: VerifyingKey::pinned()?, returning: VerifyingKey::pinned()? })
    }

    /// The statement that a presentation claims.
    pub(crate) fn claimed<'a>(
        &'a self,
        presentation: &'a Presentation,
    ) -> Result<Claimed<'a>, ProofError> {
        let request = &presentation.request;
        let (session, facts) = (request.session()?, request.facts());
        let (binding, proof) = (presentation.binding, &presentation.proof);
        match &request.policy {
            Policy::Identity(policy) => {
                let issuer = presentation.issuer.ok_or_else(absent)?;
                let unique = match (policy.unique_epoch, presentation.nullifier) {
                    (Some(epoch), Some(nullifier)) => {
                        Some(identity::Uniqueness { epoch, nullifier })
                    }
                    (None, None) => None,
                    _ => return Err(absent()),
                };
                let statement = identity::Identity { session, binding, facts, issuer, unique };
                Ok(Claimed::new(&self.identity, &statement, proof))
            }
            Policy::Returning(_) => {
                let statement = returning::Returning { session, binding, facts };
                Ok(Claimed::new(&self.returning, &statement, proof))
            }
        }
    }

    /// 16 of `specs/proof.md`.
    pub(crate) fn check(&self, presentation: &Presentation) -> Result<(), ProofError> {
        self.claimed(presentation)?.check().map_err(|_| ProofError::NotShown)
    }

    /// 16 of `specs/proof.md`, for many at once: an outcome for each, in their order.
    pub(crate) fn shown(&self, all: &[&Presentation]) -> Vec<Result<(), ProofError>> {
        let mut outcomes = Vec::with_capacity(all.len());
        let (mut claimed, mut places) = (Vec::new(), Vec::new());
        for (place, one) in all.iter().enumerate() {
            outcomes.push(self.claimed(one).map(|one| {
                claimed.push(one);
                places.push(place);
            }));
        }
        let refused = match verify_batch(&claimed) {
            Ok(()) | Err(BatchError::Empty) => Vec::new(),
            Err(BatchError::Refused(refused)) => refused,
            Err(_) => (0..claimed.len()).collect(),
        };
        for place in refused {
            outcomes[places[place]] = Err(ProofError::NotShown);
        }
        outcomes
    }
}

fn absent() -> ProofError {
    let what = "issuer and nullifier are there where the policy has them, and else not";
    MalformedError::Member(what.to_owned()).into()
}

/// What was asked was shown, in a session that was used up for it: only [`crate::Sessions`] makes one.
#[derive(Debug)]
pub struct Verified {
    pub(crate) presentation: Presentation,
    pub(crate) evidence: Evidence,
}

impl Verified {
    /// What was asked.
    pub const fn request(&self) -> &Request {
        &self.presentation.request
    }

    /// The holder and their claims at this account: 32 bytes, to register for `returning/1`.
    pub fn binding(&self) -> [u8; 32] {
        self.presentation.binding.0.to_bytes()
    }

    /// What can be kept.
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

/// What a proof in a file shows to anybody: the statement holds. Not that the audience drew the nonce,
/// nor that it is used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    presentation: Presentation,
    is_over: bool,
}

impl Shown {
    /// What holds, for whom, and who says so.
    pub const fn presentation(&self) -> &Presentation {
        &self.presentation
    }

    /// Whether its session's time is over.
    pub const fn is_over(&self) -> bool {
        self.is_over
    }
}

/// Looks at a proof outside a session: 9 and 16 of `specs/proof.md`. Whether its issuer is to be
/// believed is the caller's to say.
///
/// # Errors
/// [`ProofError::Malformed`], [`ProofError::UnknownIssuer`], [`ProofError::NotShown`].
pub fn show(bytes: &[u8], now_unix_ms: u64) -> Result<Shown, ProofError> {
    let presentation = Presentation::parse(bytes)?;
    check_issuer(&presentation)?;
    let keys = Keys::pinned().ok_or(ProofError::NotShown)?;
    keys.check(&presentation)?;
    let is_over = now_unix_ms >= presentation.request.expires_unix_ms;
    Ok(Shown { presentation, is_over })
}

/// 14 of `specs/proof.md`, but for what was revoked.
pub(crate) fn check_issuer(presentation: &Presentation) -> Result<(), ProofError> {
    match (&presentation.request.policy, presentation.issuer) {
        (Policy::Identity(policy), Some(issuer)) if policy.issuers.contains(&issuer) => Ok(()),
        (Policy::Returning(_), None) => Ok(()),
        _ => Err(ProofError::UnknownIssuer),
    }
}

impl Witnessed for Presentation {
    fn verifying_key(&self) -> [u8; 32] {
        match self.request.policy {
            Policy::Identity(_) => key_hash::<identity::Identity>(),
            Policy::Returning(_) => key_hash::<returning::Returning>(),
        }
    }
}

fn key_hash<S: Statement>() -> [u8; 32] {
    VerifyingKey::<S>::sha256()
}
