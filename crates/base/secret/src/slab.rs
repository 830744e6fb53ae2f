//! Blocks of secret memory by size class.
//!
//! The books (free lists) are on the ordinary heap and hold addresses only. A block that is handed
//! out is always zero: blocks are wiped when they come back.

use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::region::{MemoryError, PAGE_BYTES, Region};
use crate::scrub::wipe_raw;

/// A zeroed block of secret memory. Wiped and given back on drop.
#[derive(Debug)]
pub(crate) struct Block {
    ptr: NonNull<u8>,
    home: Home,
}

#[derive(Debug)]
enum Home {
    /// Index of the size class in the slab.
    Class(usize),
    /// Too large for the slab: a mapping of its own.
    Own { _region: Region },
}

// SAFETY: a block owns its bytes exclusively; the slab behind it is guarded by a mutex.
unsafe impl Send for Block {}
// SAFETY: `&Block` gives out only the address.
unsafe impl Sync for Block {}

impl Block {
    /// At least `len` bytes, aligned to `align` (a power of two, at most a page).
    pub(crate) fn new(len: usize, align: usize) -> Result<Self, MemoryError> {
        debug_assert!(align.is_power_of_two() && align <= PAGE_BYTES);
        let wanted = len.max(align).max(SMALLEST);
        if wanted > LARGEST {
            let region = Region::new(wanted)?;
            // A mapping is never at address zero.
            let ptr = NonNull::new(region.as_ptr()).unwrap_or(NonNull::dangling());
            return Ok(Block { ptr, home: Home::Own { _region: region } });
        }
        let class = (wanted.next_power_of_two() / SMALLEST).trailing_zeros() as usize;
        Ok(Block { ptr: slab().take(class)?, home: Home::Class(class) })
    }

    pub(crate) fn as_ptr(&self) -> NonNull<u8> {
        self.ptr
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Home::Class(class) = self.home {
            // SAFETY: the block is `SMALLEST << class` bytes long and ours alone until it is back.
            unsafe { wipe_raw(self.ptr.as_ptr(), SMALLEST << class) };
            slab().give(class, self.ptr);
        } // a region wipes itself
    }
}

/// A free block's address.
struct Free(NonNull<u8>);
// SAFETY: an address that nobody else holds.
unsafe impl Send for Free {}

struct Slab {
    free: [Vec<Free>; CLASSES],
    /// What is left of the newest region: its next byte and how many there are.
    rest: Option<(Free, usize)>,
    /// Never unmapped: slab blocks are small and come back soon.
    regions: Vec<Region>,
}

impl Slab {
    const fn empty() -> Self {
        Self { free: [const { Vec::new() }; CLASSES], rest: None, regions: Vec::new() }
    }

    fn take(&mut self, class: usize) -> Result<NonNull<u8>, MemoryError> {
        if let Some(Free(ptr)) = self.free[class].pop() {
            return Ok(ptr);
        }
        let block = SMALLEST << class;
        let run = block.max(PAGE_BYTES);
        let start = self.carve(run)?;
        // From the last to the first, so that the lowest address is used first.
        for at in (0..run / block).rev() {
            // SAFETY: within the run that was just carved; blocks of a run do not overlap, and a
            // run begins at a page, so each is aligned to its own size (up to a page).
            self.free[class].push(Free(unsafe { start.add(at * block) }));
        }
        match self.free[class].pop() {
            Some(Free(ptr)) => Ok(ptr),
            None => Ok(start), // unreachable: a run has at least one block
        }
    }

    /// The block is wiped, and nobody has its address any more.
    fn give(&mut self, class: usize, ptr: NonNull<u8>) {
        self.free[class].push(Free(ptr));
    }

    /// `len` is a whole number of pages, at most `REGION_BYTES`.
    fn carve(&mut self, len: usize) -> Result<NonNull<u8>, MemoryError> {
        match self.rest.take() {
            Some((Free(ptr), left)) if left >= len => {
                if left > len {
                    // SAFETY: `left` bytes from `ptr` are ours and `len` is less.
                    self.rest = Some((Free(unsafe { ptr.add(len) }), left - len));
                }
                Ok(ptr)
            }
            old => {
                let region = match Region::new(REGION_BYTES) {
                    Ok(region) => region,
                    Err(error) => {
                        self.rest = old;
                        return Err(error);
                    }
                };
                // What was left of the old region serves small blocks.
                if let Some((Free(ptr), left)) = old {
                    for at in 0..left / PAGE_BYTES {
                        // SAFETY: whole pages of the rest, each handed out once.
                        self.free[PAGE_CLASS].push(Free(unsafe { ptr.add(at * PAGE_BYTES) }));
                    }
                }
                let ptr = NonNull::new(region.as_ptr()).unwrap_or(NonNull::dangling());
                self.rest = Some((Free(ptr), region.len()));
                self.regions.push(region);
                self.carve(len)
            }
        }
    }
}

fn slab() -> MutexGuard<'static, Slab> {
    // Nothing between lock and unlock can leave the lists half changed.
    SLAB.lock().unwrap_or_else(PoisonError::into_inner)
}

static SLAB: Mutex<Slab> = Mutex::new(Slab::empty());

/// Smallest block; a cache line holds two.
const SMALLEST: usize = 32;
/// 32 bytes to 32 KiB.
const CLASSES: usize = 11;
const LARGEST: usize = SMALLEST << (CLASSES - 1);
const PAGE_CLASS: usize = (PAGE_BYTES / SMALLEST).trailing_zeros() as usize;
const REGION_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_zero_aligned_and_do_not_overlap() {
        let sizes = [0, 1, 32, 33, 100, 4096, 5000, 32_768, 32_769, 200_000];
        let mut live: Vec<(Block, usize, u8)> = Vec::new();
        for round in 0..200usize {
            let len = sizes[round % sizes.len()];
            let block = Block::new(len, 16).expect("memory");
            let at = block.as_ptr().as_ptr();
            assert_eq!(at as usize % 16, 0);
            // SAFETY: the block has at least `len` bytes and is ours.
            let bytes = unsafe { std::slice::from_raw_parts_mut(at, len) };
            assert!(bytes.iter().all(|b| *b == 0), "block of {len} in round {round} is not zero");
            bytes.fill(round as u8 | 1);
            live.push((block, len, round as u8 | 1));
            if round % 3 == 0 {
                live.swap_remove(round * 7 % live.len());
            }
        }
        for (block, len, fill) in &live {
            // SAFETY: as above.
            let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr().as_ptr(), *len) };
            assert!(bytes.iter().all(|b| b == fill), "a block of {len} was overwritten");
        }
    }

    #[test]
    fn a_freed_block_is_used_again() {
        // Its own slab: other tests take blocks of the one that all share.
        let mut slab = Slab::empty();
        for class in 0..CLASSES {
            let first = slab.take(class).expect("memory");
            slab.give(class, first);
            let regions = slab.regions.len();
            for _ in 0..1000 {
                let again = slab.take(class).expect("memory");
                assert_eq!(again, first, "of {} bytes", SMALLEST << class);
                slab.give(class, again);
            }
            assert_eq!(slab.regions.len(), regions);
        }
    }
}
