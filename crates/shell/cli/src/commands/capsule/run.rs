//! `symbolon capsule run`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use symbolon_ambient::{Clock, Rng, SystemClock, SystemRng};
use symbolon_capsule::{Admitted, Checked, PolicyError};
use symbolon_capsule_host::{Cache, Keeper, Ran, RunError};
use symbolon_circuits::ProvingKey;
use symbolon_circuits::capsule::Capsule;
use symbolon_codec::b64;
use symbolon_receipt::capsule::{Facts, FieldName, UnknownField};

use super::doors::CommandDoors;
use super::source::{Source, unchecked};
use super::{Ctx, receipt};
use crate::commands::prove::keys;
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::link::Asking;
use crate::{facts, out};

/// Run a signed component on an input, shut in
///
/// Manifest and certificate are looked for beside the component (NAME.capsule.json,
/// NAME.certificate.json). What it writes to its standard output is the result.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule run hello.wasm --input @in.json
  symbolon capsule run hello.wasm --input '{\"name\":\"Ada\"}' --json
  symbolon capsule run hello.wasm --certificate acme.certificate.json --root root.pub
  symbolon capsule run hello.wasm --input @in.json --receipt receipt.json
  symbolon capsule run hello.wasm --input @in.json --receipt receipt.json --unlinked
  symbolon capsule run hello.wasm --input @in.json --receipt receipt.json --private")]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// Its input: text, or @FILE, or @- for standard input
    #[arg(long, value_name = "TEXT|@FILE", default_value = "")]
    input: String,
    /// Where to write a receipt of the run, proven by the operator's key of the home: a new file
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Prove the receipt by a key of this run alone, in place of the operator's: whose it is stands in a field
    /// that can be withheld
    #[arg(long, requires = "receipt")]
    unlinked: bool,
    /// Show that a capsule of this publisher ran under this policy, and not which: nobody can say it of this receipt later,
    /// you neither
    #[arg(long, requires = "receipt", conflicts_with = "unlinked")]
    private: bool,
    /// In a private receipt, show these too: input, output, use. Whoever has the publisher's capsules can try which one it was
    #[arg(long, value_name = "FACTS", value_delimiter = ',', requires = "private", value_parser = telling)]
    show: Vec<FieldName>,
    /// What random numbers of a deterministic capsule come from
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let files = self.source.read()?;
        let home = Source::home(ctx)?;
        let now_ms = SystemClock.unix_ms();
        let folder = home.as_ref().map(|it| it.path());
        let certified = self.source.certified(&files.certificate, folder, now_ms)?;
        let checked = Checked::check(&files.manifest, &certified)
            .and_then(|checked| checked.admit(&files.component))
            .map_err(unchecked)?;
        let seed = self.seed.unwrap_or_else(|| u64::from_le_bytes(SystemRng.bytes()));
        let input = self.read_input()?;
        // Before the run: whoever wants a receipt of it does not want a run without one.
        let key = match self.private {
            true => Some(statement_key(&checked, ctx.existing()?.path())?),
            false => None,
        };
        if self.receipt.is_some() {
            ctx.broker()?.ensure_unlocked(Asking::Person)?;
        }
        let ran = execute(ctx, &checked, folder, &input, (now_ms, seed))?;
        if let Some(path) = &self.receipt {
            // Another line than before the run: the broker closes one that is silent for as long as a run may take.
            let broker = &mut ctx.broker()?;
            let facts = Facts {
                manifest: &files.manifest,
                certificate: &files.certificate,
                started_ms: now_ms,
                completed_ms: SystemClock.unix_ms().max(now_ms),
                input: &input,
                output: &ran.finished.output,
                fuel: ran.finished.fuel_used,
                memory_bytes: ran.finished.memory_bytes,
            };
            let (show, satisfied) = (&self.show[..], &ran.satisfied);
            let made = match &key {
                Some(key) => receipt::make_private(broker, &checked, satisfied, &facts, key, show)?,
                None if self.unlinked => {
                    receipt::make_unlinked(broker, &checked, satisfied, &facts)?
                }
                None => receipt::make(broker, &checked, satisfied, &facts)?,
            };
            let made = receipt::logged(broker, made)?;
            NewFile::make(path)?.write(&made.to_json())?;
        }
        show(ctx, &checked, &ran, now_ms, seed)?;
        if let Some(path) = self.receipt.filter(|_| !ctx.json) {
            let path = path.display();
            out::say_next(&format!("symbolon verify {path} --key operator.pub --root root.pub"));
        }
        Ok(())
    }

    fn read_input(&self) -> Result<Vec<u8>, Failure> {
        let Some(path) = self.input.strip_prefix('@') else {
            return Ok(self.input.clone().into_bytes());
        };
        let bytes = facts::read(Path::new(path), INPUT_BYTES_MAX)?;
        if bytes.len() > INPUT_BYTES_MAX {
            return Err(Failure::usage("the input is longer than 16 MiB")
                .next("symbolon capsule run --help"));
        }
        Ok(bytes)
    }
}

