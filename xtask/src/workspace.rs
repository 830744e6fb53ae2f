//! Where things are: the checkout, the target folder, what the tests install.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

use crate::{Failure, process};

/// What `cargo metadata --no-deps` says, as far as the commands here use it.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    pub workspace_root: PathBuf,
    pub target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
pub struct Package {
    pub name: String,
    pub manifest_path: PathBuf,
    pub dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub struct Dependency {
    /// The package's name in its registry, whatever it is renamed to.
    pub name: String,
    #[serde(default)]
    pub kind: Option<String>,
    /// Set for a dependency in this workspace.
    #[serde(default)]
    pub path: Option<PathBuf>,
}

impl Metadata {
    /// Runs cargo once a process; the answer does not change while a command runs.
    pub fn load() -> Result<&'static Self, Failure> {
        static LOADED: OnceLock<Metadata> = OnceLock::new();
        if let Some(loaded) = LOADED.get() {
            return Ok(loaded);
        }
        let json = process::capture(process::cargo().args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
        ]))?;
        let parsed = Self::parse(&json)?;
        Ok(LOADED.get_or_init(|| parsed))
    }

    pub fn parse(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json)
            .map_err(|error| Failure::new(format!("cannot read cargo's metadata: {error}")))
    }
}

/// The checkout.
pub fn root() -> Result<&'static Path, Failure> {
    Ok(&Metadata::load()?.workspace_root)
}

/// Cargo's target folder, wherever `CARGO_TARGET_DIR` put it.
pub fn target() -> Result<&'static Path, Failure> {
    Ok(&Metadata::load()?.target_directory)
}

/// What the tests install, kept beside the build so that a clean checkout starts warm.
pub fn tools() -> Result<PathBuf, Failure> {
    Ok(target()?.join("xtask"))
}

/// The product as it is released.
pub fn release_binary(name: &str) -> Result<PathBuf, Failure> {
    Ok(target()?.join("release").join(name))
}

/// The product with fixture tools and holds, for tests alone.
pub fn instrumented_binary() -> Result<PathBuf, Failure> {
    Ok(target()?.join("instrumented").join("symbolon"))
}

/// Whether two files have the same bytes.
pub fn is_same(left: &Path, right: &Path) -> bool {
    let text = |path: &Path| std::fs::read(path).ok();
    text(left).is_some_and(|left| text(right).is_some_and(|right| left == right))
}

/// Copies a file over another.
pub fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::copy(from, to).map(drop).map_err(Failure::io("copy", from))
}
