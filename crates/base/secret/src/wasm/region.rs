//! Secret memory where there are no pages: the linear memory of a WebAssembly module. What keeps
//! it from others is the host (the Worker that the module runs in); what is done here is to wipe.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::fmt;
use std::ptr::NonNull;

use crate::scrub::wipe_raw;

/// What regions are rounded to.
pub(crate) const PAGE_BYTES: usize = 4096;

/// How the secret memory of this module is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protection {
    /// Ordinary memory, wiped when it is given back. Whoever may read the module's memory, as the
    /// script that made it can, reads secrets while they live.
    Plain,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain (the module's own memory, wiped after use)")
    }
}

/// The protection of all secret memory here.
pub fn protection() -> Protection {
    Protection::Plain
}

/// The module's memory does not grow any more.
#[derive(Debug, thiserror::Error)]
#[error("no {wanted} bytes of memory are left")]
pub struct MemoryError {
    wanted: usize,
}

impl MemoryError {
    /// Ends the module: an infallible constructor could not get memory.
    #[cold]
    pub(crate) fn abort(&self) -> ! {
        std::process::abort()
    }
}

/// A wiped-on-drop piece of the heap.
#[derive(Debug)]
pub(crate) struct Region {
    ptr: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a region is plain memory that it owns; whoever hands parts of it out answers for aliasing.
unsafe impl Send for Region {}
// SAFETY: as above; `&Region` gives out only the address.
unsafe impl Sync for Region {}

impl Region {
    /// `len` is rounded up to whole pages; the bytes are zero.
    pub(crate) fn new(len: usize) -> Result<Self, MemoryError> {
        let error = || MemoryError { wanted: len };
        let rounded = len.max(1).checked_next_multiple_of(PAGE_BYTES).ok_or_else(error)?;
        let layout = Layout::from_size_align(rounded, PAGE_BYTES).map_err(|_| error())?;
        // SAFETY: the layout is not of size zero.
        let ptr = unsafe { alloc_zeroed(layout) };
        Ok(Self { ptr: NonNull::new(ptr).ok_or_else(error)?, layout })
    }

    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.ptr.as_ptr()
    }

    pub(crate) fn len(&self) -> usize {
        self.layout.size()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, ours, and not used again.
        unsafe {
            wipe_raw(self.ptr.as_ptr(), self.layout.size());
            dealloc(self.ptr.as_ptr(), self.layout);
        }
    }
}
