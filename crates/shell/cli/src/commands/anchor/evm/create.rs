//! `symbolon anchor evm create`

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use symbolon_anchor::evm::{AnchorRecord, Anchored, RECORD_BYTES_MAX};
use symbolon_codec::Digest32;
use symbolon_crypto::ethereum::{Address, EthereumKey};
use symbolon_log::Checkpoint;
use symbolon_store::Home;

use super::super::calendar::Server;
use super::super::{create, file};
use super::pay::{self, Terms};
use super::rpc::Rpc;
use crate::commands::Ctx;
use crate::failure::Failure;
use crate::{facts, out, runtime};

/// Anchor the newest checkpoint of this home's log in the contract
///
/// The anchor is kept in the home beside the checkpoint. Where the checkpoint is anchored already, nothing is sent. --every goes on
/// until it is stopped, and anchors each new checkpoint.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon anchor evm create --rpc https://rpc.example --contract 0x5FbDB2315678afecb367f032d93F642f64180aa3
  symbolon anchor evm create --rpc https://rpc.example --contract 0x5FbDB2315678afecb367f032d93F642f64180aa3 --every 1d")]
pub struct Create {
    /// A server of the chain (JSON-RPC)
    #[arg(long, value_name = "URL", value_parser = Server::parse)]
    rpc: Server,
    /// The contract
    #[arg(long, value_name = "ADDRESS")]
    contract: Address,
    #[command(flatten)]
    terms: Terms,
    /// Again and again, so far apart: 10m to 30d
    #[arg(long, value_name = "TIME", value_parser = create::interval)]
    every: Option<Duration>,
}

impl Create {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let (home, key) = (ctx.existing()?, super::key(ctx)?);
        let one = One { rpc: Rpc::new(self.rpc), contract: self.contract, terms: self.terms, key };
        let runtime = runtime::single()?;
        match self.every {
            None => runtime.block_on(one.newest(ctx, &home)),
            Some(every) => runtime.block_on(one.keep_on(ctx, &home, every)),
        }
    }
}

/// Where, by whom and for how much.
struct One {
    rpc: Rpc,
    contract: Address,
    terms: Terms,
    key: EthereumKey,
}

impl One {
    async fn keep_on(&self, ctx: &Ctx, home: &Home, every: Duration) -> Result<(), Failure> {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(failure) = self.newest(ctx, home).await {
                // The next round tries again; the exit code belongs to a run that ends.
                let _ = failure.tell(ctx.json);
            }
        }
    }

    async fn newest(&self, ctx: &Ctx, home: &Home) -> Result<(), Failure> {
        let bytes = file::newest_checkpoint(home)?;
        let read = Checkpoint::dangerous_read_unverified(&String::from_utf8_lossy(&bytes));
        let Checkpoint { origin, size, root } = read.map_err(|error| {
            Failure::refused("checkpoint", error.to_string()).next("symbolon doctor")
        })?;
        let anchored = Anchored::of(&origin, size, root, &bytes);
        let name = format!("{size}-{}", &anchored.digest.to_string()[..16]);
        let path = home.anchors().join(format!("{name}.evm.json"));
        self.rpc.expect_contract(&self.contract).await?;
        let is_new = !self.is_kept(&path, &anchored).await?;
        if is_new {
            let transaction = self.transaction(&anchored).await?;
            let record = AnchorRecord {
                chain: self.rpc.chain().await?,
                contract: self.contract,
                submitter: self.key.address(),
                anchored,
                transaction,
            };
            home.put_anchor(&format!("{name}.checkpoint"), &bytes)?;
            home.put_anchor(&format!("{name}.evm.json"), &record.to_json())?;
        }
        if ctx.json {
            return out::json(&json!({ "anchor": path, "entries": size, "new": is_new }));
        }
        if !is_new {
            out::say(&format!("The newest checkpoint is anchored already: {}.", path.display()));
            return Ok(());
        }
        out::say(&format!("{size} entries are anchored; the anchor is in {}.", path.display()));
        out::say_next(&format!("symbolon anchor evm verify {} --rpc URL", path.display()));
        Ok(())
    }

    /// Whether the home keeps an anchor of this checkpoint that the contract still has.
    async fn is_kept(&self, path: &Path, anchored: &Anchored) -> Result<bool, Failure> {
        if !path.exists() {
            return Ok(false);
        }
        let record = AnchorRecord::parse(&facts::read(path, RECORD_BYTES_MAX)?);
        let record = record
            .map_err(|error| Failure::refused("anchor_form", error.to_string()).next(LOOK))?;
        let (chain, by) = (self.rpc.chain().await?, self.key.address());
        if (record.chain, record.contract, record.submitter) != (chain, self.contract, by) {
            let AnchorRecord { chain, contract, .. } = record;
            let what = format!("{} is an anchor in {contract} of chain {chain}", path.display());
            return Err(Failure::refused("anchored_elsewhere", what).next(LOOK));
        }
        // A chain that went another way has lost it.
        Ok(self.rpc.latest(&self.contract, anchored, &by).await?.size >= anchored.size)
    }

    /// The transaction that anchors it: one that was sent before, by a run that broke off, or a new one.
    async fn transaction(&self, anchored: &Anchored) -> Result<Digest32, Failure> {
        let by = self.key.address();
        let latest = self.rpc.latest(&self.contract, anchored, &by).await?;
        if latest.size == anchored.size && latest.digest == anchored.digest {
            return self.rpc.anchored_by(&self.contract, anchored, &by, latest.block).await;
        }
        let receipt =
            pay::send(&self.rpc, &self.key, Some(self.contract), anchored.call(), self.terms)
                .await?;
        Ok(receipt.transaction)
    }
}

const LOOK: &str =
    "move it and its checkpoint out of the home's folder `anchors`, then the same command";
