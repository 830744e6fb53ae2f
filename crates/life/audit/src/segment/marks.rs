//! Which rows and pages hold what: made from the columns themselves when the first query asks, because nothing that a
//! file says beside its rows is believed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::ops::Range;
use std::sync::OnceLock;

use parquet::data_type::ByteArray;

use crate::cells::{OUTCOMES, of_word};
use crate::entry::{Row, Word};
use crate::error::AuditError;
use crate::segment::{Segment, Source};
use crate::table::{Col, PAGE_ROWS};

/// One bit for each page, of at most 128.
pub(super) type Pages = u128;

/// For each column that queries name, which value each receipt has; each made when it is first asked for.
#[derive(Default)]
pub(super) struct Marks {
    agents: OnceLock<Coded<Box<str>>>,
    tools: OnceLock<Coded<Box<str>>>,
    hosts: OnceLock<Coded<Box<str>>>,
    words: OnceLock<Coded<Word>>,
    times: OnceLock<Numbers>,
    places: OnceLock<Numbers>,
    /// Rows that are no receipts: few, as a rule.
    others: OnceLock<Vec<Row>>,
}

/// A column's values: each once, which of them each row has, and which rows have each.
pub(super) struct Coded<V> {
    values: Vec<(V, Held)>,
    /// Places in `values`: a file has at most 65,536 rows.
    codes: Vec<u16>,
    /// Rows by their values, those of one in order.
    sorted: Vec<u16>,
}

/// Where a value is.
#[derive(Default)]
struct Held {
    pages: Pages,
    /// In [`Coded::sorted`].
    rows: Range<usize>,
}

/// A column of numbers.
pub(super) struct Numbers {
    rows: Vec<i64>,
    /// The least and the greatest of each page.
    bounds: Vec<(i64, i64)>,
}

/// What a filter asks of a column: which of its values fit.
pub(super) struct Asked<'a> {
    fits: Vec<bool>,
    codes: &'a [u16],
    /// Rows of each value that fits.
    rows: Vec<&'a [u16]>,
    /// Pages with a value that fits.
    pub(super) pages: Pages,
}

impl<V> Coded<V> {
    pub(super) fn ask(&self, fits: impl Fn(&V) -> bool) -> Asked<'_> {
        let fits: Vec<bool> = self.values.iter().map(|(value, _)| fits(value)).collect();
        let held = || self.values.iter().zip(&fits).filter(|(_, fits)| **fits);
        let pages = held().fold(0, |all, ((_, held), _)| all | held.pages);
        let rows = held().map(|((_, held), _)| &self.sorted[held.rows.clone()]).collect();
        Asked { fits, codes: &self.codes, rows, pages }
    }
}

impl Asked<'_> {
    /// Lets go of rows with another value, of those that are kept.
    pub(super) fn keep(&self, rows: Range<usize>, kept: &mut [bool]) {
        for (kept, code) in kept.iter_mut().zip(&self.codes[rows]) {
            *kept &= self.fits[usize::from(*code)];
        }
    }

    /// Whether a row has a value that fits.
    pub(super) fn has(&self, row: usize) -> bool {
        self.fits[usize::from(self.codes[row])]
    }

    /// Rows with a value that fits.
    pub(super) fn count(&self) -> usize {
        self.rows.iter().map(|rows| rows.len()).sum()
    }

    /// Those, the last first.
    pub(super) fn rows(&self) -> Vec<usize> {
        let mut rows: Vec<usize> =
            self.rows.iter().copied().flatten().map(|r| (*r).into()).collect();
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(*row));
        rows
    }
}

impl Numbers {
    /// Pages that can hold a number: those whose least and greatest pass.
    pub(super) fn pages(&self, has: impl Fn(i64, i64) -> bool) -> Pages {
        let held = self.bounds.iter().enumerate().filter(|(_, (low, high))| has(*low, *high));
        held.fold(0, |pages, (at, _)| pages | 1 << at)
    }

    /// Whether a row's number fits.
    pub(super) fn has(&self, row: usize, fits: impl Fn(u64) -> bool) -> bool {
        u64::try_from(self.rows[row]).is_ok_and(fits)
    }

    /// Lets go of rows with a number that does not fit, of those that are kept.
    pub(super) fn keep(&self, rows: Range<usize>, kept: &mut [bool], fits: impl Fn(u64) -> bool) {
        for (kept, value) in kept.iter_mut().zip(&self.rows[rows]) {
            *kept &= u64::try_from(*value).is_ok_and(&fits);
        }
    }
}

