//! What witnesses said of a log, as far as this node believes them.

use std::collections::BTreeMap;

use symbolon_codec::Digest32;
use symbolon_log::{Checkpoint, WitnessKey, lines_by};

use crate::name::LogName;
use crate::replica::Known;

/// A checkpoint with the lines of witnesses that were asked for, and of nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cosigned {
    pub size: u64,
    pub root: Digest32,
    /// With the log's own signature alone.
    bare: String,
    /// By the witness's key: two names with one key are one witness.
    lines: BTreeMap<[u8; 32], String>,
}

impl Cosigned {
    /// Nothing where none of the witnesses signed it. The operator's own key is nobody's witness.
    pub fn read(name: &LogName, known: &Known, witnesses: &[WitnessKey]) -> Option<Self> {
        // A note of one line has the log's own.
        if witnesses.is_empty() {
            return None;
        }
        let found = lines_by(&known.note, witnesses).ok()?.into_iter();
        let found = found.filter(|(witness, _)| witness.key() != name.operator());
        let lines: BTreeMap<_, _> =
            found.map(|(by, line)| (*by.key().as_bytes(), line.to_owned())).collect();
        if lines.is_empty() {
            return None;
        }
        let bare = Checkpoint::bare(&known.note, name.operator(), name.origin()).ok()?;
        Some(Self { size: known.size, root: known.root, bare, lines })
    }

    /// Puts this in the place of what was known where it is of a larger checkpoint, or adds its lines to those of the same one.
    /// Whether it said anything that was not known. An operator that signs one tree with two texts under it is heard once.
    pub fn join(self, known: &mut Option<Self>) -> bool {
        let Some(known) = known.as_mut().filter(|known| known.size >= self.size) else {
            *known = Some(self);
            return true;
        };
        if known.bare != self.bare {
            return false;
        }
        let before = known.lines.len();
        for (by, line) in self.lines {
            known.lines.entry(by).or_insert(line);
        }
        known.lines.len() > before
    }

    /// The note, the lines in the order of the witnesses' keys.
    pub fn note(&self) -> String {
        let lines = self.lines.values().map(String::as_str);
        [self.bare.as_str()].into_iter().chain(lines).collect()
    }

    /// How many witnesses signed it.
    pub fn count(&self) -> usize {
        self.lines.len()
    }
}
