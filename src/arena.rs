//! Memory for a program that has one thread and a short life. Blocks of a few size classes, powers of two, are cut from
//! chunks, and kept for the next of their class when they are given back; what is larger is mapped by itself (mmap(2)). The C library's
//! allocator, which does the same for many threads and long lives, is ten kilobytes that are not linked then.
//!
//! The first chunk is a part of the program, which costs nothing but the pages that are touched: most verdicts need no other.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, UnsafeCell};
use std::ptr::null_mut;

/// Bytes of a chunk.
const CHUNK: usize = 64 << 10;

/// Bytes of the smallest and of the largest block. All are aligned as the smallest.
const SMALLEST: usize = 16;
const LARGEST: usize = 16 << 10;
const CLASSES: usize = (LARGEST / SMALLEST).ilog2() as usize + 1;

/// What the kernel's memory is aligned to; nothing wants more.
const PAGE: usize = 4096;

/// The program's allocator.
pub struct Arena {
    /// Of each class the block that was given back last, in which the address of the one before it is.
    free: [Cell<*mut u8>; CLASSES],
    /// What of the newest chunk was never given out.
    rest: Cell<*mut u8>,
    left: Cell<usize>,
}

/// A chunk that is a part of the program.
#[repr(align(16))]
pub struct Chunk(UnsafeCell<[u8; CHUNK]>);

// SAFETY: nothing but the arena that it is made the first chunk of reads or writes it.
unsafe impl Sync for Chunk {}

// SAFETY: the program has one thread (tests/floors.rs finds every file that would start another), and no handler of a signal
// that may come in the middle of this file's code allocates: those for an invalid instruction do, of which there is none here.
unsafe impl Sync for Arena {}

impl Chunk {
    pub const fn new() -> Chunk {
        Chunk(UnsafeCell::new([0; CHUNK]))
    }
}

impl Arena {
    /// An arena that begins with this chunk, which is no other arena's.
    pub const fn new(first: &'static Chunk) -> Arena {
        Arena {
            free: [const { Cell::new(null_mut()) }; CLASSES],
            rest: Cell::new(first.0.get().cast()),
            left: Cell::new(CHUNK),
        }
    }

    /// A block of the class, of `SMALLEST << class` bytes; null where there is no memory.
    fn take(&self, class: usize) -> *mut u8 {
        let newest = self.free[class].get();
        if !newest.is_null() {
            // SAFETY: it was given back, and `give_back` wrote the address of the one before it there.
            self.free[class].set(unsafe { newest.cast::<*mut u8>().read() });
            return newest;
        }
        let bytes = SMALLEST << class;
        if self.left.get() < bytes {
            let chunk = map(CHUNK);
            if chunk.is_null() {
                return chunk;
            }
            self.rest.set(chunk);
            self.left.set(CHUNK);
        }
        let block = self.rest.get();
        self.rest.set(block.wrapping_add(bytes));
        self.left.set(self.left.get() - bytes);
        block
    }

    /// Keeps a block for the next who wants one of its class.
    ///
    /// # Safety
    /// It came from [`Arena::take`] with the same class, and nobody uses it any more.
    unsafe fn give_back(&self, class: usize, block: *mut u8) {
        let before = self.free[class].replace(block);
        // SAFETY: the block is nobody's, has room for an address, and is aligned for one.
        unsafe { block.cast::<*mut u8>().write(before) };
    }
}

/// The class of its block; `None` for what is too large or too aligned for a block, and mapped.
fn class_of(layout: Layout) -> Option<usize> {
    if layout.size() > LARGEST || layout.align() > SMALLEST {
        return None;
    }
    let last = layout.size().max(SMALLEST) - 1;
    Some((last / (SMALLEST / 2)).ilog2() as usize)
}

/// Zeroed memory of the kernel's; null where it has none.
fn map(bytes: usize) -> *mut u8 {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the kernel chooses where, which is where nothing is.
    or_null(unsafe { libc::mmap(null_mut(), bytes, access, kind, -1, 0) })
}

fn or_null(mapped: *mut libc::c_void) -> *mut u8 {
    match mapped {
        libc::MAP_FAILED => null_mut(),
        memory => memory.cast(),
    }
}

