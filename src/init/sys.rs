//! All that is `unsafe` in process 1, behind functions that are not.

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
