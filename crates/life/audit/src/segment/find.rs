//! Finding rows: pages that can hold any, their columns that the filter names, then the rows themselves.

use std::ops::Range;
use std::slice::from_ref;

use parquet::data_type::FixedLenByteArrayType;

use crate::entry::{Row, Word};
use crate::error::AuditError;
use crate::filter::Filter;
use crate::segment::marks::Pages;
use crate::segment::{Segment, Source};
use crate::summary::Summary;
use crate::table::{Col, PAGE_ROWS};

impl<S: Source + 'static> Segment<S> {
    /// The newest rows that the filter finds, newest first, at most `limit`. `is_closed` says of an intent
    /// whether a receipt in a later file names it.
    ///
    /// # Errors
    /// What reading the file gives.
    pub fn find(
        &self,
        filter: &Filter,
        limit: usize,
        is_closed: impl Fn(u64) -> bool,
    ) -> Result<Vec<Row>, AuditError> {
        let mut found = Vec::new();
        let Summary { first, next, .. } = *self.summary();
        let is_elsewhere = filter.index.is_some_and(|index| !(first..next).contains(&index));
        if limit == 0 || is_elsewhere || !self.summary().may_hold(filter.since, filter.until) {
            return Ok(found);
        }
        if filter.has_word(Word::Open) {
            let others = self.others()?.iter().filter(|row| filter.finds(row, &is_closed));
            found.extend(others.cloned());
        }
        let pages = self.pages(filter)?;
        let mut places = Vec::new();
        for page in (0..Pages::BITS as usize).rev().filter(|page| pages >> page & 1 == 1) {
            let rows = page * PAGE_ROWS..self.receipts().min((page + 1) * PAGE_ROWS);
            places.extend(self.fitting(filter, rows)?.into_iter().rev().take(limit - places.len()));
            if places.len() == limit {
                break;
            }
        }
        places.reverse();
        let rows = self.rows_at(&runs(&places))?;
        found.extend(rows.into_iter().filter(|row| filter.finds(row, &is_closed)));
        found.sort_unstable_by_key(|row| std::cmp::Reverse(row.index));
        found.truncate(limit);
        Ok(found)
    }

    /// Pages of receipts that can hold what the filter finds.
    fn pages(&self, filter: &Filter) -> Result<Pages, AuditError> {
        let count = self.receipts().div_ceil(PAGE_ROWS) as u32;
        let mut pages = Pages::MAX.checked_shr(Pages::BITS - count).unwrap_or(0);
        if let Some(index) = filter.index {
            let index = i64::try_from(index).unwrap_or(i64::MAX);
            pages &= self.pages_of_places(|low, high| (low..=high).contains(&index))?;
        }
        if filter.since.is_some() || filter.until.is_some() {
            pages &= self.pages_of_times(|low, high| {
                let (low, high) = (low.unsigned_abs(), high.unsigned_abs());
                filter.since.is_none_or(|since| high >= since)
                    && filter.until.is_none_or(|until| low < until)
            })?;
        }
        if let Some(agent) = &filter.agent {
            pages &= self.pages_of(Col::Agent, |text| text == agent)?;
        }
        if let Some(host) = &filter.host {
            pages &= self.pages_of(Col::Host, |text| text == host)?;
        }
        if !filter.tools.is_empty() {
            pages &= self.pages_of(Col::Tool, |text| filter.has_tool(text))?;
        }
        if let Some(words) = &filter.outcomes {
            pages &= self.pages_of_words(words)?;
        }
        Ok(pages)
    }

    /// Rows of a page that the filter finds, by their places, from the columns that it names.
    fn fitting(&self, filter: &Filter, rows: Range<usize>) -> Result<Vec<usize>, AuditError> {
        let mut fits = vec![true; rows.len()];
        if let Some(index) = filter.index {
            let values = self.numbers(Col::Index, rows.clone())?;
            keep(&mut fits, values.iter(), |v| u64::try_from(*v) == Ok(index));
        }
        if filter.since.is_some() || filter.until.is_some() {
            let values = self.numbers(Col::Completed, rows.clone())?;
            keep(&mut fits, values.iter(), |v| {
                u64::try_from(*v).is_ok_and(|ms| filter.has_time(ms))
            });
        }
        if let Some(agent) = &filter.agent {
            let values = self.texts(Col::Agent, rows.clone())?;
            keep(&mut fits, values.iter(), |v| v.data() == agent.as_bytes());
        }
        if let Some(host) = &filter.host {
            let values = self.texts(Col::Host, rows.clone())?;
            keep(&mut fits, values.iter(), |v| v.data() == host.as_bytes());
        }
        if !filter.tools.is_empty() {
            let values = self.texts(Col::Tool, rows.clone())?;
            let fitting = |v: &[u8]| std::str::from_utf8(v).is_ok_and(|tool| filter.has_tool(tool));
            keep(&mut fits, values.iter(), |v| fitting(v.data()));
        }
        if filter.outcomes.is_some() {
            let words = self.words(rows.clone())?;
            keep(&mut fits, words.iter().map(Some), |word| filter.has_word(*word));
        }
        if let Some(request) = &filter.request {
            let values =
                self.read::<FixedLenByteArrayType>(Col::Request as usize, from_ref(&rows))?;
            keep(&mut fits, values.iter(), |v| v.data() == request.as_bytes());
        }
        Ok(rows.zip(fits).filter_map(|(at, fits)| fits.then_some(at)).collect())
    }
}

/// Places that follow each other as ranges.
fn runs(places: &[usize]) -> Vec<Range<usize>> {
    let runs = places.chunk_by(|a, b| a + 1 == *b);
    runs.filter_map(|run| Some(*run.first()?..run.last()? + 1)).collect()
}

fn keep<'a, T: 'a>(
    fits: &mut [bool],
    values: impl Iterator<Item = Option<&'a T>>,
    holds: impl Fn(&T) -> bool,
) {
    for (fits, value) in fits.iter_mut().zip(values) {
        *fits &= value.is_some_and(&holds);
    }
}
