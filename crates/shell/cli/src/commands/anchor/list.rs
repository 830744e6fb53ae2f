//! `symbolon anchor ls`

use serde_json::{Value, json};

use super::file;
use crate::commands::Ctx;
use crate::failure::Failure;
use crate::out;

/// What of this home's log is anchored
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon anchor ls")]
pub struct Ls {}

impl Ls {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut all: Vec<Value> = Vec::new();
        let mut rows = Vec::new();
        for path in file::of_home(&ctx.existing()?)? {
            let proof = file::read(&path)?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let entries = name.split('-').next().unwrap_or_default().to_owned();
            let blocks: Vec<u64> = proof.reached().iter().map(|one| one.height).collect();
            let waiting = proof.pending().len();
            let state = match blocks.first() {
                Some(height) => format!("Bitcoin block {height}"),
                None => format!("waits at {waiting} calendars"),
            };
            all.push(json!({ "proof": path, "digest": proof.digest(), "entries": entries.parse::<u64>().ok(),
                "blocks": blocks, "waiting": waiting }));
            rows.push(vec![entries, state, path.display().to_string()]);
        }
        if ctx.json {
            return out::json(&all);
        }
        if rows.is_empty() {
            out::say("Nothing of this home is anchored.");
            out::say_next("symbolon anchor create --log");
            return Ok(());
        }
        out::table(&["ENTRIES", "STATE", "PROOF"], &rows)
    }
}
