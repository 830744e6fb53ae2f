//! An ordinary heap that forgets.

use std::alloc::{GlobalAlloc, Layout, System};

use crate::scrub::wipe_raw;

/// The system's allocator, wiping each block when it is freed.
///
/// For binaries: `#[global_allocator] static HEAP: ZeroizingAlloc = ZeroizingAlloc;`. It catches
/// what Rust code copies onto the heap against the rules; C code that calls `malloc` itself is not
/// reached.
#[derive(Debug, Clone, Copy, Default)]
pub struct ZeroizingAlloc;

// SAFETY: every call goes to `System` unchanged, but that blocks are written before they are freed,
// which their owner has given up. `realloc` to a larger size is the trait's own: allocate, copy,
// free (and so wipe); the system's could leave the old bytes behind when it moves the block.
unsafe impl GlobalAlloc for ZeroizingAlloc {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller gives up a live block of this layout.
        unsafe {
            wipe_raw(ptr, layout.size());
            System.dealloc(ptr, layout);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grown_blocks_keep_their_bytes() {
        let heap = ZeroizingAlloc;
        let layout = Layout::from_size_align(100, 8).expect("layout");
        // SAFETY: one block, used within its bounds, freed once with the layout it has then.
        unsafe {
            let old = heap.alloc(layout);
            old.write_bytes(7, 100);
            let new = heap.realloc(old, layout, 10_000);
            assert!((0..100).all(|i| *new.add(i) == 7));
            heap.dealloc(new, Layout::from_size_align(10_000, 8).expect("layout"));
        }
    }

    #[test]
    fn a_freed_block_was_wiped() {
        let heap = ZeroizingAlloc;
        let layout = Layout::from_size_align(4000, 8).expect("layout");
        // SAFETY: the allocator reuses a freed block of the same size on the same thread; the new
        // block is ours, and reading its first bytes as raw memory tells what was left there.
        let (first, left) = unsafe {
            let first = heap.alloc(layout);
            first.write_bytes(0x5A, 4000);
            let first_at = first as usize;
            heap.dealloc(first, layout);
            let again = System.alloc_zeroed(layout);
            let plain = System.alloc(layout);
            let left = (64..4000).filter(|i| plain.add(*i).read_volatile() == 0x5A).count();
            System.dealloc(again, layout);
            System.dealloc(plain, layout);
            (first_at, left)
        };
        assert_ne!(first, 0);
        assert_eq!(left, 0);
    }
}
