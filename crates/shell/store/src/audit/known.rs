//! Parquet files that were checked, so that a query need not check them again.

use std::collections::BTreeMap;
use std::fs::File;

use serde::{Deserialize, Serialize};
use symbolon_audit::{Segment, Summary};

use super::files::{Identity, Named, OnDisk};
use super::{Audit, AuditFault};
use crate::folder::replace_file;

/// `known.json`. It can be thrown away: then every file is checked again.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    version: u32,
    files: BTreeMap<String, One>,
    #[serde(skip)]
    is_new: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    identity: Identity,
    summary: Summary,
}

const NAME: &str = "known.json";
const VERSION: u32 = 1;
const BYTES_MAX: u64 = 256 << 20;

impl Known {
    /// What is not as this version writes it says nothing.
    pub(super) fn load(audit: &Audit) -> Self {
        let path = audit.folder.join(NAME);
        let small = std::fs::metadata(&path).is_ok_and(|meta| meta.len() <= BYTES_MAX);
        let bytes = small.then(|| std::fs::read(&path).ok()).flatten();
        let known = bytes.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        known.filter(|known| known.version == VERSION).unwrap_or_default()
    }

    /// Writes it down where something was learnt, and nobody else writes.
    pub(super) fn save(&mut self, audit: &Audit, files: &[Named]) -> Result<(), AuditFault> {
        if !std::mem::take(&mut self.is_new) {
            return Ok(());
        }
        self.version = VERSION;
        let names: Vec<String> = files.iter().map(Named::name).collect();
        self.files.retain(|name, _| names.contains(name));
        let path = audit.folder.join(NAME);
        let text = serde_json::to_vec(self).map_err(std::io::Error::from);
        let written = text.and_then(|text| replace_file(&path, &text));
        written.map_err(AuditFault::io(&path))
    }

    /// Notes a file that was read back before it got its name.
    pub(super) fn made(&mut self, audit: &Audit, file: &Named) -> Result<Summary, AuditFault> {
        let path = audit.path(file);
        let opened = File::open(&path).map_err(AuditFault::io(&path))?;
        let identity = Identity::of(&opened).map_err(AuditFault::io(&path))?;
        let source = OnDisk::new(opened).map_err(AuditFault::io(&path))?;
        let segment = Segment::open(source).map_err(|e| AuditFault::of(&path, e))?;
        let summary = segment.summary().clone();
        self.files.insert(file.name(), One { identity, summary: summary.clone() });
        self.is_new = true;
        Ok(summary)
    }

    /// The summary of a Parquet file, as a check of all its rows gave it; the check is made now where the file is
    /// not the one that was checked before. Says too whether it was.
    pub(super) fn summary(
        &mut self,
        audit: &Audit,
        file: &Named,
    ) -> Result<(Summary, bool), AuditFault> {
        let path = audit.path(file);
        let opened = File::open(&path).map_err(AuditFault::io(&path))?;
        let identity = Identity::of(&opened).map_err(AuditFault::io(&path))?;
        if let Some(one) = self.files.get(&file.name()).filter(|one| one.identity == identity) {
            return Ok((one.summary.clone(), false));
        }
        let source = OnDisk::new(opened).map_err(AuditFault::io(&path))?;
        let segment = Segment::open(source).map_err(|e| AuditFault::of(&path, e))?;
        segment.check().map_err(|e| AuditFault::of(&path, e))?;
        let summary = segment.summary().clone();
        if summary.first != file.first {
            return Err(AuditFault::Differs { name: file.name() });
        }
        self.files.insert(file.name(), One { identity, summary: summary.clone() });
        self.is_new = true;
        Ok((summary, true))
    }
}
