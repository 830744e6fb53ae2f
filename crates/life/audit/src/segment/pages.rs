//! Pages of many columns, fetched at once: to make a decompressor takes as long as to undo some ten pages, so
//! that one serves all columns of a question.

use std::collections::VecDeque;
use std::io::BufReader;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::CompressionCodec;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::reader::{ChunkReader, FileReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use crate::error::AuditError;
use crate::segment::chunks::{Chunks, Onward};
use crate::segment::{Segment, Source};

/// Pages of one column on their way to its decoder.
pub(super) struct Fetched {
    /// The row that the first page begins with.
    pub(super) first: usize,
    dictionary: Option<Page>,
    /// Rows of each page, and those pages that were fetched.
    pages: VecDeque<(usize, Option<Page>)>,
    skipped: Option<Page>,
}

/// Whether every column's pages have all rows, in order.
pub(super) fn has_pages(metadata: &ParquetMetaData, rows: usize) -> bool {
    let index = metadata.page_index_for_row_group(0);
    (0..metadata.row_group(0).num_columns()).all(|column| {
        let Some(all) = index.page_locations(column) else { return false };
        let first = all.iter().map(|l| usize::try_from(l.first_row_index).unwrap_or(usize::MAX));
        let ends = first.clone().skip(1).chain([rows]);
        all.first().is_some_and(|l| l.first_row_index == 0) && first.zip(ends).all(|(a, b)| a < b)
    })
}

/// A page to be fetched: of which column, and which page of it; `None` for its dictionary.
type Place = (usize, Option<usize>, PageLocation);

impl<S: Source + 'static> Segment<S> {
    /// Pages of columns that have rows in the ranges, which follow each other.
    pub(super) fn fetch(
        &self,
        columns: &[usize],
        ranges: &[Range<usize>],
    ) -> Result<Vec<Fetched>, AuditError> {
        let mut all = Vec::with_capacity(columns.len());
        let mut places: Vec<(CompressionCodec, Vec<Place>)> = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let codec = self.chunk(*column).compression_codec();
            let known = places.iter().position(|(known, _)| *known == codec);
            let known = known.unwrap_or_else(|| {
                places.push((codec, Vec::new()));
                places.len() - 1
            });
            all.push(self.plan(*column, ranges, |page, place| {
                places[known].1.push((at, page, place));
            })?);
        }
        for (codec, places) in places {
            self.fetch_places(columns, codec, &places, &mut all)?;
        }
        for (fetched, column) in all.iter_mut().zip(columns) {
            fetched.dictionary = self.dictionaries[*column].get().cloned();
        }
        Ok(all)
    }

    /// Which pages of a column are wanted.
    fn plan(
        &self,
        column: usize,
        ranges: &[Range<usize>],
        mut want: impl FnMut(Option<usize>, PageLocation),
    ) -> Result<Fetched, AuditError> {
        let index = self.reader.metadata().page_index_for_row_group(0);
        let all = index.page_locations(column).ok_or(AuditError::Rows("a column has no pages"))?;
        // In bounds: `has_pages` looked when the file was opened.
        let first_row =
            |page: usize| all.get(page).map_or(self.rows, |l| l.first_row_index as usize);
        let mut ranges = ranges.iter().filter(|range| !range.is_empty()).peekable();
        let start = ranges.peek().map_or(self.rows, |range| range.start);
        let begin = all.partition_point(|l| l.first_row_index as usize <= start).saturating_sub(1);
        let first = first_row(begin);
        let mut fetched =
            Fetched { first, dictionary: None, pages: VecDeque::new(), skipped: None };
        for (page, location) in all.iter().enumerate().skip(begin) {
            let Some(next) = ranges.peek() else { break };
            let (from, to) = (first_row(page), first_row(page + 1));
            if next.start < to {
                want(Some(fetched.pages.len()), location.clone());
            }
            fetched.pages.push_back((to - from, None));
            while ranges.next_if(|range| range.end <= to).is_some() {}
        }
        let (start, _) = self.chunk(column).byte_range();
        let first = all.first().and_then(|first| u64::try_from(first.offset).ok());
        let ahead = first.and_then(|first| first.checked_sub(start)).filter(|bytes| *bytes > 0);
        if let Some(bytes) = ahead.filter(|_| self.dictionaries[column].get().is_none()) {
            let long = |_| AuditError::Rows("a dictionary is too long");
            let (offset, bytes) =
                (i64::try_from(start).map_err(long)?, i32::try_from(bytes).map_err(long)?);
            let place = PageLocation { offset, compressed_page_size: bytes, first_row_index: 0 };
            want(None, place);
        }
        Ok(fetched)
    }

    /// Fetches pages that one codec wrote, wherever they are.
    fn fetch_places(
        &self,
        columns: &[usize],
        codec: CompressionCodec,
        places: &[Place],
        all: &mut [Fetched],
    ) -> Result<(), AuditError> {
        let Some((_, _, first)) = places.first() else { return Ok(()) };
        // The reader takes what stands between a chunk's beginning and its first page for a dictionary: here
        // nothing does, and dictionaries are pages as others.
        let chunk = ColumnChunkMetaData::builder(self.chunk(0).column_descr_ptr())
            .set_compression_codec(codec)
            .set_data_page_offset(first.offset)
            .build()?;
        let locations: Vec<_> = places.iter().map(|(_, _, place)| place.clone()).collect();
        let source = Arc::new(Runs::read(&self.source, &locations)?);
        let mut pages = SerializedPageReader::new(source, &chunk, self.rows, Some(locations))?;
        for (at, page, _) in places {
            let found = pages.get_next_page()?.ok_or(AuditError::Rows("a page is missing"))?;
            match page.and_then(|page| all[*at].pages.get_mut(page)) {
                Some((rows, slot)) => {
                    // Else the pages after it would hold other rows than the index says.
                    if !found.is_data_page() || found.num_values() as usize != *rows {
                        return Err(AuditError::Rows("a page has other rows than its index says"));
                    }
                    *slot = Some(found);
                }
                None if found.is_dictionary_page() => {
                    self.dictionaries[columns[*at]].get_or_init(|| found);
                }
                None => return Err(AuditError::Rows("a dictionary is none")),
            }
        }
        Ok(())
    }

    fn chunk(&self, column: usize) -> &ColumnChunkMetaData {
        self.reader.metadata().row_group(0).column(column)
    }
}

