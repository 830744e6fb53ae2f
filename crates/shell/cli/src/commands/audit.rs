//! `symbolon audit`

mod query;
pub(super) mod show;

use std::io::{IsTerminal, Write, stderr};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use clap::Subcommand;
use serde_json::json;
use symbolon_store::audit::{Compacted, Proof};
use symbolon_store::{Audit, AuditFault, Home};

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// Search what happened, and have it proven that nothing was left out
///
/// The audit is the log in a form that can be searched: lines of JSON for the day, Parquet for the days before, in the
/// home's audit folder. It is made from the log and can be thrown away. Needs no broker and no open vault.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon audit query --since 7d --scope 'stripe.*'
  symbolon audit query --outcome refused,failed --agent claude --json
  symbolon audit compact
  symbolon audit verify")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Query(Box<query::Args>),
    /// Make small Parquet files of the lines written so far
    ///
    /// A broker does it by itself once a day is over. Each file is read back before its lines go.
    #[command(after_help = "\
Examples
  symbolon audit compact
  symbolon audit compact --json")]
    Compact,
    /// Read and hash everything, and hold it against the log's signed checkpoint
    ///
    /// Believes nothing in the audit's folder. Ends with an error, and the file's name, where an entry is missing,
    /// changed or too much.
    #[command(after_help = "\
Examples
  symbolon audit verify
  symbolon audit verify --json")]
    Verify,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let audit = Audit::open(&home).map_err(|e| failure(&home, &e))?;
        match self.step {
            Step::Query(args) => args.run(ctx, &home, &audit),
            Step::Compact => compact(ctx, &home, &audit),
            Step::Verify => verify(ctx, &home, &audit),
        }
    }
}

fn compact(ctx: &Ctx, home: &Home, audit: &Audit) -> Result<(), Failure> {
    let ticker = Ticker::new("compacting");
    let made = audit.compact(&|done, of| ticker.tell(done, of)).map_err(|e| failure(home, &e))?;
    ticker.clear();
    if ctx.json {
        return out::json(&json!({ "folder": audit.folder(), "made": made }));
    }
    if made.is_empty() {
        out::say("Nothing to compact: every entry that a checkpoint covers is in a Parquet file.");
        return Ok(());
    }
    let percent = |it: &Compacted| {
        format!("{:.1} %", 100.0 - 100.0 * it.bytes as f64 / it.bytes_before.max(1) as f64)
    };
    let row = |it: &Compacted| {
        let numbers = [it.entries, it.receipts, it.bytes_before, it.bytes].map(|n| n.to_string());
        [vec![it.name.clone()], numbers.to_vec(), vec![percent(it)]].concat()
    };
    let rows: Vec<_> = made.iter().map(row).collect();
    out::table(&["FILE", "ENTRIES", "RECEIPTS", "BYTES BEFORE", "BYTES", "SMALLER BY"], &rows)?;
    out::say_next("symbolon audit verify");
    Ok(())
}

fn verify(ctx: &Ctx, home: &Home, audit: &Audit) -> Result<(), Failure> {
    let ticker = Ticker::new("verifying");
    let proof = audit.verify(&|done, of| ticker.tell(done, of)).map_err(|e| failure(home, &e))?;
    ticker.clear();
    if ctx.json {
        return out::json(&show::proof(&proof));
    }
    let rows: Vec<_> = proof
        .files
        .iter()
        .map(|it| vec![it.name.clone(), it.first.to_string(), (it.next - 1).to_string()])
        .collect();
    if !rows.is_empty() {
        out::table(&["FILE", "FIRST", "LAST"], &rows)?;
    }
    out::say(&complete(&proof));
    Ok(())
}

/// What was searched, in a sentence.
fn complete(proof: &Proof) -> String {
    let Some(checkpoint) = &proof.checkpoint else {
        return format!(
            "Not proven: no checkpoint is signed yet; {} entries searched.",
            proof.next
        );
    };
    let later = match proof.next - checkpoint.size {
        0 => String::new(),
        n => format!("; {n} newer ones wait for the next checkpoint"),
    };
    let gone: Vec<_> =
        proof.taken_away.iter().map(|(first, next)| format!("{first} to {}", next - 1)).collect();
    let gone = match gone.is_empty() {
        true => String::new(),
        false => format!(" Taken away, and so not searched: entries {}.", gone.join(", ")),
    };
    format!("Complete: {} entries, root {}{later}.{gone}", checkpoint.size, checkpoint.root)
}

/// Damage is a refusal, with what is to be done; the rest is the machine's fault.
fn failure(home: &Home, fault: &AuditFault) -> Failure {
    if !fault.is_damage() {
        return Failure::environment("audit", fault.to_string());
    }
    let failure = Failure::refused("audit_incomplete", fault.to_string());
    match fault {
        AuditFault::File { name, .. }
        | AuditFault::Differs { name }
        | AuditFault::Overlap { name } => {
            let path = home.audit().join(name).display().to_string();
            failure.next(format!("mv {path} {path}.bad && symbolon audit compact"))
        }
        _ => failure.next("symbolon status"),
    }
}

/// Says how far long work is, to a person alone.
pub(super) struct Ticker {
    doing: &'static str,
    last: Mutex<Option<Instant>>,
}

impl Ticker {
    pub(super) fn new(doing: &'static str) -> Self {
        // Short work says nothing.
        let last = stderr().is_terminal().then(Instant::now);
        Self { doing, last: Mutex::new(last) }
    }

    pub(super) fn tell(&self, done: u64, of: u64) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = last.as_mut().filter(|at| at.elapsed() > EVERY) else { return };
        *at = Instant::now();
        let of = if of > 0 { format!(" of {of}") } else { String::new() };
        // Where standard error is gone there is nobody to say it to.
        let _ = write!(stderr(), "\r{} {done}{of} entries \u{2026}", self.doing);
    }

    pub(super) fn clear(&self) {
        if stderr().is_terminal() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

const EVERY: Duration = Duration::from_millis(400);
