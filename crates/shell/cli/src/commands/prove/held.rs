//! Which claims answer a request.

use symbolon_circuits::{ClaimSet, Holder};
use symbolon_proof::{ClaimsFile, Held, HolderRecord, Policy, Presentation, Request};
use symbolon_vault::Replica;

use super::told;
use crate::facts;
use crate::failure::Failure;

/// Claims out of the vault, checked, with the holder that they are about.
pub struct Taken {
    record: HolderRecord,
    holder: Holder,
    set: ClaimSet,
}

impl Taken {
    fn of(record: HolderRecord) -> Result<Option<Self>, Failure> {
        let holder = record.holder()?;
        let Some(claims) = record.claims() else { return Ok(None) };
        let set = claims.check(&holder)?;
        Ok(Some(Self { holder, set, record }))
    }

    /// What the issuer handed over.
    pub fn claims(&self) -> Option<&ClaimsFile> {
        self.record.claims()
    }

    /// What a presentation is made of.
    pub fn held(&self) -> Result<Held<'_>, Failure> {
        let claims = self.claims().ok_or_else(none)?;
        Ok(claims.held(&self.set, &self.holder))
    }
}

/// The claims that are named, else the first that answer; else why those by a right issuer do not.
pub fn choose(replica: &Replica, name: Option<&str>, request: &Request) -> Result<Taken, Failure> {
    let ids = match name {
        Some(name) => vec![facts::find(replica, name)?],
        None => facts::all(replica).iter().map(|it| it.id).collect(),
    };
    let (mut has_claims, mut why) = (false, None);
    for id in ids {
        let Some(taken) = Taken::of(facts::record(replica, id)?)? else { continue };
        has_claims = true;
        if !is_asked_for(request, &taken) {
            continue;
        }
        match Presentation::check(request, &taken.held()?) {
            Ok(()) => return Ok(taken),
            Err(error) => why = why.or(Some(told::not_shown(&error, request))),
        }
    }
    Err(match why {
        Some(why) => why,
        None if !has_claims => none(),
        None => no_issuer(request),
    })
}

fn is_asked_for(request: &Request, taken: &Taken) -> bool {
    match (&request.policy, taken.claims()) {
        (Policy::Identity(policy), Some(claims)) => policy.issuers.contains(&claims.issuer()),
        (Policy::Returning(_), claims) => claims.is_some(),
        (Policy::Identity(_), None) => false,
    }
}

fn none() -> Failure {
    Failure::refused("no_claims", "no issuer has said anything of you in this vault yet")
        .next("symbolon claims request --out request.json")
}

fn no_issuer(request: &Request) -> Failure {
    let what =
        format!("{} takes claims of issuers that you have none of", request.audience.as_str());
    let next = if request.takes_demo() {
        "symbolon claims demo, to try it out"
    } else {
        "symbolon claims request --out request.json, for an issuer that it takes"
    };
    Failure::refused("no_issuer", what).next(next)
}
