//! How the program starts, in place of the standard library's own start, which makes ready for threads and for stacks that
//! overflow: a dozen system calls and several kilobytes for what is not used here. What stays of it: the descriptors 0 to
//! 2 are open, so that no file that is opened later gets their numbers and what is written to them, and a reader that
//! leaves is an error and not an end.
#![allow(unsafe_code)]

use libc::{c_char, c_int, pollfd};
use nix::sys::memfd::{memfd_create, MFdFlags};
use nix::sys::signal::{SigSet, Signal};
use std::ffi::{CStr, OsStr, OsString};
use std::os::fd::{BorrowedFd, IntoRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;

/// What a descriptor that was closed becomes.
pub const NULL: &str = "/dev/null";

/// The program's arguments, from those of `main`.
///
/// # Safety
/// They are as the C library passes them: `count` pointers to strings that end with NUL.
pub unsafe fn arguments(count: c_int, words: *const *const c_char) -> Vec<OsString> {
    let word = |at| {
        // SAFETY: as the caller says.
        let word = unsafe { CStr::from_ptr(*words.add(at)) };
        OsStr::from_bytes(word.to_bytes()).to_owned()
    };
    (0..count as usize).map(word).collect()
}

/// Whether the descriptors 0 to 2 are open.
pub fn has_standard() -> bool {
    let of = |fd| pollfd {
        fd,
        events: 0,
        revents: 0,
    };
    let mut all = [of(0), of(1), of(2)];
    // SAFETY: there are three of them, and it waits for none. A descriptor that is closed is no error of the call's.
    unsafe { libc::poll(all.as_mut_ptr(), 3, 0) };
    all.iter().all(|one| one.revents & libc::POLLNVAL == 0)
}

/// Opens `path` until descriptors 0 to 2 are in use: a new one is always the lowest that is free.
pub fn fill(path: &str) -> bool {
    let Ok(path) = std::ffi::CString::new(path) else {
        return false;
    };
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK;
    loop {
        // SAFETY: the path ends with NUL.
        match unsafe { libc::open(path.as_ptr(), flags) } {
            ..0 => return false,
            // It stays open for as long as the process lives. Opening must not block, whoever writes to it or reads may.
            fd @ 0..3 => {
                // SAFETY: no flag touches memory.
                unsafe { libc::fcntl(fd, libc::F_SETFL, 0) };
            }
            fd => {
                // SAFETY: nobody knows of it.
                unsafe { libc::close(fd) };
                return true;
            }
        }
    }
}

/// Where no device can be had, what is written goes into memory, where nobody reads it. Returns whether all three are open.
pub fn fill_with_memory() -> bool {
    while let Ok(fd) = memfd_create(c"xenprobe", MFdFlags::empty()) {
        if fd.into_raw_fd() >= 2 {
            return true;
        }
    }
    false
}

/// Has a panic end in `handler`. The small build has none of the standard library's words and hooks for panics: there one is
/// an invalid instruction (SIGILL). One more inside the handler ends the process.
pub fn on_panic(handler: extern "C" fn(c_int)) {
    // SAFETY: the signal comes at an instruction of ours and not in the middle of one of the C library's, so that the
    // handler may do all that a panic hook may.
    unsafe { libc::signal(libc::SIGILL, handler as *const () as usize) };
}

/// Has an alarm end in `handler`.
pub fn on_alarm(handler: extern "C" fn(c_int)) {
    // SAFETY: what takes so long waits in the kernel and is not in the middle of a function of the C library's that the
    // handler may call; it does not return there.
    unsafe { libc::signal(libc::SIGALRM, handler as *const () as usize) };
}

/// Says that the program met a fault of its own, and ends with `status`.
pub fn fail(status: u8) -> ! {
    const WORDS: &[u8] = b"xenprobe: panicked: this is a fault of xenprobe's own\n";
    // SAFETY: the bytes are valid for their length; ending without clean-up is always allowed.
    unsafe {
        libc::write(2, WORDS.as_ptr().cast(), WORDS.len());
        libc::_exit(status.into())
    }
}

/// Has a signal do nothing, or what it does where nobody says otherwise. It cannot fail for one that may be caught.
pub fn ignore(signal: Signal, is_ignored: bool) {
    let action = match is_ignored {
        true => libc::SIG_IGN,
        false => libc::SIG_DFL,
    };
    // SAFETY: neither of the two is code of ours.
    unsafe { libc::signal(signal as c_int, action) };
}

/// Has a child's end and an alarm tell themselves, as they do where nobody says otherwise: whoever started us may have had
/// them ignored, with which the kernel keeps no child's end for its parent, or blocked.
pub fn expect_signals() {
    ignore(Signal::SIGCHLD, false);
    ignore(Signal::SIGALRM, false);
    unblock_alarm();
}

/// Lets an alarm through, also in the middle of the handler of another one.
pub fn unblock_alarm() {
    let _ = SigSet::from(Signal::SIGALRM).thread_unblock();
}

/// Descriptor 0, 1 or 2.
pub fn standard(fd: RawFd) -> BorrowedFd<'static> {
    // SAFETY: these are open from the start of the program to its end.
    unsafe { BorrowedFd::borrow_raw(fd) }
}
