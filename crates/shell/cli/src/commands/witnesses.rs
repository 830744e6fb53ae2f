//! `symbolon witnesses`

use std::collections::BTreeMap;
use std::path::Path;

use clap::Subcommand;
use serde_json::json;
use symbolon_log::WitnessKey;
use symbolon_witness::ask::REPORT;
use symbolon_witness::{Listed, ListedError, ListedWitness, PeerUrl, State, Told};

use super::Ctx;
use crate::failure::Failure;
use crate::{facts, out};

/// Have others sign that your log was not rewritten
///
/// Each new checkpoint is sent to these witnesses, beside everything else: no call waits for them. Receipts are handed over
/// with what they signed; two of them make a receipt final.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon witnesses add north https://witness.example witness.example+1a2b3c4d+BF3s…
  symbolon witnesses ls
  symbolon witnesses rm north")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Ask one more witness
    #[command(after_help = "\
Examples
  symbolon witnesses add north https://witness.example witness.example+1a2b3c4d+BF3s…")]
    Add {
        /// What you call it
        name: String,
        /// Where it is
        url: PeerUrl,
        /// Its key, as symbolon witness prints it; from whoever runs it
        #[arg(value_parser = boxed_key)]
        key: Box<WitnessKey>,
    },
    /// Show them, and how it stands with each
    #[command(after_help = "Examples\n  symbolon witnesses ls --json")]
    Ls,
    /// Ask one no longer
    #[command(after_help = "Examples\n  symbolon witnesses rm north")]
    Rm {
        /// What you call it
        name: String,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let mut listed = Listed::read(&home.witnesses())?;
        match self.step {
            Step::Add { name, url, key } => {
                listed.add(ListedWitness { name: name.clone(), url, key: *key })?;
                listed.write(&home.witnesses())?;
                done(ctx, &name, listed.all().len(), "is asked from the next checkpoint on")
            }
            Step::Rm { name } => {
                if !listed.remove(&name) {
                    let what = format!("there is no witness `{name}`");
                    return Err(Failure::refused("no_witness", what).next("symbolon witnesses ls"));
                }
                listed.write(&home.witnesses())?;
                done(ctx, &name, listed.all().len(), "is asked no longer")
            }
            Step::Ls => {
                let report = std::fs::read(home.run().join(REPORT)).unwrap_or_default();
                // None while no broker has asked; one of another version says nothing.
                let told = serde_json::from_slice(&report).unwrap_or_default();
                list(ctx, &listed, &told)
            }
        }
    }
}

fn done(ctx: &Ctx, name: &str, count: usize, what: &str) -> Result<(), Failure> {
    if ctx.json {
        return out::json(&json!({ "name": name, "witnesses": count }));
    }
    out::say(&format!("`{name}` {what}."));
    if count == 1 {
        out::say("Two independent witnesses make a receipt final: one more is wanted.");
    }
    out::say_next("symbolon witnesses ls");
    Ok(())
}

fn list(ctx: &Ctx, listed: &Listed, told: &BTreeMap<String, Told>) -> Result<(), Failure> {
    if ctx.json {
        let rows = listed.all().iter().map(|it| {
            let status = told.get(&it.name);
            json!({ "name": it.name, "url": it.url, "key": it.key.to_string(), "status": status })
        });
        return out::json(&rows.collect::<Vec<_>>());
    }
    if listed.all().is_empty() {
        out::say("No witnesses: only you say that your log was not rewritten.");
        out::say_next("symbolon witnesses add NAME URL KEY");
        return Ok(());
    }
    let rows = listed.all().iter().map(|it| {
        let status = told.get(&it.name);
        let (state, size, at) = match status {
            Some(told) => (state(told), told.size.to_string(), told.at.clone()),
            None => ("not asked yet".to_owned(), "-".to_owned(), "-".to_owned()),
        };
        vec![it.name.clone(), it.url.to_string(), state, size, at]
    });
    out::table(&["NAME", "URL", "STATE", "ENTRIES", "SINCE"], &rows.collect::<Vec<_>>())
}

fn state(told: &Told) -> String {
    let word = match told.state {
        State::Cosigned => return "signed".to_owned(),
        State::Unreachable => "does not answer",
        State::RolledBack => "this log went back",
        State::Forked => "this log forked",
        State::Refused => "refuses",
        _ => "unknown",
    };
    format!("{word}: {}", told.message)
}

fn boxed_key(text: &str) -> Result<Box<WitnessKey>, String> {
    key(text).map(Box::new)
}

/// A witness's key as text.
pub fn key(text: &str) -> Result<WitnessKey, String> {
    text.parse().map_err(|error: symbolon_log::NoteError| error.to_string())
}

/// A witness's key as text, or a file with one.
pub fn key_or_file(given: &str) -> Result<WitnessKey, Failure> {
    if let Ok(key) = given.parse() {
        return Ok(key);
    }
    let text = facts::read(Path::new(given), KEY_BYTES_MAX)?;
    key(String::from_utf8_lossy(&text).trim()).map_err(|error| {
        Failure::usage(format!("{given} is not a witness's key: {error}"))
            .next("symbolon witness, by whoever runs the witness")
    })
}

impl From<ListedError> for Failure {
    fn from(error: ListedError) -> Self {
        let says = error.to_string();
        match error {
            ListedError::Form { .. } => Self::environment("witnesses", says)
                .next("put the file back from a backup, or remove it"),
            ListedError::Io { path, source } => Self::file("use", &path, &source),
            ListedError::Word => Self::usage(says).next("symbolon witnesses add --help"),
            _ => Self::refused("witness_there", says).next("symbolon witnesses ls"),
        }
    }
}

/// A file with a key.
const KEY_BYTES_MAX: usize = 4096;
