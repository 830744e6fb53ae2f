//! A proof in a file, as anybody can see it.

use std::path::Path;

use serde_json::json;
use symbolon_ambient::{Clock, SystemClock};
use symbolon_circuits::IssuerPublicKey;
use symbolon_codec::{hex, time::rfc3339};
use symbolon_proof::{IssuerFile, Policy, ProofError, Shown, show as look};

use super::{Ctx, PROOF};
use crate::failure::Failure;
use crate::{facts, out};

/// An issuer that is believed, with its name where a file said one.
struct Named {
    key: IssuerPublicKey,
    name: Option<String>,
}

/// Checks a proof, and shows what it says and what cannot be seen of it.
pub fn verify(ctx: &Ctx, bytes: &[u8], issuers: &[String]) -> Result<(), Failure> {
    let named = issuers.iter().map(|text| issuer(text)).collect::<Result<Vec<_>, _>>()?;
    let shown = look(bytes, SystemClock.unix_ms()).map_err(refused)?;
    let by = shown.presentation().issuer;
    let found = by.and_then(|key| named.iter().find(|it| it.key == key));
    if let (Some(key), None, false) = (by, found, named.is_empty()) {
        let what = format!("not verified: the claims are by {}, not by one you named", text(key));
        return Err(Failure::refused("unknown_issuer", what)
            .next("--issuer with that issuer, where you believe it"));
    }
    let name = found.and_then(|it| it.name.as_deref());
    if ctx.json { out::json(&as_json(&shown, found.is_some(), name)) } else { say(&shown, found) }
}

/// `issuer.json`, or a key's 64 hex digits.
fn issuer(given: &str) -> Result<Named, Failure> {
    let mut bytes = [0; 32];
    if given.len() == 64 && hex::decode_to_slice(given, &mut bytes).is_ok() {
        let key = IssuerPublicKey::from_bytes(&bytes).map_err(|error| {
            Failure::usage(format!("{given}: {error}"))
                .next("symbolon issuer publish, by the issuer")
        })?;
        return Ok(Named { key, name: None });
    }
    let path = Path::new(given);
    let file = IssuerFile::parse(&facts::read(path, facts::FILE_BYTES_MAX)?);
    let file = file.map_err(|error| {
        facts::malformed(path, &error, "symbolon issuer publish --out issuer.json, by the issuer")
    })?;
    Ok(Named { key: file.key, name: Some(file.name.as_str().to_owned()) })
}

fn text(key: IssuerPublicKey) -> String {
    hex::encode(key.to_bytes())
}

fn refused(error: ProofError) -> Failure {
    let (code, next) = match error {
        ProofError::Malformed(_) => ("proof_form", PROOF),
        ProofError::UnknownIssuer => ("unknown_issuer", DO_NOT_RELY),
        _ => ("not_shown", DO_NOT_RELY),
    };
    Failure::refused(code, format!("not verified: {error}")).next(next)
}

fn as_json(shown: &Shown, is_named: bool, name: Option<&str>) -> serde_json::Value {
    let proof = shown.presentation();
    let (request, facts) = (&proof.request, proof.request.facts());
    json!({
        "verified": true,
        "statement": request.policy.statement(),
        "audience": request.audience.as_str(),
        "account": request.account,
        "at_least_years": facts.years,
        "group": facts.group.to_string(),
        "date": facts.date.to_string(),
        "issuer": proof.issuer.map(text),
        "issuer_name": name,
        "issuer_named": is_named,
        "demo": proof.is_demo(),
        "expires": rfc3339(request.expires_unix_ms),
        "over": shown.is_over(),
        "session_checked": false,
    })
}

fn say(shown: &Shown, found: Option<&Named>) -> Result<(), Failure> {
    let proof = shown.presentation();
    let (request, facts) = (&proof.request, proof.request.facts());
    let mut shows = Vec::new();
    if facts.years > 0 {
        shows.push(format!("at least {} years old", facts.years));
    }
    shows.push(format!("nationality in {}", facts.group));
    shows.push(format!("document valid on {}", facts.date));
    let issuer = match (proof.issuer, found) {
        (Some(_), _) if proof.is_demo() => {
            "the demo issuer: anybody can make such claims".to_owned()
        }
        (Some(key), Some(Named { name: Some(name), .. })) => format!("{name} ({})", text(key)),
        (Some(key), Some(_)) => format!("{}, which you named", text(key)),
        (Some(key), None) => format!("{}, not one you named", text(key)),
        (None, _) => "none: the holder was registered before".to_owned(),
    };
    let until = rfc3339(request.expires_unix_ms);
    let over = if shown.is_over() { ", which is over" } else { "" };
    out::pairs(&[
        (
            "verified",
            format!("yes: the proof shows what was asked ({})", request.policy.statement()),
        ),
        ("shows", shows.join(", ")),
        ("for", request.audience.as_str().to_owned()),
        ("account", request.account.clone()),
        ("issuer", issuer),
        ("session", format!("until {until}{over}")),
    ])?;
    if matches!(request.policy, Policy::Identity(_)) && found.is_none() {
        out::say("Nobody said that the issuer is to be believed: name one with --issuer.");
    }
    out::say(
        "Not seen from a file: that the audience drew the nonce, and that it was used once. Only the \
         audience can tell.",
    );
    Ok(())
}

const DO_NOT_RELY: &str = "do not rely on this file; ask for another proof";
