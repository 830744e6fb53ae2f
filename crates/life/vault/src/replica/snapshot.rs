//! The replica at rest: one sealed state, and the revisions beside it as they are. `specs/vault.md`,
//! "Snapshot".

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use symbolon_ambient::Rng;
use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::{FieldError, Place, labels};
use symbolon_custody::VaultId;

use super::entry::{Entry, Shown, View};
use super::known::Known;
use super::{Replica, SnapshotError};
use crate::item::{About, Lineage, Title};
use crate::keys::Keys;
use crate::seal::OpenError;
use crate::search::{Index, fold_text};
use crate::wire::{Header, ItemId, SignedHead, State};

impl Replica {
    /// All of it as bytes that only the holder opens: for a disk, or a browser's storage.
    pub fn snapshot(&mut self, rng: &dyn Rng) -> Vec<u8> {
        let mut revisions = Vec::new();
        let state = self.write_state(&mut revisions);
        let sealed = self.keys.current().index.seal(&place(self.vault()), &state, rng);
        let mut out = Fields::new(labels::VAULT_SNAPSHOT.as_str())
            .bytes(self.vault().as_bytes())
            .bytes(&sealed)
            .finish();
        out.append(&mut revisions);
        out
    }

    /// What [`Replica::snapshot`] gave. The bytes of a revision are compared with their digest when
    /// they are used.
    ///
    /// # Errors
    /// [`SnapshotError`]. That the snapshot is an older one of the same vault only the server's head
    /// tells.
    pub fn open_snapshot(keys: Keys, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut r = FieldsReader::new(labels::VAULT_SNAPSHOT.as_str(), bytes)
            .map_err(|_| SnapshotError::Version)?;
        let vault = r.array().map(VaultId::from).map_err(damaged)?;
        if vault != keys.vault() {
            return Err(SnapshotError::OtherVault);
        }
        let sealed = r.bytes(bytes.len()).map_err(damaged)?;
        let revisions: Arc<[u8]> = bytes[bytes.len() - r.remaining()..].into();
        let mut opened = Err(SnapshotError::NoKey);
        for epoch in keys.newest_first() {
            match epoch.index.open_readable(&place(vault), sealed) {
                Err(FieldError::WrongKey) => {}
                Err(FieldError::Kind) => return Err(SnapshotError::Version),
                Err(_) => return Err(SnapshotError::Damaged),
                Ok(state) => {
                    opened = Ok(state);
                    break;
                }
            }
        }
        let state = opened?;
        let read = Self::read_state(keys, &state, &revisions);
        read.map_err(|error| match error {
            StateError::Codec(CodecError::Tag { .. }) => SnapshotError::Version,
            StateError::Codec(_) | StateError::Form => SnapshotError::Damaged,
        })
    }

    fn write_state(&mut self, revisions: &mut Vec<u8>) -> Vec<u8> {
        let head = self.head.as_ref().map(SignedHead::encode).unwrap_or_default();
        let mut f = Fields::new(labels::VAULT_REPLICA.as_str())
            .bytes(&head)
            .bytes(&self.index.encode())
            .u64(self.entries.len() as u64);
        for (id, entry) in &self.entries {
            f = f.bytes(id.as_bytes());
            for known in [&entry.base, &entry.local] {
                f = f.bytes(&known.as_ref().map_or_else(Vec::new, |known| {
                    revisions.extend_from_slice(known.bytes());
                    write_known(known)
                }));
            }
            f = f.bytes(entry.sent.as_ref().map_or(&[][..], |digest| &digest.0));
            f = match &entry.view {
                View::Shown(shown) => f.bytes(&write_shown(shown)),
                View::Erased | View::Unreadable(_) => f.bytes(&[]),
            };
        }
        f.finish()
    }

    fn read_state(keys: Keys, state: &[u8], bytes: &Arc<[u8]>) -> Result<Self, StateError> {
        let mut r = FieldsReader::new(labels::VAULT_REPLICA.as_str(), state)?;
        let head = match r.bytes(1024)? {
            [] => None,
            head => Some(SignedHead::decode(head).map_err(|_| StateError::Form)?),
        };
        let index = Index::decode(r.bytes(state.len())?).map_err(|_| StateError::Form)?;
        let count = r.u64()?;
        let mut own = Self { keys, head, entries: BTreeMap::new(), index, titles: BTreeMap::new() };
        let mut at = 0;
        let mut entries = Vec::new();
        for _ in 0..count {
            let id = ItemId::from(r.array()?);
            let mut known = || {
                let known = r.bytes(KNOWN_BYTES_MAX)?;
                read_known(known, own.keys.vault(), id, bytes, &mut at)
            };
            let (base, local) = (known()?, known()?);
            let sent = match r.bytes(32)? {
                [] => None,
                digest => Some(Digest32(digest.try_into().map_err(|_| StateError::Form)?)),
            };
            let shown = r.bytes(state.len())?;
            let current = local.as_ref().or(base.as_ref()).ok_or(StateError::Form)?;
            let view = match (shown, current.header().state) {
                ([], State::Erased) => View::Erased,
                // A key that was missing may be here now, and a version that was not read.
                ([], _) => View::Unreadable(OpenError::Digest),
                (shown, _) => View::Shown(Box::new(read_shown(shown)?)),
            };
            if let View::Shown(shown) = &view {
                let title = fold_text(shown.title.as_str()).into();
                own.titles.entry(title).or_default().insert(id);
            }
            entries.push((id, Entry { base, local, sent, view }));
        }
        r.end()?;
        own.entries = entries.into_iter().collect();
        if at != bytes.len() || own.entries.len() as u64 != count {
            return Err(StateError::Form);
        }
        own.retry_unreadable();
        Ok(own)
    }

