//! Files below a root directory: `/` for the live machine, a capture's or an installed system's directory for others. In
//! those, symbolic links lead where they would lead on that machine: an absolute target begins at the root directory, and
//! `..` never leaves it, so that no file of ours is taken for one of theirs.
//!
//! All reading goes through one way to open (`fd`), which never blocks: a FIFO or a terminal cannot hold us up. Only regular
//! files are read, but for the live machine's own /sys and /dev, whose paths are ours and whose reads all have a limit.

use super::resolve::open_inside;
use super::{directory, FILE_LIMIT};
pub use crate::fd::read_file;
use crate::fd::{open, read, regular, without_blocking};
use nix::fcntl::{openat, readlink, readlinkat, OFlag, AT_FDCWD};
use nix::sys::stat::Mode;
use nix::sys::statfs::{fstatfs, SYSFS_MAGIC};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A root directory. Paths below it may begin with `/` or not.
#[derive(Debug)]
pub struct RootFs {
    /// `None` for the root of this very machine, where the kernel resolves paths as ever.
    root: Option<OwnedFd>,
}

impl RootFs {
    /// The root directory of the machine that we run on. Files of any kind are read.
    pub fn live() -> RootFs {
        RootFs { root: None }
    }

    /// A directory that stands for another machine's root. An error if it is no directory, or may not be read.
    pub fn open(root: &Path) -> io::Result<RootFs> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = openat(AT_FDCWD, root, flags, Mode::empty())?;
        Ok(RootFs { root: Some(root) })
    }

    /// The file's first `limit` bytes.
    pub fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        // What sysfs gives short is the end; /proc may still have more.
        read(
            self.file(path, OFlag::O_RDONLY)?,
            limit,
            self.is_sysfs(path),
        )
    }

    /// Up to `length` bytes of a file from `offset` on; of a file that ends before that, fewer or none.
    pub fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = self.file(path, OFlag::O_RDONLY)?;
        let mut bytes = vec![0; length.min(FILE_LIMIT)];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Writes to a file that sysfs has there. Anything else is left as it is, whoever put it at that path.
    pub fn write_sysfs(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.file(path, OFlag::O_WRONLY)?;
        match fstatfs(&file)?.filesystem_type() == SYSFS_MAGIC {
            true => file.write_all(bytes),
            false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not sysfs")),
        }
    }

    /// The names in a directory, sorted.
    pub fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let directory = self.open_path(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
        directory::names(&directory, self.is_sysfs(path))
    }

    /// Whether anything is at `path`, at the end of symbolic links.
    pub fn exists(&self, path: &str) -> bool {
        self.open_path(path, OFlag::O_PATH).is_ok()
    }

    /// The last component of what a symbolic link points to.
    pub fn link_name(&self, path: &str) -> io::Result<String> {
        let target = match &self.root {
            None => readlink(path)?,
            Some(_) => readlinkat(self.open_path(path, OFlag::O_PATH | OFlag::O_NOFOLLOW)?, "")?,
        };
        match Path::new(&target).file_name() {
            Some(name) => Ok(name.to_string_lossy().into_owned()),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Whether it is sysfs that gives what is at `path`.
    fn is_sysfs(&self, path: &str) -> bool {
        self.root.is_none() && path.starts_with("/sys/")
    }

    /// A file for reading or writing. What /sys of this machine holds needs no second look, which would cost a system
    /// call each, and what is wanted of its /dev are devices.
    fn file(&self, path: &str, access: OFlag) -> io::Result<File> {
        let file = self.open_path(path, access)?;
        match self.is_sysfs(path) || self.root.is_none() && path.starts_with("/dev/") {
            true => Ok(file.into()),
            false => regular(file),
        }
    }

    fn open_path(&self, path: &str, flags: OFlag) -> io::Result<OwnedFd> {
        match &self.root {
            None => open(Path::new(path), flags),
            Some(root) => open_inside(root, path, without_blocking(flags)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_directory_larger_than_one_chunk() {
        let directory = tempfile::tempdir().unwrap();
        let mut expected: Vec<String> = (0..300).map(|n| format!("{n:040}")).collect();
        for name in &expected {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let strange = std::ffi::OsStr::from_bytes(b"\xff");
        fs::write(directory.path().join(strange), "").unwrap();
        expected.sort();
        let root = RootFs::open(directory.path()).unwrap();
        assert_eq!(root.list("/").unwrap(), expected);
    }

    #[test]
    fn what_is_there_and_where_links_lead() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "0123").unwrap();
        symlink("/drivers/e1000", directory.path().join("driver")).unwrap();
        let root = RootFs::open(directory.path()).unwrap();
        assert!(root.exists("/file") && !root.exists("/driver"));
        assert_eq!(root.link_name("/driver").unwrap(), "e1000");
        assert!(root.link_name("/file").is_err());
        assert_eq!(root.read("file", 2).unwrap(), b"01");
        assert_eq!(root.read_at("/file", 3, 9).unwrap(), b"3");
        assert!(RootFs::open(&directory.path().join("file")).is_err());
    }

    #[test]
    fn neither_a_fifo_nor_a_directory_is_read() {
        let directory = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(&directory.path().join("fifo"), Mode::S_IRWXU).unwrap();
        let root = RootFs::open(directory.path()).unwrap();
        for path in ["fifo", "/"] {
            assert!(root.read(path, 1).is_err(), "{path}");
            assert!(root.read_at(path, 0, 1).is_err(), "{path}");
            let here = directory.path().join(path.trim_start_matches('/'));
            assert!(read_file(&here, 1).is_err(), "{path}");
        }
        assert!(root.write_sysfs("fifo", b"1").is_err());
    }
    /// A capture that anybody made has a file `rom`, too.
    #[test]
    fn only_sysfs_is_written_to() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("rom");
        fs::write(&place, "kept").unwrap();
        let root = RootFs::open(directory.path()).unwrap();
        for (root, path) in [(&root, "rom"), (&RootFs::live(), place.to_str().unwrap())] {
            let error = root.write_sysfs(path, b"1").unwrap_err();
            assert_eq!(error.to_string(), "not sysfs");
        }
        assert_eq!(fs::read(place).unwrap(), b"kept");
    }

    #[test]
    fn no_kind_of_file_holds_the_live_machine_up() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        let socket = directory.path().join("socket");
        nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [&fifo, &socket, &directory.path().to_owned()] {
            let path = path.to_str().unwrap();
            assert!(RootFs::live().read(path, 9).is_err(), "{path}");
            assert!(RootFs::live().read_at(path, 0, 9).is_err(), "{path}");
        }
    }
}
