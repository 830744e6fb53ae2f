//! Debian packages: which are needed for what, and how they come.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Failure, process};

/// A Debian package, how to see that it is there, and who needs it.
pub struct Package {
    name: &'static str,
    probe: Probe,
    used_by: &'static str,
}

pub enum Probe {
    Program(&'static str),
    File(&'static str),
    Header(&'static str),
    PythonModules(&'static str),
    /// Debian keeps the programs of each version apart from the path.
    PostgresServer,
}

pub const PACKAGES: &[Package] = &[
    Package {
        name: "chromium",
        probe: Probe::Program("chromium"),
        used_by: "browser tests of the page",
    },
    Package { name: "curl", probe: Probe::Program("curl"), used_by: "black-box tests of HTTP" },
    Package { name: "gdb", probe: Probe::Program("gcore"), used_by: "core dumps of the broker" },
    Package { name: "golang-go", probe: Probe::Program("go"), used_by: "logs that others wrote" },
    Package {
        name: "golang-golang-x-mod-dev",
        probe: Probe::File("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog/tlog.go"),
        used_by: "logs that others wrote",
    },
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
        name: "postgresql",
        probe: Probe::PostgresServer,
        used_by: "the accounts' suite, which starts a server of its own",
    },
    Package {
        name: "python3-venv",
        probe: Probe::PythonModules("venv, ensurepip"),
        used_by: "httpbin",
    },
    Package { name: "swtpm", probe: Probe::Program("swtpm"), used_by: "a TPM to test against" },
    Package {
        name: "tor",
        probe: Probe::Program("tor-gencert"),
        used_by: "nodes that meet over onion services",
    },
    Package { name: "tpm2-tools", probe: Probe::Program("tpm2"), used_by: "a TPM to test against" },
];

/// Rust for the browser, where rustup has no target for it.
pub const WASM: [Package; 3] = [
    Package { name: "rustc-web", probe: Probe::File("/usr/bin/rustc"), used_by: "the page's core" },
    Package { name: "cargo-web", probe: Probe::File("/usr/bin/cargo"), used_by: "the page's core" },
    Package {
        name: "rust-web-src",
        probe: Probe::File("/usr/lib/rustlib/src/rust/library/Cargo.lock"),
        used_by: "the page's core",
    },
];

/// What patches, compiles and links C for the browser.
pub const WASM_C: [Package; 4] = [
    Package { name: "lld", probe: Probe::Program("wasm-ld"), used_by: "the page's modules" },
    Package { name: "patch", probe: Probe::Program("patch"), used_by: "the page's prover" },
    Package { name: "clang", probe: Probe::Program("clang"), used_by: "the page's prover" },
    Package { name: "llvm", probe: Probe::Program("llvm-ar"), used_by: "the page's prover" },
];

impl Probe {
    fn is_there(&self) -> bool {
        match self {
            Self::Program(name) => process::find_program(name).is_some(),
            Self::File(name) => Path::new(name).is_file(),
            Self::Header(name) => Path::new("/usr/include").join(name).is_file(),
            Self::PostgresServer => std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|all| {
                all.flatten().any(|version| version.path().join("bin/initdb").is_file())
            }),
            Self::PythonModules(names) => Command::new("python3")
                .args(["-c", &format!("import {names}")])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success()),
        }
    }
}

/// Installs those that are missing.
pub fn ensure(wanted: &[Package]) -> Result<(), Failure> {
    let missing: Vec<&Package> = wanted.iter().filter(|it| !it.probe.is_there()).collect();
    if missing.is_empty() {
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
