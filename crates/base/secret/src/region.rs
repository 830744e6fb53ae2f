//! One mapping that nothing outside this process's own code can read.

use std::fmt;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::scrub::wipe_raw;

/// Page size the mappings are rounded to (a multiple of the hardware's on every target we build).
pub(crate) const PAGE_BYTES: usize = if cfg!(target_os = "macos") { 16384 } else { 4096 };

/// How the secret pages of this process are kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protection {
    /// `memfd_secret(2)`: not in the kernel's direct map, refused to `ptrace`, `/proc/PID/mem`
    /// and core dumps, even for root.
    MemfdSecret,
    /// `mlock(2)` and `MADV_DONTDUMP`: never swapped, left out of core dumps that the kernel
    /// writes, but readable for whoever may trace this process.
    Locked,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protection::MemfdSecret => "unreadable (memfd_secret)",
            Protection::Locked => {
                "weaker (locked pages, left out of dumps, readable by a debugger of the same user or root)"
            }
        })
    }
}

/// The weakest protection that any secret page of this process has had so far.
///
/// Takes a page if none was taken yet, so that the answer is a fact and not a guess.
pub fn protection() -> Protection {
    if WEAKEST.load(Relaxed) == NONE {
        // The region's constructor records what it got; without memory the weaker answer stands.
        drop(Region::new(PAGE_BYTES));
    }
    match WEAKEST.load(Relaxed) {
        SECRET => Protection::MemfdSecret,
        _ => Protection::Locked,
    }
}

/// The system gave no page that may hold a secret.
#[derive(Debug, thiserror::Error)]
#[error(
    "no {wanted} bytes of secret memory (the limit on locked memory is {limit} bytes; raise it with `ulimit -l` or LimitMEMLOCK=)"
)]
pub struct MemoryError {
    wanted: usize,
    limit: u64,
    source: io::Error,
}

impl MemoryError {
    fn last(wanted: usize) -> Self {
        let source = io::Error::last_os_error();
        let mut rlimit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `rlimit` is a valid place for the answer.
        unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut rlimit) };
        #[allow(clippy::unnecessary_cast)] // rlim_t differs by target
        MemoryError { wanted, limit: rlimit.rlim_cur as u64, source }
    }

    /// Ends the process: an infallible constructor could not get memory.
    #[cold]
    pub(crate) fn abort(&self) -> ! {
        eprintln!("symbolon: {self}: {}", self.source);
        std::process::abort()
    }
}

/// A wiped-on-drop mapping, faulted in, absent from children and from dumps.
#[derive(Debug)]
pub(crate) struct Region {
    ptr: NonNull<u8>,
    len: usize,
}

// SAFETY: a region is plain memory that it owns; whoever hands parts of it out answers for aliasing.
unsafe impl Send for Region {}
// SAFETY: as above; `&Region` gives out only the address.
unsafe impl Sync for Region {}

impl Region {
    /// `len` is rounded up to whole pages. Falls back to locked memory for this region alone.
    pub(crate) fn new(len: usize) -> Result<Self, MemoryError> {
        match Self::memfd_secret(len) {
            Ok(region) => Ok(region),
            Err(_) => Self::locked(len),
        }
    }

