//! Files below a root directory: `/` for the live machine, a capture's or an installed system's directory for others. In
//! those, symbolic links lead where they would lead on that machine: an absolute target begins at the root directory, and
//! `..` never leaves it, so that no file of ours is taken for one of theirs.
//!
//! All reading goes through one way to open, which never blocks: a FIFO or a terminal in a strange directory cannot hold
//! us up. In what is not the live machine, only regular files are read.

use super::resolve::open_inside;
use super::{directory, FILE_LIMIT};
use nix::fcntl::{openat, readlink, readlinkat, OFlag, AT_FDCWD};
use nix::sys::stat::Mode;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Most files are smaller. They are read in one call, without asking for their size or for memory that grows: in an
/// emulated machine each call and each fresh page costs more than all that we do with the bytes.
const CHUNK: usize = 4096;

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

    /// Writes to a file that is there.
    pub fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(path, OFlag::O_WRONLY)?.write_all(bytes)
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

    /// A file for reading or writing. What /proc, /sys and /dev of this machine hold needs no second look.
    fn file(&self, path: &str, access: OFlag) -> io::Result<File> {
        let file = self.open_path(path, access)?;
        match &self.root {
            None => Ok(file.into()),
            Some(_) => regular(file),
        }
    }

    fn open_path(&self, path: &str, flags: OFlag) -> io::Result<OwnedFd> {
        match &self.root {
            None => open_here(Path::new(path), flags),
            Some(root) => open_inside(root, path, without_blocking(flags)),
        }
    }
}

/// The first `limit` bytes of a regular file of this machine.
///
/// # Errors
/// Those of the operating system, and `InvalidInput` where it is no regular file.
pub fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read(regular(open_here(path, OFlag::O_RDONLY)?)?, limit, false)
}

/// Of the C library's ways to open, `openat` is a single system call.
fn open_here(path: &Path, flags: OFlag) -> io::Result<OwnedFd> {
    let flags = without_blocking(flags);
    Ok(openat(AT_FDCWD, path, flags, Mode::empty())?)
}

/// What is opened for its path alone takes no other flags, and waits for nothing.
fn without_blocking(flags: OFlag) -> OFlag {
    match flags.contains(OFlag::O_PATH) {
        true => flags | OFlag::O_CLOEXEC,
        false => flags | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY,
    }
}

fn regular(file: OwnedFd) -> io::Result<File> {
    let file = File::from(file);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => {
            let error = "not a regular file";
            Err(io::Error::new(io::ErrorKind::InvalidInput, error))
        }
    }
}

/// Reads up to `limit` bytes; `ends_short` says that a read that gives less than was asked for is the last.
fn read(mut file: File, limit: usize, ends_short: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; CHUNK];
    while bytes.len() < limit {
        let wanted = CHUNK.min(limit - bytes.len());
        match file.read(&mut chunk[..wanted]) {
            Ok(0) => break,
            Ok(count) => {
                bytes.extend_from_slice(&chunk[..count]);
                if count < wanted && ends_short {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
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
        assert!(root.write("fifo", b"1").is_err());
    }
}
