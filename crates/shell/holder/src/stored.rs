//! The replica's files: `replica`, and as long as something waits that no server has, `replica.copy`.

use symbolon_ambient::Rng;
use symbolon_crypto::sha256;
use symbolon_vault::replica::SnapshotError;
use symbolon_vault::wire::SignedHead;
use symbolon_vault::{Keys, Replica};

use crate::error::HolderError;
use crate::folder::Folder;

/// In what condition the files were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Whole.
    Whole,
    /// The first is damaged, and the copy of it whole: nothing is lost.
    FromCopy,
    /// There is none that is whole. The server's copy is fetched before anything is changed.
    Lost,
}

/// Reads the replica. `fetchable` says whether a server has a copy.
pub(crate) fn load(
    folder: &Folder,
    keys: impl Fn() -> Result<Keys, HolderError>,
    fetchable: bool,
) -> Result<(Replica, Condition), HolderError> {
    for (file, condition) in [(REPLICA, Condition::Whole), (COPY, Condition::FromCopy)] {
        let Some(bytes) = folder.read(file, REPLICA_BYTES_MAX)? else { continue };
        let Some(snapshot) = checked(&bytes) else { continue };
        match Replica::open_snapshot(keys()?, snapshot) {
            Ok(replica) => return Ok((replica, condition)),
            Err(SnapshotError::Damaged) => {}
            // Whole, and not ours to read: of another vault, key or version. Nothing replaces it.
            Err(error) => return Err(HolderError::Snapshot(error)),
        }
    }
    if fetchable { Ok((Replica::join(keys()?), Condition::Lost)) } else { Err(HolderError::Lost) }
}

/// Writes the replica, and its copy where it is not on a server alone.
pub(crate) fn save(
    folder: &Folder,
    replica: &mut Replica,
    rng: &dyn Rng,
) -> Result<(), HolderError> {
    let snapshot = replica.snapshot(rng);
    let mut bytes = sha256(&snapshot).0.to_vec();
    bytes.extend_from_slice(&snapshot);
    let waits = replica.pending() > 0;
    if waits {
        folder.write(COPY, &bytes)?;
    }
    folder.write(REPLICA, &bytes)?;
    if !waits {
        folder.remove(COPY)?;
    }
    if let Some(head) = replica.head() {
        let head = head.encode();
        if folder.read(HEAD, HEAD_BYTES_MAX)?.as_ref() != Some(&head) {
            folder.write(HEAD, &head)?;
        }
    }
    Ok(())
}

/// The highest head that was seen, which outlives a damaged replica.
pub(crate) fn head(folder: &Folder) -> Result<Option<SignedHead>, HolderError> {
    let Some(bytes) = folder.read(HEAD, HEAD_BYTES_MAX)? else { return Ok(None) };
    let damaged = |_| HolderError::Damaged { what: folder.file(HEAD).display().to_string() };
    SignedHead::decode(&bytes).map(Some).map_err(damaged)
}

/// Puts a damaged replica aside, for who wants to look at it.
pub(crate) fn set_aside(folder: &Folder) -> Result<(), HolderError> {
    folder.set_aside(REPLICA, "replica.damaged")
}

fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, snapshot) = bytes.split_first_chunk::<32>()?;
    (sha256(snapshot).0 == *sum).then_some(snapshot)
}

const REPLICA: &str = "replica";
const COPY: &str = "replica.copy";
const HEAD: &str = "head";
/// What a server keeps of a vault is 2 GiB at most, with its history; current revisions are far less.
const REPLICA_BYTES_MAX: u64 = 2 << 30;
const HEAD_BYTES_MAX: u64 = 1024;
