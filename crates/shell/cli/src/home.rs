//! Where the home is, and whether it can be used.

use std::path::{Path, PathBuf};

use symbolon_store::{Home, HomeError};

use crate::failure::Failure;

/// `--home`, else what the environment says.
pub fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    match given {
        Some(path) => {
            std::path::absolute(path).map_err(|error| Failure::file("find", path, &error))
        }
        None => Ok(Home::locate()?),
    }
}

/// Refuses a folder where a home is.
pub fn check_free(folder: &Path) -> Result<(), Failure> {
    let there = folder.join("home.json").try_exists();
    if there.map_err(|error| Failure::file("look into", folder, &error))? {
        let is = format!("there is a home at {} already", folder.display());
        return Err(Failure::refused("exists", is).next("symbolon status"));
    }
    Ok(())
}

/// Opens a home that is there: every file of it is its owner's alone.
pub fn open(folder: &Path) -> Result<Home, Failure> {
    let home = Home::open(folder)?;
    if !home.manifest().exists() {
        return Err(HomeError::Missing { path: folder.to_owned() }.into());
    }
    Ok(home)
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        let code = match error {
            HomeError::Nowhere => "home_nowhere",
            HomeError::Missing { .. } => "no_home",
            HomeError::TooOpen { .. } => "home_too_open",
            HomeError::Locked { .. } => "home_in_use",
            _ => "home",
        };
        let failure = Failure::environment(code, error.to_string());
        match error.next_step() {
            Some(next) => failure.next(next),
            None => failure,
        }
    }
}
