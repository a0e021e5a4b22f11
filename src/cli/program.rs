//! Commands that are programs of their own, which are run in this one's place: they take the words as they stand, and
//! their exit status is the command's. The probe has no room for what they need.

use super::{warn, USAGE};
use crate::error::errno_text;
use nix::errno::Errno;
use nix::unistd::{execv, execvp};
use std::convert::Infallible;
use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::OsStringExt;

/// A program and the word that has it run.
pub struct Program {
    word: &'static str,
    name: &'static CStr,
}

/// `xenprobe convert`.
pub const CONVERT: Program = Program {
    word: "convert",
    name: c"xenprobe-convert",
};

/// `xenprobe --report`.
pub const REPORT: Program = Program {
    word: "--report",
    name: c"xenprobe-report",
};

impl Program {
    /// Becomes the program with these words: the one beside the running program, else the one in PATH. Returns only where
    /// there is none or it cannot be run, which a line says; the exit status is then that of a wrong command line.
    pub fn exec(&self, words: Vec<OsString>) -> u8 {
        // A word of the command line holds no NUL.
        let words = words
            .into_iter()
            .flat_map(|word| CString::new(word.into_vec()));
        let words: Vec<CString> = [self.name.to_owned()].into_iter().chain(words).collect();
        let (word, name) = (self.word, self.name.to_str().unwrap_or_default());
        match self.become_it(&words) {
            Err(Errno::ENOENT) => warn(format_args!(
                "{word}: {name} is not installed here; it comes in the package {name}, and scripts/build makes it"
            )),
            Err(why) => warn(format_args!("{word}: {name}: {}", errno_text(why))),
            Ok(never) => match never {},
        }
        USAGE
    }

    fn become_it(&self, words: &[CString]) -> Result<Infallible, Errno> {
        let own = std::env::current_exe().ok();
        let beside = own.map(|own| own.with_file_name(self.name.to_str().unwrap_or_default()));
        let beside = beside.and_then(|path| CString::new(path.into_os_string().into_vec()).ok());
        match beside.map(|path| execv(&path, words)) {
            None | Some(Err(Errno::ENOENT)) => execvp(self.name, words),
            Some(other) => other,
        }
    }
}
