//! Finding rows: pages that can hold any, their columns that the filter names, then the rows themselves.

use std::ops::Range;

use crate::entry::{Row, Word};
use crate::error::AuditError;
use crate::filter::Filter;
use crate::segment::marks::{Asked, Numbers, Pages};
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
        let mut asked = self.ask(filter)?;
        let mut places = Vec::new();
        if let Some(few) = asked.named.iter().min_by_key(|named| named.count())
            && few.count() <= PAGE_ROWS
            && filter.request.is_none()
        {
            let rows = few.rows().into_iter().filter(|row| asked.has(filter, *row));
            places.extend(rows.take(limit));
            asked.pages = 0;
        }
        for page in (0..Pages::BITS as usize).rev().filter(|page| asked.pages >> page & 1 == 1) {
            let rows = page * PAGE_ROWS..self.receipts().min((page + 1) * PAGE_ROWS);
            let fitting = self.fitting(filter, &asked, rows)?;
            places.extend(fitting.into_iter().rev().take(limit - places.len()));
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

    /// What the filter asks of each column that it names, and the pages of receipts that can hold what it finds.
    fn ask(&self, filter: &Filter) -> Result<Question<'_>, AuditError> {
        let count = self.receipts().div_ceil(PAGE_ROWS) as u32;
        let mut asked = Question {
            pages: Pages::MAX.checked_shr(Pages::BITS - count).unwrap_or(0),
            named: Vec::new(),
            times: None,
            places: None,
        };
        if let Some(index) = filter.index {
            let places = self.places()?;
            let index = i64::try_from(index).unwrap_or(i64::MAX);
            asked.pages &= places.pages(|low, high| (low..=high).contains(&index));
            asked.places = Some(places);
        }
        if filter.since.is_some() || filter.until.is_some() {
            let times = self.times()?;
            asked.pages &= times.pages(|low, high| {
                let (low, high) = (low.unsigned_abs(), high.unsigned_abs());
                filter.since.is_none_or(|since| high >= since)
                    && filter.until.is_none_or(|until| low < until)
            });
            asked.times = Some(times);
        }
        if let Some(agent) = &filter.agent {
            asked.name(self.named(Col::Agent)?.ask(|text| **text == **agent));
        }
        if let Some(host) = &filter.host {
            asked.name(self.named(Col::Host)?.ask(|text| **text == **host));
        }
        if !filter.tools.is_empty() {
            asked.name(self.named(Col::Tool)?.ask(|text| filter.has_tool(text)));
        }
        // A receipt has one of four words: whoever takes any of them asks nothing.
        if !Word::ALL.iter().all(|word| *word == Word::Open || filter.has_word(*word)) {
            asked.name(self.words()?.ask(|word| filter.has_word(*word)));
        }
        Ok(asked)
    }

    /// Rows of a page that the filter finds, by their places.
    fn fitting(
        &self,
        filter: &Filter,
        asked: &Question<'_>,
        rows: Range<usize>,
    ) -> Result<Vec<usize>, AuditError> {
        let mut kept = vec![true; rows.len()];
        for named in &asked.named {
            named.keep(rows.clone(), &mut kept);
        }
        if let Some(times) = asked.times {
            times.keep(rows.clone(), &mut kept, |ms| filter.has_time(ms));
        }
        if let Some(places) = asked.places {
            places.keep(rows.clone(), &mut kept, |place| filter.index == Some(place));
        }
        if let Some(request) = filter.request.filter(|_| kept.contains(&true)) {
            let values = self.hashes(Col::Request, rows.clone())?;
            for (kept, value) in kept.iter_mut().zip(values.iter()) {
                *kept &= value.is_some_and(|value| value.data() == request.as_bytes());
            }
        }
        Ok(rows.zip(kept).filter_map(|(at, kept)| kept.then_some(at)).collect())
    }
}

/// A filter, as a file's columns can answer it.
struct Question<'a> {
    pages: Pages,
    named: Vec<Asked<'a>>,
    times: Option<&'a Numbers>,
    places: Option<&'a Numbers>,
}

impl<'a> Question<'a> {
    /// Whether a row is what the columns in memory are asked for.
    fn has(&self, filter: &Filter, row: usize) -> bool {
        self.named.iter().all(|named| named.has(row))
            && self.times.is_none_or(|times| times.has(row, |ms| filter.has_time(ms)))
            && self.places.is_none_or(|all| all.has(row, |place| filter.index == Some(place)))
    }

    fn name(&mut self, asked: Asked<'a>) {
        self.pages &= asked.pages;
        self.named.push(asked);
    }
}

/// Places that follow each other as ranges.
fn runs(places: &[usize]) -> Vec<Range<usize>> {
    let runs = places.chunk_by(|a, b| a + 1 == *b);
    runs.filter_map(|run| Some(*run.first()?..run.last()? + 1)).collect()
}
