//! Files below a root folder: `/` for the live machine, the capture's folder for a captured one. Opening never
//! blocks, and in a capture only regular files are read, so that a FIFO in a strange folder cannot hold us up.

use super::FILE_LIMIT;
use nix::fcntl::{openat, OFlag, AT_FDCWD};
use nix::sys::stat::Mode;
use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Most files are smaller. They are read in one call, without asking for their size or for memory that grows: in an
/// emulated machine each call and each fresh page costs more than all that we do with the bytes.
const PIECE: usize = 4096;

/// Fills `piece` with entries of a folder; nothing at its end. Where the C library reads a folder, it takes memory for
/// it first, which is worth as much as all the names.
fn entries<'a>(folder: &OwnedFd, piece: &'a mut [u8; PIECE]) -> io::Result<&'a [u8]> {
    let (fd, start) = (folder.as_raw_fd(), piece.as_mut_ptr());
    // SAFETY: the kernel writes no more than the PIECE bytes that `piece` has.
    let count = unsafe { libc::syscall(libc::SYS_getdents64, fd, start, PIECE) };
    match usize::try_from(count) {
        Ok(count) => Ok(&piece[..count.min(PIECE)]),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// The names in `struct linux_dirent64` after `struct linux_dirent64` (getdents(2)): 16 bytes, the entry's whole length
/// (u16), its type, and the name up to a NUL. Without `.` and `..`, and without what is not UTF-8: nothing that the
/// kernel made.
struct Names<'a>(&'a [u8]);

impl<'a> Iterator for Names<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        const LENGTH: usize = 16;
        const NAME: usize = 19;
        loop {
            let length = u16::from_ne_bytes(self.0.get(LENGTH..LENGTH + 2)?.try_into().ok()?);
            let name = CStr::from_bytes_until_nul(self.0.get(NAME..length.into())?);
            self.0 = self.0.get(length.into()..)?;
            match name.ok()?.to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => return Some(name),
            }
        }
    }
}

#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    /// Whether the kernel made this tree: what /proc and /sys hold needs no second look.
    live: bool,
}

impl Tree {
    pub fn live() -> Tree {
        Tree {
            root: PathBuf::from("/"),
            live: true,
        }
    }

    pub fn captured(root: &Path) -> Tree {
        Tree {
            root: root.to_owned(),
            live: false,
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    pub fn read(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        // Of the C library's ways to open, this one is a single system call.
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let mut file = File::from(openat(AT_FDCWD, &self.path(path), flags, Mode::empty())?);
        if !self.live && !file.metadata()?.is_file() {
            let error = "not a regular file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        let mut bytes = Vec::new();
        let mut piece = [0; PIECE];
        while bytes.len() < limit {
            let wanted = PIECE.min(limit - bytes.len());
            match file.read(&mut piece[..wanted]) {
                Ok(0) => break,
                Ok(count) => {
                    bytes.extend_from_slice(&piece[..count]);
                    // What sysfs gives short is the end; /proc may still have more.
                    if count < wanted && path.starts_with("/sys/") {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(bytes)
    }

    /// A part of a file; of one that ends before it, less or nothing.
    pub fn read_at(&self, path: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = File::open(self.path(path))?;
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
        let mut file = File::options().write(true).open(self.path(path))?;
        file.write_all(bytes)
    }

    pub fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let folder = openat(AT_FDCWD, &self.path(path), flags, Mode::empty())?;
        let mut names = Vec::new();
        let mut piece = [0; PIECE];
        loop {
            let filled = entries(&folder, &mut piece)?;
            if filled.is_empty() {
                names.sort_unstable();
                return Ok(names);
            }
            names.extend(Names(filled).map(str::to_owned));
        }
    }

    pub fn link_name(&self, path: &str) -> io::Result<String> {
        let target = fs::read_link(self.path(path))?;
        match target.file_name() {
            Some(name) => Ok(name.to_string_lossy().into_owned()),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_folder_larger_than_one_piece() {
        let folder = tempfile::tempdir().unwrap();
        let mut expected: Vec<String> = (0..300).map(|n| format!("{n:040}")).collect();
        for name in &expected {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let strange = std::ffi::OsStr::from_bytes(b"\xff");
        fs::write(folder.path().join(strange), "").unwrap();
        expected.sort();
        assert_eq!(Tree::captured(folder.path()).list("/").unwrap(), expected);
    }

    #[test]
    fn entries_that_are_cut_off_or_too_short() {
        let mut entry = vec![0; 16];
        entry.extend(24u16.to_ne_bytes());
        entry.extend(b"\x08name\0");
        assert_eq!(Names(&entry).collect::<Vec<_>>(), ["name"]);
        for end in 0..entry.len() {
            assert_eq!(Names(&entry[..end]).next(), None, "{end}");
        }
        entry[16..18].copy_from_slice(&0u16.to_ne_bytes());
        assert_eq!(Names(&entry).next(), None);
    }
}
