//! `symbolon anchor upgrade`

use std::path::{Path, PathBuf};

use serde_json::json;

use super::calendar::{self, Server, Wire};
use super::file;
use crate::commands::Ctx;
use crate::failure::Failure;
use crate::{out, runtime};

/// Ask the calendars of a proof whether it leads to a block by now
///
/// Only calendars that are public ones, or named with --calendar, are asked: a proof that somebody sends may name any address.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon anchor upgrade report.pdf.ots
  symbolon anchor upgrade                 # all that this home has")]
pub struct Upgrade {
    /// Proofs; those of this home's log where none is named
    #[arg(value_name = "FILE.ots")]
    files: Vec<PathBuf>,
    /// Ask this calendar too, where a proof names it; can be repeated
    #[arg(long = "calendar", value_name = "URL", value_parser = Server::parse)]
    calendars: Vec<Server>,
}

impl Upgrade {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut servers = self.calendars;
        servers.extend(Server::public());
        let files = match self.files.is_empty() {
            true => file::of_home(&ctx.existing()?)?,
            false => self.files,
        };
        if files.is_empty() {
            return Err(Failure::refused("no_anchors", "nothing of this home is anchored")
                .next("symbolon anchor create --log"));
        }
        runtime::install_tls();
        let runtime = runtime::single()?;
        runtime.block_on(async {
            for path in &files {
                one(ctx, path, &servers).await?;
            }
            Ok(())
        })
    }
}

/// Asks for one proof, and writes what came of it.
pub async fn one(ctx: &Ctx, path: &Path, servers: &[Server]) -> Result<(), Failure> {
    let mut proof = file::read(path)?;
    let before = proof.clone();
    let wire = Wire::new();
    let mut waiting = Vec::new();
    for pending in proof.pending() {
        let Some(server) = calendar::known(servers, &pending.calendar) else {
            waiting.push(format!("{}: not asked; name it with --calendar", pending.calendar));
            continue;
        };
        let joined = wire.upgrade(server, &pending).await.and_then(|answer| {
            proof.join(&pending.commitment, &answer).map_err(|error| error.to_string())
        });
        match joined {
            Ok(()) => proof.drop_pending(&pending),
            Err(why) => waiting.push(format!("{}: {why}", pending.calendar)),
        }
    }
    let blocks: Vec<u64> = proof.reached().iter().map(|reached| reached.height).collect();
    let is_new = proof != before;
    if is_new {
        file::replace(path, &proof)?;
    }
    if ctx.json {
        return out::json(
            &json!({ "proof": path, "changed": is_new, "blocks": blocks, "waiting": waiting }),
        );
    }
    match blocks.first() {
        Some(height) => {
            out::say(&format!("{} leads to Bitcoin block {height}.", path.display()));
            out::say_next(&format!(
                "symbolon anchor verify {} FILE --headers FILE",
                path.display()
            ));
        }
        None => {
            for why in waiting {
                out::say(&format!("Waiting for {why}."));
            }
            out::say_next(&format!("symbolon anchor upgrade {}, in some hours", path.display()));
        }
    }
    Ok(())
}
