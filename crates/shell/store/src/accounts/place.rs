//! Where a home's accounts are, written down: a start that leaves the database out begins no empty one.

use std::fs;
use std::io;

use crate::Home;
use crate::folder::replace_file;

use super::address::DatabaseAddress;

/// Why accounts are not opened where they were asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// They are in PostgreSQL, and no address was given.
    #[error("this home's accounts are in {kept}, and no database was given")]
    NotGiven {
        /// Where they are, without a password.
        kept: String,
    },
    /// They are in the home's own file, and an address was given.
    #[error("this home keeps its accounts in accounts.db, and another database was given")]
    InHome,
    /// They are in another database than the one that was given.
    #[error("this home's accounts are in {kept}, and {given} was given")]
    Other {
        /// Where they are.
        kept: String,
        /// What was given.
        given: String,
    },
    /// The note cannot be read or written.
    #[error("accounts.place: {0}")]
    Io(#[from] io::Error),
}

impl PlaceError {
    /// What to do next.
    pub fn next(&self) -> &'static str {
        match self {
            Self::NotGiven { .. } => "the same command with --database URL or --database-file FILE",
            Self::InHome => {
                "symbolon backup FILE, then symbolon restore FILE --home NEW-FOLDER --database URL"
            }
            Self::Other { .. } => {
                "the database that is named; where it moved, remove accounts.place from the home first"
            }
            Self::Io(_) => "symbolon doctor",
        }
    }
}

/// Refuses to look for a home's accounts where they are not.
///
/// # Errors
/// [`PlaceError`].
pub fn check_place(home: &Home, given: Option<&DatabaseAddress>) -> Result<(), PlaceError> {
    let kept = match fs::read_to_string(home.accounts_place()) {
        Ok(kept) => Some(kept.trim_end().to_owned()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e.into()),
    };
    match (kept, given.map(ToString::to_string)) {
        (Some(kept), None) => Err(PlaceError::NotGiven { kept }),
        (Some(kept), Some(given)) if kept != given => Err(PlaceError::Other { kept, given }),
        (None, Some(_)) if home.accounts().exists() => Err(PlaceError::InHome),
        _ => Ok(()),
    }
}

/// Writes down that a home's accounts are in this database.
///
/// # Errors
/// [`PlaceError::Io`].
pub fn note_place(home: &Home, address: &DatabaseAddress) -> Result<(), PlaceError> {
    Ok(replace_file(&home.accounts_place(), format!("{address}\n").as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_looked_for_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(&folder.path().join("home")).unwrap();
        let at = |name: &str| DatabaseAddress::parse(&format!("postgres://u@localhost/{name}"));
        let (one, two) = (at("one").unwrap(), at("two").unwrap());
        check_place(&home, None).unwrap();
        check_place(&home, Some(&one)).unwrap();
        note_place(&home, &one).unwrap();
        check_place(&home, Some(&one)).unwrap();
        assert!(matches!(check_place(&home, None), Err(PlaceError::NotGiven { .. })));
        assert!(matches!(check_place(&home, Some(&two)), Err(PlaceError::Other { .. })));
        home.check().unwrap();

        let home = Home::create(&folder.path().join("other")).unwrap();
        fs::write(home.accounts(), b"x").unwrap();
        check_place(&home, None).unwrap();
        assert!(matches!(check_place(&home, Some(&one)), Err(PlaceError::InHome)));
    }
}
