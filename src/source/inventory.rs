//! What an inventory knows a machine by, from /sys and /proc. Reading it touches no device.

use super::boot::block_devices;
use super::{Part, Source, Stage};
use crate::facts::inventory::{Disk, Interface, Inventory, Serials, Time};
use crate::machine::{read_text, Machine};

/// Network cards, serial numbers, disks, memory, processors and the time.
pub static SOURCE: Source = Source {
    name: "inventory",
    stage: Stage::Inventory,
    parts: &[
        Part::Files("/sys/class/net"),
        Part::Files("/sys/class/rtc"),
        Part::Files("/sys/devices/system/cpu"),
        Part::Files("/proc/meminfo"),
    ],
    read: |context, facts, _| facts.inventory = Some(read(context.machine)),
};

const NETWORK: &str = "/sys/class/net";
const DMI: &str = "/sys/class/dmi/id";
const CLOCKS: &str = "/sys/class/rtc";

fn read(machine: &dyn Machine) -> Inventory {
    let serial = |name: &str| field(machine, DMI, name);
    Inventory {
        interfaces: interfaces(machine),
        serials: Serials {
            system: serial("product_serial"),
            board: serial("board_serial"),
            chassis: serial("chassis_serial"),
        },
        disks: disks(machine),
        memory: memory(machine),
        processors: text(machine, "/sys/devices/system/cpu/online").and_then(|list| count(&list)),
        time: time(machine),
    }
}

/// A file's text, unless it is empty.
fn text(machine: &dyn Machine, path: &str) -> Option<String> {
    let text = read_text(machine, path).ok()?;
    let text = text.trim_start();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The same of a file in a directory.
fn field(machine: &dyn Machine, directory: &str, name: &str) -> Option<String> {
    text(machine, &[directory, "/", name].concat())
}

fn flag(machine: &dyn Machine, directory: &str, name: &str) -> Option<bool> {
    match field(machine, directory, name)?.as_str() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// Those with a device: no loopback, bridge, bond or tunnel.
fn interfaces(machine: &dyn Machine) -> Option<Vec<Interface>> {
    let mut cards = Vec::new();
    for name in machine.list(NETWORK).ok()? {
        let at = [NETWORK, "/", &name].concat();
        let device = [&at, "/device"].concat();
        if machine.list(&device).is_err() {
            continue;
        }
        let zeros = |mac: &String| mac.bytes().all(|byte| matches!(byte, b'0' | b':'));
        cards.push(Interface {
            mac: field(machine, &at, "address").filter(|mac| !zeros(mac)),
            driver: machine.link_name(&[&device, "/driver"].concat()).ok(),
            carrier: flag(machine, &at, "carrier"),
            name,
        });
    }
    Some(cards)
}

fn disks(machine: &dyn Machine) -> Option<Vec<Disk>> {
    let mut disks = Vec::new();
    for drive in block_devices::read(machine)? {
        let at = [block_devices::ROOT, "/", &drive.name].concat();
        let of = |name: &str| field(machine, &at, name);
        disks.push(Disk {
            size: drive.sectors.and_then(|sectors| sectors.checked_mul(512)),
            model: of("device/model"),
            // SCSI's is in a page of vital product data; virtio's beside the disk.
            serial: of("device/serial").or_else(|| of("serial")),
            rotational: flag(machine, &at, "queue/rotational"),
            name: drive.name,
        });
    }
    Some(disks)
}

/// `MemTotal:  16384 kB`, which are KiB.
fn memory(machine: &dyn Machine) -> Option<u64> {
    let info = text(machine, "/proc/meminfo")?;
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    number.checked_mul(1024)
}

/// How many a list such as `0-3,8` has (Linux Documentation/admin-guide/cputopology.rst).
fn count(list: &str) -> Option<u32> {
    let mut sum: u32 = 0;
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        sum = sum.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    Some(sum)
}

fn time(machine: &dyn Machine) -> Option<Time> {
    let mut by_rtc = false;
    for clock in machine.list(CLOCKS).unwrap_or_default() {
        let at = [CLOCKS, "/", &clock].concat();
        by_rtc |= flag(machine, &at, "hctosys") == Some(true);
    }
    Some(Time {
        unix: machine.time()?,
        source: if by_rtc { "rtc" } else { "kernel" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::captured::Captured;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn lists_of_processors() {
        for (list, expected) in [
            ("0", Some(1)),
            ("0-3", Some(4)),
            ("0-3,8,10-11", Some(7)),
            ("", None),
            ("3-0", None),
            ("0-4294967295", None),
            ("x", None),
        ] {
            assert_eq!(count(list), expected, "{list}");
        }
    }

    #[test]
    fn what_is_absent_takes_nothing_else_with_it() {
        let directory = tempfile::TempDir::new().unwrap();
        let root = directory.path();
        let put = |path: &str, text: &str| {
            let place = root.join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, text).unwrap();
        };
        assert_eq!(read(&Captured::open(root).unwrap()), Inventory::default());

        put("sys/class/net/lo/address", "00:00:00:00:00:00\n");
        put("sys/class/net/eth0/address", "52:54:00:12:34:56\n");
        put("sys/class/net/eth0/carrier", "1\n");
        put("sys/class/net/eth0/device/vendor", "0x1af4\n");
        put("sys/class/net/ib0/device/vendor", "0x15b3\n");
        symlink(
            "../../../../bus/virtio/drivers/virtio_net",
            root.join("sys/class/net/eth0/device/driver"),
        )
        .unwrap();
        put("sys/class/dmi/id/board_serial", "  B1 \n");
        put("sys/block/vda/size", "2048\n");
        put("sys/block/vda/serial", "S1\n");
        put("sys/block/loop0/size", "8\n");
        put("proc/meminfo", "MemFree: 1 kB\nMemTotal:       1024 kB\n");
        let found = read(&Captured::open(root).unwrap());
        let text = |text: &str| Some(text.to_owned());
        let interfaces = found.interfaces.unwrap();
        let cards: Vec<_> = interfaces
            .iter()
            .map(|card| {
                (
                    &card.name[..],
                    card.mac.clone(),
                    card.driver.clone(),
                    card.carrier,
                )
            })
            .collect();
        assert_eq!(
            cards,
            [
                (
                    "eth0",
                    text("52:54:00:12:34:56"),
                    text("virtio_net"),
                    Some(true)
                ),
                ("ib0", None, None, None)
            ]
        );
        assert_eq!(
            found.serials,
            Serials {
                board: text("B1"),
                ..Serials::default()
            }
        );
        let disks = found.disks.unwrap();
        assert_eq!(
            (disks.len(), disks[0].size, disks[0].serial.clone()),
            (1, Some(1 << 20), text("S1"))
        );
        assert_eq!(
            (found.memory, found.processors, found.time),
            (Some(1 << 20), None, None)
        );
    }
}
