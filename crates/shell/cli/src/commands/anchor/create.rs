//! `symbolon anchor create`

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use symbolon_ambient::{Rng, SystemRng};
use symbolon_anchor::Proof;
use symbolon_log::Checkpoint;
use symbolon_store::Home;

use super::calendar::{self, Server, Wire};
use super::{file, upgrade};
use crate::commands::Ctx;
use crate::failure::Failure;
use crate::{out, runtime};

/// Begin a proof: calendars are sent a blinded digest, and FILE.ots is written
///
/// With --log it is the newest checkpoint of this home's log, kept with its proof in the home. --every goes on until it is
/// stopped: it anchors each new checkpoint, and leads earlier ones to their blocks.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon anchor create report.pdf
  symbolon anchor create report.pdf --out proof.ots --calendar https://calendar.example
  symbolon anchor create --log
  symbolon anchor create --log --every 1d")]
pub struct Create {
    /// What is anchored, or - for standard input (then with --out)
    #[arg(value_name = "FILE", required_unless_present = "log", conflicts_with = "log")]
    file: Option<PathBuf>,
    /// The newest checkpoint of this home's log
    #[arg(long)]
    log: bool,
    /// Where the proof goes; FILE.ots unless told
    #[arg(long, value_name = "FILE", conflicts_with = "log")]
    out: Option<PathBuf>,
    /// Ask this calendar in place of the public ones; can be repeated
    #[arg(long = "calendar", value_name = "URL", value_parser = Server::parse)]
    calendars: Vec<Server>,
    /// How many calendars must answer; 2, or 1 where one is asked, unless told
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    needed: Option<u8>,
    /// Again and again, so far apart: 10m to 30d
    #[arg(long, value_name = "TIME", requires = "log", value_parser = interval)]
    every: Option<Duration>,
}

impl Create {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let calendars = calendar::chosen(self.calendars);
        let needed = self.needed.map_or(calendars.len().min(2), usize::from);
        if needed > calendars.len() {
            return Err(Failure::usage("--needed is more than the calendars that are asked")
                .next("the same command with another --calendar URL"));
        }
        let asked = Asked { calendars, needed };
        runtime::install_tls();
        let runtime = runtime::single()?;
        let Some(file) = self.file else {
            let home = ctx.existing()?;
            let Some(every) = self.every else {
                return runtime.block_on(asked.log(ctx, &home));
            };
            return runtime.block_on(asked.keep_on(ctx, &home, every));
        };
        let out = match self.out {
            Some(out) => out,
            None if file == Path::new("-") => {
                return Err(Failure::usage("standard input has no name for its proof")
                    .next("the same command with --out FILE.ots"));
            }
            None => with_ots(&file),
        };
        file::check_free(&out)?;
        let mut proof = Proof::new(file::digest(&file)?);
        let said = runtime.block_on(asked.submit(&mut proof))?;
        file::write_new(&out, &proof)?;
        tell(ctx, &out, &said)
    }
}

/// Whom to ask, and how many must answer.
struct Asked {
    calendars: Vec<Server>,
    needed: usize,
}

/// What the calendars said.
struct Said {
    answered: Vec<String>,
    failed: Vec<String>,
}

impl Asked {
    /// Gives all calendars the proof's commitment at once, and joins what they answer.
    async fn submit(&self, proof: &mut Proof) -> Result<Said, Failure> {
        let mut nonce = [0; 16];
        SystemRng.fill(&mut nonce);
        let commitment = proof.blind(nonce);
        let mut asking = tokio::task::JoinSet::new();
        for calendar in self.calendars.clone() {
            let commitment = commitment.clone();
            asking.spawn(async move {
                let answer = Wire::new().submit(&calendar, &commitment).await;
                (calendar.name, answer)
            });
        }
        let mut said = Said { answered: Vec::new(), failed: Vec::new() };
        // A proof is the same whoever answered first: it is written in an order of its own.
        while let Some(asked) = asking.join_next().await {
            let Ok((name, answer)) = asked else { continue };
            let joined = answer.and_then(|answer| {
                proof.join(&commitment, &answer).map_err(|error| error.to_string())
            });
            match joined {
                Ok(()) => said.answered.push(name),
                Err(why) => said.failed.push(format!("{name}: {why}")),
            }
        }
        if said.answered.len() < self.needed {
            Err(calendar::refused(&said.failed))
        } else {
            Ok(said)
        }
    }

    /// Anchors the newest checkpoint, where it is not anchored yet.
    async fn log(&self, ctx: &Ctx, home: &Home) -> Result<(), Failure> {
        let checkpoint = file::newest_checkpoint(home)?;
        let digest = symbolon_crypto::sha256(&checkpoint);
        let name = format!("{}-{}", size(&checkpoint), &digest.to_string()[..16]);
        let out = home.anchors().join(format!("{name}.ots"));
        if out.exists() {
            return match ctx.json {
                true => out::json(&json!({ "proof": out, "new": false })),
                false => {
                    out::say(&format!(
                        "The newest checkpoint is anchored already: {}.",
                        out.display()
                    ));
                    Ok(())
                }
            };
        }
        let mut proof = Proof::new(digest);
        let said = self.submit(&mut proof).await?;
        home.put_anchor(&format!("{name}.checkpoint"), &checkpoint)?;
        home.put_anchor(&format!("{name}.ots"), &proof.to_bytes())?;
        tell(ctx, &out, &said)
    }

    /// Goes on until it is stopped. What fails is said, and tried again the next time.
    async fn keep_on(&self, ctx: &Ctx, home: &Home, every: Duration) -> Result<(), Failure> {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(failure) = self.log(ctx, home).await {
                // The next round tries again; the exit code belongs to a run that ends.
                let _ = failure.tell(ctx.json);
            }
            for path in file::of_home(home)? {
                if let Err(failure) = upgrade::one(ctx, &path, &self.calendars).await {
                    let _ = failure.tell(ctx.json);
                }
            }
        }
    }
}

fn tell(ctx: &Ctx, path: &Path, said: &Said) -> Result<(), Failure> {
    if ctx.json {
        let Said { answered, failed } = said;
        let value: Value =
            json!({ "proof": path, "new": true, "calendars": answered, "failed": failed });
        return out::json(&value);
    }
    for why in &said.failed {
        out::say(&format!("Without {why}."));
    }
    out::say(&format!(
        "{} calendars have it; the proof is in {}.",
        said.answered.len(),
        path.display()
    ));
    out::say("It leads to a block of the Bitcoin chain in some hours.");
    out::say_next(&format!("symbolon anchor upgrade {}", path.display()));
    Ok(())
}

/// The number of entries that a checkpoint of our own says.
fn size(checkpoint: &[u8]) -> u64 {
    let read = Checkpoint::dangerous_read_unverified(&String::from_utf8_lossy(checkpoint));
    read.map_or(0, |checkpoint| checkpoint.size)
}

fn with_ots(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".ots");
    name.into()
}

pub fn interval(text: &str) -> Result<Duration, String> {
    let seconds =
        symbolon_codec::parse_duration_seconds(text).map_err(|error| error.to_string())?;
    match seconds {
        600..=2_592_000 => Ok(Duration::from_secs(seconds)),
        _ => Err("from 10m to 30d".to_owned()),
    }
}
