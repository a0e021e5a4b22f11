//! Reading from xenstore through the kernel's device: a header of four words, then a path with its NUL; the answer has
//! the same header (xen/include/public/io/xs_wire.h). The daemon may be absent, so nothing waits for long.

use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;

const DEVICE: &str = "/dev/xen/xenbus";
const HEADER: usize = 16;
/// XENSTORE_PAYLOAD_MAX.
const PAYLOAD: usize = 4096;
const READ: u32 = 2;
const ERROR: u32 = 16;
/// Milliseconds for an answer.
const PATIENCE: u16 = 500;

/// The value of the key at `path`.
pub fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut device = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(DEVICE)?;
    device.write_all(&request(path))?;
    let mut answer = Vec::new();
    loop {
        match parse(&answer)? {
            Some(value) => return Ok(value),
            None => receive(&mut device, &mut answer)?,
        }
    }
}

fn request(path: &str) -> Vec<u8> {
    let length = path.len() as u32 + 1;
    let mut message = Vec::with_capacity(HEADER + path.len() + 1);
    for word in [READ, 0, 0, length] {
        message.extend_from_slice(&word.to_ne_bytes());
    }
    message.extend_from_slice(path.as_bytes());
    message.push(0);
    message
}

fn receive(device: &mut File, answer: &mut Vec<u8>) -> io::Result<()> {
    let mut waiting = [PollFd::new(device.as_fd(), PollFlags::POLLIN)];
    if poll(&mut waiting, PollTimeout::from(PATIENCE))? == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let mut piece = [0; HEADER + PAYLOAD];
    match device.read(&mut piece)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            answer.extend_from_slice(piece.get(..count).unwrap_or_default());
            Ok(())
        }
    }
}

/// The payload of a whole answer; `None` while a part of it is missing.
fn parse(answer: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let word = |at: usize| {
        let bytes = answer.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    let (Some(kind), Some(length)) = (word(0), word(12)) else {
        return Ok(None);
    };
    let length = length as usize;
    if length > PAYLOAD {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let Some(payload) = answer.get(HEADER..HEADER + length) else {
        return Ok(None);
    };
    match (kind, payload) {
        (READ, value) => Ok(Some(value.to_vec())),
        (ERROR, b"ENOENT\0") => Err(io::ErrorKind::NotFound.into()),
        (ERROR, b"EACCES\0") => Err(io::ErrorKind::PermissionDenied.into()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: u32, length: u32, payload: &[u8]) -> Vec<u8> {
        let words = [kind, 0, 0, length].map(u32::to_ne_bytes);
        [words.concat().as_slice(), payload].concat()
    }

    #[test]
    fn an_answer_that_comes_in_pieces() {
        let whole = answer(READ, 7, b"seabios");
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]).unwrap(), None);
        }
        assert_eq!(parse(&whole).unwrap().as_deref(), Some(&b"seabios"[..]));
    }

    #[test]
    fn errors_and_a_length_beyond_the_limit() {
        let kind = |bytes: &[u8]| parse(bytes).unwrap_err().kind();
        assert_eq!(
            kind(&answer(ERROR, 7, b"ENOENT\0")),
            io::ErrorKind::NotFound
        );
        assert_eq!(
            kind(&answer(READ, u32::MAX, b"")),
            io::ErrorKind::InvalidData
        );
        assert_eq!(kind(&answer(99, 0, b"")), io::ErrorKind::InvalidData);
    }
}
