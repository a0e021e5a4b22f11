//! Writing to descriptors of any kind.

use crate::deadline::Deadline;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

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
    use std::io::Read;
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
            std::fs::File::from(reader).read_to_end(&mut got).unwrap();
            got
        });
        write_all(writer.as_fd(), &sent).unwrap();
        drop(writer);
        assert_eq!(thread.join().unwrap(), sent);
    }
}
