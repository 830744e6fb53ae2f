//! Reading a Parquet file, a page at a time.

mod chunks;
mod find;
mod marks;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use parquet::data_type::{ByteArray, ByteArrayType, DataType, FixedLenByteArrayType, Int64Type};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use symbolon_codec::Digest32;
use symbolon_log::Span;

pub use chunks::Source;

use crate::ENTRIES_MAX;
use crate::cells::{Cell, Cells};
use crate::entry::Row;
use crate::error::AuditError;
use crate::summary::{KEY, Summary};
use crate::table::{COLUMNS, Col, Kind, PAGE_ROWS, schema};
use chunks::Chunks;
use marks::Marks;

/// A Parquet file that is open.
pub struct Segment<S: Source> {
    reader: SerializedFileReader<Chunks<S>>,
    summary: Summary,
    rows: usize,
    marks: OnceLock<Marks>,
}

/// A column's values in some rows: which rows have one, and those.
pub(crate) struct Values<T> {
    is_there: Vec<bool>,
    values: Vec<T>,
}

impl<S: Source + 'static> Segment<S> {
    /// Reads what the file says of itself, and believes it: see [`Segment::check`].
    ///
    /// # Errors
    /// [`AuditError::Form`] where it is not a file of this version.
    pub fn open(source: S) -> Result<Self, AuditError> {
        guarded(|| {
            let options = ReadOptionsBuilder::new().with_page_index().build();
            let reader = SerializedFileReader::new_with_options(Chunks::new(source), options)?;
            let (summary, rows) = claimed(reader.metadata())?;
            Ok(Self { reader, summary, rows, marks: OnceLock::new() })
        })
    }

    /// What the file says of itself.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Reads every row as queries do, and makes the summary again from them alone: the part of the log's
    /// tree included, from the hashes of the entries that the rows give back. Slow.
    ///
    /// # Errors
    /// [`AuditError::Rows`] where it is another than the file has.
    pub fn check(&self) -> Result<(), AuditError> {
        let (first, next) = (self.summary.first, self.summary.next);
        let mut again = Summary { unix_ms: None, closes: Vec::new(), ..self.summary.clone() };
        // In bounds: a summary has at most `ENTRIES_MAX` entries.
        let mut leaves: Vec<Option<Digest32>> = vec![None; (next - first) as usize];
        let mut named = Vec::new();
        let mut before = None;
        for start in (0..self.rows).step_by(PAGE_ROWS) {
            for (at, row) in (start..).zip(self.rows(start..self.rows.min(start + PAGE_ROWS))?) {
                let is_receipt = row.entry.receipt().is_some();
                if is_receipt != ((at as u64) < self.summary.receipts) {
                    return Err(AuditError::Rows("a row is not among its kind"));
                }
                let place = row.index.checked_sub(first).and_then(|at| leaves.get_mut(at as usize));
                let place = place.ok_or(AuditError::Rows("a row is of another place"))?;
                if before.is_some_and(|last| last >= (!is_receipt, row.index)) {
                    return Err(AuditError::Rows("rows are not in order"));
                }
                before = Some((!is_receipt, row.index));
                *place = Some(row.entry.leaf_hash());
                again.note(row.entry.unix_ms());
                if let Some(intent) = row.entry.receipt().and_then(|s| s.predicate.intent) {
                    match intent.index < first {
                        true => again.closes.push(intent.index),
                        false => named.push((intent.index - first, intent.leaf_hash)),
                    }
                }
            }
        }
        for (at, hash) in named {
            if let Some(place) = leaves.get_mut(at as usize) {
                // The intent's own row, where there is one, is the better word.
                place.get_or_insert(hash);
            }
        }
        let mut span = Span::empty(first);
        for leaf in leaves {
            span.push(leaf.ok_or(AuditError::Rows("an entry is missing"))?);
        }
        again.span = span.hashes().to_vec();
        if again != self.summary {
            return Err(AuditError::Rows("they are not what the file's summary says"));
        }
        Ok(())
    }

    /// Rows by their places in the file.
    ///
    /// # Errors
    /// [`AuditError::Form`] or [`AuditError::Rows`].
    pub fn rows(&self, range: Range<usize>) -> Result<Vec<Row>, AuditError> {
        self.rows_at(&[range])
    }

    /// Rows in these ranges, which follow each other. Each column is gone through once.
    fn rows_at(&self, ranges: &[Range<usize>]) -> Result<Vec<Row>, AuditError> {
        let count = ranges.iter().map(Range::len).sum();
        let mut rows = vec![Vec::with_capacity(COLUMNS.len()); count];
        for (at, column) in COLUMNS.iter().enumerate() {
            match column.kind {
                Kind::Int | Kind::Time => {
                    let values = self.read::<Int64Type>(at, ranges)?;
                    spread(values, &mut rows, |value| Some(Cell::Int(*value)))
                }
                Kind::Hash => {
                    let values = self.read::<FixedLenByteArrayType>(at, ranges)?;
                    spread(values, &mut rows, |value| {
                        Some(Cell::Hash(Digest32(value.data().try_into().ok()?)))
                    })
                }
                Kind::Text | Kind::Bytes => {
                    let values = self.read::<ByteArrayType>(at, ranges)?;
                    spread(values, &mut rows, |value| Some(Cell::Text(value.data().to_vec())))
                }
            }
            .ok_or(AuditError::Rows("a value is missing"))?;
        }
        let row = |cells| Cells::from_values(cells)?.row();
        let rows: Option<Vec<Row>> = rows.into_iter().map(row).collect();
        rows.ok_or(AuditError::Rows("a row is no receipt and no other entry"))
    }

    fn numbers(&self, col: Col, range: Range<usize>) -> Result<Values<i64>, AuditError> {
        self.read::<Int64Type>(col as usize, &[range])
    }

    fn texts(&self, col: Col, range: Range<usize>) -> Result<Values<ByteArray>, AuditError> {
        self.read::<ByteArrayType>(col as usize, &[range])
    }

    fn read<T: DataType>(
        &self,
        column: usize,
        ranges: &[Range<usize>],
    ) -> Result<Values<T::T>, AuditError> {
        guarded(|| {
            let group = self.reader.get_row_group(0)?;
            let reader = T::get_column_reader(group.get_column_reader(column)?);
            let mut reader = reader.ok_or(AuditError::Rows("a column is of another type"))?;
            let count = ranges.iter().map(Range::len).sum();
            let (mut defs, mut values) = (Vec::with_capacity(count), Vec::with_capacity(count));
            let (mut at, mut found) = (0, 0);
            for range in ranges {
                let ahead = range.start.checked_sub(at);
                let ahead = ahead.ok_or(AuditError::Rows("ranges do not follow each other"))?;
                let skipped = reader.skip_records(ahead)?;
                let (records, more, _) =
                    reader.read_records(range.len(), Some(&mut defs), None, &mut values)?;
                if (skipped, records) != (ahead, range.len()) {
                    return Err(AuditError::Rows("a column is shorter than others"));
                }
                (at, found) = (range.end, found + more);
            }
            let is_there = match COLUMNS[column].is_required() {
                true => vec![true; count],
                false => defs.iter().map(|def| *def == 1).collect(),
            };
            let there = is_there.iter().filter(|there| **there).count();
            if is_there.len() != count || (found, values.len()) != (there, there) {
                return Err(AuditError::Rows("a column has other values than rows"));
            }
            Ok(Values { is_there, values })
        })
    }
}

