//! `symbolon capsule prove-binary`

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use symbolon_ambient::SystemRng;
use symbolon_codec::hex;
use symbolon_stark::{BINARY_BYTES_MAX, Context, Cost, NONCE_BYTES, prove};

use super::Ctx;
use crate::facts::{self, NewFile};
use crate::failure::Failure;
use crate::{out, progress};

/// Prove that you hold a binary of a known SHA3-512, without handing it over
///
/// Who gets the proof learns the hash, how many blocks of 72 bytes the binary has, and that you hold it; nothing else of
/// it. The proof is for one audience, and where that gave you a nonce, for that nonce. What it will cost is said before:
/// it takes minutes and gigabytes, and is refused where this machine has not so much memory available. For binaries of
/// at most 204,800 bytes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule prove-binary hello.wasm --estimate
  symbolon capsule prove-binary hello.wasm --for https://auditor.example --out hello.proof
  symbolon capsule prove-binary hello.wasm --for https://auditor.example --nonce 8f3c0b52d1e94a7786c1f0a9b3d5e417 --out hello.proof
  symbolon verify hello.proof --component hello.capsule.json --for https://auditor.example")]
pub struct Args {
    /// The binary: a component, or any file
    #[arg(value_name = "COMPONENT")]
    component: PathBuf,
    /// Whom the proof is for
    #[arg(long = "for", value_name = "AUDIENCE", required_unless_present = "estimate")]
    audience: Option<String>,
    /// What the audience drew, 32 hex digits; without it the proof can be shown to it again
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    nonce: Option<[u8; NONCE_BYTES]>,
    /// Write the proof to this new file
    #[arg(long, value_name = "FILE", required_unless_present = "estimate")]
    out: Option<PathBuf>,
    /// Say what it would cost, and end
    #[arg(long, conflicts_with = "out")]
    estimate: bool,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let binary = facts::read(&self.component, BINARY_BYTES_MAX)?;
        let cost = Cost::of(binary.len()).map_err(|_| {
            let what = format!(
                "{} has more than {BINARY_BYTES_MAX} bytes, the most that can be proven",
                self.component.display()
            );
            Failure::refused("binary_long", what)
                .next("symbolon capsule run FILE --private --receipt FILE proves a run of it")
        })?;
        let available = memory_available();
        if !ctx.json || !self.estimate {
            say(&cost, available);
        }
        let (Some(path), Some(audience)) = (&self.out, &self.audience) else {
            return if ctx.json { out::json(&as_json(&cost, available)) } else { Ok(()) };
        };
        let context = Context::new(audience, self.nonce.unwrap_or_default()).map_err(|error| {
            Failure::usage(error.to_string()).next("--for https://auditor.example")
        })?;
        fits(&cost, available)?;

        let file = NewFile::make(path)?;
        let expected = Duration::from_secs(cost.seconds);
        let proven: Result<_, String> = progress::during("Proving", expected, || {
            let proof = prove(&binary, context, &SystemRng).map_err(|error| error.to_string())?;
            let bytes = proof.to_bytes().map_err(|error| error.to_string())?;
            Ok((proof.statement().clone(), bytes))
        });
        let (statement, bytes) = match proven {
            Ok(proven) => proven,
            Err(what) => {
                let failure = Failure::refused("not_proven", what);
                return file.give_up(failure.next("symbolon doctor, and report what it says"));
            }
        };
        file.write(&bytes)?;
        let digest = hex::encode(statement.digest);
        if ctx.json {
            return out::json(&json!({ "out": path, "bytes": bytes.len(), "sha3_512": digest,
                "blocks": statement.blocks, "audience": audience,
                "nonce": hex::encode(statement.context.nonce()),
                "cost": as_json(&cost, available) }));
        }
        out::say(&format!("{} has the proof, for {audience} alone.", path.display()));
        if self.nonce.is_none() {
            out::say("No nonce was given: who has the file can show it to them again.");
        }
        let nonce = self.nonce.map(|it| format!(" --nonce {}", hex::encode(it)));
        let nonce = nonce.unwrap_or_default();
        out::say_next(&format!(
            "symbolon verify {} --component {digest} --for {audience}{nonce}",
            path.display()
        ));
        Ok(())
    }
}

fn say(cost: &Cost, available: Option<u64>) {
    let has = available.map_or_else(
        || "how much is available here cannot be read".to_owned(),
        |bytes| format!("{} are available here", gigabytes(bytes)),
    );
    out::say(&format!(
        "{} block{}, {} rows of {} columns: about {} s on two cores, {} of memory ({has}).",
        cost.blocks,
        if cost.blocks == 1 { "" } else { "s" },
        cost.rows,
        cost.columns,
        cost.seconds,
        gigabytes(cost.memory_bytes),
    ));
}

fn as_json(cost: &Cost, available: Option<u64>) -> Value {
    json!({ "blocks": cost.blocks, "rows": cost.rows, "columns": cost.columns,
        "seconds_about": cost.seconds, "memory_bytes": cost.memory_bytes,
        "memory_available_bytes": available })
}

/// Refuses what the machine would end for want of memory, after minutes.
fn fits(cost: &Cost, available: Option<u64>) -> Result<(), Failure> {
    match available {
        Some(bytes) if bytes < cost.memory_bytes => {
            let what = format!(
                "the proof takes {} of memory, and {} are available",
                gigabytes(cost.memory_bytes),
                gigabytes(bytes)
            );
            Err(Failure::environment("memory", what)
                .next("the same command on a machine with so much memory; --estimate says it"))
        }
        _ => Ok(()),
    }
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

/// What the kernel would give to a program now, in bytes; nothing where it does not say.
fn memory_available() -> Option<u64> {
    available_of(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn available_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// A nonce that was typed.
pub fn nonce(text: &str) -> Result<[u8; NONCE_BYTES], String> {
    let mut bytes = [0; NONCE_BYTES];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| "a nonce is 32 hex digits".to_owned())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_that_does_not_fit_is_refused_with_the_figures() {
        let cost = Cost::of(BINARY_BYTES_MAX).unwrap();
        assert!(fits(&cost, Some(cost.memory_bytes)).is_ok());
        assert!(fits(&cost, None).is_ok());
        let refused = fits(&cost, Some(cost.memory_bytes - 1)).unwrap_err();
        assert_eq!(refused.code, "memory");
        assert!(refused.message.contains(&gigabytes(cost.memory_bytes)), "{}", refused.message);
    }

    #[test]
    fn available_memory_is_what_the_kernel_says() {
        let meminfo = "MemTotal:  100 kB\nMemAvailable:   24117252 kB\nBuffers: 1 kB\n";
        assert_eq!(available_of(meminfo), Some(24_117_252 * 1024));
        for damaged in ["", "MemAvailable: x kB", "MemAvailable: 1 MB", "MemFree: 1 kB"] {
            assert_eq!(available_of(damaged), None, "{damaged}");
        }
    }
}
