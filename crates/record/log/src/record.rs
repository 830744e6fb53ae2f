//! Records of the file of entries, and the chain through them (`specs/log.md`).

use std::io;

use symbolon_codec::{Digest32, Fields, b64};
use symbolon_crypto::sha256;

use crate::hash::leaf_hash;
use crate::storage::Storage;

/// First bytes of the file.
pub(crate) const HEADER: &[u8; 16] = b"symbolon/log/v1\n";
/// Longest entry: its length must fit the two bytes of a bundle.
pub(crate) const ENTRY_BYTES_MAX: usize = 65_535;
/// Bytes of a record beside the entry.
pub(crate) const OVERHEAD: usize = 4 + CHECK;
const CHECK: usize = 16;
/// Bytes of a check: what a record needs of the one before it.
pub(crate) const CHECK_BYTES: u64 = CHECK as u64;

/// The check of the last record: what the next one must continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain([u8; CHECK]);

impl Chain {
    /// Before the first record of the log with this origin.
    pub(crate) fn start(origin: &str) -> Self {
        Self::cut(&sha256(&Fields::new("symbolon/log-record/v1").str(origin).finish()))
    }

    /// After one more record. One block of SHA-256: this runs under the log's hot lock.
    pub(crate) fn next(&self, leaf: &Digest32) -> Self {
        let mut bytes = [2; 1 + CHECK + 32];
        bytes[1..=CHECK].copy_from_slice(&self.0);
        bytes[1 + CHECK..].copy_from_slice(leaf.as_bytes());
        Self::cut(&sha256(&bytes))
    }

    /// The check that ends right before `offset`, as the file has it.
    pub(crate) fn read<S: Storage>(storage: &S, offset: u64) -> io::Result<Option<Self>> {
        let Some(start) = offset.checked_sub(CHECK as u64) else { return Ok(None) };
        let mut bytes = [0; CHECK];
        let count = storage.read(start, &mut bytes)?;
        Ok((count == CHECK).then_some(Self(bytes)))
    }

    /// As text, in base64.
    pub(crate) fn encode(&self) -> String {
        b64::encode(&self.0)
    }

    /// What [`Chain::encode`] wrote.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        b64::decode(text, CHECK).ok()?.try_into().ok().map(Self)
    }

    fn cut(hash: &Digest32) -> Self {
        let mut bytes = [0; CHECK];
        bytes.copy_from_slice(&hash.as_bytes()[..CHECK]);
        Self(bytes)
    }
}

/// Adds a record to `out`; `chain` becomes the new record's.
pub(crate) fn push_record(out: &mut Vec<u8>, chain: &mut Chain, entry: &[u8], leaf: &Digest32) {
    *chain = chain.next(leaf);
    out.reserve(entry.len() + OVERHEAD);
    out.extend_from_slice(&(entry.len() as u32).to_be_bytes());
    out.extend_from_slice(entry);
    out.extend_from_slice(&chain.0);
}

/// What stands at a place where a record may begin.
pub(crate) enum Step<'a> {
    /// A record that continues the chain.
    Record { entry: &'a [u8], leaf: Digest32 },
    /// The end: nothing or zeros from here on.
    End,
    /// Anything else.
    Bad,
}

/// Reads records one after another, 64 KiB at a time.
pub(crate) struct Scan<'a, S> {
    storage: &'a S,
    chain: Chain,
    /// Where the next record begins.
    offset: u64,
    buffer: Vec<u8>,
    at: usize,
}

const CHUNK: usize = 64 * 1024;

impl<'a, S: Storage> Scan<'a, S> {
    pub(crate) fn new(storage: &'a S, offset: u64, chain: Chain) -> Self {
        Self { storage, chain, offset, buffer: Vec::new(), at: 0 }
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn chain(&self) -> Chain {
        self.chain
    }

    /// The next record. After [`Step::End`] or [`Step::Bad`] the place stays where it is.
    pub(crate) fn step(&mut self) -> io::Result<Step<'_>> {
        if !self.fill(4)? {
            return self.end();
        }
        let head = &self.buffer[self.at..];
        let length = head.first_chunk::<4>().map_or(0, |l| u32::from_be_bytes(*l)) as usize;
        if length == 0 {
            return self.end();
        }
        if length > ENTRY_BYTES_MAX || !self.fill(length + OVERHEAD)? {
            return Ok(Step::Bad);
        }
        let record = &self.buffer[self.at..self.at + length + OVERHEAD];
        let (entry, check) = record[4..].split_at(length);
        let leaf = leaf_hash(entry);
        let chain = self.chain.next(&leaf);
        if chain.0 != check {
            return Ok(Step::Bad);
        }
        self.chain = chain;
        self.offset += record.len() as u64;
        self.at += record.len();
        Ok(Step::Record { entry, leaf })
    }

    /// Tells the clean end from bytes that should not be there.
    fn end(&self) -> io::Result<Step<'_>> {
        let mut offset = self.offset;
        let mut bytes = vec![0; CHUNK];
        loop {
            let count = self.storage.read(offset, &mut bytes)?;
            if count == 0 {
                return Ok(Step::End);
            }
            if bytes[..count].iter().any(|b| *b != 0) {
                return Ok(Step::Bad);
            }
            offset += count as u64;
        }
    }

    /// Has `count` bytes of the file ready at `at`, if the file has them.
    fn fill(&mut self, count: usize) -> io::Result<bool> {
        while self.buffer.len() - self.at < count {
            self.buffer.drain(..self.at);
            self.at = 0;
            let have = self.buffer.len();
            self.buffer.resize(have + CHUNK, 0);
            let read = self.storage.read(self.offset + have as u64, &mut self.buffer[have..])?;
            self.buffer.truncate(have + read);
            if read == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