/// Runs an admitted capsule once, shut in; its calls go to the home's broker. `folder`: where compiled components are kept.
pub fn execute(
    ctx: &Ctx,
    admitted: &Admitted<'_>,
    folder: Option<&Path>,
    input: &[u8],
    (now_ms, seed): (u64, u64),
) -> Result<Ran, Failure> {
    let doors = Arc::new(CommandDoors::new(admitted.checked(), ctx)?);
    let cache = match folder {
        Some(folder) => Some(Cache::open(folder).map_err(|error| {
            Failure::environment("capsule_cache", error.to_string())
                .next(format!("ls -l {}/capsules", folder.display()))
        })?),
        None => None,
    };
    let program = std::env::current_exe()
        .map_err(|error| Failure::environment("program", error.to_string()))?;
    let keeper = Keeper::new(program, &["capsule-child"]).when_compiling(say_compiling);
    let ran = keeper.run(admitted, cache.as_ref(), input.to_vec(), now_ms, seed, doors);
    ran.map_err(|error| refused(&error))
}

/// Of a component that takes seconds: those that a language's whole runtime is part of.
fn say_compiling(bytes: usize) {
    const LONG_BYTES: usize = 2 << 20;
    if bytes >= LONG_BYTES {
        let mib = bytes.div_ceil(1 << 20);
        out::say(&format!("Compiling {mib} MiB, about a second each; later runs find it compiled"));
    }
}

fn show(
    ctx: &Ctx,
    admitted: &symbolon_capsule::Admitted<'_>,
    ran: &Ran,
    now_ms: u64,
    seed: u64,
) -> Result<(), Failure> {
    let (manifest, checked) = (admitted.manifest(), admitted.checked());
    let finished = &ran.finished;
    let text = std::str::from_utf8(&finished.output).ok();
    if !ctx.json {
        match text {
            Some(text) => out::text(text.strip_suffix('\n').unwrap_or(text))?,
            None => out::text(&b64::encode(&finished.output))?,
        }
        let cached = if ran.was_cached { "" } else { ", compiled now" };
        out::say(&format!(
            "{} {} by {}: {} units of fuel, {} KiB{cached}",
            manifest.name,
            manifest.version,
            checked.publisher(),
            finished.fuel_used,
            finished.memory_bytes / 1024
        ));
        return Ok(());
    }
    let (encoding, output) = match text {
        Some(text) => match serde_json::from_str::<Value>(text) {
            Ok(value) => ("json", value),
            Err(_) => ("text", Value::from(text)),
        },
        None => ("base64", Value::from(b64::encode(&finished.output))),
    };
    out::json(&json!({
        "capsule": { "name": manifest.name, "version": manifest.version,
            "sha3_512": manifest.component.sha3_512 },
        "publisher": { "name": checked.publisher(), "certificate": checked.certificate() },
        "output": output,
        "encoding": encoding,
        "fuel_used": finished.fuel_used,
        "memory_bytes": finished.memory_bytes,
        "measured": ran.satisfied.measured(),
        "was_cached": ran.was_cached,
        "time_ms": now_ms,
        "seed": manifest.deterministic.then_some(seed),
    }))
}

/// What a private receipt is proven with, where the publisher has signed a statement.
fn statement_key(checked: &Admitted<'_>, home: &Path) -> Result<ProvingKey<Capsule>, Failure> {
    if checked.manifest().statement.is_none() {
        let what = "the capsule's publisher signed no statement for private receipts";
        return Err(Failure::refused("capsule_statement", what)
            .next("its publisher's symbolon capsule sign NAME.manifest.json --key publisher.key"));
    }
    keys::of(home)
}

/// Facts that a private receipt can show, and need not.
fn telling(text: &str) -> Result<FieldName, String> {
    let name: FieldName = text.parse().map_err(|error: UnknownField| error.to_string())?;
    match name {
        FieldName::Input | FieldName::Output | FieldName::Use => Ok(name),
        _ => Err("a private receipt can show input, output and use".to_owned()),
    }
}

/// A capsule that did not run to its end.
pub fn refused(error: &RunError) -> Failure {
    let next = match error {
        RunError::Fuel | RunError::Time | RunError::Memory | RunError::Output => {
            "a higher limit in the manifest, and sign it again: symbolon capsule sign --help"
        }
        RunError::Import(_) => "symbolon capsule build FILE shows what its imports ask for",
        RunError::Entry => "symbolon capsule wit shows what a guest exports",
        RunError::Component(_) => "a component: cargo build --release --target wasm32-wasip2",
        RunError::Policy(PolicyError::Landlock { .. } | PolicyError::Syscalls { .. }) => {
            "a kernel with Landlock and seccomp (Linux 5.13 or newer)"
        }
        RunError::Policy(_) => "a machine that satisfies the manifest's policy",
        RunError::Engine(_) | RunError::Process(_) => "symbolon doctor",
        _ => "its publisher, with this input",
    };
    Failure::refused(&format!("capsule_{}", error.code()), error.to_string()).next(next)
}

const INPUT_BYTES_MAX: usize = 16 * 1024 * 1024;
