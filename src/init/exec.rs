//! Becoming another program.

use super::signals;
use crate::error::errno_text;
use nix::unistd::execv;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

/// Becomes the program that the first of `args` names, with this process's environment; returns why it could not.
pub fn exec<S: AsRef<OsStr>>(args: &[S]) -> String {
    let args = args.iter().map(|arg| CString::new(arg.as_ref().as_bytes()));
    let args: Result<Vec<CString>, _> = args.collect();
    let Ok(args) = args else {
        return "holds a NUL".to_owned();
    };
    let Some(program) = args.first() else {
        return "no program".to_owned();
    };
    signals::reset();
    let result = execv(program, &args);
    signals::ignore();
    match result {
        Err(why) => errno_text(why),
        Ok(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_executed_says_why() {
        assert_eq!(exec(&["/no/such/program"]), "No such file or directory");
        assert_eq!(exec(&["/dev/null"]), "Permission denied");
        assert_eq!(exec(&["a\0b"]), "holds a NUL");
        assert_eq!(exec::<&str>(&[]), "no program");
        signals::reset();
    }
}
