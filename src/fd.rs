//! Descriptors of any kind: the one way to open for reading, which nothing that lies at a path can hold up, and writing
//! that goes on until all is written.

use crate::deadline::Deadline;
use nix::errno::Errno;
use nix::fcntl::{openat, OFlag, AT_FDCWD};
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::stat::Mode;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// Most files are smaller. They are read in one call, without asking for their size or for memory that grows: in an
/// emulated machine each call and each fresh page costs more than all that we do with the bytes.
const CHUNK: usize = 4096;

/// The first `limit` bytes of a regular file. It waits for nobody: a FIFO, a socket, a device or a directory is told by
/// what was opened, not by what was there before.
///
/// # Errors
/// Those of the operating system, and `InvalidInput` where it is no regular file.
pub fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read(regular(open(path, OFlag::O_RDONLY)?)?, limit, false)
}

/// The text of one of the kernel's files, as far as 4 MiB.
///
/// # Errors
/// As of [`read_file`].
pub fn read_text(path: &str) -> io::Result<String> {
    let bytes = read_file(Path::new(path), 4 << 20)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Opens a path of this machine. Of the C library's ways to open, `openat` is a single system call.
pub fn open(path: &Path, flags: OFlag) -> io::Result<OwnedFd> {
    let flags = without_blocking(flags);
    Ok(openat(AT_FDCWD, path, flags, Mode::empty())?)
}

/// What is opened for its path alone takes no other flags, and waits for nothing.
pub fn without_blocking(flags: OFlag) -> OFlag {
    match flags.contains(OFlag::O_PATH) {
        true => flags | OFlag::O_CLOEXEC,
        false => flags | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY,
    }
}

/// What was opened, if it is a regular file.
pub fn regular(file: OwnedFd) -> io::Result<File> {
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
pub fn read(mut file: File, limit: usize, ends_short: bool) -> io::Result<Vec<u8>> {
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

/// Writes everything, whatever the descriptor is: short writes, signals and descriptors that do not block
/// (standard output may be one, by its other owners' choice) only cost another round.
pub fn write_all(fd: BorrowedFd, bytes: &[u8]) -> io::Result<()> {
    write_while(fd, bytes, &|| Ok(PollTimeout::NONE))
}

/// The same for a descriptor that does not block, until the deadline.
pub fn write_all_until(fd: BorrowedFd, bytes: &[u8], deadline: Deadline) -> io::Result<()> {
    write_while(fd, bytes, &|| match deadline.is_over() {
        true => Err(io::ErrorKind::TimedOut.into()),
        false => Ok(deadline.poll_timeout()),
    })
}

/// Writes everything; where that has to wait, `wait` says how long at a time, or why no longer.
pub fn write_while(
    fd: BorrowedFd,
    mut bytes: &[u8],
    wait: &dyn Fn() -> io::Result<PollTimeout>,
) -> io::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(fd, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                let mut wanted = [PollFd::new(fd, PollFlags::POLLOUT)];
                match poll(&mut wanted, wait()?) {
                    // A virtio port whose other end is closed says only that, and at once.
                    Ok(_) if wanted[0].revents() == Some(PollFlags::POLLHUP) => {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(why) => return Err(why.into()),
                }
            }
            Err(why) => return Err(why.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{fcntl, FcntlArg, OFlag};
    use std::os::fd::AsFd;

    #[test]
    fn nobody_is_waited_for_beyond_the_deadline() {
        let (_reader, writer) = nix::unistd::pipe2(OFlag::O_NONBLOCK).unwrap();
        let deadline = Deadline::after(Duration::from_millis(50));
        let why = write_all_until(writer.as_fd(), &[b'x'; 300_000], deadline).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::TimedOut);
    }

    /// A pipe that does not block takes 64 KiB at once; the rest has to wait for its reader.
    #[test]
    fn pipe_that_does_not_block_gets_everything() {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).unwrap();
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let sent = vec![b'x'; 300_000];
        let thread = std::thread::spawn(move || {
            let mut got = Vec::new();
            File::from(reader).read_to_end(&mut got).unwrap();
            got
        });
        write_all(writer.as_fd(), &sent).unwrap();
        drop(writer);
        assert_eq!(thread.join().unwrap(), sent);
    }
}
