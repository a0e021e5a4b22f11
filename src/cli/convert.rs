//! `xenprobe convert` is a program of its own, `xenprobe-convert`, which is run in this one's place: it takes what follows
//! the word as it stands, and its exit status is this command's.

use super::{warn, USAGE};
use nix::errno::Errno;
use nix::unistd::{execv, execvp};
use std::convert::Infallible;
use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::OsStringExt;

const PROGRAM: &CStr = c"xenprobe-convert";

/// Becomes the program with these words: the one beside the running program, else the one in PATH. Returns only where
/// there is none or it cannot be run, which a line says; the exit status is then that of a wrong command line.
pub fn exec(words: impl IntoIterator<Item = OsString>) -> u8 {
    // A word of the command line holds no NUL.
    let words = words
        .into_iter()
        .flat_map(|word| CString::new(word.into_vec()));
    let words: Vec<CString> = [PROGRAM.to_owned()].into_iter().chain(words).collect();
    match become_program(&words) {
        Err(Errno::ENOENT) => warn(
            "convert: xenprobe-convert is not installed here; it comes in the package xenprobe-convert, and scripts/build makes it",
        ),
        Err(why) => warn(format_args!("convert: xenprobe-convert: {}", why.desc())),
        Ok(never) => match never {},
    }
    USAGE
}

fn become_program(words: &[CString]) -> Result<Infallible, Errno> {
    let own = std::env::current_exe().ok();
    let beside = own.map(|own| own.with_file_name("xenprobe-convert"));
    let beside = beside.and_then(|path| CString::new(path.into_os_string().into_vec()).ok());
    match beside.map(|path| execv(&path, words)) {
        None | Some(Err(Errno::ENOENT)) => execvp(PROGRAM, words),
        Some(other) => other,
    }
}
