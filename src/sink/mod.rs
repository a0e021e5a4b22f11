//! Bytes of a finished report in, delivered bytes out: one file a kind of sink. A sink is named by a word:
//! a scheme with a colon (`file:/path`), `-` for standard output, or a plain path, where what is already
//! there decides. An error is one line, `path: why`.

mod device;
mod file;

use crate::source::brief;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;

type Deliver = fn(&str, &[u8]) -> Result<(), String>;

/// The schemes before a colon. A new sink is a row here and a file beside this one.
const SCHEMES: &[(&str, Deliver)] = &[("file", file::deliver)];

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Free,
    File,
    CharDevice,
    Other(&'static str),
}

/// Puts the report where `spec` says and returns the number of bytes, which is the report's length.
pub fn deliver(spec: &str, report: &[u8]) -> Result<usize, String> {
    match spec {
        "" => return Err("a sink needs a name".to_owned()),
        "-" | "stdout" => {
            write_all(io::stdout().as_fd(), report).map_err(|why| at("stdout", &why))?
        }
        _ => match scheme(spec) {
            Some((name, rest)) => match SCHEMES.iter().find(|row| row.0 == name) {
                Some(row) => row.1(rest, report)?,
                None => return Err(format!("{spec}: there is no kind of sink called {name}")),
            },
            None => match place(spec)? {
                Place::CharDevice => device::deliver(spec, report)?,
                // A file there would be lost with the memory, while somebody waits at the line's other end.
                Place::Free if spec.starts_with("/dev/") && !spec.starts_with("/dev/shm/") => {
                    return Err(format!("{spec}: there is no such device"));
                }
                _ => file::deliver(spec, report)?,
            },
        },
    }
    Ok(report.len())
}

/// The word before the first colon, if it can be a scheme's name: a path with a colon has a slash before it.
fn scheme(spec: &str) -> Option<(&str, &str)> {
    let (name, rest) = spec.split_once(':')?;
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then_some((name, rest))
}

/// Looks at what is there, through symbolic links.
fn place(path: &str) -> Result<Place, String> {
    let kind = match fs::metadata(path) {
        Ok(data) => data.file_type(),
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Place::Free),
        Err(why) => return Err(at(path, &why)),
    };
    Ok(if kind.is_file() {
        Place::File
    } else if kind.is_char_device() {
        Place::CharDevice
    } else if kind.is_dir() {
        Place::Other("a directory")
    } else if kind.is_block_device() {
        Place::Other("a block device, and what is on a disk is never overwritten")
    } else if kind.is_fifo() {
        Place::Other("a FIFO")
    } else if kind.is_socket() {
        Place::Other("a socket")
    } else {
        Place::Other("of an unknown kind")
    })
}

/// Writes everything, whatever the descriptor is: short writes, signals and descriptors that do not block
/// (standard output may be one, by its other owners' choice) only cost another round.
pub fn write_all(fd: BorrowedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(fd, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => {
                let mut wanted = [PollFd::new(fd, PollFlags::POLLOUT)];
                match poll(&mut wanted, PollTimeout::NONE) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(why) => return Err(why.into()),
                }
            }
            Err(why) => return Err(why.into()),
        }
    }
    Ok(())
}

/// An error's line.
fn at(path: &str, why: &io::Error) -> String {
    format!("{path}: {}", brief(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{fcntl, FcntlArg, OFlag};
    use std::io::Read;

    #[test]
    fn schemes_and_paths() {
        assert_eq!(scheme("file:/a"), Some(("file", "/a")));
        assert_eq!(scheme("/dev/disk/by-path/pci-0000:00"), None);
        assert_eq!(scheme("./a:b"), None);
        assert_eq!(scheme("report.json"), None);
    }

    #[test]
    fn unknown_scheme_is_not_a_file_name() {
        assert_eq!(
            deliver("http://host/x", b"x"),
            Err("http://host/x: there is no kind of sink called http".to_owned())
        );
        assert_eq!(deliver("", b"x"), Err("a sink needs a name".to_owned()));
    }

    #[test]
    fn device_that_is_not_there_does_not_become_a_file() {
        assert_eq!(
            deliver("/dev/ttyS999", b"x"),
            Err("/dev/ttyS999: there is no such device".to_owned())
        );
        assert!(fs::metadata("/dev/ttyS999").is_err());
    }

    #[test]
    fn full_device_is_named() {
        assert_eq!(
            deliver("/dev/full", b"x"),
            Err("/dev/full: No space left on device".to_owned())
        );
        assert_eq!(deliver("/dev/null", b"four"), Ok(4));
    }

    /// A pipe that does not block takes 64 KiB at once; the rest has to wait for its reader.
    #[test]
    fn pipe_that_does_not_block_gets_everything() {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).unwrap();
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let sent = vec![b'x'; 300_000];
        let thread = std::thread::spawn(move || {
            let mut got = Vec::new();
            fs::File::from(reader).read_to_end(&mut got).unwrap();
            got
        });
        write_all(writer.as_fd(), &sent).unwrap();
        drop(writer);
        assert_eq!(thread.join().unwrap(), sent);
    }
}
