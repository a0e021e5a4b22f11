//! Files below a root folder: `/` for the live machine, the capture's folder for a captured one. Opening never
//! blocks, and in a capture only regular files are read, so that a FIFO in a strange folder cannot hold us up.

use super::FILE_LIMIT;
use nix::fcntl::{openat, OFlag, AT_FDCWD};
use nix::sys::stat::Mode;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Most files are smaller. They are read in one call, without asking for their size or for memory that grows: in an
/// emulated machine each call and each fresh page costs more than all that we do with the bytes.
const PIECE: usize = 4096;

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
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path(path))? {
            // A name that is not UTF-8 is nothing that the kernel made.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    pub fn link_name(&self, path: &str) -> io::Result<String> {
        let target = fs::read_link(self.path(path))?;
        match target.file_name() {
            Some(name) => Ok(name.to_string_lossy().into_owned()),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}
