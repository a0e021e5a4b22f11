//! Memory for a short life. A verdict takes some thirty kilobytes, for which the C library asks the kernel a dozen times
//! and gives them back as often; here they are a part of the program's own, which costs nothing but the pages that are
//! touched. What does not fit is the C library's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of the arena, and of the largest allocation that it takes.
const SIZE: usize = 64 << 10;
const LARGEST: usize = 8 << 10;

#[repr(align(16))]
struct Bytes(UnsafeCell<[u8; SIZE]>);

// SAFETY: each byte belongs to the one allocation that got it from USED.
unsafe impl Sync for Bytes {}

static BYTES: Bytes = Bytes(UnsafeCell::new([0; SIZE]));
/// How many bytes are taken, from the beginning.
static USED: AtomicUsize = AtomicUsize::new(0);
/// What one thread did with its memory comes before what the next one does that is given it.
const ORDER: Ordering = Ordering::AcqRel;

/// The program's allocator. Only the newest allocation can be given back or grow in its place.
pub struct Arena;

impl Arena {
    fn start() -> *mut u8 {
        BYTES.0.get().cast()
    }

    /// Where in the arena `memory` is; `None` for the C library's.
    fn offset(memory: *mut u8) -> Option<usize> {
        let offset = (memory as usize).wrapping_sub(Arena::start() as usize);
        (offset < SIZE).then_some(offset)
    }

    fn take(layout: Layout) -> Option<*mut u8> {
        if layout.size() > LARGEST || layout.align() > 16 {
            return None;
        }
        let from = |used: usize| used.next_multiple_of(layout.align());
        let take = |used| Some(from(used) + layout.size()).filter(|end| *end <= SIZE);
        let used = USED.fetch_update(ORDER, Ordering::Acquire, take).ok()?;
        Some(Arena::start().wrapping_add(from(used)))
    }
}

// SAFETY: memory comes from the arena or from the system's allocator, which gets back what is its own; no byte of the arena
// is handed out twice before it was given back, and its alignment is the largest that is taken from it.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to GlobalAlloc's rules.
        Arena::take(layout).unwrap_or_else(|| unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match Arena::take(layout) {
            Some(memory) => {
                // SAFETY: these bytes were just taken. They may have been given back by somebody else before.
                unsafe { memory.write_bytes(0, layout.size()) };
                memory
            }
            // SAFETY: the caller keeps to GlobalAlloc's rules.
            None => unsafe { System.alloc_zeroed(layout) },
        }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        match Arena::offset(memory) {
            Some(offset) => {
                let end = offset + layout.size();
                let _ = USED.compare_exchange(end, offset, ORDER, Ordering::Acquire);
            }
            // SAFETY: what is not the arena's came from the system.
            None => unsafe { System.dealloc(memory, layout) },
        }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = Arena::offset(memory) else {
            // SAFETY: what is not the arena's came from the system.
            return unsafe { System.realloc(memory, layout, size) };
        };
        let (end, new_end) = (offset + layout.size(), offset.saturating_add(size));
        let fits = size <= LARGEST && new_end <= SIZE;
        if fits
            && USED
                .compare_exchange(end, new_end, ORDER, Ordering::Acquire)
                .is_ok()
        {
            return memory;
        }
        // SAFETY: the caller keeps to GlobalAlloc's rules; the old and the new memory do not overlap.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(memory, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test program allocates from the arena as well, so nothing is said of where memory is.
    #[test]
    fn memory_is_aligned_keeps_its_bytes_and_overlaps_nothing() {
        let mut kept = Vec::new();
        for size in 1..200usize {
            let layout = Layout::from_size_align(size, 1 << (size % 5)).unwrap();
            // SAFETY: the layout has a size, and what is written and read lies within it.
            unsafe {
                let memory = Arena.alloc(layout);
                assert_eq!(memory as usize % layout.align(), 0);
                memory.write_bytes(size as u8, size);
                let larger = Arena.realloc(memory, layout, 2 * size);
                larger.add(size).write_bytes(size as u8, size);
                kept.push((larger, 2 * size, layout.align()));
            }
        }
        for (memory, size, align) in kept {
            // SAFETY: it is as large as it was made above, and is not used after it was given back.
            unsafe {
                let bytes = std::slice::from_raw_parts(memory, size);
                assert!(bytes.iter().all(|byte| *byte == (size / 2) as u8));
                Arena.dealloc(memory, Layout::from_size_align(size, align).unwrap());
            }
        }
    }

    #[test]
    fn what_is_too_large_is_the_systems() {
        for size in [LARGEST + 1, 1 << 20] {
            let layout = Layout::from_size_align(size, 8).unwrap();
            // SAFETY: the layout has a size, and the memory is given back as it was got.
            unsafe {
                let memory = Arena.alloc_zeroed(layout);
                assert_eq!(Arena::offset(memory), None);
                assert_eq!(*memory.add(size - 1), 0);
                Arena.dealloc(memory, layout);
            }
        }
    }

    #[test]
    fn zeroed_memory_is_zeroed_again() {
        let layout = Layout::from_size_align(64, 8).unwrap();
        for _ in 0..3 {
            // SAFETY: the layout has a size, and the memory is given back as it was got.
            unsafe {
                let memory = Arena.alloc_zeroed(layout);
                assert!(std::slice::from_raw_parts(memory, 64)
                    .iter()
                    .all(|byte| *byte == 0));
                memory.write_bytes(0xff, 64);
                Arena.dealloc(memory, layout);
            }
        }
    }
}
