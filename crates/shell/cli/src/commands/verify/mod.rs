//! `symbolon verify`

use std::path::PathBuf;

use symbolon_authorship::Certificate;
use symbolon_codec::json;

use symbolon_receipt::capsule::CapsuleReceipt;

use super::Ctx;
use super::capsule::nonce;
use crate::facts;
use crate::failure::Failure;

use revoked::Revocations;

mod authorship;
mod binary;
mod capsule;
mod fork;
mod proof;
pub mod receipt;
mod revoked;

/// Check a receipt or a proof offline, with public keys alone
///
/// Needs no home, no broker and no network. Of a receipt, the signature, the statement, the checkpoint and the
/// proof that the log holds the statement are checked against the key that you trust: take it
/// from the operator, never from whoever gave you the receipt. Of a proof (`symbolon prove`), it is checked that it shows
/// what was asked, by claims of an issuer that you name. Of a fork (`symbolon monitor`), that the operator's key signed two
/// histories of one log. Of a capsule's receipt (`symbolon capsule run`), each gate is shown: held, or not shown;
/// one that is unlinked can be checked without --key, and then says nothing of who its operator is.
/// Of a certificate of authorship (`symbolon note prove`), that the log has each act of its owners, and with --text that the
/// text is the one. Of a proof of a hidden binary (`symbolon capsule prove-binary`), that whoever made it held the
/// binary, and that it is the one of --component, made for --for and --nonce where you name them.
///
/// With --witness a receipt must also be final: cosigned by two of the witnesses that you name, or by as many as
/// --witnesses says. One that is true and not final yet ends with code 5; ask its operator for it again later.
///
/// With --succession any key stands that the operator had: the file says which one gave way to which, and at which entry of the
/// log. A key of before stands for what the log had until then, and a capsule's receipt under it must show that.
///
/// With --revocation the operator's key is believed no more: a receipt stands where as many of your witnesses as are asked for
/// signed its checkpoint before the time that the revocation says, and nothing else does.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon verify receipt.json --key operator.pub
  symbolon verify - --key operator.pub --json < receipt.json
  symbolon verify receipt.json --key operator.pub --witness north.pub --witness south.pub
  symbolon verify receipt.json --key operator.pub --revocation operator.revocation --witness north.pub --witness south.pub
  symbolon verify receipt.json --key operator.pub --succession operator.succession
  symbolon verify fork.json --key operator.pub
  symbolon verify proof.json --issuer issuer.json
  symbolon verify capsule-receipt.json --key operator.pub --root root.pub
  symbolon verify unlinked.json --root root.pub
  symbolon verify authorship.json --key operator.pub --text note.md
  symbolon verify hello.proof --component hello.capsule.json --for https://auditor.example")]
pub struct Args {
    /// The receipt, the proof or the fork, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Of a receipt or a fork: the operator's public key, the text of operator.pub, or 64 hex digits
    #[arg(long, value_name = "FILE", conflicts_with = "issuers")]
    key: Option<PathBuf>,
    /// Of a proof: an issuer that you believe, issuer.json or 64 hex digits; can be repeated
    #[arg(long = "issuer", value_name = "ISSUER", id = "issuers")]
    issuers: Vec<String>,
    /// Of a receipt: a witness that you believe, its key or a file with it; can be repeated
    #[arg(long = "witness", value_name = "KEY", id = "witness", requires = "key")]
    witness: Vec<String>,
    /// Of a receipt: how many of them must have signed [default: 2]
    #[arg(long, value_name = "N", requires = "witness", value_parser = clap::value_parser!(u8).range(1..=64))]
    witnesses: Option<u8>,
    /// The keys that the operator had before and after the one of --key: its operator.succession
    #[arg(long, value_name = "FILE", requires = "key")]
    succession: Option<PathBuf>,
    /// A revocation that the operator gave you; what it leaves standing is what your own witnesses saw before. Can be repeated
    #[arg(long = "revocation", value_name = "FILE", requires = "key")]
    revocations: Vec<PathBuf>,
    /// Of a capsule's receipt: the public keys of the root that certified its publisher
    #[arg(long, value_name = "FILE", conflicts_with = "issuers")]
    root: Option<PathBuf>,
    /// Of a certificate of authorship: the text that it should be of; it stays here
    #[arg(long, value_name = "FILE", requires = "key")]
    text: Option<PathBuf>,
    /// Of a proof of a hidden binary: the binary, by its signed manifest or its SHA3-512 in hex
    #[arg(long, value_name = "FILE|HEX")]
    component: Option<String>,
    /// Of a proof of a hidden binary: whom it should be for
    #[arg(long = "for", value_name = "AUDIENCE")]
    audience: Option<String>,
    /// Of a proof of a hidden binary: the nonce that you drew for it, 32 hex digits
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    nonce: Option<[u8; symbolon_stark::NONCE_BYTES]>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let longest = receipt::BYTES_MAX.max(capsule::BYTES_MAX).max(binary::BYTES_MAX);
        let bytes = facts::read(&self.file, longest)?;
        let known = binary::Known {
            component: self.component.as_deref(),
            audience: self.audience.as_deref(),
            nonce: self.nonce,
        };
        if symbolon_stark::Proof::is_one(&bytes) {
            return binary::verify(ctx, &bytes, &known);
        }
        if known.is_any() {
            let what = format!("{} is no proof of a hidden binary", self.file.display());
            return Err(Failure::refused("proof_form", what).next(binary::PROVE));
        }
        match &self.key {
            Some(key) => {
                let key = receipt::operator_key(key)?;
                let key = receipt::with_succession(key, self.succession.as_deref())?;
                let revoked = Revocations::read(&self.revocations, &key)?;
                let asked = receipt::Asked::read(&self.witness, self.witnesses)?;
                if fork::is_fork(&bytes) {
                    return fork::verify(ctx, &bytes, &key, &revoked);
                }
                if Certificate::is_one(&bytes) {
                    return authorship::verify(ctx, &bytes, (&key, &revoked), self.text.as_deref());
                }
                if CapsuleReceipt::is_one(&bytes) {
                    let by = capsule::By { key: &key, asked: asked.as_ref(), revoked: &revoked };
                    return capsule::verify(ctx, &bytes, Some(&by), self.root.as_deref());
                }
                receipt::verify(ctx, &bytes, &key, asked.as_ref(), &revoked)
            }
            None if CapsuleReceipt::is_one(&bytes) => {
                capsule::verify(ctx, &bytes, None, self.root.as_deref())
            }
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
    let kind = json::text_member(bytes, symbolon_proof::PRESENTATION_BYTES_MAX, DEPTH_MAX, "type");
    kind.is_some_and(|kind| kind.starts_with("symbolon/proof/"))
}

const PROOF: &str = "symbolon prove age --request FILE --out proof.json, by its holder";
const DEPTH_MAX: usize = 5;
