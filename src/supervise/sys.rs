//! What is `unsafe` in supervising: calls of the kernel's that no safe function wraps, each behind one that is safe for a
//! process with one thread.
#![allow(unsafe_code)]

use nix::errno::Errno;
use nix::unistd::ForkResult;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// Set to have no process made any more ([`crate::init`]'s faults).
pub static NO_FORK: AtomicBool = AtomicBool::new(false);

/// fork(2). The child may do all that its parent may.
pub fn fork() -> nix::Result<ForkResult> {
    if NO_FORK.load(Ordering::Relaxed) {
        return Err(Errno::EAGAIN);
    }
    // SAFETY: process 1 and its children have one thread, so that the child finds every lock free.
    unsafe { nix::unistd::fork() }
}

/// _exit(2): ends this process and does nothing of what was set up to be done at its end.
pub fn exit(status: i32) -> ! {
    // SAFETY: ending without clean-up is always allowed.
    unsafe { libc::_exit(status) }
}

/// Writes once to a descriptor of which only the number is known; returns whether all was written.
pub fn write_to(fd: RawFd, bytes: &[u8]) -> bool {
    // SAFETY: the bytes are valid for their length. A number that is no descriptor is an error, and no memory is
    // touched for any that is.
    let count = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(count) == Ok(bytes.len())
}

/// A byte that is zero at first and the same for this process and its children; `None` where there is no memory for it.
pub fn shared_byte() -> Option<&'static AtomicU8> {
    let (access, kind) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_SHARED | libc::MAP_ANONYMOUS,
    );
    // SAFETY: it is new memory of its own, all zero, which nobody takes away.
    unsafe {
        let memory = libc::mmap(ptr::null_mut(), 1, access, kind, -1, 0);
        (memory != libc::MAP_FAILED).then(|| &*memory.cast::<AtomicU8>())
    }
}
