//! `symbolon capsule certify`

use std::path::PathBuf;

use serde_json::json;
use symbolon_ambient::{Clock, SystemClock};
use symbolon_capsule::{Capability, Ceiling, Certificate, Envelope, HostPattern, Kind};

use super::{Ctx, place};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::out;

/// Certify a publisher, with the most that its capsules may ask for
///
/// Signed with a root's key. A manifest that asks for more than the certificate allows does not run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule certify acme --public publisher.pub --root root.key --out acme.certificate.json
  symbolon capsule certify acme --public publisher.pub --root root.key --out acme.certificate.json \\
      --call 'github.issues.*' --host api.github.com --days 90")]
pub struct Args {
    /// The publisher's name
    #[arg(value_name = "NAME")]
    publisher: String,
    /// The publisher's public keys
    #[arg(long, value_name = "FILE")]
    public: PathBuf,
    /// The root's private key
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// Where to write it: a new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Your own number for it, by which you can revoke it; the time where none is given
    #[arg(long, value_name = "N")]
    number: Option<u64>,
    /// How long it is good
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// An operation that capsules may call; can be repeated, and end in .*
    #[arg(long = "call", value_name = "OPERATION")]
    calls: Vec<String>,
    /// A host that calls may go to; can be repeated, and begin with *.
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// The largest memory, in MiB
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1024))]
    memory: Option<u64>,
    /// The longest run, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    time: Option<u64>,
    /// The most fuel: about one for each instruction
    #[arg(long, value_name = "UNITS")]
    fuel: Option<u64>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let now_ms = SystemClock.unix_ms();
        let mut ceiling = Ceiling::plain();
        if !self.calls.is_empty() {
            ceiling.capabilities.insert(0, Capability::Call);
        }
        ceiling.calls = self.calls;
        ceiling.calls.sort();
        ceiling.calls.dedup();
        ceiling.hosts = self.hosts.into_iter().map(HostPattern::new).collect();
        ceiling.hosts.sort();
        ceiling.hosts.dedup();
        let limits = &mut ceiling.limits;
        limits.memory_bytes = self.memory.map_or(limits.memory_bytes, |mib| mib << 20);
        limits.time_ms = self.time.map_or(limits.time_ms, |seconds| seconds * 1000);
        limits.fuel = self.fuel.unwrap_or(limits.fuel);
        let certificate = Certificate {
            ceiling,
            keys: place::public(&self.public)?,
            not_after_ms: now_ms + u64::from(self.days) * 86_400_000,
            not_before_ms: now_ms,
            number: self.number.unwrap_or(now_ms),
            publisher: self.publisher,
        };
        certificate.check().map_err(|error| {
            Failure::usage(format!("this is no certificate: {error}"))
                .next("symbolon capsule certify --help")
        })?;
        let root = place::private(&self.root)?;
        let envelope = Envelope::sign(Kind::Certificate, certificate.to_bytes(), &root)
            .map_err(|error| Failure::refused("capsule_sign", error.to_string()))?;
        NewFile::make(&self.out)?.write(&envelope.to_json())?;
        let Certificate { number, publisher, not_after_ms, .. } = &certificate;
        if ctx.json {
            return out::json(&json!({
                "number": number, "publisher": publisher, "not_after_ms": not_after_ms,
                "out": self.out,
            }));
        }
        out::text(&number.to_string())?;
        out::say(&format!("`{publisher}` is certified, number {number}."));
        out::say_next("symbolon capsule sign hello.manifest.json --key publisher.key");
        Ok(())
    }
}
