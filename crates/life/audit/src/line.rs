//! The file of a day that is not over: one line of JSON for each entry of the log (`specs/audit.md`).

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use symbolon_codec::{Digest32, b64};
use symbolon_log::leaf_hash;
use symbolon_receipt::Time;

use crate::entry::{Entry, Row, Word};
use crate::error::AuditError;

/// What a line says, in this order. All but `index` and the entry follows from the entry.
#[derive(Serialize)]
struct Out<'a> {
    index: u64,
    leaf_hash: Digest32,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent: Option<Asked<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

/// What an intent says to people.
#[derive(Serialize)]
struct Asked<'a> {
    agent: &'a str,
    door: &'a str,
    tool: &'a str,
    connection: &'a str,
    origin: &'a str,
}

#[derive(Deserialize)]
struct In<'a> {
    index: u64,
    #[serde(borrow, default)]
    entry: Option<&'a RawValue>,
    #[serde(default)]
    bytes: Option<String>,
}

/// Longest line: the longest entry in base64, and the rest.
const LINE_BYTES_MAX: u64 = 128 * 1024;
const ENTRY_BYTES_MAX: usize = 65_535;

/// Writes the line of an entry, which these bytes are, its end included.
///
/// # Errors
/// [`AuditError::Io`].
pub fn write_line(
    index: u64,
    bytes: &[u8],
    entry: &Entry,
    out: &mut impl Write,
) -> Result<(), AuditError> {
    let intent = entry.intent();
    let asked = intent.as_ref().map(|i| Asked {
        agent: &i.agent,
        door: &i.door,
        tool: &i.tool,
        connection: &i.connection,
        origin: &i.origin,
    });
    let receipt = entry.receipt().map(|it| &it.predicate);
    // What `Entry` took for a receipt is JSON without an end of line in it.
    let raw: Option<&RawValue> = receipt.and_then(|_| serde_json::from_slice(bytes).ok());
    let line = Out {
        index,
        leaf_hash: leaf_hash(bytes),
        kind: entry.kind(),
        time: entry.unix_ms().map(Time::from_unix_ms),
        outcome: receipt.map(|p| Word::of(p.decision.outcome, p.error.is_some()).as_str()),
        intent: asked,
        bytes: raw.is_none().then(|| b64::encode(bytes)),
        entry: raw,
    };
    serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

/// What a file of lines holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// Place after the last whole line's entry.
    pub next: u64,
    /// Bytes of the whole lines; what follows is a torn one.
    pub bytes: u64,
}

/// Gives every row of a file whose first line is of entry `first`, with its leaf hash. A last line without its
/// end was being written when the writer died: it is passed over.
///
/// # Errors
/// [`AuditError::Line`] for a line that is not, byte for byte, that of the entry which follows.
pub fn read_lines(
    mut from: impl BufRead,
    first: u64,
    mut each: impl FnMut(Row, Digest32) -> Result<(), AuditError>,
) -> Result<Lines, AuditError> {
    let (mut text, mut again) = (Vec::new(), Vec::new());
    let mut read = Lines { next: first, bytes: 0 };
    loop {
        text.clear();
        let count = io::Read::take(&mut from, LINE_BYTES_MAX).read_until(b'\n', &mut text)?;
        if text.last() != Some(&b'\n') && (count as u64) < LINE_BYTES_MAX {
            return Ok(read);
        }
        let wrong = AuditError::Line { line: read.next - first + 1, expected: read.next };
        let Some(bytes) = entry_of(&text, read.next) else { return Err(wrong) };
        let entry = Entry::read(&bytes);
        again.clear();
        write_line(read.next, &bytes, &entry, &mut again)?;
        if again != text {
            return Err(wrong);
        }
        each(Row { index: read.next, entry }, leaf_hash(&bytes))?;
        read = Lines { next: read.next + 1, bytes: read.bytes + count as u64 };
    }
}

fn entry_of(line: &[u8], index: u64) -> Option<Vec<u8>> {
    let read: In<'_> = serde_json::from_slice(line).ok()?;
    match (read.index == index, read.entry, read.bytes) {
        (true, Some(entry), None) => Some(entry.get().as_bytes().to_vec()),
        (true, None, Some(bytes)) => b64::decode(&bytes, ENTRY_BYTES_MAX).ok(),
        _ => None,
    }
}
