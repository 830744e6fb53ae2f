//! `symbolon anchor verify`

use std::path::PathBuf;

use serde_json::json;
use symbolon_anchor::{BlockHeader, HeaderList, Network, Proof, Reached};

use super::calendar::Server;
use super::{file, headers};
use crate::commands::Ctx;
use crate::failure::Failure;
use crate::{facts, out, runtime};

/// Check a proof: which file, which block, since when at the latest
///
/// Needs no calendar. The header of the block comes from a file (`--headers`: lines of height and header, such as your own node
/// gives) or from a server that you believe about the chain (`--esplora`). Its work is checked; that the chain goes
/// through it is what whoever gave it knows.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon anchor verify report.pdf.ots report.pdf --headers headers.txt
  symbolon anchor verify report.pdf.ots report.pdf --esplora https://esplora.example/api --json")]
pub struct Verify {
    /// The proof
    #[arg(value_name = "FILE.ots")]
    proof: PathBuf,
    /// What it is of; FILE without .ots unless told
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Headers of blocks: lines of a height, a space and 160 hex digits
    #[arg(long, value_name = "FILE")]
    headers: Option<PathBuf>,
    /// Ask this server for the headers (the API of Esplora)
    #[arg(long, value_name = "URL", value_parser = Server::parse)]
    esplora: Option<Server>,
    /// The headers are of a chain of your own, for tests: they prove nothing to others
    #[arg(long)]
    regtest: bool,
}

impl Verify {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let proof = file::read(&self.proof)?;
        let of = self.file.unwrap_or_else(|| self.proof.with_extension(""));
        if file::digest(&of)? != proof.digest() {
            let what = format!("not verified: the proof is not of {}", of.display());
            return Err(Failure::refused("other_file", what)
                .next("symbolon anchor verify FILE.ots FILE, with the file as it was"));
        }
        let network = if self.regtest { Network::Regtest } else { Network::Main };
        let reached = proof.reached();
        let mut list = HeaderList::default();
        if let Some(path) = &self.headers {
            let text = facts::read(path, HEADERS_BYTES_MAX)?;
            list = HeaderList::parse(&String::from_utf8_lossy(&text), network)
                .map_err(headers::refused)?;
        }
        if let Some(server) = &self.esplora {
            runtime::install_tls();
            runtime::single()?.block_on(headers::fetch(&mut list, server, &reached, network))?;
        }
        let found = earliest(&proof, &reached, &list)?;
        let (height, header) = found;
        if ctx.json {
            return out::json(&json!({
                "verified": true,
                "network": if self.regtest { "regtest" } else { "main" },
                "file": of,
                "digest": proof.digest(),
                "block": height,
                "block_hash": header.hash_text(),
                "existed_at_unix_seconds": header.time_unix_seconds(),
                "work_bits": header.work_bits(),
            }));
        }
        if self.regtest {
            out::say("Of a chain for tests: this proves nothing to others.");
        }
        let time = symbolon_codec::time::rfc3339(u64::from(header.time_unix_seconds()) * 1000);
        out::pairs(&[
            ("verified", format!("yes: {} existed at {time}", of.display())),
            ("digest", proof.digest().to_string()),
            ("block", format!("{height}, {}", header.hash_text())),
            ("work", format!("about 2^{} hashes for this block alone", header.work_bits())),
        ])
    }
}

/// The earliest block that the proof leads to and whose header is here.
fn earliest<'h>(
    proof: &Proof,
    reached: &[Reached],
    list: &'h HeaderList,
) -> Result<(u64, &'h BlockHeader), Failure> {
    if reached.is_empty() {
        let what = match proof.pending().len() {
            0 => "not verified: the proof leads to no block that is known here".to_owned(),
            n => format!("not verified: {n} calendars have it, and no block has yet"),
        };
        return Err(Failure::refused("pending", what)
            .next("symbolon anchor upgrade FILE.ots, in some hours"));
    }
    for one in reached {
        let Some(header) = list.at(one.height) else { continue };
        if header.merkle_root() != one.merkle_root {
            let what = format!(
                "not verified: block {} is not the one that the proof leads to",
                one.height
            );
            return Err(Failure::refused("other_block", what).next(DO_NOT_RELY));
        }
        return Ok((one.height, header));
    }
    let heights: Vec<String> = reached.iter().map(|one| one.height.to_string()).collect();
    let what = format!("not verified: the header of block {} is needed", heights.join(" or "));
    Err(Failure::refused("no_header", what)
        .next("the same command with --headers FILE, or --esplora URL"))
}

const DO_NOT_RELY: &str = "do not rely on this proof; ask for it again where it came from";
const HEADERS_BYTES_MAX: usize = 2 << 20;
