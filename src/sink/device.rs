//! A report through a character device: a serial line, a virtio port, the kernel's persistent store. A
//! terminal is put into raw mode while the report passes, so that no byte changes on the way.

use crate::deadline::Deadline;
use crate::error::Error;
use crate::fd::{write_all_until, write_while};
use crate::held::{CharDevice, Held};
use crate::machine::tty;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{
    cfmakeraw, tcdrain, tcflush, tcgetattr, tcsetattr, ControlFlags, FlushArg, SetArg, Termios,
};
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

/// Classes of character devices that are made for text, with their names in sysfs: serial lines, consoles and terminals
/// (also those of hypervisors), printers, virtio ports, the kernel's persistent store. Every other class is refused: what
/// a report would do to registers, buses, media, timers or a screen's memory is not for us to find out.
const CLASSES: &[&str] = &["tty", "printer", "virtio-ports", "pmsg"];

/// Devices of other classes that take text or throw it away, by their names in sysfs.
const DEVICES: &[&str] = &["null", "zero", "full"];

/// Of the class `tty`, but opening it makes a new terminal, which nobody reads.
const MULTIPLEXER: &str = "ptmx";

/// USB printers share their class with other devices (Linux's drivers/usb/class/usblp.c).
const USB_PRINTERS: (&str, &str) = ("usbmisc", "lp");

/// Terminals that sysfs does not have, by their major numbers, and the others where sysfs is not mounted
/// (Documentation/admin-guide/devices.txt).
const UNIX98_TERMINALS: RangeInclusive<u32> = 136..=143;

/// What harm it would do to devices that sysfs may not tell of, by major number and the minors concerned.
const HARM: &[(u32, RangeInclusive<u32>, &str)] = &[
    (1, 1..=2, "memory"),
    (1, 4..=4, "the I/O ports"),
    (1, 8..=9, "the source of random numbers"),
    (5, 2..=2, "the maker of terminals"),
    (7, 0..=u32::MAX, "a screen's memory"),
    (9, 0..=u32::MAX, "a tape"),
    (10, 130..=130, "a watchdog"),
    (10, 135..=135, "the clock"),
    (10, 144..=144, "non-volatile memory"),
    (10, 231..=231, "the kernel's hibernation"),
    (13, 0..=u32::MAX, "an input device"),
    (21, 0..=u32::MAX, "a SCSI device"),
    (29, 0..=u32::MAX, "a frame buffer"),
    (89, 0..=u32::MAX, "an I2C bus"),
    (90, 0..=u32::MAX, "flash memory"),
    (108, 0..=0, "a network"),
    (153, 0..=u32::MAX, "an SPI bus"),
    (162, 0..=u32::MAX, "a disk"),
    (189, 0..=u32::MAX, "a USB device"),
    (202, 0..=u32::MAX, "a processor's registers"),
    (203, 0..=u32::MAX, "a processor"),
    (226, 0..=u32::MAX, "a graphics card"),
];

/// Writes to the device that `path` led to; of which it was judged, before it was opened.
pub fn deliver(path: &str, held: &Held, report: &[u8], deadline: Deadline) -> Result<(), Error> {
    let refused = match held.char_device() {
        Some(device) => refusal(&device),
        None => Some("is no character device any more".to_owned()),
    };
    if let Some(reason) = refused {
        return Err(Error::new(path, reason));
    }
    open(path, held)
        .and_then(|device| send(&device, report, deadline))
        .map_err(|why| Error::io(path, &why))
}

/// Not blocking, because the opening of a serial line waits for a carrier otherwise; and never as the
/// controlling terminal, whose hang-up would kill us.
fn open(path: &str, held: &Held) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.write(true);
    held.open(
        options.custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK),
        path,
    )
}

