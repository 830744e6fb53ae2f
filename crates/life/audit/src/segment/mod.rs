//! Reading a Parquet file, a page at a time.

mod chunks;
mod find;
mod marks;
mod pages;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use parquet::column::page::Page;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
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
use pages::{Fetched, has_pages};

/// A Parquet file that is open.
pub struct Segment<S: Source> {
    reader: SerializedFileReader<Chunks<S>>,
    source: Chunks<S>,
    summary: Summary,
    /// By column, the one value that every receipt has there, as the summary says.
    same: Vec<Option<Cell>>,
    rows: usize,
    marks: Marks,
    /// By column, once it was read.
    dictionaries: Vec<OnceLock<Page>>,
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
            let source = Chunks::new(source);
            let reader = SerializedFileReader::new_with_options(source.clone(), options)?;
            let (summary, rows) = claimed(reader.metadata())?;
            let same = summary.same.cells();
            let same = same.ok_or_else(|| AuditError::Form("it has no such column".to_owned()))?;
            let dictionaries = COLUMNS.iter().map(|_| OnceLock::new()).collect();
            let marks = Marks::default();
            Ok(Self { reader, source, summary, same, rows, marks, dictionaries })
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
            let all: Vec<usize> = (0..COLUMNS.len()).collect();
            let range = start..self.rows.min(start + PAGE_ROWS);
            for (at, cells) in (start..).zip(self.cells_at(&all, &[range])?) {
                if (at as u64) < self.summary.receipts && !self.has_same(&cells) {
                    return Err(AuditError::Rows("a receipt is not what the summary says of all"));
                }
                let row = Self::row(cells)?;
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

    /// Rows in these ranges, which follow each other. Of receipts, columns with one value are not read.
    fn rows_at(&self, ranges: &[Range<usize>]) -> Result<Vec<Row>, AuditError> {
        let are_receipts = ranges.last().is_none_or(|last| last.end <= self.receipts());
        let is_read = |column: &usize| !are_receipts || self.same[*column].is_none();
        let columns: Vec<usize> = (0..COLUMNS.len()).filter(is_read).collect();
        self.cells_at(&columns, ranges)?.into_iter().map(Self::row).collect()
    }

    fn row(cells: Vec<Cell>) -> Result<Row, AuditError> {
        let row = Cells::from_values(cells).and_then(Cells::row);
        row.ok_or(AuditError::Rows("a row is no receipt and no other entry"))
    }

    /// The values of rows: of these columns as they are read, of others the one that all receipts have.
    fn cells_at(
        &self,
        columns: &[usize],
        ranges: &[Range<usize>],
    ) -> Result<Vec<Vec<Cell>>, AuditError> {
        let count = ranges.iter().map(Range::len).sum();
        let blank: Vec<Cell> = self.same.iter().map(|it| it.clone().unwrap_or_default()).collect();
        let mut rows = vec![blank; count];
        let fetched = guarded(|| self.fetch(columns, ranges))?;
        for (at, fetched) in columns.iter().copied().zip(fetched) {
            match COLUMNS[at].kind {
                Kind::Int | Kind::Time => {
                    let values = self.decode::<Int64Type>(at, fetched, ranges)?;
                    spread(values, at, &mut rows, |value| Some(Cell::Int(*value)))
                }
                Kind::Hash => {
                    let values = self.decode::<FixedLenByteArrayType>(at, fetched, ranges)?;
                    spread(values, at, &mut rows, |value| {
                        Some(Cell::Hash(Digest32(value.data().try_into().ok()?)))
                    })
                }
                Kind::Text | Kind::Bytes => {
                    let values = self.decode::<ByteArrayType>(at, fetched, ranges)?;
                    spread(values, at, &mut rows, |value| Some(Cell::Text(value.data().to_vec())))
                }
            }
            .ok_or(AuditError::Rows("a value is missing"))?;
        }
        Ok(rows)
    }

    fn has_same(&self, cells: &[Cell]) -> bool {
        let all = self.same.iter().zip(cells);
        all.into_iter().all(|(same, cell)| same.as_ref().is_none_or(|same| same == cell))
    }

    fn numbers(&self, col: Col, range: Range<usize>) -> Result<Vec<i64>, AuditError> {
        self.read::<Int64Type>(col, range).map(|values| values.values)
    }

    fn texts(&self, col: Col, range: Range<usize>) -> Result<Values<ByteArray>, AuditError> {
        self.read::<ByteArrayType>(col, range)
    }

    fn hashes(
        &self,
        col: Col,
        range: Range<usize>,
    ) -> Result<Values<FixedLenByteArray>, AuditError> {
        self.read::<FixedLenByteArrayType>(col, range)
    }

    fn read<T: DataType>(&self, col: Col, range: Range<usize>) -> Result<Values<T::T>, AuditError> {
        let (column, ranges) = (col as usize, [range]);
        let mut fetched = guarded(|| self.fetch(&[column], &ranges))?;
        let fetched = fetched.pop().ok_or(AuditError::Rows("a column is missing"))?;
        self.decode::<T>(column, fetched, &ranges)
    }

    /// Values of a column in ranges, of the pages that were fetched for them.
    fn decode<T: DataType>(
        &self,
        column: usize,
        fetched: Fetched,
        ranges: &[Range<usize>],
    ) -> Result<Values<T::T>, AuditError> {
        guarded(|| {
            let chunk = self.reader.metadata().row_group(0).column(column);
            let mut at = fetched.first;
            let mut reader =
                ColumnReaderImpl::<T>::new(chunk.column_descr_ptr(), Box::new(fetched));
            let count = ranges.iter().map(Range::len).sum();
            let (mut defs, mut values) = (Vec::with_capacity(count), Vec::with_capacity(count));
            let mut found = 0;
            // Nothing is fetched for an empty one, not even what would be skipped.
            for range in ranges.iter().filter(|range| !range.is_empty()) {
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
    column: usize,
    rows: &mut [Vec<Cell>],
    cell: impl Fn(&T) -> Option<Cell>,
) -> Option<()> {
    for (row, value) in rows.iter_mut().zip(values.iter()) {
        row[column] = value.map_or(Some(Cell::Null), &cell)?;
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
    if !has_pages(metadata, rows as usize) {
        return Err(wrong("its pages do not follow each other"));
    }
    Ok((summary, rows as usize))
}

/// The Parquet reader was not written for files that an enemy made: where it panics, the file is damaged.
fn guarded<T>(work: impl FnOnce() -> Result<T, AuditError>) -> Result<T, AuditError> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(AuditError::Form("it cannot be decoded".to_owned())))
}
