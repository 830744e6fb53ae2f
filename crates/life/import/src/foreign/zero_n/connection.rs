//! One connection, open or sealed.

use symbolon_secret::Secret;

use super::{About, sealed};
use crate::foreign::assign::{self, Record};
use crate::foreign::error::ForeignError;
use crate::foreign::findings::{Findings, Severity};
use crate::foreign::json;
use crate::foreign::page::{Text, Value};

/// `body` is the part with `service` and `auth`; in two dialects it is the whole file.
pub(super) fn read(
    root: &Value<'_>,
    body: &Value<'_>,
    about: &About<'_>,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    let Some(service) = body.public("service") else {
        return Err(ForeignError::Format("the connection names no service"));
    };
    if root.at(&["$0n", "sealed"]).is_some() || root.at(&["vault", "data"]).is_some() {
        let plain = open(root, about, found)?;
        // EXPOSE: parsed where it lies.
        let credentials = json::read(plain.expose())?;
        return record(&service, body, &credentials, about, found);
    }
    let empty = Value::Null;
    let credentials = body.at(&["auth", "credentials"]).or_else(|| body.get("credentials"));
    record(&service, body, credentials.unwrap_or(&empty), about, found)
}

/// Credentials of one service as a draft.
pub(super) fn record(
    service: &str,
    body: &Value<'_>,
    credentials: &Value<'_>,
    about: &About<'_>,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    let shown = crate::document::shown(service);
    let known = about.catalog.service(service).or_else(|| {
        let others = OTHER_IDS.iter().find(|(own, _)| *own == service);
        others.and_then(|(_, id)| about.catalog.service(id))
    });
    let Some(known) = known else {
        let why = format!("the catalogue has no service {shown}; symbolon catalog import adds one");
        found.leave(about.name, why);
        return Ok(());
    };
    let fields: Vec<(String, Text<'_>)> =
        credentials.texts().map(|(name, value)| (name.to_owned(), value)).collect();
    if fields.is_empty() {
        let scopes = body.get("scopes").map_or(0, |scopes| scopes.items().len());
        let why = match scopes {
            0 => "it holds no credential".to_owned(),
            n => format!(
                "it holds {n} scopes and no credential; scopes are given by grants: symbolon grant AGENT {shown}.SCOPE"
            ),
        };
        found.leave(about.name, why);
        return Ok(());
    }
    if fields.iter().any(|(name, _)| assign::plain(name) == "refreshtoken") {
        found.leave(
            about.name,
            "its refresh token is of another program's client; symbolon connect SERVICE --oauth FLOW gets one of its own",
        );
    }
    let base_url = body.at(&["options", "base_url"]).and_then(Value::text).and_then(|t| t.public());
    if let Some(url) = base_url.as_deref().filter(|url| assign::is_elsewhere(known, url)) {
        let url = crate::document::shown(url);
        found.risk(
            Severity::High,
            "other_host",
            about.name,
            format!(
                "it sends its credential to {url}, which is not where {shown} is; not taken over"
            ),
            format!("symbolon catalog ls {}", known.id()),
        );
    }
    let (from, name) = (about.name.to_owned(), known.id().as_str().to_owned());
    let record = Record { from, name, fields, base_url };
    match assign::draft(known, &record)? {
        Ok(draft) => found.drafts.push(draft),
        Err(why) => found.leave(about.name, format!("{shown}: {why}")),
    }
    Ok(())
}

fn open(
    root: &Value<'_>,
    about: &About<'_>,
    found: &mut Findings,
) -> Result<Secret<[u8]>, ForeignError> {
    let data = root.at(&["vault", "data"]).and_then(Value::text);
    let data =
        data.ok_or(ForeignError::Format("it says that it is sealed, and has no sealed data"))?;
    let head = root.at(&["$0n", "vault"]);
    let says = |name| head.and_then(|h| h.get(name)).and_then(Value::text).and_then(|t| t.public());
    if says("algorithm").is_some_and(|a| a != "aes-256-gcm")
        || says("kdf").is_some_and(|k| k != "pbkdf2-sha512-100k")
    {
        return Err(ForeignError::Format("it is sealed in a way that is not known"));
    }
    let fingerprint = says("fingerprint").ok_or(ForeignError::Format(
        "it is sealed, and does not name the machine's fingerprint that its key is made of",
    ))?;
    found.risk(
        Severity::Medium,
        "weak_derivation",
        about.name,
        "its key is PBKDF2-SHA512 with 100,000 rounds, and nothing takes memory: a guess is cheap",
        "make a new credential at the service, then delete the file",
    );
    found.risk(
        Severity::Low,
        "binding_in_the_clear",
        about.name,
        "the machine's fingerprint that its key is bound to stands in the file: a copy opens anywhere",
        "make a new credential at the service, then delete the file",
    );
    let passphrase = about.passphrase.ok_or(ForeignError::Sealed)?;
    sealed::open(&data.secret()?, &fingerprint, passphrase)
}

/// Services under the ids that 0nMCP gives them.
const OTHER_IDS: &[(&str, &str)] = &[("aws", "aws_s3"), ("microsoft", "microsoft_graph")];
