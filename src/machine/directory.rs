//! Names in a directory, read with getdents64(2) into memory of our own: the C library takes memory for a directory first,
//! which costs as much as all the names.

use crate::fd::open;
use nix::fcntl::OFlag;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// Bytes of entries that are read at a time.
const CHUNK: usize = 4096;

/// Bytes of the longest entry.
const ENTRY: usize = 280;

/// More names than this are not taken from a directory: none that is looked at has a hundredth of them.
const NAMES: usize = 1 << 16;

/// The names in an open directory, sorted, without `.` and `..`, and without what is not UTF-8: nothing that the kernel
/// made. `fills` says that the file system puts as many entries into a chunk as have room in it, so that one with room left
/// over is the last. An error where there are too many to be a machine's own.
pub fn names(directory: &OwnedFd, fills: bool) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut chunk = [0; CHUNK];
    loop {
        let filled = entries(directory, &mut chunk)?;
        names.extend(Names(filled).flat_map(CStr::to_str).map(str::to_owned));
        if names.len() > NAMES {
            return Err(io::Error::other("too many names in it"));
        }
        if filled.is_empty() || (fills && filled.len() + ENTRY <= CHUNK) {
            names.sort_unstable();
            return Ok(names);
        }
    }
}

/// Whether a directory holds nothing, not even what is not UTF-8.
pub fn is_empty(directory: &Path) -> io::Result<bool> {
    let directory = open(directory, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
    let mut chunk = [0; CHUNK];
    loop {
        let filled = entries(&directory, &mut chunk)?;
        if filled.is_empty() || Names(filled).next().is_some() {
            return Ok(filled.is_empty());
        }
    }
}

/// Fills `chunk` with entries of a directory; nothing at its end.
fn entries<'a>(directory: &OwnedFd, chunk: &'a mut [u8; CHUNK]) -> io::Result<&'a [u8]> {
    let (fd, start) = (directory.as_raw_fd(), chunk.as_mut_ptr());
    // SAFETY: the kernel writes no more than the CHUNK bytes that `chunk` has.
    let count = unsafe { libc::syscall(libc::SYS_getdents64, fd, start, CHUNK) };
    match usize::try_from(count) {
        Ok(count) => Ok(&chunk[..count.min(CHUNK)]),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// The names in `struct linux_dirent64` after `struct linux_dirent64` (getdents(2)): 16 bytes, the entry's whole length
/// (u16), its type, and the name up to a NUL. Without `.` and `..`.
struct Names<'a>(&'a [u8]);

impl<'a> Iterator for Names<'a> {
    type Item = &'a CStr;

    fn next(&mut self) -> Option<&'a CStr> {
        const LENGTH: usize = 16;
        const NAME: usize = 19;
        loop {
            let length = u16::from_ne_bytes(self.0.get(LENGTH..LENGTH + 2)?.try_into().ok()?);
            let name = CStr::from_bytes_until_nul(self.0.get(NAME..length.into())?);
            self.0 = self.0.get(length.into()..)?;
            match name.ok()? {
                name if name == c"." || name == c".." => {}
                name => return Some(name),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_too_strange_to_make_a_directory_full() {
        use std::os::unix::ffi::OsStrExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert!(is_empty(path).unwrap());
        let file = path.join(std::ffi::OsStr::from_bytes(b"\xff"));
        std::fs::write(&file, "").unwrap();
        assert!(!is_empty(path).unwrap());
        assert!(is_empty(&file).is_err());
        let directory = open(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY).unwrap();
        assert_eq!(names(&directory, false).unwrap(), [""; 0]);
    }

    #[test]
    fn entries_that_are_cut_off_or_too_short() {
        let mut entry = vec![0; 16];
        entry.extend(24u16.to_ne_bytes());
        entry.extend(b"\x08name\0");
        assert_eq!(Names(&entry).collect::<Vec<_>>(), [c"name"]);
        for end in 0..entry.len() {
            assert_eq!(Names(&entry[..end]).next(), None, "{end}");
        }
        entry[16..18].copy_from_slice(&0u16.to_ne_bytes());
        assert_eq!(Names(&entry).next(), None);
    }
}