impl<T> Values<T> {
    /// One for each row.
    fn iter(&self) -> impl Iterator<Item = Option<&T>> {
        let mut values = self.values.iter();
        self.is_there.iter().map(move |there| if *there { values.next() } else { None })
    }
}

fn spread<T>(
    values: Values<T>,
    rows: &mut [Vec<Cell>],
    cell: impl Fn(&T) -> Option<Cell>,
) -> Option<()> {
    for (row, value) in rows.iter_mut().zip(values.iter()) {
        row.push(value.map_or(Some(Cell::Null), &cell)?);
    }
    Some(())
}

/// The summary and the count of rows, if the file has our form.
fn claimed(metadata: &ParquetMetaData) -> Result<(Summary, usize), AuditError> {
    let wrong = |what: &str| AuditError::Form(what.to_owned());
    let file = metadata.file_metadata();
    if file.schema() != schema()?.as_ref() {
        return Err(wrong("its columns are others"));
    }
    let mut named = file.key_value_metadata().into_iter().flatten().filter(|kv| kv.key == KEY);
    let text = named.next().and_then(|kv| kv.value.as_deref());
    let summary: Option<Summary> = text.and_then(|text| serde_json::from_str(text).ok());
    let summary = summary
        .filter(|summary| named.next().is_none() && summary.is_sound())
        .ok_or_else(|| wrong("it has no summary"))?;
    let rows = summary.receipts + summary.others;
    let counted = metadata.num_row_groups() == 1
        && u64::try_from(metadata.row_group(0).num_rows()).is_ok_and(|n| n == rows)
        && rows <= ENTRIES_MAX;
    if !counted {
        return Err(wrong("it has another number of rows"));
    }
    Ok((summary, rows as usize))
}

/// The Parquet reader was not written for files that an enemy made: where it panics, the file is damaged.
fn guarded<T>(work: impl FnOnce() -> Result<T, AuditError>) -> Result<T, AuditError> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(AuditError::Form("it cannot be decoded".to_owned())))
}
