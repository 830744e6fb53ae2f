//! `symbolon verify`

use std::path::PathBuf;

use serde_json::Value;
use symbolon_codec::json;

use super::Ctx;
use crate::facts;
use crate::failure::Failure;

mod proof;
mod receipt;

/// Check a receipt or a proof offline, with public keys alone
///
/// Needs no home, no broker and no network. Of a receipt, the signature, the statement, the checkpoint and the
/// proof that the log holds the statement are checked against the key that you trust: take it
/// from the operator, never from whoever gave you the receipt. Of a proof (`symbolon prove`), it is checked that it shows
/// what was asked, by claims of an issuer that you name.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon verify receipt.json --key operator.pub
  symbolon verify - --key operator.pub --json < receipt.json
  symbolon verify proof.json --issuer issuer.json")]
pub struct Args {
    /// The receipt or the proof, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Of a receipt: the operator's public key, the text of operator.pub, or 64 hex digits
    #[arg(long, value_name = "FILE", conflicts_with = "issuers")]
    key: Option<PathBuf>,
    /// Of a proof: an issuer that you believe, issuer.json or 64 hex digits; can be repeated
    #[arg(long = "issuer", value_name = "ISSUER", id = "issuers")]
    issuers: Vec<String>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let bytes = facts::read(&self.file, receipt::BYTES_MAX)?;
        match &self.key {
            Some(key) => receipt::verify(ctx, &bytes, key),
            None if is_proof(&bytes) => proof::verify(ctx, &bytes, &self.issuers),
            None if !self.issuers.is_empty() => {
                let what = format!("{} is no proof", self.file.display());
                Err(Failure::refused("proof_form", what).next(PROOF))
            }
            None => Err(Failure::usage("a receipt is checked against its operator's key")
                .next("the same command with --key operator.pub, from the operator")),
        }
    }
}

/// A proof says so itself; a receipt has no `type` of its own.
fn is_proof(bytes: &[u8]) -> bool {
    let parsed = json::parse_bounded(bytes, symbolon_proof::PRESENTATION_BYTES_MAX, DEPTH_MAX);
    let kind = parsed.as_ref().ok().and_then(|value| value.get("type"));
    kind.and_then(Value::as_str).is_some_and(|kind| kind.starts_with("symbolon/proof/"))
}

const PROOF: &str = "symbolon prove age --request FILE --out proof.json, by its holder";
const DEPTH_MAX: usize = 5;
