//! The verdict on a certificate of authorship.

use serde_json::{Value, json};
use symbolon_authorship::{CanonicalText, CertificateError, VerifiedCertificate, verify};
use symbolon_receipt::OperatorKey;

use crate::verdict::{refused, said};

/// Checks in the order in which [`verify`] makes them; the text is compared after them.
const CHECKS: [&str; 5] = ["Form", "Operator", "Checkpoint", "Entries", "Text"];

/// What each check says where it held.
const HELD: [&str; 3] = [
    "It is a certificate of authorship of version 1, and nothing else.",
    "It names the operator whose key this is.",
    "The log signed a checkpoint, by that operator.",
];

pub(crate) fn verdict(file: &[u8], operator: &OperatorKey, text: Option<&[u8]>) -> Value {
    let verified = match verify(file, operator) {
        Ok(verified) => verified,
        Err(error) => {
            let at = place(&error);
            // A bare key names no log: the checkpoint is looked at before anything was checked.
            let is_bare = operator.origin().is_none();
            let is_first = is_bare && matches!(error, CertificateError::Checkpoint(_));
            let held = if is_first { 0 } else { at };
            let held: Vec<Value> =
                CHECKS.iter().zip(HELD).take(held).map(|(check, what)| said(check, what)).collect();
            return refused(&held, CHECKS[at], &error.to_string());
        }
    };
    let mut held: Vec<Value> =
        CHECKS.iter().zip(HELD).map(|(check, what)| said(check, what)).collect();
    held.push(said("Entries", &entries(&verified)));
    let digest = match text.map(|text| compared(&verified, text)) {
        None => verified.standing().digest().copied(),
        Some(Ok(digest)) => {
            held.push(said("Text", "The text is the one that was registered."));
            Some(digest)
        }
        Some(Err(why)) => return refused(&held, "Text", &why),
    };
    let (standing, checkpoint) = (verified.standing(), verified.checkpoint());
    json!({
        "verified": true,
        "kind": "authorship",
        "checks": held,
        "number": standing.index(),
        "newest": standing.newest(),
        "commitment": standing.commitment(),
        "digest": digest,
        "is_shown": standing.digest().is_some(),
        "has_salt": verified.salt().is_some(),
        "compared": text.is_some(),
        "handed_over": standing.owner() != standing.author(),
        "registered_unix_ms": standing.begun_unix_ms(),
        "log": { "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root },
    })
}

fn entries(verified: &VerifiedCertificate) -> String {
    match verified.standing().indices() {
        [one] => format!("Entry {one} of the log registers it; its author signed it."),
        all => format!(
            "Its {} entries are in the log, signed by their owners, and follow one from the other.",
            all.len()
        ),
    }
}

/// The digest of a text that is the one.
fn compared(
    verified: &VerifiedCertificate,
    text: &[u8],
) -> Result<symbolon_codec::Digest32, String> {
    let text = std::str::from_utf8(text).map_err(|_| "the file is no text in UTF-8".to_owned())?;
    let text = CanonicalText::of(text).map_err(|error| error.to_string())?;
    let Some(salt) = verified.salt() else {
        return Err("the certificate does not show the salt, so no text can be compared".to_owned());
    };
    let digest = salt.digest(&text);
    if verified.standing().is_of(&digest) {
        return Ok(digest);
    }
    Err("this is not the text that was registered".to_owned())
}

fn place(error: &CertificateError) -> usize {
    match error {
        CertificateError::Operator => 1,
        CertificateError::Checkpoint(_) => 2,
        CertificateError::Inclusion { .. }
        | CertificateError::Entry { .. }
        | CertificateError::Standing { .. } => 3,
        // What cannot be read has passed no check; so has what a later version refuses for.
        _ => 0,
    }
}
