//! The index as bytes: part of the sealed replica. Numbers are LEB128.

use std::collections::BTreeMap;

use super::{Doc, Index, Posting};
use crate::wire::ItemId;

/// The bytes are no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the search index is not of its form")]
pub struct IndexError;

impl Index {
    /// The bytes; what is dead is left out.
    pub fn encode(&mut self) -> Vec<u8> {
        self.compact();
        let mut out = Vec::with_capacity(self.terms.len() * 16);
        number(&mut out, self.docs.len() as u64);
        for doc in self.docs.iter().flatten() {
            out.extend_from_slice(doc.item.as_bytes());
            number(&mut out, u64::from(doc.len));
        }
        number(&mut out, self.terms.len() as u64);
        let mut before = "";
        for (term, postings) in &self.terms {
            // What a term shares with the one before it is not written again.
            let shared = term.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count();
            number(&mut out, shared as u64);
            number(&mut out, (term.len() - shared) as u64);
            out.extend_from_slice(&term.as_bytes()[shared..]);
            number(&mut out, postings.len() as u64);
            let mut last = 0;
            for posting in postings {
                number(&mut out, u64::from(posting.doc - last));
                number(&mut out, u64::from(posting.weight));
                last = posting.doc;
            }
            before = term;
        }
        out
    }

    /// From bytes that [`Index::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, IndexError> {
        let mut r = Reader(bytes);
        // An entry has at least so many bytes: a number that lies takes no memory.
        let count = r.count(17)?;
        let mut docs = Vec::with_capacity(count);
        let mut len_total = 0;
        for _ in 0..count {
            let item = ItemId::from(*r.array::<16>()?);
            let len = r.small()?;
            len_total += u64::from(len);
            docs.push(Some(Doc { item, len }));
        }
        let by_item: std::collections::HashMap<_, _> =
            docs.iter().flatten().zip(0u32..).map(|(doc, n)| (doc.item, n)).collect();
        if by_item.len() != docs.len() {
            return Err(IndexError);
        }
        let count = r.count(5)?;
        let mut terms = Vec::with_capacity(count);
        let mut before: Vec<u8> = Vec::new();
        for n in 0..count {
            let (shared, own) = (r.small()? as usize, r.small()? as usize);
            if shared > before.len() || (n > 0 && own == 0) {
                return Err(IndexError);
            }
            let rises = before.get(shared).copied();
            before.truncate(shared);
            let own = r.bytes(own)?;
            if rises.is_some_and(|old| own.first().is_none_or(|new| *new <= old)) {
                return Err(IndexError);
            }
            before.extend_from_slice(own);
            let term = std::str::from_utf8(&before).map_err(|_| IndexError)?;
            terms.push((Box::from(term), r.postings(docs.len())?));
        }
        if !r.0.is_empty() {
            return Err(IndexError);
        }
        // Sorted already, so the tree is built in one go.
        let terms: BTreeMap<Box<str>, Vec<Posting>> = terms.into_iter().collect();
        Ok(Self { terms, docs, by_item, len_total })
    }
}

fn number(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, len: usize) -> Result<&'a [u8], IndexError> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(IndexError)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], IndexError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(IndexError)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn small(&mut self) -> Result<u32, IndexError> {
        let mut n = 0u64;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(IndexError)?;
            self.0 = rest;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(n).map_err(|_| IndexError);
            }
        }
        Err(IndexError)
    }

    /// A count of entries of `each` bytes at least.
    fn count(&mut self, each: usize) -> Result<usize, IndexError> {
        let n = self.small()? as usize;
        if n > self.0.len() / each { Err(IndexError) } else { Ok(n) }
    }

    fn postings(&mut self, docs: usize) -> Result<Vec<Posting>, IndexError> {
        let count = self.count(2)?;
        let mut out = Vec::with_capacity(count);
        let mut doc = 0u32;
        for n in 0..count {
            let step = self.small()?;
            if n > 0 && step == 0 {
                return Err(IndexError);
            }
            doc = doc.checked_add(step).filter(|d| (*d as usize) < docs).ok_or(IndexError)?;
            let weight = u16::try_from(self.small()?).map_err(|_| IndexError)?;
            out.push(Posting { doc, weight });
        }
        if out.is_empty() { Err(IndexError) } else { Ok(out) }
    }
}
