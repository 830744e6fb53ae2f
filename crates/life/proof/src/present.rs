//! A holder's answer.

use symbolon_ambient::Rng;
use symbolon_circuits::identity::{self, Nullifier};
use symbolon_circuits::{Binding, ProveError, ProvingKey, WitnessError, holds, prove, returning};

use crate::{Held, MalformedError, Policy, Presentation, Request};

/// Why there is no answer. What it says is for the holder alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresentError {
    /// The question is of another statement than the key, or none.
    #[error("{0}")]
    Request(#[from] MalformedError),
    /// The question is of another statement than the proving key.
    #[error("the request asks for {0}, which this key does not prove")]
    AnotherStatement(&'static str),
    /// The claims are by an issuer that is not asked for.
    #[error("your claims are by an issuer that is not asked for")]
    Issuer,
    /// What is asked does not hold, or the prover failed.
    #[error("{0}")]
    Prove(#[from] ProveError),
}

/// Which of the facts that are asked for does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// The holder is not so old on the day that is asked about.
    Age,
    /// The document is not good on that day any more.
    Document,
    /// The nationality is not in the group.
    Nationality,
    /// The last day of the holder's custody secret is over.
    Custody,
}

impl PresentError {
    /// The fact that does not hold, where that is why.
    pub const fn lacking(&self) -> Option<Lacking> {
        // The numbers are those of `specs/statements/identity.md`, and of `returning.md` too.
        match self {
            Self::Prove(ProveError::Witness(WitnessError::NotMember)) => Some(Lacking::Nationality),
            Self::Prove(ProveError::Witness(WitnessError::Constraint(number))) => match number {
                6 => Some(Lacking::Age),
                8 => Some(Lacking::Document),
                12 => Some(Lacking::Custody),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Presentation {
    /// Whether a question can be answered: the facts hold, and the issuer is one that is asked for. It
    /// needs no key and takes milliseconds.
    ///
    /// # Errors
    /// [`PresentError`].
    pub fn check(request: &Request, held: &Held<'_>) -> Result<(), PresentError> {
        let checked = match &request.policy {
            Policy::Identity(_) => holds(&identity_of(request, held)?, witness_of(held)),
            Policy::Returning(_) => holds(&returning_of(request, held)?, returning_witness(held)),
        };
        checked.map_err(|error| ProveError::from(error).into())
    }

    /// Answers a question by `identity/1`, after the holder agreed to [`Request::words`].
    ///
    /// # Errors
    /// [`PresentError`]; what does not hold is found before the prover begins.
    pub fn identity(
        request: &Request,
        held: &Held<'_>,
        key: &ProvingKey<identity::Identity>,
        agreed_unix_ms: u64,
        rng: &impl Rng,
    ) -> Result<Self, PresentError> {
        let statement = identity_of(request, held)?;
        let proof = prove(key, &statement, witness_of(held), rng)?;
        let nullifier = statement.unique.map(|unique| unique.nullifier);
        let (binding, issuer) = (statement.binding, statement.issuer);
        let request = request.clone();
        Ok(Self { request, issuer: Some(issuer), binding, nullifier, agreed_unix_ms, proof })
    }

    /// Answers a question by `returning/1`, after the holder agreed to [`Request::words`].
    ///
    /// # Errors
    /// As [`Presentation::identity`].
    pub fn returning(
        request: &Request,
        held: &Held<'_>,
        key: &ProvingKey<returning::Returning>,
        agreed_unix_ms: u64,
        rng: &impl Rng,
    ) -> Result<Self, PresentError> {
        let statement = returning_of(request, held)?;
        let proof = prove(key, &statement, returning_witness(held), rng)?;
        let binding = statement.binding;
        let request = request.clone();
        Ok(Self { request, issuer: None, binding, nullifier: None, agreed_unix_ms, proof })
    }
}

/// The statement that answers a question.
fn identity_of(request: &Request, held: &Held<'_>) -> Result<identity::Identity, PresentError> {
    let Policy::Identity(policy) = &request.policy else {
        return Err(PresentError::AnotherStatement(request.policy.statement()));
    };
    if !policy.issuers.contains(&held.issuer) {
        return Err(PresentError::Issuer);
    }
    let session = request.session()?;
    let binding = Binding::of(&session, held.holder, held.claims);
    let unique = policy.unique_epoch.map(|epoch| identity::Uniqueness {
        epoch,
        nullifier: Nullifier::of(&session, held.holder, epoch),
    });
    Ok(identity::Identity { session, binding, facts: request.facts(), issuer: held.issuer, unique })
}

const fn witness_of<'h>(held: &Held<'h>) -> identity::Witness<'h> {
    identity::Witness { claims: held.claims, holder: held.holder, signature: held.signature }
}

/// The statement that answers a question to a holder who was taken before.
fn returning_of(request: &Request, held: &Held<'_>) -> Result<returning::Returning, PresentError> {
    if !matches!(request.policy, Policy::Returning(_)) {
        return Err(PresentError::AnotherStatement(request.policy.statement()));
    }
    let session = request.session()?;
    let binding = Binding::of(&session, held.holder, held.claims);
    Ok(returning::Returning { session, binding, facts: request.facts() })
}

const fn returning_witness<'h>(held: &Held<'h>) -> returning::Witness<'h> {
    returning::Witness { claims: held.claims, holder: held.holder }
}
