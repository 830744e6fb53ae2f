//! `symbolon capsule build`

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use symbolon_capsule::{COMPONENT_BYTES_MAX, Capability, ComponentDigest, Manifest};
use symbolon_capsule_host::{Outline, asked_for};

use super::{Ctx, place};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::{facts, out};

/// Draft a manifest for a component: its hash, and what its imports ask for
///
/// Of a folder with a Rust crate, the component is built first (cargo, target wasm32-wasip2).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule build hello.wasm
  symbolon capsule build ./hello --out hello.manifest.json")]
pub struct Args {
    /// A component, or the folder of a Rust crate
    #[arg(value_name = "FILE|FOLDER")]
    from: PathBuf,
    /// The capsule's name; that of the file where none is given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where to write the draft: a new file; NAME.manifest.json beside the component where none is given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let component = if self.from.is_dir() { cargo(&self.from)? } else { self.from.clone() };
        let bytes = read(&component)?;
        let outline = Outline::read(&bytes).map_err(|error| super::run::refused(&error))?;
        let imports = outline.imports;
        let mut capabilities: Vec<Capability> = Vec::new();
        for import in &imports {
            capabilities.extend(asked_for(import).map_err(|error| super::run::refused(&error))?);
        }
        capabilities.sort();
        capabilities.dedup();
        let stem = component.file_stem().map(|it| it.to_string_lossy().into_owned());
        let name = self.name.or(stem).unwrap_or_default().replace('_', "-");
        let digest = ComponentDigest::of(&bytes);
        let mut manifest = Manifest::template(&name, digest, bytes.len() as u64);
        // What it calls is for its author to say: a draft with `call` is signed once that is in.
        let calls = capabilities.contains(&Capability::Call);
        manifest.deterministic = !calls;
        manifest.capabilities = capabilities;
        let out = self.out.unwrap_or_else(|| place::beside(&component, "manifest.json"));
        NewFile::make(&out)?.write(format!("{}\n", manifest.to_draft()).as_bytes())?;
        if ctx.json {
            return out::json(&json!({
                "manifest": out, "component": component, "sha3_512": digest,
                "imports": imports, "capabilities": manifest.capabilities,
            }));
        }
        out::text(&digest.to_string())?;
        out::say(&format!("The draft is in {}: look through it, and change it.", out.display()));
        if calls {
            out::say(
                "It calls the broker: put the operations into `calls`, their hosts into `hosts`.",
            );
        }
        let sign = format!("symbolon capsule sign {} --key publisher.key", out.display());
        out::say_next(&sign);
        Ok(())
    }
}

/// A component's bytes.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = facts::read(path, COMPONENT_BYTES_MAX)?;
    if bytes.len() > COMPONENT_BYTES_MAX {
        let what = format!("{} is longer than 32 MiB", path.display());
        return Err(Failure::refused("capsule_component", what)
            .next("build it for size: opt-level = \"s\", strip = true, lto = true"));
    }
    Ok(bytes)
}

/// Builds a crate; gives its component.
fn cargo(folder: &Path) -> Result<PathBuf, Failure> {
    let next = format!("{BUILD}, in {}", folder.display());
    if !folder.join("Cargo.toml").is_file() {
        let what = format!("there is no Cargo.toml in {}", folder.display());
        return Err(Failure::refused("capsule_build", what)
            .next("symbolon capsule build FILE.wasm, of a component that you built"));
    }
    out::say(&format!("Building: {BUILD}"));
    let built = Command::new("cargo")
        .args(["build", "--release", "--target", TARGET, "--message-format=json"])
        .current_dir(folder)
        .output()
        .map_err(|error| {
            Failure::environment("capsule_build", format!("cargo cannot be run: {error}"))
                .next(next.clone())
        })?;
    if !built.status.success() {
        out::say(&String::from_utf8_lossy(&built.stderr));
        return Err(Failure::refused("capsule_build", "the crate was not built")
            .next(format!("rustup target add {TARGET}, then {next}")));
    }
    let lines = String::from_utf8_lossy(&built.stdout);
    let artefacts =
        lines.lines().filter_map(|it| serde_json::from_str::<serde_json::Value>(it).ok());
    let mut files = artefacts.filter_map(|it| {
        let all = it.get("filenames")?.as_array()?.clone();
        all.iter().filter_map(|it| it.as_str()).find(|it| it.ends_with(".wasm")).map(PathBuf::from)
    });
    files.next_back().ok_or_else(|| {
        Failure::refused("capsule_build", "cargo made no .wasm file")
            .next("crate-type = [\"cdylib\"], or a src/main.rs")
    })
}

const TARGET: &str = "wasm32-wasip2";
const BUILD: &str = "cargo build --release --target wasm32-wasip2";
