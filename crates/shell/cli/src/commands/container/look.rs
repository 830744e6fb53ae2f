//! What a container says of itself, and whether it is to be believed.

use std::path::Path;

use serde_json::{Value, json};
use symbolon_codec::hex;
use symbolon_codec::time::rfc3339;
use symbolon_container::{Framed, Signed};

use super::signers::{known, refused};
use super::{read, unlocked};
use crate::commands::Ctx;
use crate::failure::Failure;
use crate::out;

/// `symbolon container inspect`: needs no home.
pub(super) fn inspect(ctx: &Ctx, file: &Path) -> Result<(), Failure> {
    let bytes = read(file)?;
    let signed = Framed::parse(&bytes).and_then(Framed::verify).map_err(|e| refused(file, &e))?;
    show(ctx, &signed, None)
}

/// `symbolon container verify`.
pub(super) fn verify(ctx: &Ctx, file: &Path, signer: Option<&str>) -> Result<(), Failure> {
    let bytes = read(file)?;
    let signed = Framed::parse(&bytes).and_then(Framed::verify).map_err(|e| refused(file, &e))?;
    let known = match signer {
        Some(key) => vec![super::signers::parse(key)?],
        None => known(&mut unlocked(ctx)?, None)?,
    };
    let trusted = signed.trust(|key| known.contains(key)).map_err(|e| refused(file, &e))?;
    show(ctx, trusted.signed(), Some("known"))
}

fn show(ctx: &Ctx, signed: &Signed<'_>, signer_is: Option<&str>) -> Result<(), Failure> {
    let key = hex::encode(signed.signer().as_bytes());
    let layers: Vec<(String, usize)> =
        signed.layers().map(|(layer, len)| (layer.to_string(), len)).collect();
    let recipients: Vec<(String, Vec<String>)> = signed
        .recipients()
        .map(|(key, layers)| (hex::encode(key), layers.iter().map(ToString::to_string).collect()))
        .collect();
    let created = rfc3339(signed.created_unix_ms());
    if ctx.json {
        let layers: Vec<Value> =
            layers.iter().map(|(name, len)| json!({"layer": name, "bytes": len})).collect();
        let recipients: Vec<Value> =
            recipients.iter().map(|(key, own)| json!({"key": key, "layers": own})).collect();
        return out::json(&json!({
            "id": hex::encode(signed.id()), "digest": signed.digest(), "created": created,
            "signer": key, "signer_known": signer_is.is_some(), "layers": layers,
            "recipients": recipients,
        }));
    }
    out::pairs(&[
        ("id", hex::encode(signed.id())),
        ("digest", signed.digest().to_string()),
        ("made", format!("{created}, as its signer says")),
        ("signed by", format!("{key} ({})", signer_is.unwrap_or("whose key it is was not asked"))),
    ])?;
    let rows: Vec<Vec<String>> =
        layers.into_iter().map(|(name, len)| vec![name, len.to_string()]).collect();
    out::table(&["LAYER", "BYTES, SEALED"], &rows)?;
    let rows: Vec<Vec<String>> =
        recipients.into_iter().map(|(key, own)| vec![key, own.join(", ")]).collect();
    out::table(&["FOR", "LAYERS"], &rows)
}
