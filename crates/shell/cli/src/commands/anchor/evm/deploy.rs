//! `symbolon anchor evm deploy`

use serde_json::json;
use symbolon_anchor::evm::creation;

use super::super::calendar::Server;
use super::pay::{self, Terms};
use super::rpc::{Rpc, shown};
use crate::commands::Ctx;
use crate::failure::Failure;
use crate::{out, runtime};

/// Put the contract on a chain: once for all logs of all homes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon anchor evm deploy --rpc https://rpc.example
  symbolon anchor evm deploy --rpc http://127.0.0.1:8545 --max-fee 5 --json")]
pub struct Deploy {
    /// A server of the chain (JSON-RPC)
    #[arg(long, value_name = "URL", value_parser = Server::parse)]
    rpc: Server,
    #[command(flatten)]
    terms: Terms,
}

impl Deploy {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let key = super::key(ctx)?;
        let rpc = Rpc::new(self.rpc);
        let (chain, receipt) = runtime::single()?.block_on(async {
            let receipt = pay::send(&rpc, &key, None, creation(), self.terms).await?;
            Ok::<_, Failure>((rpc.chain().await?, receipt))
        })?;
        let made = receipt.made.ok_or_else(|| {
            Failure::refused("contract", "the chain names no contract that was made")
                .next("the same command with another --rpc URL")
        })?;
        runtime::single()?.block_on(rpc.expect_contract(&made))?;
        if ctx.json {
            return out::json(&json!({ "contract": made.to_string(), "chain": chain,
                "block": receipt.block, "transaction": shown(&receipt.transaction.0) }));
        }
        out::say(&format!("The contract stands at {made} on chain {chain}."));
        out::say_next(&format!("symbolon anchor evm create --rpc URL --contract {made}"));
        Ok(())
    }
}
