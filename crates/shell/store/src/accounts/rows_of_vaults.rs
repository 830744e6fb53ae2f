//! The tables of vaults: what a commit changes apart from what it does not.

use symbolon_account::{
    AccountError, AccountId, BlobId, ChunkInfo, ItemId, ItemState, RevisionInfo, Share, ShareTo,
    SignedHead, Vault, VaultKeys,
};
use symbolon_codec::Digest32;
use symbolon_crypto::sha256;
use symbolon_custody::VaultId;

use super::value::{Cells, Kind, Record, Table, Value, bytes, int, maybe_bytes, maybe_int, text};

/// What of a vault changes with its ways to be opened.
#[derive(Debug)]
pub(super) struct VaultRow {
    pub id: VaultId,
    pub account: AccountId,
    pub keys: VaultKeys,
    pub keys_version: u64,
}

/// What of a vault changes with every commit.
#[derive(Debug)]
pub(super) struct VaultState {
    pub vault: VaultId,
    pub head: SignedHead,
    pub used_bytes: u64,
    pub quota_bytes: u64,
}

/// One vault of its two rows.
pub(super) fn joined(row: VaultRow, state: VaultState) -> Vault {
    Vault {
        id: row.id,
        account: row.account,
        keys: row.keys,
        keys_version: row.keys_version,
        head: state.head,
        used_bytes: state.used_bytes,
        quota_bytes: state.quota_bytes,
    }
}

/// The two rows of one vault.
pub(super) fn parted(vault: &Vault) -> (VaultRow, VaultState) {
    let row = VaultRow {
        id: vault.id,
        account: vault.account,
        keys: vault.keys.clone(),
        keys_version: vault.keys_version,
    };
    let state = VaultState {
        vault: vault.id,
        head: vault.head.clone(),
        used_bytes: vault.used_bytes,
        quota_bytes: vault.quota_bytes,
    };
    (row, state)
}

impl Record for VaultRow {
    const TABLE: &'static Table = &Table {
        name: "vault",
        columns: &[
            ("id", Kind::Bytes),
            ("account", Kind::Bytes),
            ("head_key", Kind::Bytes),
            ("share_key", Kind::Bytes),
            ("wraps", Kind::Text),
            ("ring", Kind::Bytes),
            ("epoch", Kind::Int),
            ("keys_version", Kind::Int),
        ],
        key: &["id"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.id.as_bytes()),
            bytes(self.account.as_bytes()),
            bytes(&self.keys.head_key),
            bytes(&self.keys.share_key),
            text(&self.keys.wraps),
            bytes(&self.keys.ring),
            int(self.keys.epoch.into())?,
            int(self.keys_version)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            id: cells.id()?,
            account: cells.id()?,
            keys: VaultKeys {
                head_key: cells.array()?,
                share_key: cells.array()?,
                wraps: cells.text()?,
                ring: cells.bytes()?,
                epoch: cells.int32()?,
            },
            keys_version: cells.int()?,
        })
    }
}

impl Record for VaultState {
    const TABLE: &'static Table = &Table {
        name: "vault_state",
        columns: &[
            ("vault", Kind::Bytes),
            ("counter", Kind::Int),
            ("head", Kind::Bytes),
            ("used_bytes", Kind::Int),
            ("quota_bytes", Kind::Int),
        ],
        key: &["vault"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.vault.as_bytes()),
            int(self.head.counter)?,
            bytes(&self.head.bytes),
            int(self.used_bytes)?,
            int(self.quota_bytes)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            vault: cells.id()?,
            head: SignedHead { counter: cells.int()?, bytes: cells.bytes()? },
            used_bytes: cells.int()?,
            quota_bytes: cells.int()?,
        })
    }
}

/// Which revision of an item is the current one.
#[derive(Debug, Clone)]
pub(super) struct ItemRow {
    pub vault: VaultId,
    pub item: ItemId,
    pub revision: u64,
    pub counter: u64,
    pub size_bytes: u64,
}

impl Record for ItemRow {
    const TABLE: &'static Table = &Table {
        name: "item",
        columns: &[
            ("vault", Kind::Bytes),
            ("item", Kind::Bytes),
            ("revision", Kind::Int),
            ("counter", Kind::Int),
            ("size_bytes", Kind::Int),
        ],
        key: &["vault", "item"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.vault.as_bytes()),
            bytes(self.item.as_bytes()),
            int(self.revision)?,
            int(self.counter)?,
            int(self.size_bytes)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            vault: cells.id()?,
            item: cells.id()?,
            revision: cells.int()?,
            counter: cells.int()?,
            size_bytes: cells.int()?,
        })
    }
}

/// A revision without its sealed bytes.
#[derive(Debug)]
pub(super) struct RevisionRow {
    pub vault: VaultId,
    pub counter: u64,
    pub info: RevisionInfo,
}

