//! `symbolon anchor evm verify`

use std::path::PathBuf;

use serde_json::json;
use symbolon_anchor::evm::{AnchorRecord, Anchored, RECORD_BYTES_MAX, RecordError};
use symbolon_crypto::ethereum::Address;
use symbolon_log::{Checkpoint, note::NOTE_BYTES_MAX};

use super::super::calendar::Server;
use super::rpc::{Rpc, shown};
use crate::commands::Ctx;
use crate::failure::Failure;
use crate::{facts, out, runtime};

/// Check an anchor: which checkpoint, in which block, since when at the latest
///
/// The server is one that you believe about the chain: your own node, or somebody's. Name the contract and the account that
/// you know to be the operator's; what you do not name is shown as not compared.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon anchor evm verify 120-0011223344556677.evm.json --rpc http://127.0.0.1:8545
  symbolon anchor evm verify anchor.evm.json newest.checkpoint --rpc https://rpc.example --submitter 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --json")]
pub struct Verify {
    /// The anchor
    #[arg(value_name = "ANCHOR.evm.json")]
    anchor: PathBuf,
    /// The checkpoint; the file beside the anchor unless told
    #[arg(value_name = "CHECKPOINT")]
    checkpoint: Option<PathBuf>,
    /// A server of the chain that you believe (JSON-RPC)
    #[arg(long, value_name = "URL", value_parser = Server::parse)]
    rpc: Server,
    /// The contract that you know
    #[arg(long, value_name = "ADDRESS")]
    contract: Option<Address>,
    /// The account that you know to be the operator's
    #[arg(long, value_name = "ADDRESS")]
    submitter: Option<Address>,
    /// Blocks that must stand on it, its own counted
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    confirmations: u64,
}

impl Verify {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let refused = |code: &'static str, what: String| {
            Failure::refused(code, format!("not verified: {what}")).next(DO_NOT_RELY)
        };
        let record = AnchorRecord::parse(&facts::read(&self.anchor, RECORD_BYTES_MAX)?);
        let record = record.map_err(|error| refused("anchor_form", error.to_string()))?;
        let beside = || {
            let name = self.anchor.to_string_lossy();
            PathBuf::from(format!("{}.checkpoint", name.trim_end_matches(".evm.json")))
        };
        let path = self.checkpoint.clone().unwrap_or_else(beside);
        let bytes = facts::read(&path, NOTE_BYTES_MAX)?;
        let read = Checkpoint::dangerous_read_unverified(&String::from_utf8_lossy(&bytes));
        let Checkpoint { origin, size, root } =
            read.map_err(|error| refused("checkpoint", error.to_string()))?;
        let of = Anchored::of(&origin, size, root, &bytes);
        record.is_of(&of).map_err(|error| refused("other_checkpoint", error.to_string()))?;
        for (known, named, what) in [
            (self.contract, record.contract, "contract"),
            (self.submitter, record.submitter, "account"),
        ] {
            if known.is_some_and(|known| known != named) {
                return Err(refused("other_address", format!("the {what} is another: {named}")));
            }
        }
        let rpc = Rpc::new(self.rpc);
        let seen = runtime::single()?.block_on(rpc.seen(&record.contract, &record.transaction))?;
        let block = record.check(&seen, self.confirmations).map_err(|error| match &error {
            RecordError::Confirmations { .. } => {
                Failure::not_final(format!("not verified yet: {error}"))
                    .next("the same command later, or with a smaller --confirmations N")
            }
            RecordError::Chain { .. } => Failure::usage(format!("not verified: {error}"))
                .next("the same command with --rpc URL of a server of that chain"),
            _ => refused("anchor", error.to_string()),
        })?;
        let on_top = seen.head.saturating_add(1).saturating_sub(block.number);
        let compared = |known: Option<Address>, named: Address| match known {
            Some(_) => format!("{named}, as you named it"),
            None => format!("{named}, not compared"),
        };
        if ctx.json {
            return out::json(&json!({
                "verified": true, "checkpoint": path, "origin": origin, "entries": size,
                "chain": record.chain, "contract": record.contract.to_string(),
                "contract_compared": self.contract.is_some(),
                "submitter": record.submitter.to_string(),
                "submitter_compared": self.submitter.is_some(),
                "transaction": shown(&record.transaction.0), "block": block.number,
                "confirmations": on_top, "existed_at_unix_seconds": block.time_unix_seconds,
            }));
        }
        let time = symbolon_codec::time::rfc3339(block.time_unix_seconds.saturating_mul(1000));
        out::pairs(&[
            (
                "verified",
                format!("yes: {size} entries of {} existed at {time}", out::plain(&origin)),
            ),
            ("chain", format!("{}, as the server says it", record.chain)),
            ("block", format!("{}, with {on_top} blocks, its own counted", block.number)),
            ("contract", compared(self.contract, record.contract)),
            ("account", compared(self.submitter, record.submitter)),
        ])
    }
}

const DO_NOT_RELY: &str = "do not rely on this anchor; ask for it again where it came from";
