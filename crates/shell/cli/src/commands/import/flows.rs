//! Workflows of an import as files of flows, each written whole or not at all.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use symbolon_capability::catalog::Catalog;
use symbolon_flow::convert::{Conversion, Note, convert};
use symbolon_import::foreign::Workflow;

use super::show::State;
use crate::commands::container::write_new;
use crate::failure::Failure;

/// What becomes of a workflow.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct MadeFlow {
    pub name: String,
    /// Which file it is of.
    pub from: String,
    /// Where its definition is, or would be; absent where there is none.
    pub file: Option<PathBuf>,
    pub state: State,
    /// Everything that is not, or not exactly, as it was.
    pub notes: Vec<Note>,
    #[serde(skip)]
    text: String,
}

impl MadeFlow {
    /// Whether a person must put something right before it runs.
    pub fn is_open(&self) -> bool {
        self.notes.iter().any(|note| note.must)
    }
}

/// What would be written to this folder.
pub(super) fn plan(
    workflows: &[Workflow],
    catalog: &Catalog,
    folder: &Path,
    replace: bool,
) -> Vec<MadeFlow> {
    convert(workflows, catalog).into_iter().map(|one| made(one, folder, replace)).collect()
}

fn made(one: Conversion, folder: &Path, replace: bool) -> MadeFlow {
    let file = folder.join(format!("{}.yaml", one.name));
    let state = match &one.text {
        None => State::Left,
        Some(text) if fs::read(&file).is_ok_and(|own| own == text.as_bytes()) => State::Kept,
        Some(_) if file.symlink_metadata().is_err() => State::Made,
        Some(_) if replace => State::Replaced,
        Some(_) => State::Kept,
    };
    MadeFlow {
        name: one.name.to_string(),
        from: one.file,
        file: one.text.as_ref().map(|_| file),
        state,
        notes: one.notes,
        text: one.text.unwrap_or_default(),
    }
}

/// Writes those that are to be made or replaced.
pub(super) fn write(all: &[MadeFlow], folder: &Path) -> Result<(), Failure> {
    let wanted = |one: &&MadeFlow| matches!(one.state, State::Made | State::Replaced);
    if !all.iter().any(|one| wanted(&one)) {
        return Ok(());
    }
    let failed = |e: std::io::Error| Failure::file("make", folder, &e);
    fs::DirBuilder::new().mode(0o700).recursive(true).create(folder).map_err(failed)?;
    for one in all.iter().filter(wanted) {
        let Some(file) = &one.file else { continue };
        match one.state {
            State::Replaced => replace(file, one.text.as_bytes())?,
            _ => write_new(file, one.text.as_bytes())?,
        }
    }
    Ok(())
}

/// The old file or the new one, never half.
fn replace(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let beside = file.with_extension("yaml.new");
    // What a crash left there is nobody's.
    let _ = fs::remove_file(&beside);
    write_new(&beside, bytes)?;
    fs::rename(&beside, file).map_err(|e| Failure::file("write", file, &e))
}
