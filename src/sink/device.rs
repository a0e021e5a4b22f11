//! A report through a character device: a serial line, a virtio port, the kernel's persistent store. A
//! terminal is put into raw mode while the report passes, so that no byte changes on the way.

use crate::deadline::Deadline;
use crate::error::Error;
use crate::fd::{write_all_until, write_while};
use crate::machine::tty;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{
    cfmakeraw, tcdrain, tcflush, tcgetattr, tcsetattr, ControlFlags, FlushArg, SetArg, Termios,
};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::time::Duration;

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

pub fn deliver(path: &str, report: &[u8], deadline: Deadline) -> Result<(), Error> {
    let at = |why: io::Error| Error::io(path, &why);
    let device = open(path).map_err(at)?;
    if let Some(what) = refusal(&device).map_err(at)? {
        let reason = format!("is {what}, which is never overwritten");
        return Err(Error::new(path, reason));
    }
    send(&device, report, deadline).map_err(at)
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

fn send(device: &File, report: &[u8], deadline: Deadline) -> io::Result<()> {
    // A device that is no terminal has no settings that could change the bytes, and no queue.
    let Some(raw) = Raw::enter(device) else {
        return write_all_until(device.as_fd(), report, deadline);
    };
    let result = raw.send(report, deadline);
    if result.is_err() {
        // The close of a line that takes nothing would wait for it, half a minute long.
        let _ = tcflush(device, FlushArg::TCOFLUSH);
    }
    result
}

/// How long is waited at a time.
const SLICE: Duration = Duration::from_millis(50);

/// What ends a process in the middle of a report, and would leave the terminal raw behind it.
const DEADLY: &[Signal] = &[
    Signal::SIGALRM,
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
];

/// A terminal in raw mode for as long as this lives. Signals that would end this process have it end the delivery instead,
/// and come when the settings are back.
struct Raw<'a> {
    device: &'a File,
    before: Termios,
    mask: SigSet,
    signals: Option<SignalFd>,
}

impl Raw<'_> {
    /// `None` for a device that is no terminal.
    fn enter(device: &File) -> Option<Raw<'_>> {
        let before = tcgetattr(device).ok()?;
        let deadly: SigSet = DEADLY.iter().copied().collect();
        let mask = deadly.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok()?;
        let signals = SignalFd::with_flags(&deadly, SfdFlags::SFD_CLOEXEC).ok();
        let raw = Raw {
            device,
            before,
            mask,
            signals,
        };
        let mut settings = raw.before.clone();
        cfmakeraw(&mut settings);
        // Nobody has to hold up the carrier for us.
        settings.control_flags |= ControlFlags::CLOCAL;
        tcsetattr(device, SetArg::TCSANOW, &settings).ok()?;
        Some(raw)
    }

    /// The line's settings change back only behind the last byte.
    fn send(&self, report: &[u8], deadline: Deadline) -> io::Result<()> {
        let wait = || match (self.is_interrupted(), deadline.is_over()) {
            (true, _) => Err(io::Error::from_raw_os_error(libc::ECANCELED)),
            (_, true) => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(deadline.within(SLICE).poll_timeout()),
        };
        write_while(self.device.as_fd(), report, &wait)?;
        while tty::unsent(self.device.as_fd()).is_some_and(|count| count > 0) {
            wait()?;
            std::thread::sleep(SLICE / 10);
        }
        // What is left is in the hardware, for which the kernel waits as long as the line's speed says.
        match tcdrain(self.device) {
            Err(nix::Error::ENOTTY | nix::Error::EINVAL | nix::Error::EINTR) | Ok(()) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }

    fn is_interrupted(&self) -> bool {
        self.signals.as_ref().is_some_and(|signals| {
            let mut wanted = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
            poll(&mut wanted, PollTimeout::ZERO).is_ok_and(|count| count > 0)
        })
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.device, SetArg::TCSANOW, &self.before);
        // What came meanwhile comes now.
        let _ = self.mask.thread_set_mask();
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

    /// A line whose other end takes nothing, in each way: told in time, its settings back, and closed without a wait.
    #[test]
    fn line_that_takes_nothing_is_late_and_gets_its_settings_back() {
        let pty = openpty(None, None).unwrap();
        let path = nix::unistd::ttyname(&pty.slave).unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        let start = std::time::Instant::now();
        let deadline = Deadline::after(Duration::from_millis(100));
        let why = super::deliver(path.to_str().unwrap(), &[b'x'; 300_000], deadline).unwrap_err();
        assert!(why.reason().contains("timed out"), "{why}");
        assert!(start.elapsed() < Duration::from_secs(10));
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
