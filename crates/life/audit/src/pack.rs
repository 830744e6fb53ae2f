//! Writing a Parquet file.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::Arc;

use parquet::data_type::{
    ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use symbolon_capability::Intent;
use symbolon_codec::Digest32;
use symbolon_log::Span;
use symbolon_receipt::IntentRef;

use crate::cells::{Cell, Cells};
use crate::entry::{Entry, Row};
use crate::error::AuditError;
use crate::same::Same;
use crate::summary::{KEY, Summary, VERSION};
use crate::table::{COLUMNS, Column, Kind, PAGE_ROWS, properties, schema};

/// Entries that one file holds at most: its rows are in memory while it is made.
pub const ENTRIES_MAX: u64 = 65_536;

/// Rows on their way into a file, as columns.
#[derive(Debug)]
pub struct Packer {
    columns: Vec<Built>,
    texts: Texts,
    /// Entries that are no receipt, until the receipt of an intent comes.
    others: BTreeMap<u64, (Vec<u8>, Digest32)>,
    summary: Summary,
    span: Span,
}

/// Values of one column.
#[derive(Debug)]
struct Built {
    kind: Kind,
    is_required: bool,
    is_there: Vec<bool>,
    numbers: Vec<i64>,
    hashes: Vec<Digest32>,
    /// Places in [`Texts`].
    texts: Vec<u32>,
}

/// Each text once.
#[derive(Debug, Default)]
struct Texts {
    known: HashMap<Vec<u8>, u32>,
    all: Vec<ByteArray>,
}

/// Writes a file of these entries, which follow each other. Gives what the file says of itself.
///
/// # Errors
/// [`AuditError::Count`], [`AuditError::Rows`], or what writing gives.
pub fn pack(
    rows: impl IntoIterator<Item = Row>,
    out: impl Write + Send,
) -> Result<Summary, AuditError> {
    let mut rows = rows.into_iter().peekable();
    let first = rows.peek().map_or(0, |row| row.index);
    let mut packer = Packer::new(first);
    for row in rows {
        let leaf = row.entry.leaf_hash();
        packer.push(row, leaf)?;
    }
    packer.finish(out)
}

impl Packer {
    /// For entries from this one on.
    pub fn new(first: u64) -> Self {
        let columns = COLUMNS.iter().map(Built::of).collect();
        let summary = Summary {
            version: VERSION,
            first,
            next: first,
            receipts: 0,
            others: 0,
            unix_ms: None,
            closes: Vec::new(),
            span: Vec::new(),
            same: Same::default(),
        };
        Self {
            columns,
            texts: Texts::default(),
            others: BTreeMap::new(),
            summary,
            span: Span::empty(first),
        }
    }

    /// Takes the next entry, whose leaf hash this is.
    ///
    /// # Errors
    /// [`AuditError::Rows`] for another entry than the next, [`AuditError::Count`].
    pub fn push(&mut self, row: Row, leaf: Digest32) -> Result<(), AuditError> {
        if row.index != self.span.next() {
            return Err(AuditError::Rows("an entry is missing"));
        }
        let found = self.span.next() - self.summary.first + 1;
        if found > ENTRIES_MAX {
            return Err(AuditError::Count { found });
        }
        self.span.push(leaf);
        match &row.entry {
            Entry::Raw(bytes) => {
                self.others.insert(row.index, (bytes.clone(), leaf));
            }
            Entry::Receipt(statement) => {
                if let Some(intent) = statement.predicate.intent {
                    self.close(intent);
                }
                self.summary.note(row.entry.unix_ms());
                self.summary.receipts += 1;
                self.add(&row)?;
            }
        }
        Ok(())
    }

    /// The receipt's columns say all that the root needs of its intent.
    fn close(&mut self, intent: IntentRef) {
        let IntentRef { index, leaf_hash } = intent;
        let is_it = |(bytes, leaf): &(Vec<u8>, Digest32)| *leaf == leaf_hash && Intent::is(bytes);
        if index < self.summary.first {
            self.summary.closes.push(index);
        } else if self.others.get(&index).is_some_and(is_it) {
            self.others.remove(&index);
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`AuditError::Count`] where there is no entry, or what writing gives.
    pub fn finish(mut self, out: impl Write + Send) -> Result<Summary, AuditError> {
        if self.span.next() == self.span.first() {
            return Err(AuditError::Count { found: 0 });
        }
        // Only receipts are in the columns yet.
        self.summary.same = Same::of(self.columns.iter().map(|built| built.same(&self.texts)));
        for (index, (bytes, _)) in std::mem::take(&mut self.others) {
            let row = Row { index, entry: Entry::Raw(bytes) };
            self.summary.note(row.entry.unix_ms());
            self.summary.others += 1;
            self.add(&row)?;
        }
        self.summary.next = self.span.next();
        self.summary.span = self.span.hashes().to_vec();
        let text = serde_json::to_string(&self.summary).map_err(std::io::Error::from)?;
        let mut file = SerializedFileWriter::new(out, schema()?, Arc::new(properties()?))?;
        let mut group = file.next_row_group()?;
        for built in &self.columns {
            let column = group.next_column()?;
            let column = column.ok_or(AuditError::Rows("a column is missing"))?;
            built.write(&self.texts, column)?;
        }
        group.close()?;
        file.append_key_value_metadata(KeyValue::new(KEY.to_owned(), text));
        file.close()?;
        Ok(self.summary)
    }

    fn add(&mut self, row: &Row) -> Result<(), AuditError> {
        let cells = Cells::of(row).ok_or(AuditError::Rows("no columns can hold a receipt"))?;
        for (built, cell) in self.columns.iter_mut().zip(cells.values()) {
            built.is_there.push(cell != Cell::Null);
            match cell {
                Cell::Null => {}
                Cell::Int(value) => built.numbers.push(value),
                Cell::Hash(value) => built.hashes.push(value),
                Cell::Text(value) => built.texts.push(self.texts.place(value)),
            }
        }
        Ok(())
    }
}

impl Texts {
    fn place(&mut self, text: Vec<u8>) -> u32 {
        if let Some(place) = self.known.get(&text) {
            return *place;
        }
        // At most a few texts a row, and 65,536 rows.
        let place = self.all.len() as u32;
        self.all.push(ByteArray::from(text.clone()));
        self.known.insert(text, place);
        place
    }
}

impl Built {
    fn of(column: &Column) -> Self {
        Self {
            kind: column.kind,
            is_required: column.is_required(),
            is_there: Vec::new(),
            numbers: Vec::new(),
            hashes: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// The value of every row, where there are rows and all have the same or none.
    fn same(&self, texts: &Texts) -> Option<Cell> {
        let is_there = *self.is_there.first()?;
        if self.is_there.iter().any(|there| *there != is_there) {
            return None;
        }
        match self.kind {
            _ if !is_there => Some(Cell::Null),
            Kind::Int | Kind::Time => one(&self.numbers).map(|value| Cell::Int(*value)),
            Kind::Hash => one(&self.hashes).map(|value| Cell::Hash(*value)),
            Kind::Text | Kind::Bytes => {
                one(&self.texts).map(|place| Cell::Text(texts.all[*place as usize].data().to_vec()))
            }
        }
    }

    /// A page at a time, so that all columns have their pages at the same rows.
    fn write(
        &self,
        texts: &Texts,
        mut column: SerializedColumnWriter<'_>,
    ) -> Result<(), ParquetError> {
        let mut at = 0;
        for page in self.is_there.chunks(PAGE_ROWS) {
            let defs: Vec<i16> = page.iter().map(|there| i16::from(*there)).collect();
            let defs = (!self.is_required).then_some(&*defs);
            let to = at + page.iter().filter(|there| **there).count();
            match self.kind {
                Kind::Int | Kind::Time => {
                    let values = &self.numbers[at..to];
                    column.typed::<Int64Type>().write_batch(values, defs, None)?;
                }
                Kind::Hash => {
                    let hash = |h: &Digest32| FixedLenByteArray::from(h.as_bytes().to_vec());
                    let values: Vec<_> = self.hashes[at..to].iter().map(hash).collect();
                    column.typed::<FixedLenByteArrayType>().write_batch(&values, defs, None)?;
                }
                Kind::Text | Kind::Bytes => {
                    let text = |place: &u32| texts.all[*place as usize].clone();
                    let values: Vec<_> = self.texts[at..to].iter().map(text).collect();
                    column.typed::<ByteArrayType>().write_batch(&values, defs, None)?;
                }
            }
            at = to;
        }
        column.close()
    }
}

/// The value that all are.
fn one<T: PartialEq>(values: &[T]) -> Option<&T> {
    let (first, rest) = values.split_first()?;
    rest.iter().all(|value| value == first).then_some(first)
}