impl Record for RevisionRow {
    const TABLE: &'static Table = &Table {
        name: "revision",
        columns: &[
            ("vault", Kind::Bytes),
            ("item", Kind::Bytes),
            ("revision", Kind::Int),
            ("counter", Kind::Int),
            ("parent", Kind::Bytes),
            ("epoch", Kind::Int),
            ("state", Kind::Text),
            ("created_unix_ms", Kind::Int),
            ("updated_unix_ms", Kind::Int),
            ("digest", Kind::Bytes),
            ("size_bytes", Kind::Int),
        ],
        key: &["vault", "item", "revision"],
        has_sealed: true,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.vault.as_bytes()),
            bytes(self.info.item.as_bytes()),
            int(self.info.revision)?,
            int(self.counter)?,
            maybe_bytes(self.info.parent.as_ref().map(|id| &id.as_bytes()[..])),
            int(self.info.epoch.into())?,
            text(self.info.state.as_str()),
            int(self.info.created_unix_ms)?,
            int(self.info.updated_unix_ms)?,
            bytes(self.info.digest.as_bytes()),
            int(self.info.size_bytes)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        let (vault, item, revision, counter) =
            (cells.id()?, cells.id()?, cells.int()?, cells.int()?);
        let info = RevisionInfo {
            item,
            revision,
            parent: cells.maybe_id()?,
            epoch: cells.int32()?,
            state: cells.word(ItemState::parse)?,
            created_unix_ms: cells.int()?,
            updated_unix_ms: cells.int()?,
            digest: cells.digest()?,
            size_bytes: cells.int()?,
        };
        Ok(Self { vault, counter, info })
    }

    fn sealed_digest(&self) -> Option<Digest32> {
        Some(self.info.digest)
    }
}

/// A chunk without its sealed bytes.
#[derive(Debug)]
pub(super) struct ChunkRow {
    pub vault: VaultId,
    pub blob: BlobId,
    pub info: ChunkInfo,
}

impl Record for ChunkRow {
    const TABLE: &'static Table = &Table {
        name: "chunk",
        columns: &[
            ("vault", Kind::Bytes),
            ("blob", Kind::Bytes),
            ("number", Kind::Int),
            ("digest", Kind::Bytes),
            ("size_bytes", Kind::Int),
        ],
        key: &["vault", "blob", "number"],
        has_sealed: true,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.vault.as_bytes()),
            bytes(self.blob.as_bytes()),
            int(self.info.index.into())?,
            bytes(self.info.digest.as_bytes()),
            int(self.info.size_bytes)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        let (vault, blob, index) = (cells.id()?, cells.id()?, cells.int32()?);
        let (digest, size_bytes) = (cells.digest()?, cells.int()?);
        Ok(Self { vault, blob, info: ChunkInfo { index, size_bytes, digest } })
    }

    fn sealed_digest(&self) -> Option<Digest32> {
        Some(self.info.digest)
    }
}

/// A share, with the digest of its sealed bytes instead of these.
#[derive(Debug)]
pub(super) struct ShareRow {
    pub share: Share,
    pub digest: Digest32,
}

impl ShareRow {
    /// The row, and what stands beside it.
    pub fn of(share: &Share) -> (Self, Vec<u8>) {
        let row = Self {
            share: Share { sealed: Vec::new(), ..share.clone() },
            digest: sha256(&share.sealed),
        };
        (row, share.sealed.clone())
    }
}

impl Record for ShareRow {
    const TABLE: &'static Table = &Table {
        name: "share",
        columns: &[
            ("id", Kind::Bytes),
            ("sender", Kind::Bytes),
            ("recipient", Kind::Bytes),
            ("item", Kind::Bytes),
            ("created_unix_ms", Kind::Int),
            ("expires_unix_ms", Kind::Int),
            ("views_max", Kind::Int),
            ("views", Kind::Int),
            ("revoked_unix_ms", Kind::Int),
            ("digest", Kind::Bytes),
        ],
        key: &["id"],
        has_sealed: true,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        let share = &self.share;
        let to = match &share.to {
            ShareTo::Account(id) => Some(id),
            ShareTo::Link => None,
        };
        Ok(vec![
            bytes(share.id.as_bytes()),
            bytes(share.from.as_bytes()),
            maybe_bytes(to.map(|id| &id.as_bytes()[..])),
            maybe_bytes(share.item.as_ref().map(|id| &id.as_bytes()[..])),
            int(share.created_unix_ms)?,
            maybe_int(share.expires_unix_ms)?,
            maybe_int(share.views_max.map(u64::from))?,
            int(share.views.into())?,
            maybe_int(share.revoked_unix_ms)?,
            bytes(self.digest.as_bytes()),
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        let (id, from) = (cells.id()?, cells.id()?);
        let share = Share {
            id,
            from,
            to: cells.maybe_id()?.map_or(ShareTo::Link, ShareTo::Account),
            item: cells.maybe_id()?,
            sealed: Vec::new(),
            created_unix_ms: cells.int()?,
            expires_unix_ms: cells.maybe_int()?,
            views_max: {
                let max = cells.maybe_int()?;
                max.map(|n| u32::try_from(n).map_err(|_| cells.wrong())).transpose()?
            },
            views: cells.int32()?,
            revoked_unix_ms: cells.maybe_int()?,
        };
        Ok(Self { share, digest: cells.digest()? })
    }

    fn sealed_digest(&self) -> Option<Digest32> {
        Some(self.digest)
    }
}
