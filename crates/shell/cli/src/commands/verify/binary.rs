//! A proof that somebody holds a hidden binary.

use std::path::Path;

use serde_json::json;
use symbolon_capsule::{Envelope, Kind, Manifest};
use symbolon_codec::hex;
use symbolon_stark::{
    Context, DIGEST_BYTES, Digest, NONCE_BYTES, Proof, VerifyError, verify as check,
};

use super::super::capsule::place;
use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// The longest proof, in bytes.
pub const BYTES_MAX: usize = symbolon_stark::FILE_BYTES_MAX;

/// What a verifier knows of itself, and the proof must say too.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The binary: a signed manifest, or its SHA3-512 in hex.
    pub component: Option<&'a str>,
    /// Who asks.
    pub audience: Option<&'a str>,
    /// What they drew.
    pub nonce: Option<[u8; NONCE_BYTES]>,
}

impl Known<'_> {
    /// Whether the caller asks about a binary at all.
    pub const fn is_any(&self) -> bool {
        self.component.is_some() || self.audience.is_some() || self.nonce.is_some()
    }
}

/// Checks a proof, and shows what of it was compared with what the caller knows.
pub fn verify(ctx: &Ctx, bytes: &[u8], known: &Known<'_>) -> Result<(), Failure> {
    let proof = Proof::from_bytes(bytes).map_err(|error| {
        Failure::refused("proof_form", format!("not verified: {error}")).next(PROVE)
    })?;
    let claimed = proof.statement();
    let component = known.component.map(component).transpose()?;
    let digest = component.as_ref().map_or(claimed.digest, |it| it.digest);
    let audience = known.audience.unwrap_or(claimed.context.audience());
    let nonce = known.nonce.unwrap_or(*claimed.context.nonce());
    let context = Context::new(audience, nonce)
        .map_err(|error| Failure::usage(error.to_string()).next("--for https://auditor.example"))?;
    let shown = check(&proof, &digest, &context).map_err(refused)?;
    if let Some(length) = component.as_ref().and_then(|it| it.length)
        && !shown.fits(length)
    {
        let what = "not verified: the manifest names a binary of another length";
        return Err(Failure::refused("binary_length", what).next(DO_NOT_RELY));
    }

    if ctx.json {
        return out::json(&json!({ "verified": true, "statement": "sha3/1",
            "sha3_512": hex::encode(shown.digest), "blocks": shown.blocks, "audience": audience,
            "nonce": hex::encode(nonce), "component_compared": component.is_some(),
            "audience_compared": known.audience.is_some(),
            "nonce_compared": known.nonce.is_some() }));
    }
    let lengths = (72 * (shown.blocks - 1), 72 * shown.blocks - 1);
    let compared = |is: bool| if is { "" } else { " (the proof's own word: not compared)" };
    out::pairs(&[
        ("verified", "yes: whoever made the proof held the binary (sha3/1)".to_owned()),
        ("sha3-512", format!("{}{}", hex::encode(shown.digest), compared(component.is_some()))),
        ("length", format!("{} to {} bytes", lengths.0, lengths.1)),
        ("for", format!("{audience}{}", compared(known.audience.is_some()))),
        ("nonce", format!("{}{}", hex::encode(nonce), compared(known.nonce.is_some()))),
    ])?;
    if known.nonce.is_none() {
        out::say("Without a nonce of yours it may have been made long ago, and by somebody else.");
    }
    Ok(())
}

/// The binary that is asked about.
struct Component {
    digest: Digest,
    length: Option<usize>,
}

/// 128 hex digits, or a signed manifest.
fn component(given: &str) -> Result<Component, Failure> {
    let mut digest = [0; DIGEST_BYTES];
    if given.len() == 2 * DIGEST_BYTES && hex::decode_to_slice(given, &mut digest).is_ok() {
        return Ok(Component { digest, length: None });
    }
    let path = Path::new(given);
    let bytes = place::envelope(path)?;
    let none = |why: String| {
        Failure::refused("capsule_form", format!("{}: {why}", path.display()))
            .next("--component with 128 hex digits, or the NAME.capsule.json of its publisher")
    };
    let envelope =
        Envelope::parse(Kind::Manifest, &bytes).map_err(|error| none(error.to_string()))?;
    // The proof is of the binary that the manifest names, whoever signed that.
    let manifest = Manifest::parse(envelope.dangerous_unverified());
    let manifest = manifest.map_err(|error| none(error.to_string()))?;
    out::say("Nobody's signature over the manifest was checked here.");
    Ok(Component {
        digest: *manifest.component.sha3_512.as_bytes(),
        length: usize::try_from(manifest.component.bytes).ok(),
    })
}

fn refused(error: VerifyError) -> Failure {
    let (code, next) = match error {
        VerifyError::Digest => ("other_binary", "--component with the binary that it is of"),
        VerifyError::Context => ("other_audience", PROVE),
        _ => ("not_shown", DO_NOT_RELY),
    };
    Failure::refused(code, format!("not verified: {error}")).next(next)
}

/// How such a proof is made.
pub const PROVE: &str =
    "symbolon capsule prove-binary COMPONENT --for AUDIENCE --nonce HEX --out FILE, by its holder";
const DO_NOT_RELY: &str = "do not rely on this file; ask its holder for another proof";
