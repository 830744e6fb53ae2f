//! Crates of others with patches of ours (`xtask/patches`), for the prover's module alone.
//!
//! Nobody's source is in this repository: what cargo downloaded, and checked by `Cargo.lock`, is copied and patched in the
//! target folder, and given to cargo as an override. `Cargo.lock` and every other build are without it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{core::TARGET, page};
use crate::{Failure, process, workspace};

/// A crate, and the version that its patch was made for and read against.
const PATCHED: [(&str, &str); 3] =
    [("blst", "0.3.17"), ("midnight-curves", "0.3.1"), ("midnight-circuits", "7.3.0")];

/// Lays the patched crates, and tries their arithmetic. Gives their folders.
pub fn lay(target: &Path) -> Result<Vec<PathBuf>, Failure> {
    let resolved = Resolved::load()?;
    let mut folders = Vec::new();
    for (name, version) in PATCHED {
        let patch = folder()?.join(format!("{name}-{version}.patch"));
        let source = resolved.source(name, version)?;
        let place = target.join("patched");
        let (laid, stamp) = (place.join(name), place.join(format!("{name}-{version}.patch")));
        // Laid again it would be newer, and built again with all that stands on it.
        if !workspace::is_same(&patch, &stamp) || !laid.is_dir() {
            let _ = std::fs::remove_file(&stamp);
            let _ = std::fs::remove_dir_all(&laid);
            copy_folder(source, &laid)?;
            apply(&patch, &laid)?;
            workspace::copy(&patch, &stamp)?;
        }
        folders.push(laid);
    }
    try_arithmetic(&folders[0], target)?;
    Ok(folders)
}

/// What cargo resolved by the lock file.
#[derive(Debug, Deserialize)]
struct Resolved {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
}

impl Resolved {
    fn load() -> Result<Self, Failure> {
        let ask = ["metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET];
        let json = process::capture(process::cargo().args(ask).current_dir(workspace::root()?))?;
        serde_json::from_str(&json)
            .map_err(|error| Failure::new(format!("cannot read cargo's metadata: {error}")))
    }

    /// Where cargo unpacked it. Of another version nobody has read whether the patch is right, though it may apply.
    fn source(&self, name: &str, version: &str) -> Result<&Path, Failure> {
        let versions: Vec<&str> = self.versions(name).map(|(version, _)| version).collect();
        let found = (versions == [version]).then(|| self.versions(name).next()).flatten();
        found.and_then(|(_, manifest)| manifest.parent()).ok_or_else(|| {
            let versions = versions.join(", ");
            Failure::new(format!(
                "the patch of {name} is for {version}, and Cargo.lock has {versions}"
            ))
            .next("read xtask/patches/README.md")
        })
    }

    fn versions<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, &'a Path)> {
        let named = self.packages.iter().filter(move |package| package.name == name);
        named.map(|package| (package.version.as_str(), package.manifest_path.as_path()))
    }
}

/// All of a patch, at the very lines that it was made for, or nothing.
fn apply(patch: &Path, laid: &Path) -> Result<(), Failure> {
    let exactly = ["--strip=1", "--fuzz=0", "--batch", "--forward", "--input"];
    let mut command = Command::new("patch");
    process::run(command.args(exactly).arg(patch).current_dir(laid).stdin(Stdio::null())).map_err(
        |failure| {
            let _ = std::fs::remove_dir_all(laid);
            failure.next("read xtask/patches/README.md")
        },
    )
}

/// Builds the patched functions as the prover's are built, and compares them with blst's own and with integers.
fn try_arithmetic(blst: &Path, target: &Path) -> Result<(), Failure> {
    let place = folder()?.join("arithmetic");
    let module = target.join("arithmetic.wasm");
    let mut compiler = Command::new("clang");
    compiler
        .args(["--target=wasm32", "-O2", "-ffreestanding", "-fno-builtin", "-nostdlib"])
        .args(["-D__BLST_NO_ASM__", "-Wno-unused-function", "-Wl,--no-entry", "-I"])
        .arg(blst.join("blst/src"))
        .arg(place.join("functions.c"))
        .arg("-o")
        .arg(&module)
        .stdin(Stdio::null());
    process::run(&mut compiler)?;
    let node = page::node(&page::install()?)?;
    process::run(Command::new(node).arg(place.join("try.mjs")).arg(module).stdin(Stdio::null()))
}

fn folder() -> Result<PathBuf, Failure> {
    Ok(workspace::root()?.join("xtask/patches"))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to).map_err(Failure::io("make", to))?;
    for entry in std::fs::read_dir(from).map_err(Failure::io("read", from))? {
        let entry = entry.map_err(Failure::io("read", from))?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &to)?;
        } else {
            workspace::copy(&path, &to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(versions: &[&str]) -> Resolved {
        let package = |version: &&str| Package {
            name: "blst".to_owned(),
            version: (*version).to_owned(),
            manifest_path: PathBuf::from(format!("/registry/blst-{version}/Cargo.toml")),
        };
        Resolved { packages: versions.iter().map(package).collect() }
    }

    #[test]
    fn a_patch_is_for_one_version() {
        let found = resolved(&["0.3.17"]);
        assert_eq!(found.source("blst", "0.3.17").unwrap(), Path::new("/registry/blst-0.3.17"));
        for others in [&["0.3.18"][..], &["0.3.17", "0.3.18"], &[]] {
            let refused = resolved(others).source("blst", "0.3.17").unwrap_err().to_string();
            assert!(refused.contains("the patch of blst is for 0.3.17"), "{refused}");
        }
    }

    #[test]
    fn a_patch_applies_exactly_or_is_an_error() {
        let place = tempfile::tempdir().unwrap();
        let (patch, laid) = (place.path().join("a.patch"), place.path().join("laid"));
        std::fs::write(&patch, "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n")
            .unwrap();
        for (text, applies) in [
            ("one\ntwo\nthree\n", true),
            ("one\ntwo\nThree\n", false),
            ("one\n2\nthree\n", false),
            ("one\ntoo\nthree\n", false),
        ] {
            std::fs::create_dir_all(&laid).unwrap();
            std::fs::write(laid.join("f"), text).unwrap();
            assert_eq!(apply(&patch, &laid).is_ok(), applies, "{text:?}");
            assert_eq!(laid.is_dir(), applies, "what was not patched does not stay");
        }
    }
}
