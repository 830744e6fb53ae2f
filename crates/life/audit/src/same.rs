//! Columns that say one thing of every receipt in a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;

use crate::cells::Cell;
use crate::table::{COLUMNS, Kind};

/// By a column's name, the value that every receipt of the file has there: `null` where none has one. They need
/// not be read with each row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Same(BTreeMap<String, Option<Value>>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Int(i64),
    /// Hashes in hex.
    Text(String),
}

/// Longer texts are read from their column: summaries are in memory for all files.
const TEXT_BYTES_MAX: usize = 512;

impl Same {
    /// Whether nothing is the same.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of the one value of each column that has only one.
    pub(crate) fn of(cells: impl IntoIterator<Item = Option<Cell>>) -> Self {
        let value = |cell| match cell {
            Cell::Null => Some(None),
            Cell::Int(value) => Some(Some(Value::Int(value))),
            Cell::Hash(value) => Some(Some(Value::Text(hex::encode(value.as_bytes())))),
            Cell::Text(bytes) => {
                let text = String::from_utf8(bytes).ok()?;
                (text.len() <= TEXT_BYTES_MAX).then_some(Some(Value::Text(text)))
            }
        };
        let named = COLUMNS.iter().zip(cells).filter_map(|(column, cell)| {
            cell.and_then(value).map(|value| (column.name.to_owned(), value))
        });
        Self(named.collect())
    }

    /// For each column its one value, where it has one. `None` where a name is no column's, or a value of another
    /// kind than its column.
    pub(crate) fn cells(&self) -> Option<Vec<Option<Cell>>> {
        let mut cells = vec![None; COLUMNS.len()];
        for (name, value) in &self.0 {
            let at = COLUMNS.iter().position(|column| column.name == *name)?;
            let cell = match (value, COLUMNS[at].kind) {
                (None, _) => Cell::Null,
                (Some(Value::Int(value)), Kind::Int | Kind::Time) => Cell::Int(*value),
                (Some(Value::Text(text)), Kind::Text) => Cell::Text(text.clone().into_bytes()),
                (Some(Value::Text(text)), Kind::Hash) => {
                    Cell::Hash(Digest32(hex::decode(text).ok()?.try_into().ok()?))
                }
                _ => return None,
            };
            cells[at] = Some(cell);
        }
        Some(cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Col;

    #[test]
    fn values_come_back_and_others_are_refused() {
        let mut cells = vec![None; COLUMNS.len()];
        cells[Col::Agent as usize] = Some(Cell::Text(b"ops".to_vec()));
        cells[Col::Session as usize] = Some(Cell::Hash(Digest32([7; 32])));
        cells[Col::Retries as usize] = Some(Cell::Int(0));
        cells[Col::Entry as usize] = Some(Cell::Null);
        let same = Same::of(cells.clone());
        let text = serde_json::to_string(&same).unwrap();
        let again: Same = serde_json::from_str(&text).unwrap();
        assert_eq!((again.cells().as_ref(), &again), (Some(&cells), &same), "{text}");
        for bad in [
            r#"{"none":null}"#,
            r#"{"agent":7}"#,
            r#"{"retries":"0"}"#,
            r#"{"session":"07"}"#,
            r#"{"entry":"bytes"}"#,
        ] {
            let bad: Same = serde_json::from_str(bad).unwrap();
            assert_eq!(bad.cells(), None, "{bad:?}");
        }
        cells[Col::Agent as usize] = Some(Cell::Text(vec![b'a'; TEXT_BYTES_MAX + 1]));
        assert_eq!(Same::of(cells).cells().unwrap()[Col::Agent as usize], None);
    }
}
