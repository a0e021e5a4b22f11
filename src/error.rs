//! The project's one error: what failed and why, in a line, and what the kernel's own errors mean to us.

use nix::errno::Errno;
use std::borrow::Cow;
use std::fmt;
use std::io;

/// What failed, and why. Displays as `subject: reason`, or as the reason alone where it has no subject; always one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    subject: String,
    reason: Cow<'static, str>,
}

impl Error {
    /// An error about `subject`: a path, a sink, an option. Empty where the reason says it all.
    pub fn new(subject: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Error {
        Error {
            subject: subject.into(),
            reason: reason.into(),
        }
    }

    /// An error of the operating system's about `subject`.
    pub fn io(subject: impl Into<String>, error: &io::Error) -> Error {
        Error::new(subject, error_text(error))
    }

    /// An error whose reason says it all.
    pub fn text(reason: impl Into<Cow<'static, str>>) -> Error {
        Error::new("", reason)
    }

    /// What failed; may be empty.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Why it failed.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Why it failed, where the subject is already named.
    pub fn into_reason(self) -> Cow<'static, str> {
        self.reason
    }
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subject.as_str() {
            "" => to.write_str(&self.reason),
            subject => write!(to, "{subject}: {}", self.reason),
        }
    }
}

impl std::error::Error for Error {}

/// The operating system's own words, without the number that Rust adds.
pub fn error_text(error: &io::Error) -> String {
    let mut text = error.to_string();
    if let Some(end) = text.find(" (os error") {
        text.truncate(end);
    }
    text
}

/// The same of an error's number. There is one table of these words in the program, the C library's.
pub fn errno_text(number: Errno) -> String {
    error_text(&number.into())
}

/// Whether the error says that the machine does not have the thing: ENOENT, ENOTDIR, ENODEV or ENXIO.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENOENT | libc::ENOTDIR | libc::ENODEV | libc::ENXIO)
    ) || error.kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_and_reason_make_one_line() {
        let full = io::Error::from_raw_os_error(libc::ENOSPC);
        assert_eq!(
            Error::io("/dev/full", &full).to_string(),
            "/dev/full: No space left on device"
        );
        assert_eq!(
            Error::text("a sink needs a name").to_string(),
            "a sink needs a name"
        );
    }

    #[test]
    fn what_the_machine_does_not_have() {
        for (errno, absent) in [
            (libc::ENOENT, true),
            (libc::ENODEV, true),
            (libc::EACCES, false),
            (libc::EIO, false),
        ] {
            assert_eq!(is_absent(&io::Error::from_raw_os_error(errno)), absent);
        }
        assert!(is_absent(&io::ErrorKind::NotFound.into()));
    }
}
