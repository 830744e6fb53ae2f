//! The node's folder in the home, `node/`: peers that were joined, copies of logs, a lock.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use symbolon_mesh::LogName;
use symbolon_store::{FolderStorage, Home, replace_file};

use crate::peer::Address;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// Another process runs the home's node.
    #[error("the home's node runs already")]
    InUse,
    /// The list of peers is none.
    #[error("{}: line {line}: {reason}", path.display())]
    Peers {
        /// The file.
        path: PathBuf,
        /// Which line, from one.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// As many as are dialled.
    #[error("{PEERS_MAX} addresses are known; no more are")]
    TooMany,
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The folder.
#[derive(Debug, Clone)]
pub struct NodeFolder {
    path: PathBuf,
}

impl NodeFolder {
    /// Of a home; made where it is missing, for its owner alone.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub fn open(home: &Home) -> Result<Self, FolderError> {
        let path = home.path().join("node");
        make(&path)?;
        Ok(Self { path })
    }

    /// The node is this process's until the file is dropped.
    ///
    /// # Errors
    /// [`FolderError::InUse`], [`FolderError::Io`].
    pub fn lock(&self) -> Result<File, FolderError> {
        let path = self.path.join("lock");
        let file = File::create(&path).map_err(|source| FolderError::Io { path, source })?;
        file.try_lock().map_err(|_| FolderError::InUse)?;
        Ok(file)
    }

    /// Whether a node runs.
    pub fn is_running(&self) -> bool {
        matches!(self.lock(), Err(FolderError::InUse))
    }

    /// Peers that were joined.
    ///
    /// # Errors
    /// [`FolderError::Peers`], [`FolderError::Io`].
    pub fn peers(&self) -> Result<Vec<Address>, FolderError> {
        let path = self.peers_file();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(FolderError::Io { path, source }),
        };
        let lines = text.lines().take(PEERS_MAX + 1).enumerate();
        let parsed = lines.map(|(at, line)| {
            line.parse().map_err(|error: crate::AddressError| FolderError::Peers {
                path: path.clone(),
                line: at + 1,
                reason: error.to_string(),
            })
        });
        parsed.collect()
    }

    /// Remembers one more. False where it was known.
    ///
    /// # Errors
    /// As [`NodeFolder::peers`], and [`FolderError::TooMany`].
    pub fn join(&self, address: &Address) -> Result<bool, FolderError> {
        let mut peers = self.peers()?;
        if peers.contains(address) {
            return Ok(false);
        }
        if peers.len() >= PEERS_MAX {
            return Err(FolderError::TooMany);
        }
        peers.push(address.clone());
        let text: String = peers.iter().map(|peer| format!("{peer}\n")).collect();
        let path = self.peers_file();
        let written = replace_file(&path, text.as_bytes());
        written.map_err(|source| FolderError::Io { path, source })?;
        Ok(true)
    }

    /// Where a log's copy is kept.
    ///
    /// # Errors
    /// [`FolderError::Io`].
    pub(crate) fn copy(&self, log: &LogName) -> Result<FolderStorage, FolderError> {
        let path = self.path.join("logs").join(log.id().to_string());
        make(&path)?;
        FolderStorage::open(&path).map_err(|source| FolderError::Io { path, source })
    }

    fn peers_file(&self) -> PathBuf {
        self.path.join("peers")
    }
}

fn make(path: &Path) -> Result<(), FolderError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| FolderError::Io { path: path.to_owned(), source })
}

/// Addresses in the list.
const PEERS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_remembered_once_and_a_node_runs_once() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(&folder.path().join("home")).unwrap();
        let node = NodeFolder::open(&home).unwrap();
        let name = "12D3KooWHjJQJPttwFv3zKqL4YFLsuK9J7jW2FBFpmhBv84QvhkX";
        let one: Address = format!("/ip4/127.0.0.1/tcp/1/p2p/{name}").parse().unwrap();
        let two: Address = format!("/ip4/127.0.0.1/tcp/2/p2p/{name}").parse().unwrap();
        assert!(node.peers().unwrap().is_empty());
        assert!(node.join(&one).unwrap() && node.join(&two).unwrap());
        assert!(!node.join(&one).unwrap());
        assert_eq!(NodeFolder::open(&home).unwrap().peers().unwrap(), [one, two]);
        std::fs::write(node.peers_file(), "/ip4/127.0.0.1/tcp/1\n").unwrap();
        assert!(matches!(node.peers(), Err(FolderError::Peers { line: 1, .. })));

        assert!(!node.is_running());
        let lock = node.lock().unwrap();
        assert!(node.is_running());
        drop(lock);
        assert!(!node.is_running());
        // The home's own check takes the folder as it is.
        home.check().unwrap();
    }
}
