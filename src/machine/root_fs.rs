//! Files below a root directory: `/` for the live machine, a capture's or an installed system's directory for others. In
//! those, symbolic links lead where they would lead on that machine: an absolute target begins at the root directory, and
//! `..` never leaves it, so that no file of ours is taken for one of theirs.
//!
//! All reading goes through one way to open, which never blocks: a FIFO or a terminal in a strange directory cannot hold
//! us up. In what is not the live machine, only regular files are read.

use super::directory;
use super::FILE_LIMIT;
use nix::errno::Errno;
use nix::fcntl::{openat, openat2, readlink, readlinkat, OFlag, OpenHow, ResolveFlag, AT_FDCWD};
use nix::sys::stat::Mode;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

/// Most files are smaller. They are read in one call, without asking for their size or for memory that grows: in an
/// emulated machine each call and each fresh page costs more than all that we do with the bytes.
const CHUNK: usize = 4096;

/// As many symbolic links as Linux follows in one path.
const LINKS: usize = 40;

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
        let mut file = self.file(path, OFlag::O_RDONLY)?;
        let mut bytes = Vec::new();
        let mut chunk = [0; CHUNK];
        while bytes.len() < limit {
            let wanted = CHUNK.min(limit - bytes.len());
            match file.read(&mut chunk[..wanted]) {
                Ok(0) => break,
                Ok(count) => {
                    bytes.extend_from_slice(&chunk[..count]);
                    // What sysfs gives short is the end; /proc may still have more.
                    if count < wanted && self.is_sysfs(path) {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(bytes)
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
        let file = File::from(self.open_path(path, access)?);
        if self.root.is_some() && !file.metadata()?.is_file() {
            let error = "not a regular file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        Ok(file)
    }

    /// The one way to open. Of the C library's ways, `openat` is a single system call.
    fn open_path(&self, path: &str, flags: OFlag) -> io::Result<OwnedFd> {
        // What is opened for its path alone takes no other flags, and waits for nothing.
        let flags = match flags.contains(OFlag::O_PATH) {
            true => flags | OFlag::O_CLOEXEC,
            false => flags | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY,
        };
        match &self.root {
            None => Ok(openat(AT_FDCWD, path, flags, Mode::empty())?),
            Some(root) => open_inside(root, path, flags),
        }
    }
}

/// Opens what `path` is in a system whose root directory is `root`.
fn open_inside(root: &OwnedFd, path: &str, flags: OFlag) -> io::Result<OwnedFd> {
    let resolve = ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    match openat2(root, path, OpenHow::new().flags(flags).resolve(resolve)) {
        // Before Linux 5.6, below a filter of system calls that does not know it, or beside somebody who moves directories.
        Err(Errno::ENOSYS | Errno::EPERM | Errno::EAGAIN) => open_by_hand(root, path, flags),
        opened => Ok(opened?),
    }
}

/// The same, link by link.
fn open_by_hand(root: &OwnedFd, path: &str, flags: OFlag) -> io::Result<OwnedFd> {
    let place = resolve(root, path, !flags.contains(OFlag::O_NOFOLLOW))?;
    Ok(openat(
        root,
        &place,
        flags | OFlag::O_NOFOLLOW,
        Mode::empty(),
    )?)
}

/// Where `path` leads, relative to `root` and without symbolic links; the last one is followed only if `follow` says so.
fn resolve(root: &OwnedFd, path: &str, follow: bool) -> io::Result<PathBuf> {
    let mut left: VecDeque<OsString> = components(Path::new(path)).collect();
    let mut place = PathBuf::from(".");
    let mut links = 0;
    while let Some(name) = left.pop_front() {
        if name == ".." {
            // The root directory is its own parent.
            if place.as_os_str() != "." {
                place.pop();
            }
            continue;
        }
        place.push(name);
        if left.is_empty() && !follow {
            break;
        }
        // What is no link, or is not there, is for the caller to find out.
        let Ok(target) = readlinkat(root, &place) else {
            continue;
        };
        links += 1;
        if links > LINKS {
            return Err(io::Error::from_raw_os_error(libc::ELOOP));
        }
        let target = PathBuf::from(target);
        match target.has_root() {
            true => place = PathBuf::from("."),
            false => drop(place.pop()),
        }
        for name in components(&target).rev() {
            left.push_front(name);
        }
    }
    Ok(place)
}

/// The names and `..` of a path.
fn components(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    type Open = fn(&OwnedFd, &str, OFlag) -> io::Result<OwnedFd>;

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

    /// By the kernel and by hand alike.
    #[test]
    fn links_stay_inside() {
        let outside = tempfile::tempdir().unwrap();
        let inside = outside.path().join("system");
        fs::create_dir_all(inside.join("etc")).unwrap();
        fs::write(outside.path().join("secret"), "outside").unwrap();
        fs::write(inside.join("secret"), "inside").unwrap();
        symlink("/secret", inside.join("etc/absolute")).unwrap();
        symlink("../../../secret", inside.join("etc/relative")).unwrap();
        symlink("/etc/loop", inside.join("etc/loop")).unwrap();
        symlink(outside.path(), inside.join("etc/away")).unwrap();
        symlink("etc", inside.join("short")).unwrap();
        let root = RootFs::open(&inside).unwrap().root.unwrap();
        for open in [open_inside as Open, open_by_hand] {
            let text = |path: &str| {
                let mut text = String::new();
                let file = open(&root, path, OFlag::O_RDONLY).ok()?;
                File::from(file).read_to_string(&mut text).ok()?;
                Some(text)
            };
            for path in [
                "/secret",
                "etc/absolute",
                "/etc/relative",
                "/../secret",
                "/short/relative",
                "short/../../etc/../secret",
            ] {
                assert_eq!(text(path).as_deref(), Some("inside"), "{path}");
            }
            for path in ["/etc/away/secret", "/etc/loop", "/etc", "/nothing"] {
                assert_eq!(text(path), None, "{path}");
            }
            let link = open(&root, "short/away", OFlag::O_PATH | OFlag::O_NOFOLLOW).unwrap();
            assert_eq!(readlinkat(link, "").unwrap(), outside.path());
        }
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
        }
        assert!(root.write("fifo", b"1").is_err());
    }
}
