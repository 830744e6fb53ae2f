//! Rows of registered texts.

use symbolon_account::{AccountError, AccountId};
use symbolon_authorship::Registration;
use symbolon_codec::Digest32;

use super::value::{Cells, Kind, Record, Table, Value, bytes, int, maybe_bytes, text};

impl Record for Registration {
    const TABLE: &'static Table = &Table {
        name: "authorship",
        columns: &[
            ("commitment", Kind::Bytes),
            ("log", Kind::Text),
            ("registered_at", Kind::Int),
            ("digest", Kind::Bytes),
            ("entries", Kind::Bytes),
        ],
        key: &["commitment"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        let first = self.indices.first().ok_or(AccountError::Malformed("no entries"))?;
        let entries: Vec<u8> = self.indices.iter().flat_map(|index| index.to_be_bytes()).collect();
        Ok(vec![
            bytes(self.commitment.as_bytes()),
            text(&self.log),
            int(*first)?,
            maybe_bytes(self.digest.as_ref().map(|digest| &digest.as_bytes()[..])),
            bytes(&entries),
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        let (commitment, log) = (cells.digest()?, cells.text()?);
        let (first, digest) = (cells.int()?, cells.maybe_array()?.map(Digest32));
        let entries = cells.bytes()?;
        let (numbers, rest) = entries.as_chunks::<8>();
        let indices: Vec<u64> = numbers.iter().map(|n| u64::from_be_bytes(*n)).collect();
        if !rest.is_empty() || indices.first() != Some(&first) {
            return Err(cells.wrong());
        }
        Ok(Self { commitment, log, digest, indices })
    }
}

/// Who wants to be named as the owner of a registration.
#[derive(Debug)]
pub(super) struct ShownName {
    pub commitment: Digest32,
    pub account: AccountId,
}

impl Record for ShownName {
    const TABLE: &'static Table = &Table {
        name: "authorship_name",
        columns: &[("commitment", Kind::Bytes), ("account", Kind::Bytes)],
        key: &["commitment"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![bytes(self.commitment.as_bytes()), bytes(self.account.as_bytes())])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self { commitment: cells.digest()?, account: cells.id()? })
    }
}