impl<S: Source + 'static> Segment<S> {
    /// The agent, tool or host of each receipt.
    pub(super) fn named(&self, col: Col) -> Result<&Coded<Box<str>>, AuditError> {
        let (cell, col) = match col {
            Col::Agent => (&self.marks.agents, col),
            Col::Tool => (&self.marks.tools, col),
            _ => (&self.marks.hosts, Col::Host),
        };
        get_or_try(cell, || {
            let values = self.texts(col, 0..self.receipts())?;
            coded(values.iter().map(bytes), |value| {
                let text = value.and_then(|value| std::str::from_utf8(value).ok());
                text.map(Box::from).ok_or(AuditError::Rows("a receipt has no such text"))
            })
        })
    }

    /// What came of the call of each receipt.
    pub(super) fn words(&self) -> Result<&Coded<Word>, AuditError> {
        get_or_try(&self.marks.words, || {
            let decisions = self.texts(Col::Outcome, 0..self.receipts())?;
            let errors = self.texts(Col::Error, 0..self.receipts())?;
            let errors = errors.iter().map(|error| error.is_some());
            coded(decisions.iter().map(bytes).zip(errors), |(decision, has_error)| {
                let text = decision.and_then(|text| std::str::from_utf8(text).ok());
                let outcome = text.and_then(|text| of_word(&OUTCOMES, text));
                let outcome = outcome.ok_or(AuditError::Rows("a receipt has no outcome"))?;
                Ok(Word::of(outcome, has_error))
            })
        })
    }

    /// When each receipt's call was over, in Unix milliseconds.
    pub(super) fn times(&self) -> Result<&Numbers, AuditError> {
        get_or_try(&self.marks.times, || self.all_numbers(Col::Completed))
    }

    /// The place of each receipt in the log.
    pub(super) fn places(&self) -> Result<&Numbers, AuditError> {
        get_or_try(&self.marks.places, || self.all_numbers(Col::Index))
    }

    /// Rows that are no receipts.
    pub(super) fn others(&self) -> Result<&[Row], AuditError> {
        let others = get_or_try(&self.marks.others, || self.rows(self.receipts()..self.rows));
        Ok(others?)
    }

    /// Receipts: the first rows.
    pub(super) fn receipts(&self) -> usize {
        self.summary.receipts as usize
    }

    fn all_numbers(&self, col: Col) -> Result<Numbers, AuditError> {
        let rows = self.numbers(col, 0..self.receipts())?;
        if rows.len() != self.receipts() {
            return Err(AuditError::Rows("a receipt has no such number"));
        }
        let bounds = |page: &[i64]| {
            page.iter().fold((i64::MAX, i64::MIN), |(low, high), v| (low.min(*v), high.max(*v)))
        };
        let bounds = rows.chunks(PAGE_ROWS).map(bounds).collect();
        Ok(Numbers { rows, bounds })
    }
}

fn bytes(value: Option<&ByteArray>) -> Option<&[u8]> {
    value.map(ByteArray::data)
}

/// What each row has, and each value once.
fn coded<T: Copy + Hash + Eq, V>(
    rows: impl Iterator<Item = T>,
    value: impl Fn(T) -> Result<V, AuditError>,
) -> Result<Coded<V>, AuditError> {
    let mut coded = Coded { values: Vec::new(), codes: Vec::new(), sorted: Vec::new() };
    let mut known: HashMap<T, u16> = HashMap::new();
    for (at, row) in rows.enumerate() {
        let code = match known.entry(row) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                // At most 65,536 rows, so that the last of as many values is 65,535.
                let code = coded.values.len() as u16;
                coded.values.push((value(row)?, Held::default()));
                *new.insert(code)
            }
        };
        let held = &mut coded.values[usize::from(code)].1;
        held.pages |= 1 << (at / PAGE_ROWS);
        // Counted first: of each value how many, then where they begin, then where each is.
        held.rows.end += 1;
        coded.codes.push(code);
    }
    let mut next = 0;
    for (_, held) in &mut coded.values {
        let begin = next;
        next += held.rows.end;
        held.rows = begin..begin;
    }
    coded.sorted = vec![0; coded.codes.len()];
    for (at, code) in coded.codes.iter().enumerate() {
        let rows = &mut coded.values[usize::from(*code)].1.rows;
        coded.sorted[rows.end] = at as u16;
        rows.end += 1;
    }
    Ok(coded)
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
