//! The catalogue of a home: the built-in services, and the home's own files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use symbolon_capability::catalog::{Catalog, CatalogError};
use symbolon_store::Home;

use crate::api::CallError;
use crate::errors;

/// One file of the home's `catalog/`.
struct File {
    path: PathBuf,
    text: String,
    /// The service of an imported file, which is named for it.
    imported: Option<String>,
}

/// The built-in services, then the home's own files in the order of their names, then `extra`. An imported
/// file stands for the built-in service of its id. A file that is damaged refuses: nothing that its owner
/// relies on is left out in silence.
///
/// # Errors
/// [`CallError`] names the file and what is wrong with it.
pub fn home_catalog(home: &Home, extra: &[String]) -> Result<Catalog, CallError> {
    read(Catalog::empty(), home, extra)
}

/// As [`home_catalog`], in the place of one that is in force.
pub(crate) fn next_catalog(
    before: &Catalog,
    home: &Home,
    extra: &[String],
) -> Result<Catalog, CallError> {
    read(before.successor(), home, extra)
}

fn read(begin: Catalog, home: &Home, extra: &[String]) -> Result<Catalog, CallError> {
    let files = files(&home.catalog())?;
    let replaced: Vec<&str> = files.iter().filter_map(|file| file.imported.as_deref()).collect();
    let mut catalog =
        begin.and_builtin_without(&replaced).map_err(|e| CallError::bug(e.to_string()))?;
    for file in &files {
        catalog = match &file.imported {
            Some(id) => imported(catalog, id, &file.text)
                .map_err(|e| bad(&e, &file.path).next(format!("symbolon catalog remove {id}")))?,
            None => {
                catalog.with_extra(&file.text).map_err(|e| bad(&errors::chain(&e), &file.path))?
            }
        };
    }
    for text in extra {
        catalog =
            catalog.with_extra(text).map_err(|e| bad(&errors::chain(&e), Path::new("service")))?;
    }
    Ok(catalog)
}

fn imported(catalog: Catalog, id: &str, text: &str) -> Result<Catalog, String> {
    let before = catalog.services().len();
    let catalog = catalog.with_imported(text).map_err(|e: CatalogError| errors::chain(&e))?;
    // Under another name it would stand beside the built-in one that it takes the place of.
    match catalog.services().get(before) {
        Some(service) if service.id().as_str() == id => Ok(catalog),
        _ => Err(format!("the file of the service {id} holds another service")),
    }
}

fn bad(why: &str, file: &Path) -> CallError {
    CallError::environment("catalog", format!("{}: {why}", file.display()))
        .next("mend the file, or take it away")
}

/// The files of the folder, by name.
fn files(folder: &Path) -> Result<Vec<File>, CallError> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(errors::io)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(errors::io)?.path();
        let is_json = path.extension().is_some_and(|e| e == "json");
        if !is_json && path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
        let text = std::fs::read_to_string(&path).map_err(|e| bad(&e.to_string(), &path))?;
        files.push(File { path, text, imported: stem.filter(|_| is_json) });
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}