    /// Tries what did not open once more, and takes into the index what opens now. Call after
    /// [`Replica::set_keys`] gave keys that were missing.
    pub fn retry_unreadable(&mut self) {
        let ids: Vec<ItemId> = self.unreadable().map(|(id, _)| id).collect();
        for id in ids {
            let Some(mut entry) = self.entries.remove(&id) else { continue };
            let (view, body) = match entry.current().map(Known::revision) {
                Some(Ok(revision)) => super::entry::view(&self.keys, &revision),
                Some(Err(error)) => (View::Unreadable(error), None),
                None => (View::Erased, None),
            };
            entry.view = view;
            self.put_entry(id, entry, body.as_ref());
        }
    }
}

/// Why the opened state was not read: only our own key makes one, so it is a fault or a later version.
enum StateError {
    Codec(CodecError),
    Form,
}

impl From<CodecError> for StateError {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}

fn damaged(_: CodecError) -> SnapshotError {
    SnapshotError::Damaged
}

fn place(vault: VaultId) -> Place {
    Place::new(&labels::VAULT_REPLICA_STATE, &[vault.as_bytes()])
}

/// What is known of a revision, with how many bytes it has.
fn write_known(known: &Known) -> Vec<u8> {
    let h = known.header();
    let mut out = Vec::with_capacity(KNOWN_BYTES_MAX);
    for number in [
        h.number,
        u64::from(h.epoch),
        h.created_unix_ms,
        h.updated_unix_ms,
        known.bytes().len() as u64,
    ] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.push(h.state.as_byte());
    out.extend_from_slice(&h.commitment.0);
    out.extend_from_slice(&known.digest().0);
    out.extend_from_slice(h.parent.as_ref().map_or(&[][..], |p| p.as_bytes()));
    out
}

fn read_known(
    bytes: &[u8],
    vault: VaultId,
    item: ItemId,
    revisions: &Arc<[u8]>,
    at: &mut usize,
) -> Result<Option<Known>, StateError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut rest = bytes;
    let mut take = |len: usize| -> Result<&[u8], StateError> {
        let (taken, left) = rest.split_at_checked(len).ok_or(StateError::Form)?;
        rest = left;
        Ok(taken)
    };
    let mut number = || -> Result<u64, StateError> {
        take(8)?.try_into().map(u64::from_be_bytes).map_err(|_| StateError::Form)
    };
    let (n, epoch, created_unix_ms, updated_unix_ms, len) =
        (number()?, number()?, number()?, number()?, number()?);
    let state = State::from_byte(take(1)?[0]).ok_or(StateError::Form)?;
    let mut digest = || -> Result<_, StateError> {
        take(32)?.try_into().map(Digest32).map_err(|_| StateError::Form)
    };
    let (commitment, digest) = (digest()?, digest()?);
    let parent = match rest {
        [] => None,
        id => Some(ItemId::from(<[u8; 16]>::try_from(id).map_err(|_| StateError::Form)?)),
    };
    let epoch = u32::try_from(epoch).map_err(|_| StateError::Form)?;
    let end = usize::try_from(len).ok().and_then(|len| at.checked_add(len));
    let end = end.filter(|end| *end <= revisions.len()).ok_or(StateError::Form)?;
    let range: Range<usize> = std::mem::replace(at, end)..end;
    let header = Header {
        vault,
        item,
        number: n,
        parent,
        epoch,
        created_unix_ms,
        updated_unix_ms,
        state,
        commitment,
    };
    Ok(Some(Known::stored(header, digest, Arc::clone(revisions), range)))
}

fn write_shown(shown: &Shown) -> Vec<u8> {
    let lineage = Lineage { previous: None, conflict_of: shown.conflict_of };
    let about = About {
        salt: [0; crate::item::SALT_BYTES],
        lineage,
        marks: shown.marks.clone(),
        details: shown.details.clone(),
    };
    let mut out = Vec::new();
    let mut field = |bytes: &[u8]| {
        // Bounded by what an item holds, far below 4 GiB.
        out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    field(shown.title.as_str().as_bytes());
    field(&about.encode());
    for link in &shown.links {
        field(link.as_bytes());
    }
    out
}

fn read_shown(bytes: &[u8]) -> Result<Shown, StateError> {
    let mut rest = bytes;
    let mut field = || -> Result<Option<&[u8]>, StateError> {
        let Some((len, behind)) = rest.split_first_chunk::<4>() else {
            return if rest.is_empty() { Ok(None) } else { Err(StateError::Form) };
        };
        let (field, behind) =
            behind.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or(StateError::Form)?;
        rest = behind;
        Ok(Some(field))
    };
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| StateError::Form);
    let title = field()?.ok_or(StateError::Form)?;
    let title = Title::new(text(title)?).map_err(|_| StateError::Form)?;
    let about = About::decode(field()?.ok_or(StateError::Form)?).map_err(|_| StateError::Form)?;
    let mut links = Vec::new();
    while let Some(link) = field()? {
        links.push(text(link)?.into());
    }
    let About { lineage, marks, details, .. } = about;
    Ok(Shown { title, marks, details, conflict_of: lineage.conflict_of, links })
}

/// A revision's numbers, digests and parent.
const KNOWN_BYTES_MAX: usize = 5 * 8 + 1 + 32 + 32 + 16;
