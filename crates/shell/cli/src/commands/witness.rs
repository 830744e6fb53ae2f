//! `symbolon witness`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;
use symbolon_ambient::SystemRng;
use symbolon_codec::hex;
use symbolon_log::{SUCCESSION_BYTES_MAX, Succession, WatchedLog, Witness, vkey};
use symbolon_witness::{Bounds, Cosigner, FolderHeads, WitnessKeyError, load_or_make_key, serve};

use super::{Ctx, broker};
use crate::failure::Failure;
use crate::{facts, logs, out, runtime};

/// Cosign other people's logs, so that they cannot be rewritten
///
/// A witness signs a log's checkpoint only where it is shown to continue the last one that it signed. It keeps its key and
/// what it saw in the home's folder `witness`; no vault is needed. Where a log's key gives way to another, it follows by the
/// checkpoint that both signed. Without --listen its key is printed, for those who are
/// to believe it. What passes is public and signed: put a proxy with a certificate before it where it is reached over a
/// network.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon witness
  symbolon witness --listen 127.0.0.1:7171 --log operator.pub
  symbolon witness --listen 127.0.0.1:7171 --log symbolon.local/5d6c0f83=operator.pub --name witness.example")]
pub struct Args {
    /// Address and port
    #[arg(long, value_name = "ADDRESS", requires = "logs")]
    listen: Option<SocketAddr>,
    /// A log to sign for: its operator's operator.pub, or its operator.succession where its key gave way before, with its name
    /// before it where you want that checked; can be repeated
    #[arg(long = "log", value_name = "[ORIGIN=]FILE", id = "logs")]
    logs: Vec<String>,
    /// What it is called under checkpoints, such as its host name [default: made of its key]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let folder = ctx.folder()?.join("witness");
        let key = load_or_make_key(&folder, &SystemRng)?;
        let made = || {
            let public = hex::encode(key.verifying_key().as_bytes());
            format!("symbolon-witness-{}", &public[..8])
        };
        let name = self.name.clone().unwrap_or_else(made);
        let logs = self.logs.iter().map(|text| log(text)).collect::<Result<Vec<_>, _>>()?;
        let unnamed = |error: symbolon_log::NoteError| {
            Failure::usage(error.to_string()).next("symbolon witness --name witness.example")
        };
        let Some(listen) = self.listen else {
            let public = symbolon_log::WitnessKey::new(&name, key.verifying_key());
            return tell(ctx, &public.map_err(unnamed)?.to_string(), None);
        };
        let heads = FolderHeads::open(&folder)?;
        let witness = Witness::new(&name, key, logs, heads).map_err(unnamed)?;
        if let Some(kept) = witness.other_keys() {
            return Err(other_keys(&kept));
        }
        let public = witness.public().to_string();
        logs::to_stderr();
        runtime::many()?.block_on(async {
            let stop = broker::stop_on_signals()?;
            let served = serve(Cosigner::new(witness), listen, Bounds::new(RATE), stop).await;
            let served = served.map_err(|error| cannot_listen(listen, &error))?;
            tell(ctx, &public, Some(served.address()))?;
            served.stopped().await;
            Ok(())
        })
    }
}

/// `ORIGIN=FILE` or `FILE`.
fn log(text: &str) -> Result<WatchedLog, Failure> {
    let (wanted, path) = match text.split_once('=') {
        Some((origin, path)) => (Some(origin), Path::new(path)),
        None => (None, Path::new(text)),
    };
    let read = facts::read(path, SUCCESSION_BYTES_MAX)?;
    let log = WatchedLog::parse(&read).map_err(|error| {
        let what = format!("{} is not an operator's key: {error}", path.display());
        Failure::usage(what).next("--log with the operator.pub of that log, from its operator")
    })?;
    let origin = log.origin();
    if let Some(wanted) = wanted.filter(|wanted| *wanted != origin) {
        let what = format!("{} is the key of {origin}, not of {wanted}", path.display());
        return Err(Failure::usage(what).next("--log with the operator.pub of that log"));
    }
    Ok(log)
}

/// It followed the log to keys that neither lead to the given one nor come from it.
fn other_keys(kept: &Succession) -> Failure {
    let origin = kept.origin();
    // The name was checked when the line was read.
    let key = vkey(origin, kept.newest()).unwrap_or_default();
    let what = format!("this witness followed {origin} to other keys than --log gives for it");
    Failure::environment("witness_keys", what).next(format!(
        "--log with the operator.pub that it had before, {key}: it follows handovers by itself; or with the operator's operator.succession"
    ))
}

fn tell(ctx: &Ctx, key: &str, at: Option<SocketAddr>) -> Result<(), Failure> {
    let url = at.map(|at| format!("http://{at}"));
    if ctx.json {
        return out::json(&json!({ "key": key, "url": url }));
    }
    out::text(key)?;
    match url {
        Some(url) => {
            out::say(&format!("A witness listens at {url}"));
            out::say_next(&format!(
                "symbolon witnesses add NAME {url} {key}, by the log's operator"
            ));
        }
        None => out::say_next("symbolon witness --listen 127.0.0.1:7171 --log operator.pub"),
    }
    Ok(())
}

/// The system gives no listener there.
pub fn cannot_listen(listen: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::environment("listen", format!("cannot listen at {listen}: {error}"))
        .next("the same command with another --listen")
}

impl From<WitnessKeyError> for Failure {
    fn from(error: WitnessKeyError) -> Self {
        let says = error.to_string();
        let chmod = |path: PathBuf| format!("chmod 600 {}", path.display());
        match error {
            WitnessKeyError::TooOpen { path, .. } => {
                Self::environment("witness_key_too_open", says).next(chmod(path))
            }
            WitnessKeyError::Format { .. } => {
                Self::environment("witness_key", says).next("put the file back from a copy")
            }
            WitnessKeyError::InUse { .. } => Self::environment("witness_in_use", says)
                .next("symbolon witness, without --listen, for its key"),
            _ => Self::environment("witness", says).next("symbolon witness --help"),
        }
    }
}

/// Requests a second from one address: a log asks about once.
const RATE: u32 = 10;