/// Why no report is written to it; `None` for a device that is made for text.
fn refusal(device: &CharDevice) -> Option<String> {
    let CharDevice {
        number,
        name,
        class,
    } = device;
    let (major, minor) = *number;
    let harm = HARM
        .iter()
        .find(|row| row.0 == major && row.1.contains(&minor));
    if let Some(row) = harm {
        return Some(format!("is {}, to which no report is written", row.2));
    }
    let takes_text = match class.as_str() {
        "" => matches!((major, minor), (1, 3 | 5 | 7) | (4, _) | (5, 0..=1)),
        "mem" => DEVICES.contains(&name.as_str()),
        class if class == USB_PRINTERS.0 => name.starts_with(USB_PRINTERS.1),
        class => CLASSES.contains(&class) && name != MULTIPLEXER,
    };
    if takes_text || UNIX98_TERMINALS.contains(&major) {
        return None;
    }
    Some(match class.as_str() {
        "" => format!("is the character device {major}:{minor}, which is not known to take text"),
        class => format!("is {name}, a device of the class {class}, which is not made for text"),
    })
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
        let path = path.to_str().unwrap();
        let held = Held::at(path).unwrap();
        let why = super::deliver(path, &held, &[b'x'; 300_000], deadline).unwrap_err();
        assert!(why.reason().contains("timed out"), "{why}");
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(tcgetattr(&pty.slave).unwrap() == before);
    }

    fn refused(number: (u32, u32), class: &str, name: &str) -> Option<String> {
        refusal(&CharDevice {
            number,
            name: name.to_owned(),
            class: class.to_owned(),
        })
    }

    #[test]
    fn what_is_made_for_text_gets_it() {
        for (number, class, name) in [
            ((4, 64), "tty", "ttyS0"),
            ((188, 0), "tty", "ttyUSB0"),
            ((229, 0), "tty", "hvc0"),
            ((5, 1), "tty", "console"),
            ((136, 0), "", ""),
            ((6, 0), "printer", "lp0"),
            ((180, 0), "usbmisc", "lp0"),
            ((245, 1), "virtio-ports", "vport0p1"),
            ((246, 0), "pmsg", "pmsg0"),
            ((1, 3), "mem", "null"),
            ((1, 7), "mem", "full"),
            // Where sysfs is not mounted.
            ((1, 3), "", ""),
            ((4, 64), "", ""),
        ] {
            assert_eq!(refused(number, class, name), None, "{class} {name}");
        }
    }

    /// With sysfs by the class, without it by the number; what is neither known so nor so is refused as well.
    #[test]
    fn what_a_report_would_harm_is_refused() {
        for (number, class, name) in [
            ((1, 1), "mem", "mem"),
            ((1, 2), "mem", "kmem"),
            ((1, 4), "mem", "port"),
            ((1, 8), "mem", "random"),
            ((1, 9), "mem", "urandom"),
            ((5, 2), "tty", "ptmx"),
            ((7, 1), "vc", "vcs1"),
            ((9, 0), "scsi_tape", "st0"),
            ((10, 130), "misc", "watchdog"),
            ((10, 144), "misc", "nvram"),
            ((10, 231), "misc", "snapshot"),
            ((21, 0), "scsi_generic", "sg0"),
            ((29, 0), "graphics", "fb0"),
            ((89, 0), "i2c-dev", "i2c-0"),
            ((90, 0), "mtd", "mtd0"),
            ((153, 0), "spidev", "spidev0.0"),
            ((189, 0), "usb_device", "usb1"),
            ((202, 0), "msr", "msr0"),
            ((203, 0), "cpuid", "cpu0"),
            ((226, 0), "drm", "card0"),
        ] {
            let why = refused(number, class, name).unwrap();
            assert!(why.ends_with("to which no report is written"), "{why}");
            assert_eq!(refused(number, "", ""), Some(why));
        }
        for (number, class, name) in [
            ((248, 0), "watchdog", "watchdog0"),
            ((10, 223), "misc", "uinput"),
            ((10, 239), "misc", "uhid"),
            ((10, 200), "misc", "tun"),
            ((10, 229), "misc", "fuse"),
            ((10, 232), "misc", "kvm"),
            ((10, 236), "misc", "device-mapper"),
            ((10, 237), "misc", "loop-control"),
            ((10, 238), "misc", "vhost-net"),
            ((10, 196), "misc", "vfio"),
            ((10, 62), "misc", "xen!xenbus"),
            ((250, 0), "nvme", "nvme0"),
            ((251, 0), "nvme-generic", "ng0n1"),
            ((252, 0), "bsg", "0:0:0:0"),
            ((253, 0), "rtc", "rtc0"),
            ((254, 0), "gpio", "gpiochip0"),
            ((247, 0), "tpm", "tpm0"),
            ((244, 0), "hidraw", "hidraw0"),
            ((243, 0), "ipmi", "ipmi0"),
            ((242, 0), "mei", "mei0"),
            ((180, 96), "usbmisc", "hiddev0"),
            ((180, 176), "usbmisc", "cdc-wdm0"),
            ((1, 11), "mem", "kmsg"),
            ((1, 12), "mem", "oldmem"),
            ((246, 0), "made-next-year", "x0"),
        ] {
            let why = refused(number, class, name).unwrap();
            assert!(why.contains(name) && why.contains(class), "{why}");
        }
        let unknown = refused((240, 5), "", "").unwrap();
        assert!(unknown.contains("240:5"), "{unknown}");
    }

    /// Every character device of the machine that the tests run on: nothing but what is made for text is not refused, and
    /// nothing is opened.
    #[test]
    fn devices_of_this_machine() {
        let mut seen = 0;
        for entry in std::fs::read_dir("/dev").unwrap() {
            let path = entry.unwrap().path();
            let path = path.to_str().unwrap();
            let Ok(held) = Held::at(path) else { continue };
            let Some(device) = held.char_device() else {
                continue;
            };
            let name = path.rsplit('/').next().unwrap();
            let is_text = [
                "tty", "hvc", "console", "null", "zero", "full", "lp", "vport", "std",
            ];
            let is_text = is_text.iter().any(|start| name.starts_with(start));
            let refused = refusal(&device);
            assert_eq!(refused.is_none(), is_text, "{path}: {refused:?}");
            seen += 1;
        }
        assert!(seen >= 5);
    }
}