// SAFETY: a block is given out once until it is given back, is as large and as aligned as was wanted, and blocks of one
// chunk do not overlap; whether memory is a block or the kernel's follows from its layout alone, which is the same when it
// comes back. Nothing here unwinds.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match class_of(layout) {
            Some(class) => self.take(class),
            None if layout.align() > PAGE => null_mut(),
            None => map(layout.size()),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to GlobalAlloc's rules.
        let memory = unsafe { self.alloc(layout) };
        // The kernel's is zeroed.
        if class_of(layout).is_some() && !memory.is_null() {
            // SAFETY: the block has as many bytes, and nobody else knows of it.
            unsafe { memory.write_bytes(0, layout.size()) };
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        match class_of(layout) {
            // SAFETY: what has this layout came from `take` with this class.
            Some(class) => unsafe { self.give_back(class, memory) },
            // SAFETY: what has this layout was mapped with it, and nobody uses it any more.
            None => unsafe {
                libc::munmap(memory.cast(), layout.size());
            },
        }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: the caller says that the new size is one for this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(bytes, layout.align()) };
        match (class_of(layout), class_of(wanted)) {
            // SAFETY: both are the kernel's; it moves what was mapped as a whole.
            (None, None) => or_null(unsafe {
                libc::mremap(memory.cast(), layout.size(), bytes, libc::MREMAP_MAYMOVE)
            }),
            (old, new) if old == new => memory,
            // SAFETY: the caller keeps to GlobalAlloc's rules; the old and the new memory do not overlap.
            _ => unsafe {
                let new = self.alloc(wanted);
                if !new.is_null() {
                    new.copy_from_nonoverlapping(memory, layout.size().min(bytes));
                    self.dealloc(memory, layout);
                }
                new
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::wait::{waitpid, WaitStatus};
    use nix::unistd::{fork, ForkResult};

    /// Each test has an arena of its own, and the thread that it runs on alone uses it.
    fn arena() -> Arena {
        Arena::new(Box::leak(Box::new(Chunk::new())))
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    /// Whether all of its bytes are this one.
    ///
    /// # Safety
    /// There are as many bytes, and they were written.
    unsafe fn holds(memory: *mut u8, byte: u8, size: usize) -> bool {
        // SAFETY: as the caller says.
        let bytes = unsafe { std::slice::from_raw_parts(memory, size) };
        bytes.iter().all(|one| *one == byte)
    }

    #[test]
    fn classes_are_the_smallest_that_have_room() {
        assert_eq!(class_of(layout(1, 1)), Some(0));
        assert_eq!(class_of(layout(LARGEST, 16)), Some(CLASSES - 1));
        for size in 1..=LARGEST {
            let block = SMALLEST << class_of(layout(size, 1)).unwrap();
            assert!(block >= size && (block == SMALLEST || block / 2 < size));
        }
        assert_eq!(class_of(layout(LARGEST + 1, 1)), None);
        assert_eq!(class_of(layout(1, 32)), None);
    }

    /// More than the first chunk has, of all sizes about the ends of the classes and of what is mapped.
    #[test]
    fn memory_is_aligned_keeps_its_bytes_and_overlaps_nothing() {
        let arena = arena();
        let mut kept = Vec::new();
        let sizes = (0..17).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        let aligns = [1, 2, 8, 16, 32, PAGE];
        for (n, size) in sizes.filter(|size| *size > 0).enumerate() {
            for align in aligns {
                // SAFETY: the layout has a size, and what is written lies within it.
                unsafe {
                    let memory = arena.alloc(layout(size, align));
                    assert_eq!(memory as usize % align, 0);
                    memory.write_bytes(n as u8, size);
                    kept.push((memory, n as u8, layout(size, align)));
                }
            }
        }
        for (memory, byte, layout) in kept {
            // SAFETY: it is as large as it was made above, and is not used after it was given back.
            unsafe {
                assert!(holds(memory, byte, layout.size()), "{layout:?}");
                arena.dealloc(memory, layout);
            }
        }
    }

    #[test]
    fn what_changes_its_size_keeps_its_bytes() {
        let arena = arena();
        let sizes = [
            1,
            16,
            17,
            300,
            16 << 10,
            20_000,
            1 << 20,
            70_000,
            16_000,
            100,
            7,
        ];
        for align in [1, 16, PAGE] {
            // SAFETY: each size is that of the call before, and what is written and read lies within it.
            unsafe {
                let mut memory = arena.alloc(layout(sizes[0], align));
                memory.write_bytes(0, sizes[0]);
                for (n, pair) in sizes.windows(2).enumerate() {
                    let old = layout(pair[0], align);
                    memory = arena.realloc(memory, old, pair[1]);
                    assert_eq!(memory as usize % align, 0);
                    assert!(holds(memory, n as u8, pair[0].min(pair[1])));
                    memory.write_bytes(n as u8 + 1, pair[1]);
                }
                arena.dealloc(memory, layout(sizes[sizes.len() - 1], align));
            }
        }
    }

    #[test]
    fn what_is_given_back_is_used_again() {
        let arena = arena();
        // SAFETY: the layouts have sizes, and what was given back is not used.
        unsafe {
            let first = arena.alloc(layout(40, 8));
            let second = arena.alloc(layout(60, 8));
            arena.dealloc(first, layout(40, 8));
            arena.dealloc(second, layout(60, 8));
            assert_eq!(arena.alloc(layout(33, 1)), second);
            assert_eq!(arena.alloc(layout(64, 16)), first);
            let third = arena.alloc(layout(64, 16));
            assert!(third != first && third != second);
            assert_eq!(arena.realloc(third, layout(64, 16), 33), third);
            let smaller = arena.realloc(third, layout(64, 16), 32);
            assert!(smaller != third);
            assert_eq!(arena.alloc(layout(64, 16)), third);
        }
    }

    #[test]
    fn zeroed_memory_is_zeroed_again() {
        let arena = arena();
        for size in [64, LARGEST, LARGEST + 1] {
            for _ in 0..3 {
                // SAFETY: the layout has a size, and the memory is given back as it was got.
                unsafe {
                    let memory = arena.alloc_zeroed(layout(size, 8));
                    assert!(holds(memory, 0, size));
                    memory.write_bytes(0xff, size);
                    arena.dealloc(memory, layout(size, 8));
                }
            }
        }
    }

    #[test]
    fn where_there_is_no_memory_there_is_null() {
        let arena = arena();
        let most = isize::MAX as usize - PAGE;
        // SAFETY: the layouts have sizes; memory that could not grow is still there.
        unsafe {
            assert!(arena.alloc(layout(most, 1)).is_null());
            assert!(arena.alloc_zeroed(layout(most, 1)).is_null());
            assert!(arena.alloc(layout(16, 2 * PAGE)).is_null());
            for size in [100, 2 * LARGEST] {
                let memory = arena.alloc(layout(size, 1));
                memory.write_bytes(7, size);
                assert!(arena.realloc(memory, layout(size, 1), most).is_null());
                assert!(holds(memory, 7, size));
            }
        }
    }

    /// In a child of its own, as the limit is for the whole process.
    #[test]
    fn where_the_kernel_gives_no_more_the_chunk_is_used_up_and_then_there_is_null() {
        let arena = arena();
        let block = layout(4096, 16);
        // SAFETY: the child does nothing but what may be done in the middle of anything: two system calls, and the arena,
        // which is its own.
        let child = match unsafe { fork() }.unwrap() {
            ForkResult::Parent { child } => child,
            ForkResult::Child => {
                let none = libc::rlimit {
                    rlim_cur: 0,
                    rlim_max: 0,
                };
                // SAFETY: as above; the layout has a size, and nothing is given back.
                unsafe {
                    libc::setrlimit(libc::RLIMIT_AS, &none);
                    let mut blocks = 0;
                    while blocks < 100 && !arena.alloc_zeroed(block).is_null() {
                        blocks += 1;
                    }
                    libc::_exit(blocks)
                }
            }
        };
        let blocks = (CHUNK / block.size()) as i32;
        assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, blocks)));
    }
}