/// Bytes of pages, of those that follow each other in the file read at once.
struct Runs<S> {
    source: Chunks<S>,
    /// With their offsets, in the order of these.
    runs: Vec<(u64, Bytes)>,
}

impl<S: Source> Runs<S> {
    fn read(source: &Chunks<S>, places: &[PageLocation]) -> Result<Self, AuditError> {
        let wrong = |_| AuditError::Rows("a page is nowhere");
        let mut ranges = Vec::with_capacity(places.len());
        for place in places {
            let offset = u64::try_from(place.offset).map_err(wrong)?;
            let bytes = usize::try_from(place.compressed_page_size).map_err(wrong)?;
            ranges.push((offset, bytes));
        }
        ranges.sort_unstable();
        let mut joined: Vec<(u64, usize)> = Vec::with_capacity(ranges.len());
        for (offset, bytes) in ranges {
            match joined.last_mut() {
                Some((first, all)) if *first + *all as u64 == offset => *all += bytes,
                _ => joined.push((offset, bytes)),
            }
        }
        let run = |(at, bytes)| Ok((at, source.get_bytes(at, bytes)?));
        let runs = joined.into_iter().map(run).collect::<Result<_, AuditError>>()?;
        Ok(Self { source: source.clone(), runs })
    }
}

impl<S: Source> Length for Runs<S> {
    fn len(&self) -> u64 {
        Length::len(&self.source)
    }
}

impl<S: Source> ChunkReader for Runs<S> {
    type T = BufReader<Onward<S>>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        self.source.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let run = self.runs.partition_point(|(offset, _)| *offset <= start).checked_sub(1);
        let (offset, bytes) = run.map(|run| &self.runs[run]).ok_or_else(elsewhere)?;
        let from = usize::try_from(start - offset).map_err(|_| elsewhere())?;
        let to = from.checked_add(length).filter(|to| *to <= bytes.len()).ok_or_else(elsewhere)?;
        Ok(bytes.slice(from..to))
    }
}

fn elsewhere() -> ParquetError {
    ParquetError::General("bytes that were not read".to_owned())
}

impl Iterator for Fetched {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Fetched {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        if let Some(dictionary) = self.dictionary.take() {
            return Ok(Some(dictionary));
        }
        match self.pages.pop_front() {
            None => Ok(None),
            Some((_, Some(page))) => Ok(Some(page)),
            Some((_, None)) => Err(ParquetError::General("a page was not fetched".to_owned())),
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        let page = |is_dict, num_rows| PageMetadata { num_rows, num_levels: None, is_dict };
        let next = self.pages.front().map(|(rows, _)| page(false, Some(*rows)));
        Ok(self.dictionary.as_ref().map(|_| page(true, None)).or(next))
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        match self.dictionary.take() {
            Some(dictionary) => self.skipped = Some(dictionary),
            None => drop(self.pages.pop_front()),
        }
        Ok(())
    }

    fn supports_deferred_dictionary(&self) -> bool {
        true
    }

    fn take_deferred_dictionary(&mut self) -> Result<Option<Page>, ParquetError> {
        Ok(self.skipped.take())
    }

    fn at_record_boundary(&mut self) -> Result<bool, ParquetError> {
        Ok(true)
    }
}
