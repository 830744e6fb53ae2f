//! The stages of `cargo xtask test`.

use std::path::PathBuf;
use std::process::Command;

use super::tally::{self, Tally};
use super::{Asked, setup};
use crate::{Failure, demo, fmt, graph, lint, process, web, workspace};

pub struct Stage {
    pub name: &'static str,
    pub what: &'static str,
    /// Runs under `--quick` too.
    pub quick: bool,
    /// Stages that must have passed before.
    pub needs: &'static [&'static str],
    pub run: fn(&Asked, &mut Tally) -> Result<(), Failure>,
}

pub const STAGES: &[Stage] = &[
    Stage {
        name: "setup",
        what: "install what the tests need",
        quick: false,
        needs: &[],
        run: setup::run,
    },
    // Before anything that embeds it is built.
    Stage {
        name: "web",
        what: "the page: its core as WASM, its types, its files",
        quick: false,
        needs: &["setup"],
        run: web_all,
    },
    Stage {
        name: "lint",
        what: "rustfmt, clippy, the graph, the rules of the house",
        quick: true,
        needs: &[],
        run: lint_all,
    },
    Stage {
        name: "crates",
        what: "unit, documentation and crate tests",
        quick: true,
        needs: &[],
        run: crates,
    },
    Stage {
        name: "tpm",
        what: "custody by TPM 2.0, against a software TPM",
        quick: false,
        needs: &["setup"],
        run: tpm,
    },
    Stage {
        name: "build",
        what: "the release and the instrumented build",
        quick: false,
        needs: &["setup", "web"],
        run: build,
    },
    Stage {
        name: "blackbox",
        what: "the built product against services that others wrote",
        quick: false,
        needs: &["setup", "web", "build"],
        run: blackbox,
    },
    Stage {
        name: "demo",
        what: "the demo, in the page and by the command line",
        quick: false,
        needs: &["setup", "web", "build"],
        run: |_, tally| demo::check(tally),
    },
    Stage {
        name: "deny",
        what: "licences, bans and sources of every dependency",
        quick: false,
        needs: &[],
        run: deny,
    },
];

fn web_all(_: &Asked, tally: &mut Tally) -> Result<(), Failure> {
    web::build()?;
    tally.pass();
    Ok(())
}

/// Every check runs, so that one run shows all that is wrong.
fn lint_all(_: &Asked, tally: &mut Tally) -> Result<(), Failure> {
    let checks = [fmt::check, lint::clippy, graph::check, lint::check_house];
    for check in checks {
        match check() {
            Ok(()) => tally.pass(),
            Err(failure) => {
                println!("{failure}");
                tally.failed += 1;
            }
        }
    }
    if tally.failed == 0 { Ok(()) } else { Err(Failure::new("lint found something")) }
}

fn crates(asked: &Asked, tally: &mut Tally) -> Result<(), Failure> {
    if asked.extra.iter().any(|arg| arg == "-p" || arg.starts_with("--package")) {
        return watch(cargo_test().args(&asked.extra), tally, |_| ());
    }
    let tests = || {
        let mut command = cargo_test();
        // The black-box crate has its own stage: it needs the built product.
        command.args(["--workspace", "--exclude", "symbolon-tests"]);
        command
    };
    watch_all(tests, asked, tally)
}

fn tpm(asked: &Asked, tally: &mut Tally) -> Result<(), Failure> {
    let mut command = cargo_test();
    // The whole workspace, so that every dependency is built as the stage before built it.
    command.args(["--workspace", "--exclude", "symbolon-tests"]);
    command.args(["--features", "symbolon-cli/tpm", "--test", "tpm"]);
    watch(command.args(&asked.extra), tally, |_| ())
}

fn build(_: &Asked, tally: &mut Tally) -> Result<(), Failure> {
    let release = ["build", "--release", "--package", "symbolon-cli"];
    // The instrumented build first: the last one to be built is what stays in target/release.
    process::run(process::cargo().args(release).args(["--features", "conformance,hold"]))?;
    let (built, kept) = (workspace::release_binary("symbolon")?, workspace::instrumented_binary()?);
    let folder = kept.with_file_name("");
    std::fs::create_dir_all(&folder).map_err(Failure::io("make", &folder))?;
    // A running copy cannot be written over, but it can be replaced.
    let fresh = folder.join("symbolon.new");
    std::fs::copy(&built, &fresh).map_err(Failure::io("copy", &built))?;
    std::fs::rename(&fresh, &kept).map_err(Failure::io("write", &kept))?;
    tally.pass();
    process::run(process::cargo().args(release).args(["--package", "symbolon-upstream"]))?;
    tally.pass();
    Ok(())
}

