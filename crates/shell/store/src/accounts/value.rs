//! Rows as values that both databases know, each with the server's tag over all its columns.

use symbolon_account::{AccountError, ServerKey};
use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::labels;

/// What a column holds, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Bytes,
}

/// A table: its columns in the order in which they are read, without `tag` and `sealed`.
#[derive(Debug)]
pub(super) struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Kind)],
    /// The columns that name a row.
    pub key: &'static [&'static str],
    /// Whether it has a column `sealed`, which `digest` covers.
    pub has_sealed: bool,
}

/// What is kept as a row.
pub(super) trait Record: Sized + Send + Sync + 'static {
    const TABLE: &'static Table;

    /// In the order of the table's columns.
    fn values(&self) -> Result<Vec<Value>, AccountError>;

    /// From the values of a row whose tag was checked.
    fn read(cells: &mut Cells) -> Result<Self, AccountError>;

    /// The digest of what stands in `sealed`, where there is such a column.
    fn sealed_digest(&self) -> Option<Digest32> {
        None
    }
}

/// The tag of a row: columns that hold nothing are left out, so that a later version may add some.
pub(super) fn tag(key: &ServerKey, table: &Table, values: &[Value]) -> Digest32 {
    key.row_tag(&canonical(table, values))
}

/// The values, where the tag is that of the row.
pub(super) fn checked(
    key: &ServerKey,
    table: &Table,
    values: Vec<Value>,
    tag: &[u8],
) -> Result<Vec<Value>, AccountError> {
    if key.is_row_tag(&canonical(table, &values), tag) {
        Ok(values)
    } else {
        Err(damaged(table.name))
    }
}

pub(super) fn damaged(table: &str) -> AccountError {
    AccountError::Damaged(format!("a row of `{table}` is not what this server wrote"))
}

fn canonical(table: &Table, values: &[Value]) -> Vec<u8> {
    let row = Fields::new(labels::ROW.as_str()).str(table.name);
    let all = table.columns.iter().zip(values);
    let row = all.fold(row, |row, ((name, _), value)| match value {
        Value::Int(Some(n)) => row.str(name).bytes(&n.to_be_bytes()),
        Value::Text(Some(text)) => row.str(name).str(text),
        Value::Bytes(Some(bytes)) => row.str(name).bytes(bytes),
        Value::Int(None) | Value::Text(None) | Value::Bytes(None) => row,
    });
    row.finish()
}

pub(super) fn int(n: u64) -> Result<Value, AccountError> {
    let n = i64::try_from(n).map_err(|_| AccountError::Malformed("a number is beyond 2^63"))?;
    Ok(Value::Int(Some(n)))
}

pub(super) fn maybe_int(n: Option<u64>) -> Result<Value, AccountError> {
    n.map_or(Ok(Value::Int(None)), int)
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(Some(text.to_owned()))
}

pub(super) fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(Some(bytes.to_owned()))
}

pub(super) fn maybe_bytes(bytes: Option<&[u8]>) -> Value {
    Value::Bytes(bytes.map(<[u8]>::to_owned))
}

/// The values of one row, read from the left.
#[derive(Debug)]
pub(super) struct Cells {
    table: &'static str,
    values: std::vec::IntoIter<Value>,
}

impl Cells {
    pub fn new(table: &'static str, values: Vec<Value>) -> Self {
        Self { table, values: values.into_iter() }
    }

    pub fn wrong(&self) -> AccountError {
        AccountError::Damaged(format!("a row of `{}` does not read", self.table))
    }

    pub fn maybe_int(&mut self) -> Result<Option<u64>, AccountError> {
        match self.values.next() {
            Some(Value::Int(None)) => Ok(None),
            Some(Value::Int(Some(n))) => u64::try_from(n).map(Some).map_err(|_| self.wrong()),
            _ => Err(self.wrong()),
        }
    }

    pub fn int(&mut self) -> Result<u64, AccountError> {
        self.maybe_int()?.ok_or_else(|| self.wrong())
    }

    pub fn int32(&mut self) -> Result<u32, AccountError> {
        u32::try_from(self.int()?).map_err(|_| self.wrong())
    }

    pub fn maybe_text(&mut self) -> Result<Option<String>, AccountError> {
        match self.values.next() {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(self.wrong()),
        }
    }

    pub fn text(&mut self) -> Result<String, AccountError> {
        self.maybe_text()?.ok_or_else(|| self.wrong())
    }

    /// A text that its type reads.
    pub fn word<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> Result<T, AccountError> {
        let text = self.text()?;
        read(&text).ok_or_else(|| self.wrong())
    }

    pub fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, AccountError> {
        match self.values.next() {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(self.wrong()),
        }
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>, AccountError> {
        self.maybe_bytes()?.ok_or_else(|| self.wrong())
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], AccountError> {
        self.bytes()?.try_into().map_err(|_| self.wrong())
    }

    pub fn maybe_array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, AccountError> {
        let bytes = self.maybe_bytes()?;
        bytes.map(|bytes| bytes.try_into().map_err(|_| self.wrong())).transpose()
    }

    pub fn id<T: From<[u8; 16]>>(&mut self) -> Result<T, AccountError> {
        self.array().map(T::from)
    }

    pub fn maybe_id<T: From<[u8; 16]>>(&mut self) -> Result<Option<T>, AccountError> {
        let Some(bytes) = self.maybe_bytes()? else { return Ok(None) };
        let id: [u8; 16] = bytes.try_into().map_err(|_| self.wrong())?;
        Ok(Some(id.into()))
    }

    pub fn digest(&mut self) -> Result<Digest32, AccountError> {
        self.array().map(Digest32)
    }
}
