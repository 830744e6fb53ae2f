//! A certificate of authorship, against its operator's key.

use std::path::Path;

use serde_json::{Value, json};
use symbolon_authorship::{
    CanonicalText, CertificateError, TEXT_BYTES_MAX, VerifiedCertificate, verify as check,
};
use symbolon_codec::{hex, time::rfc3339};
use symbolon_receipt::OperatorKey;

use super::Ctx;
use super::revoked::Revocations;
use crate::failure::Failure;
use crate::{facts, out};

/// Checks a certificate, and a text where one is given.
pub fn verify(
    ctx: &Ctx,
    bytes: &[u8],
    (key, revoked): (&OperatorKey, &Revocations),
    text: Option<&Path>,
) -> Result<(), Failure> {
    let verified = check(bytes, key).map_err(refused)?;
    revoked.on(verified.rests_on()).refuse("a certificate")?;
    let of_text = match text {
        None => None,
        Some(path) => Some(of_text(&verified, path)?),
    };
    if ctx.json { out::json(&as_json(&verified, of_text)) } else { show(&verified, of_text) }
}

/// Whether the text is the one: another is a refusal, as a damaged certificate is.
fn of_text(verified: &VerifiedCertificate, path: &Path) -> Result<bool, Failure> {
    let bytes = facts::read(path, TEXT_BYTES_MAX)?;
    let wrong = |what: String| Failure::refused("text_form", what).next("--text with a text file");
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| wrong(format!("{} is no text in UTF-8", path.display())))?;
    let text =
        CanonicalText::of(text).map_err(|error| wrong(format!("{}: {error}", path.display())))?;
    match verified.is_of(&text) {
        Some(true) => Ok(true),
        Some(false) => {
            let what =
                format!("not verified: {} is not the text that was registered", path.display());
            Err(Failure::refused("other_text", what)
                .next("--text with the text as it was then: symbolon note history NOTE"))
        }
        None => {
            let what = "the certificate does not show the salt, so no text can be compared";
            Err(Failure::refused("no_salt", what)
                .next("symbolon note prove NOTE without --without-salt, by its owner"))
        }
    }
}

fn refused(error: CertificateError) -> Failure {
    let (code, next) = match error {
        CertificateError::Json(_) | CertificateError::MediaType | CertificateError::Form(_) => {
            ("certificate_form", "symbolon note prove NOTE --out FILE, by whoever has the note")
        }
        CertificateError::Operator => {
            ("other_operator", "--key with the operator.pub of that operator")
        }
        CertificateError::Checkpoint(_) => ("certificate_checkpoint", DO_NOT_RELY),
        CertificateError::Inclusion { .. } => ("certificate_inclusion", DO_NOT_RELY),
        CertificateError::Entry { .. } => ("certificate_entry", DO_NOT_RELY),
        _ => ("certificate_acts", DO_NOT_RELY),
    };
    Failure::refused(code, format!("not verified: {error}")).next(next)
}

fn as_json(verified: &VerifiedCertificate, of_text: Option<bool>) -> Value {
    let (standing, checkpoint) = (verified.standing(), verified.checkpoint());
    let mut said = json!({
        "verified": true,
        "authorship": standing.index(),
        "commitment": standing.commitment(),
        "digest": standing.digest(),
        "registered": rfc3339(standing.begun_unix_ms()),
        "author": hex::encode(standing.author().as_bytes()),
        "owner": hex::encode(standing.owner().as_bytes()),
        "entries": standing.indices(),
        "log": {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root,
        },
    });
    if let Some(is_of) = of_text {
        said["of_text"] = is_of.into();
    }
    said
}

fn show(verified: &VerifiedCertificate, of_text: Option<bool>) -> Result<(), Failure> {
    let (standing, checkpoint) = (verified.standing(), verified.checkpoint());
    let owner = hex::encode(standing.owner().as_bytes());
    let owner = if standing.owner() == standing.author() {
        format!("{owner}, its author")
    } else {
        format!("{owner}, to whom it was handed over")
    };
    let text = match of_text {
        Some(_) => "the one that was registered".to_owned(),
        None if verified.salt().is_some() => "not compared: give it with --text".to_owned(),
        None => "not compared: the certificate does not show the salt".to_owned(),
    };
    out::pairs(&[
        ("verified", format!("yes: registered in the log at {}", standing.index())),
        ("text", text),
        ("registered", format!("{}, says the operator", rfc3339(standing.begun_unix_ms()))),
        ("owner", owner),
        ("digest", standing.digest().map_or("not shown yet".to_owned(), ToString::to_string)),
        ("log", format!("{}, {} entries", checkpoint.origin, checkpoint.size)),
        ("root", checkpoint.root.to_string()),
    ])
}

const DO_NOT_RELY: &str = "do not rely on this file; ask its owner for the certificate again";
