//! The child's side of [`supervise`](super::supervise): it does its work, hands the bytes to its parent and ends
//! without ever running on into what its parent was about to do.

use super::sys::{exit, write_to};
use crate::fd::write_all;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getppid, Pid};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// The status of a child that told how it came to an end, as Rust's own start-up code has it for a panic.
pub const TOLD: i32 = 101;

/// The pipe's end in a child; -1 in a process that is none.
pub static ANSWER: AtomicI32 = AtomicI32::new(-1);

/// Whether an alarm is set for what this process does itself.
pub static WATCHED: AtomicBool = AtomicBool::new(false);

/// Whether the work is done in a child of its own.
pub fn is_one() -> bool {
    ANSWER.load(Ordering::Relaxed) >= 0 && !WATCHED.load(Ordering::Relaxed)
}

/// The child's whole life. What its parent had set up to be done at its own end is not done here, hence `_exit`.
pub fn answer_and_exit(parent: Pid, to_parent: OwnedFd, work: &mut dyn FnMut() -> Vec<u8>) -> ! {
    // A parent that is a child itself may be killed; it may have been before this. An alarm ends a delivery in order.
    let _ = set_pdeathsig(Signal::SIGALRM);
    if getppid() != parent {
        exit(1)
    }
    ANSWER.store(to_parent.as_raw_fd(), Ordering::Relaxed);
    WATCHED.store(false, Ordering::Relaxed);
    let on_unwinding = ExitOnDrop;
    let bytes = work();
    std::mem::forget(on_unwinding);
    let status = match write_all(to_parent.as_fd(), &bytes) {
        Ok(()) => 0,
        Err(_) => 1,
    };
    exit(status)
}

/// Hands a first part to the parent, which keeps it whatever becomes of the rest. Without a child nothing is done, and the
/// part belongs to the whole answer.
pub fn send(bytes: &[u8]) -> bool {
    let fd = ANSWER.load(Ordering::Relaxed);
    is_one() && bytes.chunks(4096).all(|chunk| write_to(fd, chunk))
}

/// Where panics unwind (tests and debug builds), a child must not wander up into its parent's code.
struct ExitOnDrop;

impl Drop for ExitOnDrop {
    fn drop(&mut self) {
        exit_if_child("panicked")
    }
}

/// Ends this process if it is a supervised child, handing back how it came to that: what follows "the probe".
pub fn exit_if_child(how: &str) {
    let answer = ANSWER.load(Ordering::Relaxed);
    if answer >= 0 {
        let _ = write_to(answer, how.as_bytes());
        exit(TOLD)
    }
}
