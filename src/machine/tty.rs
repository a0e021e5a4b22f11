//! What a terminal has yet to send.

use std::os::fd::{AsRawFd, BorrowedFd};

/// How many bytes wait in the kernel for the line to take them (TIOCOUTQ of ioctl_tty(2)); `None` for what is no terminal.
pub fn unsent(terminal: BorrowedFd) -> Option<i32> {
    let mut count: libc::c_int = 0;
    // SAFETY: this request writes one int, to which the pointer leads.
    let result = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCOUTQ, &mut count) };
    (result == 0).then_some(count)
}
