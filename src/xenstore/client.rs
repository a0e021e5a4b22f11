//! Asking xenstore's daemon, through the kernel's device or through its own socket. Every answer has the one deadline that
//! the client was opened with: a daemon that is gone says nothing at all.

use super::wire::{self, Header};
use crate::deadline::Deadline;
use crate::error::error_text;
use crate::held::Held;
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr};
use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::time::Duration;

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The daemon's own word, such as EACCES.
    Refused(String),
    /// Nothing came before the deadline.
    Silent,
    /// The answer makes no sense.
    Nonsense(&'static str),
    /// The daemon closed the connection.
    Closed,
    /// The connection failed.
    Broken(Errno),
    /// There is something else under that path, to which nothing was written.
    Foreign,
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(name) => to.write_str(name),
            Failure::Silent => to.write_str("no answer in time"),
            Failure::Nonsense(what) => write!(to, "an answer that makes no sense: {what}"),
            Failure::Closed => to.write_str("the connection was closed"),
            Failure::Broken(why) => to.write_str(&error_text(&(*why).into())),
            Failure::Foreign => to.write_str(FOREIGN),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Errno> for Failure {
    fn from(why: Errno) -> Failure {
        Failure::Broken(why)
    }
}

impl From<io::Error> for Failure {
    fn from(why: io::Error) -> Failure {
        Failure::Broken(Errno::from_raw(why.raw_os_error().unwrap_or(libc::EIO)))
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> io::Error {
        match failure {
            Failure::Refused(name) => match name.as_str() {
                "ENOENT" => io::ErrorKind::NotFound.into(),
                "EACCES" => io::ErrorKind::PermissionDenied.into(),
                _ => io::Error::other(name),
            },
            Failure::Silent => io::ErrorKind::TimedOut.into(),
            Failure::Nonsense(what) => io::Error::new(io::ErrorKind::InvalidData, what),
            Failure::Closed => io::ErrorKind::UnexpectedEof.into(),
            Failure::Broken(why) => why.into(),
            Failure::Foreign => io::Error::other(FOREIGN),
        }
    }
}

const FOREIGN: &str = "is neither xenstore's device nor a socket";

/// xenfs (XENFS_SUPER_MAGIC in Linux's drivers/xen/xenfs/super.c).
const XENFS: u64 = 0xabba_1974;

/// Whether it is the kernel's way to xenstore: the character device (drivers/xen/xenbus/xenbus_dev_frontend.c), or the
/// file of xenfs.
pub fn is_device(held: &Held) -> bool {
    if let Some(device) = held.char_device() {
        return device.class == "misc" && device.name == "xen!xenbus";
    }
    let is_xenfs = || {
        let system = held.file_system();
        system.is_ok_and(|system| system.filesystem_type().0 as u64 & 0xffff_ffff == XENFS)
    };
    let is_named_so = || {
        held.real_path()
            .is_some_and(|path| path.ends_with("xenbus"))
    };
    held.data().is_file() && is_xenfs() && is_named_so()
}

/// A connection. Paths that do not begin with `/` are below the domain's own node.
pub struct Client {
    fd: OwnedFd,
    /// Number of the last request.
    request: u32,
    deadline: Deadline,
}

impl Client {
    /// Opens the kernel's device or connects to the daemon's socket. All that is asked has to be answered before
    /// `deadline`, and so has a daemon that has more callers than it takes.
    pub fn open(path: &str, deadline: Deadline) -> Result<Client, Failure> {
        let held = Held::at(path)?;
        let fd = if held.data().file_type().is_socket() {
            match connect(&held.path(), deadline) {
                // Without /proc.
                Err(Failure::Broken(Errno::ENOENT)) => connect(path, deadline)?,
                result => result?,
            }
        } else if is_device(&held) {
            let mut options = OpenOptions::new();
            let options = options.read(true).write(true);
            let options = options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
            OwnedFd::from(held.open(options, path)?)
        } else {
            return Err(Failure::Foreign);
        };
        Ok(Client {
            fd,
            request: 0,
            deadline,
        })
    }

    /// The value of a key, outside of any transaction.
    pub fn read(&mut self, path: &str) -> Result<Vec<u8>, Failure> {
        self.ask(wire::READ, 0, &[path.as_bytes(), b"\0"])
    }

    /// Begins a transaction, and gives its number.
    pub fn start(&mut self) -> Result<u32, Failure> {
        let answer = self.ask(wire::TRANSACTION_START, 0, &[b"\0"])?;
        let number = std::str::from_utf8(&answer).ok();
        number
            .and_then(|text| text.trim_end_matches('\0').parse().ok())
            .ok_or(Failure::Nonsense("no number of a transaction"))
    }

    /// Makes all that was written visible, or forgets it.
    pub fn end(&mut self, transaction: u32, commit: bool) -> Result<(), Failure> {
        let word: &[u8] = if commit { b"T\0" } else { b"F\0" };
        let answer = self.ask(wire::TRANSACTION_END, transaction, &[word]);
        answer.map(drop)
    }

    /// Writes a key.
    pub fn write(&mut self, transaction: u32, path: &str, value: &[u8]) -> Result<(), Failure> {
        let payload = [path.as_bytes(), b"\0", value];
        self.ask(wire::WRITE, transaction, &payload).map(drop)
    }

    /// Removes a key and all below it.
    pub fn remove(&mut self, transaction: u32, path: &str) -> Result<(), Failure> {
        let payload = [path.as_bytes(), b"\0"];
        self.ask(wire::REMOVE, transaction, &payload).map(drop)
    }

    fn ask(&mut self, kind: u32, transaction: u32, payload: &[&[u8]]) -> Result<Vec<u8>, Failure> {
        self.request = self.request.wrapping_add(1);
        let message = wire::message(kind, self.request, transaction, &payload.concat())
            .ok_or_else(|| Failure::Refused("E2BIG".to_owned()))?;
        self.send(&message)?;
        loop {
            let (header, answer) = self.receive()?;
            match header.kind {
                wire::WATCH_EVENT => {}
                _ if header.request != self.request => {}
                wire::ERROR => {
                    let name = String::from_utf8_lossy(&answer);
                    return Err(Failure::Refused(name.trim_end_matches('\0').to_owned()));
                }
                answered if answered == kind => return Ok(answer),
                _ => return Err(Failure::Nonsense("another type than was asked for")),
            }
        }
    }

    fn receive(&mut self) -> Result<(Header, Vec<u8>), Failure> {
        let mut header = [0; wire::HEADER];
        self.fill(&mut header)?;
        let header = Header::parse(header);
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if length > wire::PAYLOAD {
            return Err(Failure::Nonsense("longer than a message may be"));
        }
        let mut payload = vec![0; length];
        self.fill(&mut payload)?;
        Ok((header, payload))
    }

    fn send(&self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            match nix::unistd::write(&self.fd, bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                // A socket's alone: the kernel's device takes every message.
                Err(Errno::EAGAIN) => self.wait(PollFlags::POLLOUT)?,
                Err(Errno::EINTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    fn fill(&self, mut place: &mut [u8]) -> Result<(), Failure> {
        while !place.is_empty() {
            self.wait(PollFlags::POLLIN)?;
            match nix::unistd::read(&self.fd, place) {
                Ok(0) => return Err(Failure::Closed),
                Ok(count) => place = place.get_mut(count..).unwrap_or_default(),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    fn wait(&self, event: PollFlags) -> Result<(), Failure> {
        while !self.deadline.is_over() {
            let mut waiting = [PollFd::new(self.fd.as_fd(), event)];
            match poll(&mut waiting, self.deadline.poll_timeout()) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(why) => return Err(why.into()),
            }
        }
        Err(Failure::Silent)
    }
}

/// Connects. Where the daemon's queue is full the kernel says EAGAIN at once (unix(7)), and nothing tells when that is over.
fn connect(path: &str, deadline: Deadline) -> Result<OwnedFd, Failure> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket::socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    let address = UnixAddr::new(path)?;
    loop {
        match socket::connect(fd.as_raw_fd(), &address) {
            Ok(()) => return Ok(fd),
            Err(Errno::EAGAIN | Errno::EINTR) if !deadline.is_over() => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(Errno::EAGAIN | Errno::EINTR) => return Err(Failure::Silent),
            Err(why) => return Err(why.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;
    /// What the client is told by a daemon that answers one message so.
    fn told(kind: u32, payload: &'static [u8]) -> Result<Vec<u8>, Failure> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let daemon = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut asked = [0; wire::HEADER + 3];
            stream.read_exact(&mut asked).unwrap();
            assert!(asked.ends_with(b"vm\0"));
            // Somebody else's answer, an event, and the answer in two chunks.
            let _ = stream.write_all(&wire::message(wire::READ, 9, 0, b"x").unwrap());
            let _ = stream.write_all(&wire::message(wire::WATCH_EVENT, 0, 0, b"w").unwrap());
            let answer = wire::message(kind, 1, 0, payload).unwrap();
            let _ = stream.write_all(&answer[..5]);
            let _ = stream.write_all(&answer[5..]);
        });
        let deadline = Deadline::after(Duration::from_secs(60));
        let mut client = Client::open(path.to_str().unwrap(), deadline)?;
        let answer = client.read("vm");
        daemon.join().unwrap();
        answer
    }

    #[test]
    fn a_key_is_read() {
        assert_eq!(told(wire::READ, b"/vm/1"), Ok(b"/vm/1".to_vec()));
        assert_eq!(
            told(wire::WRITE, b"OK\0"),
            Err(Failure::Nonsense("another type than was asked for"))
        );
    }

    #[test]
    fn failures_are_errors_of_their_kind() {
        let kind = |failure: Failure| io::Error::from(failure).kind();
        let refused = told(wire::ERROR, b"ENOENT\0").unwrap_err();
        assert_eq!(refused, Failure::Refused("ENOENT".to_owned()));
        assert_eq!(kind(refused), io::ErrorKind::NotFound);
        let refused = told(wire::ERROR, b"EACCES\0").unwrap_err();
        assert_eq!(kind(refused), io::ErrorKind::PermissionDenied);
        assert_eq!(kind(Failure::Silent), io::ErrorKind::TimedOut);
    }

    /// Whatever is there keeps every byte, and no protocol is spoken to it.
    #[test]
    fn only_a_socket_and_the_kernels_device_are_spoken_to() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        fs::write(at("file"), "somebody's").unwrap();
        fs::write(at("xenbus"), "somebody's").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        nix::unistd::mkfifo(at("fifo").as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let deadline = Deadline::after(Duration::from_secs(60));
        let open = |path: &str| Client::open(path, deadline).err();
        for name in ["file", "xenbus", "link", "fifo", "."] {
            assert_eq!(open(&at(name)), Some(Failure::Foreign), "{name}");
        }
        for path in ["/dev/null", "/dev/full", "/dev/kmsg", "/proc/self/comm"] {
            assert_eq!(open(path), Some(Failure::Foreign), "{path}");
        }
        for name in ["file", "xenbus"] {
            assert_eq!(fs::read_to_string(at(name)).unwrap(), "somebody's");
        }
        let _other = std::os::unix::net::UnixDatagram::bind(at("datagram")).unwrap();
        let refused = open(&at("datagram"));
        assert_eq!(refused, Some(Failure::Broken(Errno::EPROTOTYPE)));
    }

    /// One that takes nobody in, with as many waiting as it lets wait.
    #[test]
    fn full_daemon_is_not_waited_for_beyond_the_deadline() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let path = path.to_str().unwrap();
        let listener = UnixListener::bind(path).unwrap();
        socket::listen(&listener, socket::Backlog::new(0).unwrap()).unwrap();
        let deadline = || Deadline::after(Duration::from_millis(50));
        let waiting: Vec<_> = (0..9).map(|_| Client::open(path, deadline())).collect();
        assert!(matches!(waiting.last(), Some(Err(Failure::Silent))));
    }

    #[test]
    fn nobody_is_waited_for_beyond_the_deadline() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        let deadline = Deadline::after(Duration::from_millis(50));
        let mut client = Client::open(path.to_str().unwrap(), deadline).unwrap();
        assert_eq!(client.read("vm"), Err(Failure::Silent));
    }
}
