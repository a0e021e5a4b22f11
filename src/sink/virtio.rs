//! A report through the virtio-serial port of a name (`virtio:org.xenprobe.report`), which QEMU's `-device
//! virtserialport,name=...` gives it. The kernel numbers the ports and shows their names in sysfs (Linux
//! drivers/char/virtio_console.c, `show_port_name`; virtio 1.2, 5.3).

use super::{device, disk, within, WAIT};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::fd::read_text;
use crate::held::Held;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use std::fs::OpenOptions;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;

/// Why nothing is written where the port is not found.
pub const ABSENT: &str = "there is no port of this name";

const PORTS: &str = "/sys/class/virtio-ports";

/// Of the device behind the port's name in /dev, which anybody could have put there.
const CLASS: &str = "virtio-ports";

pub fn deliver(name: &str, report: &[u8], deadline: Deadline) -> Result<(), Error> {
    let Some(path) = within(deadline.within(WAIT), || find(PORTS, name)) else {
        let subject = format!("virtio:{name}");
        return Err(Error::new(subject, ABSENT));
    };
    let held = Held::at(&path).map_err(|why| Error::io(&path, &why))?;
    let class = held.char_device().map(|device| device.class);
    if class.as_deref() != Some(CLASS) {
        return Err(Error::new(path, "is no virtio port"));
    }
    listened_to(&path, &held, deadline)?;
    device::deliver(&path, &held, report, deadline)
}

/// Whether there is a port of this name.
pub fn is_there(name: &str) -> bool {
    find(PORTS, name).is_some()
}

/// The device of the port that is called `name`.
fn find(ports: &str, name: &str) -> Option<String> {
    let ports_there = disk::names(ports);
    let port = ports_there.iter().find(|port| {
        read_text(&format!("{ports}/{port}/name")).is_ok_and(|text| text.trim_end() == name)
    })?;
    Some(format!("/dev/{port}"))
}

/// Where the host has not opened its end, a report would wait for ever.
fn listened_to(path: &str, held: &Held, deadline: Deadline) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let options = options.write(true).custom_flags(libc::O_NONBLOCK);
    let port = held.open(options, path);
    let port = port.map_err(|why| Error::io(path, &why))?;
    let open = within(deadline.within(WAIT), || {
        let mut wanted = [PollFd::new(port.as_fd(), PollFlags::POLLOUT)];
        poll(&mut wanted, PollTimeout::ZERO).ok()?;
        let events = wanted[0].revents()?;
        (!events.contains(PollFlags::POLLHUP)).then_some(())
    });
    open.ok_or_else(|| Error::new(path, "nobody listens at its other end"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn port_is_found_by_its_name() {
        let directory = tempfile::TempDir::new().unwrap();
        let root = directory.path().to_str().unwrap();
        for (port, name) in [
            ("vport0p1", "org.qemu.guest_agent.0\n"),
            ("vport0p2", "report\n"),
        ] {
            fs::create_dir(directory.path().join(port)).unwrap();
            fs::write(directory.path().join(port).join("name"), name).unwrap();
        }
        fs::create_dir(directory.path().join("vport1p0")).unwrap();
        assert_eq!(find(root, "report").as_deref(), Some("/dev/vport0p2"));
        assert_eq!(find(root, "repor"), None);
        assert_eq!(find("/nonexistent", "report"), None);
    }
}
