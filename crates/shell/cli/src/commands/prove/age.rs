//! `symbolon prove age`

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use symbolon_ambient::{Clock, SystemClock, SystemRng};
use symbolon_circuits::GroupName;
use symbolon_codec::utc_date;
use symbolon_holder::ServerUrl;
use symbolon_proof::{AGE_YEARS_MAX, Policy, PresentError, Presentation, Request};

use super::held::{self, Taken};
use super::{Ctx, ask, keys, told};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::vaults::{Ask, Which};
use crate::{out, progress, prompt};

/// Prove that you are old enough, and nothing else of what your document says
///
/// Who asks learns the age limit that you reach, that your nationality is in a group (WORLD/1: any), that your document
/// is valid today, and who signed your claims. You are shown that, and asked, before anything is proven. With --for the
/// service is asked what it wants, and sent the proof; with --request the question is in a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon prove age --for https://shop.example
  symbolon prove age --at-least 21 --nationality-in EU --valid-today --for https://shop.example --out proof.json
  symbolon prove age --request request.json --out proof.json
  symbolon prove age --request - --send --yes < request.json")]
#[command(group = clap::ArgGroup::new("question").required(true).args(["service", "request"]))]
pub struct Age {
    /// The service that asks, which is sent the proof
    #[arg(long = "for", value_name = "ORIGIN", id = "service")]
    service: Option<ServerUrl>,
    /// A file with what a service asks, or - for standard input
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// The age, in years
    #[arg(long, value_name = "YEARS", default_value = "18", conflicts_with = "request", value_parser = clap::value_parser!(u8).range(1..=i64::from(AGE_YEARS_MAX)))]
    at_least: u8,
    /// A group that your nationality is in
    #[arg(long, value_name = "GROUP", default_value = "WORLD/1", conflicts_with = "request", value_parser = group)]
    nationality_in: GroupName,
    /// Refuse a question about another day than today (UTC): a proof says of its day that your document is valid then
    #[arg(long)]
    valid_today: bool,
    /// Prove with these claims [default: those that answer]
    #[arg(long, value_name = "NAME")]
    claims: Option<String>,
    /// Write the proof to this new file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Send the proof to who asks [default with --for, unless there is --out]
    #[arg(long)]
    send: bool,
    /// Do not ask: you have read what is shown, or wrote the script that has
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    which: Which,
}

impl Age {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let request = match (&self.service, &self.request) {
            (Some(service), _) => {
                ask::by(service, self.at_least, &self.nationality_in.to_string())?
            }
            (None, Some(path)) => ask::read(path)?,
            (None, None) => return Err(Failure::usage("nobody asks").next(COMMAND)),
        };
        if self.valid_today {
            is_of_today(&request)?;
        }
        // Nobody holds the vault while a person reads, and while it is proven.
        let taken = {
            let vault = self.which.open(ctx, Ask::Person)?;
            held::choose(vault.replica(), self.claims.as_deref(), &request)?
        };
        agree(&request, &taken, self.yes)?;
        let agreed_unix_ms = SystemClock.unix_ms();
        let file = self.out.as_deref().map(NewFile::make).transpose()?;
        let presentation = match proven(&request, &taken, agreed_unix_ms, &ctx.folder()?) {
            Ok(presentation) => presentation,
            Err(failure) => {
                return match file {
                    Some(file) => file.give_up(failure),
                    None => Err(failure),
                };
            }
        };
        let is_written = file.is_some();
        if let Some(file) = file {
            file.write(&presentation.to_bytes())?;
        }
        let sends = self.send || (self.service.is_some() && !is_written);
        self.tell(ctx, &presentation, sends)
    }

    /// Sends it where that was said, and says what came of it.
    fn tell(&self, ctx: &Ctx, proof: &Presentation, sends: bool) -> Result<(), Failure> {
        let audience = proof.request.audience.as_str();
        if sends {
            let taken = ask::show(proof)?;
            if ctx.json {
                return out::json(&json!({ "accepted": taken.accepted, "audience": audience,
                    "demo": taken.demo, "evidence": taken.evidence, "file": self.out }));
            }
            let demo = if taken.demo { " It was a demo." } else { "" };
            out::say(&format!("{audience} took the proof.{demo}"));
            return Ok(());
        }
        match &self.out {
            Some(path) if ctx.json => out::json(&json!({ "audience": audience, "file": path,
                "demo": proof.is_demo() })),
            Some(path) => {
                out::say(&format!("{} has the proof, for {audience} alone.", path.display()));
                out::say_next(&format!("symbolon verify {}", path.display()));
                Ok(())
            }
            None => {
                let bytes = proof.to_bytes();
                out::text(&String::from_utf8_lossy(&bytes))
            }
        }
    }
}

/// Shows what will be learnt, and asks.
fn agree(request: &Request, taken: &Taken, yes: bool) -> Result<(), Failure> {
    out::say(request.words().trim_end());
    if let Some(claims) = taken.claims() {
        let demo = if claims.is_demo() { ", a demo that proves nothing" } else { "" };
        out::say(&format!("Your claims are by `{}`{demo}.", claims.issuer_name()));
    }
    if yes {
        return Ok(());
    }
    if !prompt::is_possible() {
        let what = "nobody is at a terminal to agree";
        return Err(Failure::usage(what).next("the same command with --yes"));
    }
    let answer = prompt::line("Prove this? [y/N] ")?;
    if matches!(answer.as_str(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Failure::refused("not_agreed", "you did not agree; nothing was proven").next(COMMAND))
}

fn proven(
    request: &Request,
    taken: &Taken,
    agreed_unix_ms: u64,
    home: &Path,
) -> Result<Presentation, Failure> {
    let (held, rng) = (taken.held()?, SystemRng);
    let work: Box<dyn FnOnce() -> Result<Presentation, PresentError> + '_> = match &request.policy {
        Policy::Identity(_) => {
            let key = keys::of(home)?;
            Box::new(move || Presentation::identity(request, &held, &key, agreed_unix_ms, &rng))
        }
        Policy::Returning(_) => {
            let key = keys::of(home)?;
            Box::new(move || Presentation::returning(request, &held, &key, agreed_unix_ms, &rng))
        }
    };
    progress::during("Proving", PROOF_TAKES, work).map_err(|error| told::not_shown(&error, request))
}

fn is_of_today(request: &Request) -> Result<(), Failure> {
    let (year, month, day) = utc_date(SystemClock.unix_ms());
    let today = format!("{year:04}-{month:02}-{day:02}");
    if request.date.to_string() == today {
        return Ok(());
    }
    let what = format!("the question is about {}, and today is {today}", request.date);
    Err(Failure::refused("another_day", what)
        .next("ask for another question; symbolon doctor, where the clock is wrong"))
}

/// By its name and version, or by its name alone: the newest version then.
fn group(text: &str) -> Result<GroupName, String> {
    let is_named = |group: &GroupName| {
        group.to_string().rsplit_once('/').is_some_and(|(name, _)| name == text)
    };
    let newest = || GroupName::all().into_iter().rfind(is_named);
    text.parse().ok().or_else(newest).ok_or_else(|| {
        let all: Vec<String> = GroupName::all().iter().map(ToString::to_string).collect();
        format!("the groups are {}", all.join(", "))
    })
}

const COMMAND: &str = "symbolon prove age --for https://shop.example";
const PROOF_TAKES: Duration = Duration::from_secs(1);
