//! `symbolon capsule tool`

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use symbolon_ambient::{Clock, Rng, SystemClock, SystemRng};
use symbolon_capsule::{Admitted, Capability, Checked};
use symbolon_capsule_host::Ran;
use symbolon_codec::{b64, json as strict};
use symbolon_crypto::sha256;
use symbolon_mcp::{OneTool, serve_one};
use symbolon_receipt::capsule::Facts;
use symbolon_store::Home;

use super::receipts::{Place, Receipts};
use super::run::execute;
use super::source::{Files, Source, unchecked};
use super::{Ctx, place, receipt};
use crate::failure::Failure;
use crate::link::Asking;
use crate::{facts, logs, runtime};

/// Serve a signed component as one tool, over MCP on standard input and output
///
/// `symbolon mount add NAME --capsule FILE` starts this, so that agents call the capsule by scopes, gates and receipts as any
/// tool. Each call is a run of its own, shut in; the tool's arguments, as JSON, are its input. What the capsule calls goes
/// through the broker again, as the agent capsule_PUBLISHER_NAME, which needs a grant of its own. How the tool is described to
/// agents can stand beside the component, in NAME.tool.json: description, inputSchema, annotations. Without an inputSchema it
/// takes no arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon mount add clerk --capsule clerk.wasm
  symbolon mount add clerk --capsule clerk.wasm --receipts receipts/
  symbolon grant capsule_acme_clerk github.issues.read
  symbolon capsule tool clerk.wasm      what a mount starts")]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// How it is described to agents [default: NAME.tool.json beside it, where there is one]
    #[arg(long, value_name = "FILE")]
    describe: Option<PathBuf>,
    /// Leave a receipt of each run that ended well in this folder, proven by the operator's key of the home
    #[arg(long, value_name = "FOLDER")]
    receipts: Option<PathBuf>,
}

/// What its owner says of it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Described {
    description: Option<String>,
    input_schema: Option<Map<String, Value>>,
    #[serde(default)]
    annotations: Hints,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Hints {
    read_only_hint: Option<bool>,
    destructive_hint: Option<bool>,
}

/// What every call needs.
struct Office {
    ctx: Ctx,
    home: Option<Home>,
    source: Source,
    files: Files,
    receipts: Option<Receipts>,
}

/// Why a call gave nothing, and how far it came: told that it was not run, an agent calls again.
#[derive(Debug)]
enum Trouble {
    /// Nothing of it ran.
    NotRun(Failure),
    /// It ended by what the capsule did.
    Own(Failure),
    /// It began, or may have.
    BrokenOff(Failure),
    /// It ran to its end.
    NoReceipt(Failure),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let files = self.source.read()?;
        let home = Source::home(ctx)?;
        let folder = home.as_ref().map(Home::path);
        let certified = self.source.certified(&files.certificate, folder, SystemClock.unix_ms())?;
        // Said now, to whoever mounts it, and looked at again with each call.
        let tool = Checked::check(&files.manifest, &certified)
            .and_then(|checked| checked.admit(&files.component))
            .map_err(unchecked)
            .and_then(|admitted| self.described(&admitted))?;
        let receipts = self.receipts.map(Receipts::open).transpose()?;
        let ctx = Ctx { json: false, ..ctx.clone() };
        let office = Arc::new(Office { ctx, home, source: self.source, files, receipts });
        let own = |stream: std::io::Result<OwnedFd>| {
            stream.map_err(|e| Failure::environment("streams", format!("standard streams: {e}")))
        };
        let read = own(rustix::stdio::stdin().try_clone_to_owned())?;
        let write = own(rustix::stdio::stdout().try_clone_to_owned())?;
        logs::to_stderr();
        let served = serve_one(tool, move |arguments| office.clone().call(arguments), read, write);
        runtime::single()?.block_on(served).map_err(|error| {
            Failure::environment("session", error.to_string())
                .next("symbolon mount add NAME --capsule FILE, which starts this")
        })
    }

    fn described(&self, admitted: &Admitted<'_>) -> Result<OneTool, Failure> {
        let said = self.read_description()?;
        let (manifest, checked) = (admitted.manifest(), admitted.checked());
        let what = said.description.unwrap_or_else(|| "Runs a capsule on these arguments.".into());
        // Both hashes are in what a mount pins: another version, or the same one that may do more, is looked at again before
        // it is called.
        let description = format!(
            "{what} (Capsule {} {} by {}, component sha3-512:{}, manifest sha256:{})",
            manifest.name,
            manifest.version,
            checked.publisher(),
            manifest.component.sha3_512,
            sha256(&manifest.to_bytes())
        );
        let open = || Map::from_iter([("type".to_owned(), json!("object"))]);
        // What may call nothing changes nothing: it has no file, no network, no clock to hand anything on by.
        let may_call = manifest.capabilities.contains(&Capability::Call);
        let read_only = said.annotations.read_only_hint.or((!may_call).then_some(true));
        Ok(OneTool {
            name: manifest.name.clone(),
            description,
            input_schema: said.input_schema.unwrap_or_else(open),
            read_only,
            destructive: said.annotations.destructive_hint,
            // Each run may take what its manifest allows of memory.
            runs_at_once: RUNS_AT_ONCE,
        })
    }

    fn read_description(&self) -> Result<Described, Failure> {
        let beside = place::beside(&self.source.component, "tool.json");
        let file = match &self.describe {
            Some(file) => file,
            None if beside.exists() => &beside,
            None => return Ok(Described::default()),
        };
        let bytes = facts::read(file, DESCRIBED_BYTES_MAX)?;
        let read = strict::parse_bounded(&bytes, DESCRIBED_BYTES_MAX, DESCRIBED_DEPTH_MAX)
            .map_err(|error| error.to_string())
            .and_then(|value| serde_json::from_value(value).map_err(|error| error.to_string()));
        read.map_err(|error| {
            Failure::refused("capsule_tool", format!("{}: {error}", file.display())).next(
                "a JSON object with description, inputSchema and annotations (readOnlyHint, destructiveHint)",
            )
        })
    }
}

