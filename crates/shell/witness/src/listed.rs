//! The witnesses that a home asks: `witnesses.json`.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use symbolon_codec::json;
use symbolon_log::WitnessKey;
use symbolon_store::replace_file;

use crate::url::PeerUrl;

/// Why the list cannot be used or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListedError {
    /// The file is no such list.
    #[error("{} is not a list of witnesses: {what}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The disk.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The name is taken.
    #[error("there is a witness `{0}` already")]
    Name(String),
    /// Another name has the key: two names with one key are one witness.
    #[error("the witness `{0}` has that key already")]
    Key(String),
    /// A name is a few plain characters.
    #[error("a name has 1 to 64 letters, digits, `-`, `_` and `.`")]
    Word,
    /// No more are taken.
    #[error("a log asks 16 witnesses at most")]
    Full,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedWitness {
    /// What its owner calls it.
    pub name: String,
    /// Where it is.
    pub url: PeerUrl,
    /// Its key as text.
    #[serde(with = "key_text")]
    pub key: WitnessKey,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    version: u8,
    witnesses: Vec<ListedWitness>,
}

impl Listed {
    /// Reads the list; one that is not there is empty.
    ///
    /// # Errors
    /// [`ListedError::Form`] or [`ListedError::Io`].
    pub fn read(path: &Path) -> Result<Self, ListedError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { version: 1, witnesses: Vec::new() });
            }
            Err(source) => return Err(ListedError::Io { path: path.to_owned(), source }),
        };
        let form = |what: String| ListedError::Form { path: path.to_owned(), what };
        let value = json::parse_bounded(&bytes, BYTES_MAX, 4).map_err(|e| form(e.to_string()))?;
        let read: Self = serde_json::from_value(value).map_err(|e| form(e.to_string()))?;
        if read.version != 1 || read.witnesses.len() > WITNESSES_MAX {
            return Err(form("another version, or more than 16".to_owned()));
        }
        Ok(read)
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// [`ListedError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), ListedError> {
        // Strings and lists of them always serialize.
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        let written = replace_file(path, &text);
        written.map_err(|source| ListedError::Io { path: path.to_owned(), source })
    }

    /// The witnesses, in the order in which they were added.
    pub fn all(&self) -> &[ListedWitness] {
        &self.witnesses
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`ListedError`] of names, keys and number.
    pub fn add(&mut self, witness: ListedWitness) -> Result<(), ListedError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !(1..=64).contains(&witness.name.len()) || !witness.name.chars().all(is_plain) {
            return Err(ListedError::Word);
        }
        if let Some(there) = self.witnesses.iter().find(|it| it.name == witness.name) {
            return Err(ListedError::Name(there.name.clone()));
        }
        if let Some(there) = self.witnesses.iter().find(|it| it.key.key() == witness.key.key()) {
            return Err(ListedError::Key(there.name.clone()));
        }
        if self.witnesses.len() == WITNESSES_MAX {
            return Err(ListedError::Full);
        }
        self.witnesses.push(witness);
        Ok(())
    }

    /// Takes one out; false where there is none of this name.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.witnesses.len();
        self.witnesses.retain(|it| it.name != name);
        self.witnesses.len() < before
    }
}

mod key_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use symbolon_log::WitnessKey;

    pub fn serialize<S: Serializer>(key: &WitnessKey, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(key)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<WitnessKey, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

const BYTES_MAX: usize = 64 * 1024;
const WITNESSES_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;
    use symbolon_crypto::SigningKey;

    fn witness(name: &str, seed: u64) -> ListedWitness {
        let key = SigningKey::make(&SeededRng::new(seed)).verifying_key();
        let url = "http://127.0.0.1:7171".parse().unwrap();
        ListedWitness { name: name.into(), url, key: WitnessKey::new("w.test", key).unwrap() }
    }

    #[test]
    fn a_list_is_kept_and_holds_each_witness_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witnesses.json");
        let mut listed = Listed::read(&path).unwrap();
        listed.add(witness("one", 1)).unwrap();
        assert!(matches!(listed.add(witness("one", 2)), Err(ListedError::Name(_))));
        assert!(matches!(listed.add(witness("two", 1)), Err(ListedError::Key(_))));
        assert!(matches!(listed.add(witness("a b", 2)), Err(ListedError::Word)));
        for at in 2..=16 {
            listed.add(witness(&format!("w{at}"), at)).unwrap();
        }
        assert!(matches!(listed.add(witness("more", 99)), Err(ListedError::Full)));
        listed.write(&path).unwrap();
        assert_eq!(Listed::read(&path).unwrap(), listed);
        assert!(listed.remove("one") && !listed.remove("one"));
        for bad in ["", "{}", r#"{"version":2,"witnesses":[]}"#, r#"{"version":1,"witnesses":[1]}"#]
        {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(Listed::read(&path), Err(ListedError::Form { .. })), "{bad}");
        }
    }
}