    #[cfg(target_os = "linux")]
    fn memfd_secret(len: usize) -> Result<Self, MemoryError> {
        let len = len.next_multiple_of(PAGE_BYTES);
        if forced_fallback() {
            return Err(MemoryError::last(len));
        }
        // SAFETY: a system call without pointers.
        let fd = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) } as libc::c_int;
        if fd < 0 {
            return Err(MemoryError::last(len));
        }
        // SAFETY: `fd` is ours; the address is the kernel's choice.
        let ptr = unsafe {
            let ptr = if libc::ftruncate(fd, len as libc::off_t) == 0 {
                libc::mmap(
                    ptr::null_mut(),
                    len,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_SHARED,
                    fd,
                    0,
                )
            } else {
                libc::MAP_FAILED
            };
            // An open descriptor could be taken by pidfd_getfd and mapped elsewhere.
            libc::close(fd);
            ptr
        };
        Self::adopt(ptr, len, SECRET)
    }

    #[cfg(not(target_os = "linux"))]
    fn memfd_secret(len: usize) -> Result<Self, MemoryError> {
        Err(MemoryError::last(len))
    }

    /// The fallback: private, locked, not dumped.
    pub(crate) fn locked(len: usize) -> Result<Self, MemoryError> {
        let len = len.next_multiple_of(PAGE_BYTES);
        // SAFETY: an anonymous mapping at an address of the kernel's choice, locked before use.
        let ptr = unsafe {
            let ptr = libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON,
                -1,
                0,
            );
            if ptr != libc::MAP_FAILED && libc::mlock(ptr, len) != 0 {
                let error = MemoryError::last(len);
                libc::munmap(ptr, len);
                return Err(error);
            }
            ptr
        };
        Self::adopt(ptr, len, LOCKED)
    }

    fn adopt(ptr: *mut libc::c_void, len: usize, kind: u8) -> Result<Self, MemoryError> {
        if ptr == libc::MAP_FAILED {
            return Err(MemoryError::last(len));
        }
        let Some(ptr) = NonNull::new(ptr.cast::<u8>()) else {
            return Err(MemoryError::last(len));
        };
        let region = Region { ptr, len };
        #[cfg(target_os = "linux")]
        // SAFETY: the mapping is ours and `len` bytes long.
        unsafe {
            let at = region.ptr.as_ptr().cast();
            if libc::madvise(at, len, libc::MADV_DONTDUMP) != 0
                || libc::madvise(at, len, libc::MADV_DONTFORK) != 0
            {
                return Err(MemoryError::last(len));
            }
        }
        // SAFETY: ours and writable. Faults every page in now, so that no window does it later.
        unsafe { ptr::write_bytes(region.ptr.as_ptr(), 0, len) };
        WEAKEST.fetch_max(kind, Relaxed);
        Ok(region)
    }

    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.ptr.as_ptr()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Makes the first page a guard: touching it ends the process.
    pub(crate) fn guard_first_page(&self) {
        // SAFETY: the first page is ours and nothing points into it.
        unsafe { libc::mprotect(self.as_ptr().cast(), PAGE_BYTES, libc::PROT_NONE) };
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours; the guard is lifted first so that the wipe may write it.
        unsafe {
            libc::mprotect(self.as_ptr().cast(), self.len, libc::PROT_READ | libc::PROT_WRITE);
            wipe_raw(self.as_ptr(), self.len);
            libc::munmap(self.as_ptr().cast(), self.len);
        }
    }
}

/// Tests and builds with the `hold` feature can ask for the fallback; a release cannot be talked
/// into weaker memory.
fn forced_fallback() -> bool {
    #[cfg(any(test, feature = "hold"))]
    return std::env::var_os("SYMBOLON_NO_MEMFD_SECRET").is_some();
    #[cfg(not(any(test, feature = "hold")))]
    false
}

const NONE: u8 = 0;
const SECRET: u8 = 1;
const LOCKED: u8 = 2;
static WEAKEST: AtomicU8 = AtomicU8::new(NONE);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_region_is_zeroed_usable_and_reported() {
        let region = Region::locked(10_000).expect("locked memory");
        assert_eq!(region.len() % PAGE_BYTES, 0);
        // SAFETY: the region is ours and alive.
        let bytes = unsafe { std::slice::from_raw_parts_mut(region.as_ptr(), region.len()) };
        assert!(bytes.iter().all(|b| *b == 0));
        bytes.fill(9);
        assert_eq!(protection(), Protection::Locked, "the weakest in use is what counts");
    }

    #[test]
    fn more_than_the_address_space_is_an_error_and_not_a_crash() {
        let error = Region::new(1 << 50).expect_err("too much");
        assert!(error.to_string().contains("ulimit -l"), "{error}");
    }
}