impl Office {
    async fn call(self: Arc<Self>, arguments: Map<String, Value>) -> Result<String, String> {
        let ran = tokio::task::spawn_blocking(move || self.once(arguments)).await;
        ran.unwrap_or_else(|_| Err("the run was broken off, and may have done a part".to_owned()))
    }

    /// One run. What is wrong with the machine or the papers is its owner's, on standard error.
    fn once(&self, arguments: Map<String, Value>) -> Result<String, String> {
        let input = strict::canonical(&Value::Object(arguments));
        let ran = self.shut_in(&input).map_err(|trouble| {
            let told = trouble.told();
            // The exit code is for a command that ends: this one goes on.
            let _ = trouble.into_failure().tell(false);
            told
        })?;
        let output = ran.finished.output;
        Ok(String::from_utf8(output).unwrap_or_else(|error| b64::encode(error.as_bytes())))
    }

    fn shut_in(&self, input: &[u8]) -> Result<Ran, Trouble> {
        let Files { component, manifest, certificate } = &self.files;
        let (now_ms, folder) = (SystemClock.unix_ms(), self.home.as_ref().map(Home::path));
        let certified =
            self.source.certified(certificate, folder, now_ms).map_err(Trouble::NotRun)?;
        let admitted = Checked::check(manifest, &certified)
            .and_then(|checked| checked.admit(component))
            .map_err(unchecked)
            .map_err(Trouble::NotRun)?;
        let place = self.place(&admitted, now_ms).map_err(Trouble::NotRun)?;
        let seed = u64::from_le_bytes(SystemRng.bytes());
        let ran = execute(&self.ctx, &admitted, folder, input, (now_ms, seed))
            .map_err(Trouble::of_run)?;
        if let Some(place) = place {
            self.leave_receipt(place, &admitted, &ran, (input, now_ms))
                .map_err(Trouble::NoReceipt)?;
        }
        Ok(ran)
    }

    /// Where the run's receipt will be. Whoever wants one does not want a run without it: what can be known to be wrong is
    /// found before.
    fn place(&self, admitted: &Admitted<'_>, now_ms: u64) -> Result<Option<Place>, Failure> {
        let Some(receipts) = &self.receipts else { return Ok(None) };
        self.ctx.broker()?.ensure_unlocked(Asking::Nobody)?;
        receipts.place(&admitted.manifest().name, now_ms).map(Some)
    }

    fn leave_receipt(
        &self,
        place: Place,
        admitted: &Admitted<'_>,
        ran: &Ran,
        (input, now_ms): (&[u8], u64),
    ) -> Result<(), Failure> {
        let facts = Facts {
            manifest: &self.files.manifest,
            certificate: &self.files.certificate,
            started_ms: now_ms,
            completed_ms: SystemClock.unix_ms().max(now_ms),
            input,
            output: &ran.finished.output,
            fuel: ran.finished.fuel_used,
            memory_bytes: ran.finished.memory_bytes,
        };
        // Another line than before the run: the broker closes one that is silent for as long as a run may take.
        let mut broker = self.ctx.broker()?;
        let made = receipt::make(&mut broker, admitted, &ran.satisfied, &facts)?;
        let made = receipt::logged(&mut broker, made)?;
        place.write(&made.to_json())
    }
}

impl Trouble {
    fn of_run(failure: Failure) -> Self {
        match failure.code.strip_prefix("capsule_") {
            Some("engine" | "process") => Self::BrokenOff(failure),
            Some(word) if ITS_OWN.contains(&word) => Self::Own(failure),
            _ => Self::NotRun(failure),
        }
    }

    fn into_failure(self) -> Failure {
        match self {
            Self::NotRun(it) | Self::Own(it) | Self::BrokenOff(it) | Self::NoReceipt(it) => it,
        }
    }

    /// As an agent may hear it: the capsule's own words and limits, and codes of what its owner hears whole.
    fn told(&self) -> String {
        match self {
            Self::NotRun(it) => format!("it was not run: {}", it.code),
            Self::Own(it) => it.message.clone(),
            Self::BrokenOff(it) => {
                format!("the run was broken off, and may have done a part: {}", it.code)
            }
            Self::NoReceipt(it) => format!("it ran; its receipt could not be left: {}", it.code),
        }
    }
}

/// How a run ends by what the capsule did.
const ITS_OWN: [&str; 8] = ["exit", "fuel", "guest", "memory", "output", "stack", "time", "trap"];
const RUNS_AT_ONCE: usize = 4;
const DESCRIBED_BYTES_MAX: usize = 64 * 1024;
const DESCRIBED_DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_or_may_have_is_never_called_not_run() {
        let failure = |code: &str| Failure::refused(code, "all of it");
        let of_run = |code: &str| Trouble::of_run(failure(code)).told();
        assert_eq!(of_run("capsule_import"), "it was not run: capsule_import");
        assert_eq!(of_run("no_broker"), "it was not run: no_broker");
        for code in ["capsule_process", "capsule_engine"] {
            let told = of_run(code);
            assert!(told.contains("may have done a part") && told.ends_with(code), "{told}");
        }
        for word in ITS_OWN {
            assert_eq!(of_run(&format!("capsule_{word}")), "all of it");
        }
        let told = Trouble::NoReceipt(failure("file")).told();
        assert_eq!(told, "it ran; its receipt could not be left: file");
    }
}
