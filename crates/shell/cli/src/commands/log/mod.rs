//! `symbolon log`

mod shard;

use std::net::SocketAddr;

use clap::Subcommand;
use serde_json::json;
use symbolon_store::LogDatabaseError;
use symbolon_witness::{Bounds, Tiles, TilesError, serve};

use super::witness::cannot_listen;
use super::{Ctx, broker};
use crate::failure::Failure;
use crate::{logs, out, runtime};

/// Let others follow your log, and divide it by periods
///
/// The log's tree is public, as tiles that any cache can keep: hashes, which say nothing of what they are of. Its entries
/// name agents, tools and hosts, and are not given to anybody unless you say so.
///
/// A log that grows for years is divided into shards, one a month, quarter or year. One tree stands over all of them, so that
/// every receipt stays as good as it was when its shard is taken away into a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon log serve
  symbolon log shard --every month
  symbolon log shards
  symbolon log export-shard 2026-11 --out 2026-11.shard --take-away
  symbolon log check-shard 2026-11.shard --key operator.pub")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Serve the checkpoint and the tiles over HTTP, with a broker beside it or without
    #[command(after_help = "\
Examples
  symbolon log serve --listen 127.0.0.1:7272
  symbolon log serve --listen 127.0.0.1:7272 --entries")]
    Serve {
        /// Address and port
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7272")]
        listen: SocketAddr,
        /// Serve the entries too: whoever asks reads what your agents did, when and where
        #[arg(long)]
        entries: bool,
    },
    /// List the shards: when each began, what it has, and whether it is here
    #[command(after_help = "\
Examples
  symbolon log shards
  symbolon log shards --json")]
    Shards,
    /// Say how long a shard is written to, or begin one now
    #[command(after_help = "\
Examples
  symbolon log shard --every quarter
  symbolon log shard --now
  symbolon log shard --every never")]
    Shard(shard::Divide),
    /// Write a shard that is over into a file, which shows by itself that its entries are the log's
    ///
    /// With --take-away the shard then goes from this home, the oldest first. What was searched by `symbolon audit` can be
    /// searched as before, receipts are proven as before, and hashes are served as before; the entries are in the file.
    #[command(after_help = "\
Examples
  symbolon log export-shard 2026-11 --out 2026-11.shard
  symbolon log export-shard 2026-11.0 --out 2026-11.shard --take-away")]
    ExportShard(shard::Export),
    /// Check a shard's file against its operator's key, or show an entry of it: needs no home
    #[command(after_help = "\
Examples
  symbolon log check-shard 2026-11.shard --key operator.pub
  symbolon log check-shard 2026-11.shard --key operator.pub --witness KEY
  symbolon log check-shard 2026-11.shard --key operator.pub --entry 17 --json")]
    CheckShard(shard::Check),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Serve { listen, entries } => serve_tiles(ctx, listen, entries),
            Step::Shards => shard::list(ctx),
            Step::Shard(args) => args.run(ctx),
            Step::ExportShard(args) => args.run(ctx),
            Step::CheckShard(args) => args.run(ctx),
        }
    }
}

fn serve_tiles(ctx: &Ctx, listen: SocketAddr, entries: bool) -> Result<(), Failure> {
    let tiles = Tiles::open(&ctx.existing()?, entries)?;
    let origin = tiles.origin().to_owned();
    logs::to_stderr();
    runtime::many()?.block_on(async {
        let stop = broker::stop_on_signals()?;
        let served = serve(tiles, listen, Bounds::new(RATE), stop).await;
        let served = served.map_err(|error| cannot_listen(listen, &error))?;
        let url = format!("http://{}", served.address());
        if ctx.json {
            out::json(&json!({ "url": url, "origin": origin, "entries": entries }))?;
        } else {
            out::text(&url)?;
            out::say(&format!("The log {origin} can be followed there."));
            out::say_next(&format!("symbolon monitor {url} --key operator.pub, by anybody"));
        }
        served.stopped().await;
        Ok(())
    })
}

impl From<TilesError> for Failure {
    fn from(error: TilesError) -> Self {
        let says = error.to_string();
        match error {
            TilesError::NoLog { .. } => Self::refused("no_log", says).next("symbolon init"),
            TilesError::Io { path, source } => match LogDatabaseError::within(&source) {
                Some(fault) => Self::environment("log_database", says).next(fault.next()),
                None => Self::file("read", &path, &source),
            },
            _ => {
                Self::environment("operator_pub", says).next("put operator.pub back from a backup")
            }
        }
    }
}

/// Requests a second from one address: a monitor fetches tiles one after another.
const RATE: u32 = 200;
