//! An installed system below a directory, opened read-only: its files are found as that system would find them
//! ([`xenprobe::machine::root_fs`]), and what is not there is no error.

use crate::budget::{read_whole, Budget};
use std::cell::{Cell, RefCell};
use std::io;
use std::path::Path;
use xenprobe::error::{error_text, is_absent, Error};
pub use xenprobe::machine::root_fs::read_file;
use xenprobe::machine::root_fs::RootFs;

/// More than this is not read of a text file.
const TEXT_LIMIT: usize = 1 << 20;

/// What all text files and directories together may ask for, and what one of them costs.
const TEXT_STEPS: u64 = 1_000_000_000;
const OPEN: u64 = 30_000;
const TEXT_BYTE: u64 = 30;
const NAME: u64 = 1_000;

/// The directory, and what may be spent on reading below it.
#[derive(Debug)]
pub struct Sysroot {
    root: RootFs,
    budget: Budget,
    text: Budget,
    /// Files that were not looked at to their end, a line each.
    problems: RefCell<Vec<String>>,
    partial: Cell<bool>,
}

impl Sysroot {
    /// The system below `root`.
    ///
    /// # Errors
    /// Where that is no directory, or may not be read.
    pub fn open(root: &Path) -> Result<Sysroot, Error> {
        match RootFs::open(root) {
            Ok(root) => Ok(Sysroot {
                root,
                budget: Budget::of(Budget::RUN - TEXT_STEPS),
                text: Budget::of(TEXT_STEPS),
                problems: RefCell::default(),
                partial: Cell::new(false),
            }),
            Err(why) => Err(Error::io(root.display().to_string(), &why)),
        }
    }

    /// What kernels and archives may spend.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What could not be read, a line each, so far.
    pub fn take_problems(&self) -> Vec<String> {
        self.problems.take()
    }

    /// Whether a text file or a directory was not looked at, or not to its end.
    pub fn is_partial(&self) -> bool {
        self.partial.get()
    }

    /// Notes that something was left out.
    pub fn leave_out(&self, path: &str, why: &str) {
        self.partial.set(true);
        let line = format!("{}: {why}", path.trim_start_matches('/'));
        let mut problems = self.problems.borrow_mut();
        // The same file is read for several reasons; a thousand lines say no more than a hundred.
        if problems.len() < 100 && !problems.contains(&line) {
            problems.push(line);
        }
    }

    /// The first `limit` bytes of a regular file.
    ///
    /// # Errors
    /// Those of the operating system, and `InvalidInput` where it is no regular file.
    pub fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.root.read(path, limit)
    }

    /// A regular file as a whole, if it is smaller than `limit` and can be paid for.
    ///
    /// # Errors
    /// Those of [`Sysroot::read`] and [`read_whole`].
    pub fn read_whole(&self, path: &str, limit: usize, budget: &Budget) -> io::Result<Vec<u8>> {
        read_whole(budget, limit, |limit| self.read(path, limit))
    }

    /// Text of up to a megabyte; bytes that are not UTF-8 are replaced. `None` where there is no such file.
    pub fn text(&self, path: &str) -> Option<String> {
        if self.text.is_used_up() {
            if self.exists(path) {
                self.leave_out(path, "not read: there is too much text in this system");
            }
            return None;
        }
        let read = self.read(path, TEXT_LIMIT);
        let length = read.as_ref().map_or(0, Vec::len);
        if self.text.spend(OPEN + TEXT_BYTE * length as u64).is_err() {
            self.leave_out(path, "not read: there is too much text in this system");
            return None;
        }
        match read {
            Ok(bytes) => {
                if bytes.len() == TEXT_LIMIT {
                    self.leave_out(path, "only its first 1024 KiB count");
                }
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
            Err(why) => {
                if !is_absent(&why) && why.kind() != io::ErrorKind::InvalidInput {
                    self.leave_out(path, &error_text(&why));
                }
                None
            }
        }
    }

    /// Names in a directory, sorted; none where there is no such directory. The empty path is the root directory.
    pub fn list(&self, path: &str) -> Vec<String> {
        if self.text.is_used_up() {
            self.leave_out(path, "not read: there is too much text in this system");
            return Vec::new();
        }
        self.list_unpaid(path)
    }

    /// The same whatever was spent before: for the few directories without which nothing can be said.
    pub fn list_unpaid(&self, path: &str) -> Vec<String> {
        match self.root.list(&format!("/{path}")) {
            Ok(names) => {
                // What is used up is found out by the next one.
                let _ = self.text.spend(OPEN + NAME * names.len() as u64);
                names
            }
            Err(why) => {
                let _ = self.text.spend(OPEN);
                if !is_absent(&why) {
                    self.leave_out(path, &error_text(&why));
                }
                Vec::new()
            }
        }
    }

    /// Whether there is something at the path.
    pub fn exists(&self, path: &str) -> bool {
        self.root.exists(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_not_there_is_no_error() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("etc")).unwrap();
        fs::write(directory.path().join("etc/fstab"), b"a\xff").unwrap();
        symlink("/etc/fstab", directory.path().join("link")).unwrap();
        let system = Sysroot::open(directory.path()).unwrap();
        assert_eq!(system.list(""), ["etc", "link"]);
        assert_eq!(system.list("/etc"), ["fstab"]);
        assert!(system.list("nothing").is_empty());
        assert_eq!(system.text("link").as_deref(), Some("a\u{fffd}"));
        assert_eq!(system.text("/etc"), None);
        assert!(system.exists("/etc/fstab") && !system.exists("etc/nothing"));
        assert!(Sysroot::open(&directory.path().join("link")).is_err());
    }

    #[test]
    fn a_fifo_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read_file(&fifo, 1).is_err());
    }
}
