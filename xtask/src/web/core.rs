//! The page's modules: WASM, and the JavaScript that loads it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::patched;
use crate::test::debian;
use crate::{Failure, process, workspace};

/// Builds the modules of which one has this name, or all.
pub fn build(only: Option<&str>) -> Result<(), Failure> {
    // Some of the prover's arithmetic is in C, and patched.
    debian::ensure(&debian::WASM_C)?;
    let target = workspace::target()?.join("wasm");
    for build in [SMALL, PROVER] {
        if only.is_some_and(|only| build.modules.iter().all(|(package, _)| *package != only)) {
            continue;
        }
        build.run(&target)?;
        build.bind(&target, &workspace::root()?.join("web/src/worker/core"))?;
    }
    Ok(())
}

/// The module of `bench/browser`, which is the prover's but for what calls it. Gives its folder.
pub fn bench_module() -> Result<PathBuf, Failure> {
    debian::ensure(&debian::WASM_C)?;
    let target = workspace::target()?.join("wasm");
    let folder = target.join("bench");
    let modules = &[("symbolon-bench-browser", "symbolon_bench_browser.wasm")];
    let build = Build { modules, ..PROVER };
    build.run(&target)?;
    build.bind(&target, &folder)?;
    Ok(folder)
}

/// Modules that are built alike.
struct Build {
    /// What a Worker loads, each when it is first needed.
    modules: &'static [(&'static str, &'static str)],
    /// Packages that are quick before small: a person waits for them.
    quick: &'static [&'static str],
    flags: &'static [&'static str],
    /// For what is in C.
    c_flags: &'static str,
    /// Whether crates of others are built with our patches.
    patched: bool,
}

const SMALL: Build = Build {
    modules: &[
        ("symbolon-page-core", "symbolon_page_core.wasm"),
        ("symbolon-page-import", "symbolon_page_import.wasm"),
        ("symbolon-page-verify", "symbolon_page_verify.wasm"),
    ],
    // Argon2 compresses by code of its own: BLAKE2 is called a few times.
    quick: &["argon2", "chacha20", "poly1305"],
    flags: &[ENTROPY, NOWHERE, "-Zfmt-debug=none", "-Zunstable-options", ABORT],
    c_flags: "",
    patched: false,
};

/// The library hashes its constraint system as `Debug` writes it: without that, nobody would take its proofs.
const PROVER: Build = Build {
    modules: &[("symbolon-page-prove", "symbolon_page_prove.wasm")],
    // What the provers are, what they are generic over, and the module that they end up in.
    quick: &[
        "midnight-proofs",
        "midnight-curves",
        "midnight-circuits",
        "midnight-zk-stdlib",
        "blst",
        "ff",
        "group",
        "blake2b_simd",
        "rayon",
        "rayon-core",
        "num-bigint",
        "symbolon-circuits",
        "symbolon-page-prove",
    ],
    flags: &[
        ENTROPY,
        NOWHERE,
        "-Zunstable-options",
        ABORT,
        // Memory that several Workers share, whose size is bounded: 256 MiB.
        "-Ctarget-feature=+atomics,+bulk-memory,+mutable-globals",
        "-Clink-arg=--shared-memory",
        "-Clink-arg=--import-memory",
        "-Clink-arg=--max-memory=268435456",
        // What wasm-bindgen gives each Worker a stack and thread-local memory by.
        "-Clink-arg=--export=__heap_base",
        "-Clink-arg=--export=__wasm_init_tls",
        "-Clink-arg=--export=__tls_size",
        "-Clink-arg=--export=__tls_align",
        "-Clink-arg=--export=__tls_base",
    ],
    c_flags: "-matomics -mbulk-memory",
    patched: true,
};

const ENTROPY: &str = r#"--cfg getrandom_backend="wasm_js""#;
/// A panic ends the Worker, which says so: what it would have said is not carried, nor where it was.
const ABORT: &str = "-Cpanic=immediate-abort";
const NOWHERE: &str = "-Zlocation-detail=none";

impl Build {
    fn run(&self, target: &Path) -> Result<(), Failure> {
        let mut command = toolchain()?;
        command
            .args(["--profile", "release"])
            .args(self.modules.iter().flat_map(|(package, _)| ["--package", package]))
            .args(["--target", TARGET, "--locked"])
            .env("CARGO_TARGET_DIR", target)
            .args(
                self.quick.iter().map(|package| {
                    format!("--config=profile.release.package.{package}.opt-level=3")
                }),
            )
            .env("CC_wasm32_unknown_unknown", "clang")
            .env("AR_wasm32_unknown_unknown", "llvm-ar")
            .env("CFLAGS_wasm32_unknown_unknown", self.c_flags)
            .env("RUSTFLAGS", self.flags.join(" "))
            // It is loaded over a network: small before quick.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z")
            .env("CARGO_PROFILE_RELEASE_LTO", "fat")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .current_dir(workspace::root()?)
            .stdin(Stdio::null());
        if self.patched {
            let paths: Vec<_> = patched::lay(target)?
                .iter()
                .map(|folder| toml::Value::from(folder.to_string_lossy().into_owned()))
                .collect();
            // Unlike `patch`, an override leaves the lock file as it is.
            command.arg(format!("--config=paths={}", toml::Value::from(paths)));
        }
        process::run(&mut command)
    }

    /// Writes the JavaScript that loads the modules.
    fn bind(&self, target: &Path, folder: &Path) -> Result<(), Failure> {
        for (_, module) in self.modules {
            let module = target.join(TARGET).join("release").join(module);
            let bindgen = ["run", "--quiet", "--package", "symbolon-bindgen", "--"];
            process::run(process::cargo().args(bindgen).arg(module).arg(folder))?;
        }
        Ok(())
    }
}

/// `cargo build` of a toolchain that has the standard library's sources: it is built to the same size.
fn toolchain() -> Result<Command, Failure> {
    let build = ["build", "-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
    if has_source() || add_source() {
        let mut cargo = process::cargo();
        cargo.args(build).env("RUSTC_BOOTSTRAP", "1");
        return Ok(cargo);
    }
    debian::ensure(&debian::WASM)?;
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo
        .args(build)
        // Both compilers are stable ones, which take these options when they are told that they may.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", "/usr/bin/rustc")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTUP_TOOLCHAIN");
    Ok(cargo)
}

fn has_source() -> bool {
    let asked = process::capture(Command::new("rustc").args(["--print", "sysroot"]));
    let library = "lib/rustlib/src/rust/library/Cargo.lock";
    asked.is_ok_and(|folder| PathBuf::from(folder.trim()).join(library).is_file())
}

/// Without a network of its own, or without rustup, they cannot be had: the other way is Debian's.
fn add_source() -> bool {
    if process::find_program("rustup").is_none() {
        return false;
    }
    let add = ["component", "add", "rust-src"];
    process::capture(Command::new("rustup").args(add).stdin(Stdio::null())).is_ok() && has_source()
}

pub const TARGET: &str = "wasm32-unknown-unknown";
