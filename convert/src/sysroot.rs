//! An installed system below a directory, opened read-only: its files are found as that system would find them
//! ([`xenprobe::machine::root_fs`]), and what is not there is no error.

use std::io;
use std::path::Path;
use xenprobe::error::Error;
pub use xenprobe::machine::root_fs::read_file;
use xenprobe::machine::root_fs::RootFs;

/// More than this is not read of a text file.
const TEXT_LIMIT: usize = 1 << 20;

/// The directory.
#[derive(Debug)]
pub struct Sysroot(RootFs);

impl Sysroot {
    /// The system below `root`.
    ///
    /// # Errors
    /// Where that is no directory, or may not be read.
    pub fn open(root: &Path) -> Result<Sysroot, Error> {
        match RootFs::open(root) {
            Ok(root) => Ok(Sysroot(root)),
            Err(why) => Err(Error::io(root.display().to_string(), &why)),
        }
    }

    /// The first `limit` bytes of a regular file.
    ///
    /// # Errors
    /// Those of the operating system, and `InvalidInput` where it is no regular file.
    pub fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        self.0.read(path, limit)
    }

    /// Text of up to a megabyte; bytes that are not UTF-8 are replaced. `None` where there is no such file.
    pub fn text(&self, path: &str) -> Option<String> {
        let bytes = self.read(path, TEXT_LIMIT).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Names in a directory, sorted; none where there is no such directory. The empty path is the root directory.
    pub fn list(&self, path: &str) -> Vec<String> {
        self.0.list(&format!("/{path}")).unwrap_or_default()
    }

    /// Whether there is something at the path.
    pub fn exists(&self, path: &str) -> bool {
        self.0.exists(path)
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
