//! Disks that fail on purpose, for tests.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// A step that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Writing entries.
    Write,
    /// Syncing entries.
    Sync,
    /// Writing hashes or offsets.
    Put,
    /// Publishing a checkpoint.
    Publish,
    /// Anything that changes a file of the audit.
    Audit,
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full (ENOSPC); nothing is written.
    NoSpace,
    /// The disk fails (EIO); nothing is written.
    Io,
    /// This many bytes are written, then the disk is full. For [`Op::Sync`], as [`Fault::Io`].
    Short(usize),
}

/// Makes steps of a storage fail. Clones share their plan, so that a test keeps one and gives the
/// other away. The default never fails.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Plan>);

#[derive(Debug, Default)]
struct Plan {
    planned: Mutex<Vec<(Op, u64, Fault)>>,
    seen: [AtomicU64; 5],
}

impl Faults {
    /// A plan without faults.
    pub fn none() -> Self {
        Self::default()
    }

    /// Lets `skip` more steps of this kind succeed, and the next one fail, once.
    pub fn fail(&self, op: Op, skip: u64, fault: Fault) {
        let at = self.count(op) + skip;
        self.planned().push((op, at, fault));
    }

    /// Steps of this kind so far, those that failed included.
    pub fn count(&self, op: Op) -> u64 {
        self.0.seen[op as usize].load(Relaxed)
    }

    /// Called before each step.
    pub(crate) fn next(&self, op: Op) -> Option<Fault> {
        let now = self.0.seen[op as usize].fetch_add(1, Relaxed);
        let mut planned = self.planned();
        let at = planned.iter().position(|(o, n, _)| *o == op && *n == now)?;
        Some(planned.swap_remove(at).2)
    }

    fn planned(&self) -> std::sync::MutexGuard<'_, Vec<(Op, u64, Fault)>> {
        self.0.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    pub(crate) fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::NoSpace | Self::Short(_) => rustix::io::Errno::NOSPC.raw_os_error(),
            Self::Io => rustix::io::Errno::IO.raw_os_error(),
        })
    }
}
