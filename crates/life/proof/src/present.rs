//! A holder's answer.

use symbolon_ambient::Rng;
use symbolon_circuits::identity::{self, Nullifier};
use symbolon_circuits::{
    Binding, ClaimSet, Holder, IssuerPublicKey, ProveError, ProvingKey, Signature, prove, returning,
};

use crate::{MalformedError, Policy, Presentation, Request};

/// What a holder has: claims of one document, themselves, and who signed the claims.
#[derive(Debug, Clone, Copy)]
pub struct Held<'h> {
    /// Claims of one document.
    pub claims: &'h ClaimSet,
    /// Who they are about.
    pub holder: &'h Holder,
    /// Who signed them.
    pub issuer: IssuerPublicKey,
    /// The signature.
    pub signature: &'h Signature,
}

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

impl Presentation {
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
        let (facts, issuer) = (request.facts(), held.issuer);
        let statement = identity::Identity { session, binding, facts, issuer, unique };
        let witness = identity::Witness {
            claims: held.claims,
            holder: held.holder,
            signature: held.signature,
        };
        let proof = prove(key, &statement, witness, rng)?;
        let nullifier = unique.map(|unique| unique.nullifier);
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
        if !matches!(request.policy, Policy::Returning(_)) {
            return Err(PresentError::AnotherStatement(request.policy.statement()));
        }
        let session = request.session()?;
        let binding = Binding::of(&session, held.holder, held.claims);
        let statement = returning::Returning { session, binding, facts: request.facts() };
        let witness = returning::Witness { claims: held.claims, holder: held.holder };
        let proof = prove(key, &statement, witness, rng)?;
        let request = request.clone();
        Ok(Self { request, issuer: None, binding, nullifier: None, agreed_unix_ms, proof })
    }
}
