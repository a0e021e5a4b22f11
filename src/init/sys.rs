//! All that is `unsafe` in process 1: calls of the kernel's that no safe function wraps, each behind one that is safe
//! for a process with one thread.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The path that the kernel executed this program by, which is not an argument: AT_EXECFN of getauxval(3).
pub fn executed_path() -> Option<&'static Path> {
    // SAFETY: it only looks the entry up; where there is none it answers 0.
    let address = unsafe { libc::getauxval(libc::AT_EXECFN) };
    if address == 0 {
        return None;
    }
    // SAFETY: the kernel put a string that ends with NUL there, above the stack, where it stays (create_elf_tables in
    // Linux's fs/binfmt_elf.c). Nobody here writes to it.
    let path = unsafe { CStr::from_ptr(address as *const libc::c_char) };
    Some(Path::new(OsStr::from_bytes(path.to_bytes())))
}

/// Whether the kernel writes its log to the console: SYSLOG_ACTION_CONSOLE_OFF and _ON of syslog(2).
pub fn set_kernel_log(on_console: bool) {
    const OFF: i32 = 6;
    const ON: i32 = 7;
    let action = if on_console { ON } else { OFF };
    // SAFETY: these actions take no buffer.
    unsafe { libc::klogctl(action, std::ptr::null_mut(), 0) };
}

/// Makes standard input the terminal that controls this session (TIOCSCTTY of ioctl_tty(2)), if it can be one.
pub fn take_terminal() {
    // SAFETY: this request takes a number and changes nothing but which terminal controls us.
    unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) };
}
