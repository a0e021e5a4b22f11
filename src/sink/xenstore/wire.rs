//! xenstore's protocol (xen/include/public/io/xs_wire.h, docs/misc/xenstore.txt): a header of four 32-bit words in the
//! machine's byte order (type, request, transaction, length), then at most 4096 bytes. Only what a report needs is
//! spoken, and every answer has a deadline: a daemon that is gone says nothing at all.

use crate::error::error_text;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// For one answer.
const PATIENCE: Duration = Duration::from_secs(5);

const HEADER: usize = 16;
const PAYLOAD: usize = 4096; // XENSTORE_PAYLOAD_MAX

/// Types of messages (enum xsd_sockmsg_type).
const TRANSACTION_START: u32 = 6;
const TRANSACTION_END: u32 = 7;
const WRITE: u32 = 11;
const REMOVE: u32 = 13;
const WATCH_EVENT: u32 = 15;
const ERROR: u32 = 16;

#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The daemon's own word, such as EACCES.
    Refused(String),
    Silent,
    Nonsense(&'static str),
    Broken(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(name) => to.write_str(name),
            Failure::Silent => write!(to, "no answer within {} s", PATIENCE.as_secs()),
            Failure::Nonsense(what) => write!(to, "an answer that makes no sense: {what}"),
            Failure::Broken(why) => to.write_str(why),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(why: io::Error) -> Failure {
        Failure::Broken(error_text(&why))
    }
}

impl From<Errno> for Failure {
    fn from(why: Errno) -> Failure {
        Failure::from(io::Error::from(why))
    }
}

pub struct Connection {
    fd: OwnedFd,
    request: u32,
    patience: Duration,
}

impl Connection {
    /// Opens the kernel's device or connects to the daemon's socket.
    pub fn open(path: &str) -> Result<Connection, Failure> {
        let fd = if fs::metadata(path)?.file_type().is_socket() {
            let stream = UnixStream::connect(path)?;
            stream.set_nonblocking(true)?;
            OwnedFd::from(stream)
        } else {
            let device = OpenOptions::new()
                .read(true)
                .write(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(path)?;
            OwnedFd::from(device)
        };
        Ok(Connection {
            fd,
            request: 0,
            patience: PATIENCE,
        })
    }

    #[cfg(test)]
    pub fn with_patience(self, patience: Duration) -> Connection {
        Connection { patience, ..self }
    }

    pub fn start(&mut self) -> Result<u32, Failure> {
        let answer = self.ask(TRANSACTION_START, 0, &[b"\0"])?;
        let number = std::str::from_utf8(&answer)
            .ok()
            .map(|text| text.trim_end_matches('\0'));
        number
            .and_then(|text| text.parse().ok())
            .ok_or(Failure::Nonsense("no number of a transaction"))
    }

    /// Makes all that was written visible, or forgets it.
    pub fn end(&mut self, transaction: u32, commit: bool) -> Result<(), Failure> {
        let word: &[u8] = if commit { b"T\0" } else { b"F\0" };
        self.ask(TRANSACTION_END, transaction, &[word]).map(drop)
    }

    pub fn write(&mut self, transaction: u32, path: &str, value: &[u8]) -> Result<(), Failure> {
        let payload = [path.as_bytes(), b"\0", value];
        self.ask(WRITE, transaction, &payload).map(drop)
    }

    pub fn remove(&mut self, transaction: u32, path: &str) -> Result<(), Failure> {
        self.ask(REMOVE, transaction, &[path.as_bytes(), b"\0"])
            .map(drop)
    }

    fn ask(&mut self, kind: u32, transaction: u32, payload: &[&[u8]]) -> Result<Vec<u8>, Failure> {
        let deadline = Instant::now() + self.patience;
        self.request += 1;
        let payload = payload.concat();
        if payload.len() > PAYLOAD {
            return Err(Failure::Refused("E2BIG".to_owned()));
        }
        let words = [kind, self.request, transaction, payload.len() as u32];
        let mut message: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        message.extend_from_slice(&payload);
        self.send(&message, deadline)?;
        loop {
            let (kind_of_answer, request, answer) = self.receive(deadline)?;
            match kind_of_answer {
                WATCH_EVENT => {}
                _ if request != self.request => {}
                ERROR => {
                    let name = String::from_utf8_lossy(&answer);
                    return Err(Failure::Refused(name.trim_end_matches('\0').to_owned()));
                }
                _ if kind_of_answer == kind => return Ok(answer),
                _ => return Err(Failure::Nonsense("another type than was asked for")),
            }
        }
    }

    fn receive(&mut self, deadline: Instant) -> Result<(u32, u32, Vec<u8>), Failure> {
        let mut header = [0; HEADER];
        self.fill(&mut header, deadline)?;
        let word = |index: usize| {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(&header[index * 4..index * 4 + 4]);
            u32::from_ne_bytes(bytes)
        };
        let length = word(3) as usize;
        if length > PAYLOAD {
            return Err(Failure::Nonsense("longer than a message may be"));
        }
        let mut payload = vec![0; length];
        self.fill(&mut payload, deadline)?;
        Ok((word(0), word(1), payload))
    }

    fn send(&self, mut bytes: &[u8], deadline: Instant) -> Result<(), Failure> {
        while !bytes.is_empty() {
            match nix::unistd::write(&self.fd, bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                // A socket's alone: the kernel's device takes every message.
                Err(Errno::EAGAIN) => self.wait(PollFlags::POLLOUT, deadline)?,
                Err(Errno::EINTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    fn fill(&self, mut place: &mut [u8], deadline: Instant) -> Result<(), Failure> {
        while !place.is_empty() {
            self.wait(PollFlags::POLLIN, deadline)?;
            match nix::unistd::read(&self.fd, place) {
                Ok(0) => return Err(Failure::Broken("the connection was closed".to_owned())),
                Ok(count) => place = place.get_mut(count..).unwrap_or_default(),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    fn wait(&self, event: PollFlags, deadline: Instant) -> Result<(), Failure> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::Silent);
            }
            let millis = u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX);
            match poll(
                &mut [PollFd::new(self.fd.as_fd(), event)],
                PollTimeout::from(millis),
            ) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(why) => return Err(why.into()),
            }
        }
    }
}