fn blackbox(asked: &Asked, tally: &mut Tally) -> Result<(), Failure> {
    let environment = blackbox_environment()?;
    let tests = || {
        let mut command = cargo_test();
        command.args(["--package", "symbolon-tests"]).envs(environment.clone());
        command
    };
    watch_all(tests, asked, tally)
}

/// Where the tests find the product and the services. Without these the harness looks in the same
/// places below `target/`.
fn blackbox_environment() -> Result<Vec<(&'static str, PathBuf)>, Failure> {
    Ok(vec![
        ("SYMBOLON_BIN", workspace::release_binary("symbolon")?),
        ("SYMBOLON_BIN_INSTRUMENTED", workspace::instrumented_binary()?),
        ("SYMBOLON_BIN_UPSTREAM", workspace::release_binary("symbolon-upstream")?),
        ("SYMBOLON_TEST_TOOLS", workspace::tools()?),
    ])
}

fn deny(asked: &Asked, tally: &mut Tally) -> Result<(), Failure> {
    let own = workspace::tools()?.join("cargo").join("bin").join("cargo-deny");
    let found = process::find_program("cargo-deny").or_else(|| own.is_file().then(|| own.clone()));
    let program = match found {
        Some(program) => program,
        None if asked.install_deny => {
            let root = workspace::tools()?.join("cargo");
            process::run(
                process::cargo().args(["install", "--locked", "cargo-deny", "--root"]).arg(root),
            )?;
            own
        }
        None => {
            println!(
                "skipped: cargo-deny is not installed; `cargo xtask test --only deny --deny` installs it"
            );
            tally.skip();
            return Ok(());
        }
    };
    process::run(Command::new(&program).args([
        "--log-level",
        "error",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))?;
    tally.pass();
    advisories(&program, tally)
}

/// Advisories come from a database on the network; without it there is nothing to check against.
fn advisories(program: &PathBuf, tally: &mut Tally) -> Result<(), Failure> {
    match process::capture(Command::new(program).args([
        "--log-level",
        "error",
        "check",
        "advisories",
    ])) {
        Ok(_) => tally.pass(),
        Err(failure) if failure.to_string().contains("failed to fetch advisory database") => {
            println!("skipped: the advisory database cannot be fetched from here");
            tally.skip();
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

fn cargo_test() -> Command {
    let mut command = process::cargo();
    command.args(["test", "--no-fail-fast"]);
    command
}

/// Clocks, browsers and upstreams share the cores with each other. A few tests that failed beside others are run once
/// more, alone: what fails again has failed, what passes is counted apart and named. Where somebody chose tests, those are
/// run, and once.
fn watch_all(tests: impl Fn() -> Command, asked: &Asked, tally: &mut Tally) -> Result<(), Failure> {
    if !asked.extra.is_empty() {
        return watch(tests().args(&asked.extra), tally, |_| ());
    }
    let mut failed: Vec<String> = Vec::new();
    let ran = watch(&mut tests(), tally, |line| failed.extend(tally::failed_test(line)));
    let few = (1..=ALONE_MAX).contains(&failed.len()) && failed.len() == tally.failed;
    if ran.is_ok() || !few {
        return ran;
    }
    println!("\nonce more, alone: {}", failed.join(", "));
    let mut alone = Tally::default();
    watch(tests().args(["--", "--exact", "--test-threads=1"]).args(&failed), &mut alone, |_| ())?;
    tally.passed_alone(failed.len().min(alone.passed));
    println!("failed beside others and passed alone: {}", failed.join(", "));
    Ok(())
}

/// More than so many are no accident.
const ALONE_MAX: usize = 6;

fn watch(
    command: &mut Command,
    tally: &mut Tally,
    mut each: impl FnMut(&str),
) -> Result<(), Failure> {
    process::run_watched(command, |line| {
        tally.read(line);
        each(line);
    })?;
    if tally.passed + tally.failed == 0 {
        return Err(Failure::new(format!("`{}` ran no test", process::line(command))));
    }
    Ok(())
}
