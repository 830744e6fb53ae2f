//! Which pages hold what: made from the columns themselves when the first query asks, because nothing that a
//! file says beside its rows is believed.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::cells::{OUTCOMES, of_word};
use crate::entry::{Row, Word};
use crate::error::AuditError;
use crate::segment::{Segment, Source};
use crate::table::{Col, PAGE_ROWS};

/// One bit for each page, of at most 128.
pub(super) type Pages = u128;

/// For each column that queries name, the pages of each value; each made when it is first asked for.
#[derive(Default)]
pub(super) struct Marks {
    agents: OnceLock<HashMap<Box<str>, Pages>>,
    tools: OnceLock<HashMap<Box<str>, Pages>>,
    hosts: OnceLock<HashMap<Box<str>, Pages>>,
    words: OnceLock<HashMap<Word, Pages>>,
    /// The earliest and latest of each page, in Unix milliseconds.
    times: OnceLock<Vec<(i64, i64)>>,
    /// The first and last place of each page.
    places: OnceLock<Vec<(i64, i64)>>,
    /// Rows that are no receipts: few, as a rule.
    others: OnceLock<Vec<Row>>,
}

impl<S: Source + 'static> Segment<S> {
    pub(super) fn marks(&self) -> &Marks {
        self.marks.get_or_init(Marks::default)
    }

    /// Pages that hold the value of a column.
    pub(super) fn pages_of(
        &self,
        col: Col,
        fits: impl Fn(&str) -> bool,
    ) -> Result<Pages, AuditError> {
        let marks = self.marks();
        let (cell, col) = match col {
            Col::Agent => (&marks.agents, col),
            Col::Tool => (&marks.tools, col),
            _ => (&marks.hosts, Col::Host),
        };
        let known = get_or_try(cell, || self.mark(col))?;
        Ok(known.iter().filter(|(text, _)| fits(text)).fold(0, |all, (_, pages)| all | pages))
    }

    pub(super) fn pages_of_words(&self, words: &[Word]) -> Result<Pages, AuditError> {
        let known = get_or_try(&self.marks().words, || {
            let mut known: HashMap<Word, Pages> = HashMap::new();
            for (at, word) in self.words(0..self.receipts())?.into_iter().enumerate() {
                *known.entry(word).or_default() |= page_of(at);
            }
            Ok(known)
        })?;
        Ok(words.iter().filter_map(|word| known.get(word)).fold(0, |all, pages| all | pages))
    }

    /// Pages with a time in these bounds.
    pub(super) fn pages_of_times(
        &self,
        has: impl Fn(i64, i64) -> bool,
    ) -> Result<Pages, AuditError> {
        let known = get_or_try(&self.marks().times, || self.bounds(Col::Completed))?;
        Ok(where_bounds(known, has))
    }

    /// Pages with a place in these bounds.
    pub(super) fn pages_of_places(
        &self,
        has: impl Fn(i64, i64) -> bool,
    ) -> Result<Pages, AuditError> {
        let known = get_or_try(&self.marks().places, || self.bounds(Col::Index))?;
        Ok(where_bounds(known, has))
    }

    /// What came of the calls of some rows, all of receipts.
    pub(super) fn words(&self, range: std::ops::Range<usize>) -> Result<Vec<Word>, AuditError> {
        let decisions = self.texts(Col::Outcome, range.clone())?;
        let errors = self.texts(Col::Error, range)?;
        let word = |(decision, error): (Option<&parquet::data_type::ByteArray>, Option<_>)| {
            let text = std::str::from_utf8(decision?.data()).ok()?;
            Some(Word::of(of_word(&OUTCOMES, text)?, error.is_some()))
        };
        let words: Option<Vec<Word>> = decisions.iter().zip(errors.iter()).map(word).collect();
        words.ok_or(AuditError::Rows("a receipt has no outcome"))
    }

    /// Rows that are no receipts.
    pub(super) fn others(&self) -> Result<&[Row], AuditError> {
        let others = get_or_try(&self.marks().others, || self.rows(self.receipts()..self.rows));
        Ok(others?)
    }

    /// Receipts: the first rows.
    pub(super) fn receipts(&self) -> usize {
        self.summary.receipts as usize
    }

    fn mark(&self, col: Col) -> Result<HashMap<Box<str>, Pages>, AuditError> {
        let mut known: HashMap<Box<str>, Pages> = HashMap::new();
        let values = self.texts(col, 0..self.receipts())?;
        let mut last: (&[u8], Pages) = (&[], 0);
        for (at, value) in values.iter().enumerate() {
            let value = value.ok_or(AuditError::Rows("a receipt has no such value"))?.data();
            let page = page_of(at);
            if last == (value, page) {
                continue;
            }
            last = (value, page);
            let text =
                std::str::from_utf8(value).map_err(|_| AuditError::Rows("a value is not text"))?;
            match known.get_mut(text) {
                Some(pages) => *pages |= page,
                None => drop(known.insert(text.into(), page)),
            }
        }
        Ok(known)
    }

    fn bounds(&self, col: Col) -> Result<Vec<(i64, i64)>, AuditError> {
        let values = self.numbers(col, 0..self.receipts())?.values;
        let bounds = |page: &[i64]| {
            page.iter().fold((i64::MAX, i64::MIN), |(low, high), v| (low.min(*v), high.max(*v)))
        };
        Ok(values.chunks(PAGE_ROWS).map(bounds).collect())
    }
}

fn page_of(row: usize) -> Pages {
    1 << (row / PAGE_ROWS)
}

fn where_bounds(all: &[(i64, i64)], has: impl Fn(i64, i64) -> bool) -> Pages {
    let held = all.iter().enumerate().filter(|(_, (low, high))| has(*low, *high));
    held.fold(0, |pages, (at, _)| pages | 1 << at)
}

fn get_or_try<T>(
    cell: &OnceLock<T>,
    make: impl FnOnce() -> Result<T, AuditError>,
) -> Result<&T, AuditError> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}
