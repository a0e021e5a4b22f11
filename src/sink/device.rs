//! A report through a character device: a serial line, a virtio port, the kernel's persistent store. A
//! terminal is put into raw mode while the report passes, so that no byte changes on the way.

use crate::error::Error;
use crate::fd::write_all;
use nix::sys::termios::{cfmakeraw, tcdrain, tcgetattr, tcsetattr, ControlFlags, SetArg, Termios};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};

/// Character devices that are a way to memory or to a medium that keeps what is on it, by major number and
/// the minors concerned (Documentation/admin-guide/devices.txt). They are refused like block devices.
const REFUSED: &[(u32, std::ops::RangeInclusive<u32>, &str)] = &[
    (1, 1..=2, "memory"),
    (1, 4..=4, "the I/O ports"),
    (9, 0..=u32::MAX, "a tape"),
    (10, 144..=144, "non-volatile memory"),
    (21, 0..=u32::MAX, "a SCSI device"),
    (90, 0..=u32::MAX, "flash memory"),
    (162, 0..=u32::MAX, "a disk"),
];

pub fn deliver(path: &str, report: &[u8]) -> Result<(), Error> {
    let at = |why: io::Error| Error::io(path, &why);
    let device = open(path).map_err(at)?;
    if let Some(what) = refusal(&device).map_err(at)? {
        let reason = format!("is {what}, which is never overwritten");
        return Err(Error::new(path, reason));
    }
    send(&device, report).map_err(at)
}

/// Not blocking, because the opening of a serial line waits for a carrier otherwise; and never as the
/// controlling terminal, whose hang-up would kill us.
fn open(path: &str) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open(path)
}

/// Judges what was opened rather than the path, which may mean something else by now.
fn refusal(device: &File) -> io::Result<Option<&'static str>> {
    let data = device.metadata()?;
    if !data.file_type().is_char_device() {
        return Ok(Some("no character device any more"));
    }
    let (major, minor) = (libc::major(data.rdev()), libc::minor(data.rdev()));
    let mut rows = REFUSED.iter();
    Ok(rows
        .find(|row| row.0 == major && row.1.contains(&minor))
        .map(|row| row.2))
}

fn send(device: &File, report: &[u8]) -> io::Result<()> {
    let _raw = Raw::enter(device);
    write_all(device.as_fd(), report)?;
    // The line's settings change back only behind the last byte. A device that is no terminal has no queue.
    match drain(device) {
        Err(nix::Error::ENOTTY | nix::Error::EINVAL) | Ok(()) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

fn drain(device: &File) -> nix::Result<()> {
    loop {
        match tcdrain(device) {
            Err(nix::Error::EINTR) => {}
            result => return result,
        }
    }
}

/// A terminal in raw mode for as long as this lives.
struct Raw<'a> {
    device: &'a File,
    before: Termios,
}

impl Raw<'_> {
    /// `None` for a device that is no terminal: there is nothing that could change the bytes.
    fn enter(device: &File) -> Option<Raw<'_>> {
        let before = tcgetattr(device).ok()?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        // Nobody has to hold up the carrier for us.
        raw.control_flags |= ControlFlags::CLOCAL;
        tcsetattr(device, SetArg::TCSANOW, &raw).ok()?;
        Some(Raw { device, before })
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.device, SetArg::TCSANOW, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::super::deliver;
    use super::*;
    use nix::pty::openpty;
    use nix::sys::termios::{InputFlags, OutputFlags};
    use std::io::Read;

    #[test]
    fn terminal_gets_every_byte_unchanged_and_its_settings_back() {
        let pty = openpty(None, None).unwrap();
        let path = nix::unistd::ttyname(&pty.slave).unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        assert!(before.output_flags.contains(OutputFlags::OPOST));
        assert!(before.input_flags.contains(InputFlags::ICRNL));

        // More than a terminal's buffer holds, with every byte there is.
        let report: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let expected = report.clone();
        let master = pty.master;
        let reader = std::thread::spawn(move || {
            let mut got = vec![0; expected.len()];
            let mut master = File::from(master);
            master.read_exact(&mut got).unwrap();
            assert!(got == expected);
            // Closed by now, it would hang the line up while its settings are looked at.
            master
        });
        assert_eq!(deliver(path.to_str().unwrap(), &report), Ok(()));
        let _master = reader.join().unwrap();
        assert!(tcgetattr(&pty.slave).unwrap() == before);
    }

    #[test]
    fn memory_is_refused() {
        match open("/dev/mem") {
            // As root only, and where there is such a device.
            Ok(device) => assert_eq!(refusal(&device).unwrap(), Some("memory")),
            Err(why) => assert_ne!(why.raw_os_error(), None),
        }
        assert_eq!(refusal(&open("/dev/null").unwrap()).unwrap(), None);
        assert_eq!(refusal(&open("/dev/full").unwrap()).unwrap(), None);
    }
}
