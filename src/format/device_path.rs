//! UEFI device paths (UEFI 2.10, 10.3): nodes of a type, a subtype, a length and data, down to the type of device that
//! they lead to.

use crate::bytes::le16;
use serde::Serialize;

/// Where something boots from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// A disk.
    Disk,
    /// A DVD or CD drive.
    Dvd,
    /// A network card.
    Network,
    /// A floppy drive.
    Floppy,
    /// A disk or a DVD, behind an interface that has both.
    Drive,
    /// What is attached to USB.
    Usb,
    /// A kernel that the hypervisor hands over, or was given by its user.
    Kernel,
    /// A program inside the firmware: its set-up, a shell.
    Firmware,
    /// Something that has no name here.
    Unknown,
}

impl Device {
    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Device::Disk => "disk",
            Device::Dvd => "dvd",
            Device::Network => "network",
            Device::Floppy => "floppy",
            Device::Drive => "drive",
            Device::Usb => "usb",
            Device::Kernel => "kernel",
            Device::Firmware => "firmware",
            Device::Unknown => "unknown",
        }
    }
}

/// No firmware has paths as long as this; an end to any loop.
const NODES: usize = 32;

/// Names of nodes in UEFI's text form (10.6.1.6), without their data, and the device that a node makes of a path.
const TABLE: &[(u8, u8, &str, Option<Device>)] = &[
    (1, 1, "Pci", None),
    (1, 3, "MemoryMapped", Some(Device::Firmware)),
    (1, 4, "VenHw", None),
    (1, 5, "Ctrl", None),
    (2, 1, "Acpi", None),
    (2, 2, "AcpiEx", None),
    (2, 3, "AcpiAdr", None),
    (3, 1, "Ata", Some(Device::Drive)),
    (3, 2, "Scsi", Some(Device::Drive)),
    (3, 3, "Fibre", Some(Device::Disk)),
    (3, 5, "USB", Some(Device::Usb)),
    (3, 10, "VenMsg", None),
    (3, 11, "MAC", Some(Device::Network)),
    (3, 12, "IPv4", Some(Device::Network)),
    (3, 13, "IPv6", Some(Device::Network)),
    (3, 14, "Uart", None),
    (3, 15, "UsbClass", Some(Device::Usb)),
    (3, 16, "UsbWwid", Some(Device::Usb)),
    (3, 17, "Unit", None),
    (3, 18, "Sata", Some(Device::Drive)),
    (3, 19, "iSCSI", Some(Device::Network)),
    (3, 20, "Vlan", Some(Device::Network)),
    (3, 22, "SasEx", Some(Device::Drive)),
    (3, 23, "NVMe", Some(Device::Disk)),
    (3, 24, "Uri", Some(Device::Network)),
    (3, 26, "SD", Some(Device::Disk)),
    (3, 28, "Wi-Fi", Some(Device::Network)),
    (3, 29, "eMMC", Some(Device::Disk)),
    (3, 31, "Dns", Some(Device::Network)),
    (4, 1, "HD", Some(Device::Disk)),
    (4, 2, "CDROM", Some(Device::Dvd)),
    (4, 3, "VenMedia", None),
    (4, 4, "File", None),
    (4, 6, "FvFile", Some(Device::Firmware)),
    (4, 7, "Fv", Some(Device::Firmware)),
    (4, 9, "RamDisk", None),
    (5, 1, "BBS", None),
];

/// A device path as far as it is of use here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePath {
    /// The nodes' names, `PciRoot/Pci/MAC/IPv4`.
    pub text: String,
    /// What the path leads to.
    pub device: Device,
    /// Device and function of each PCI node, `03.0`, from the root bridge on.
    pub pci: Vec<String>,
}

/// The first path. What breaks off or makes no sense ends it there.
pub fn parse(bytes: &[u8]) -> DevicePath {
    let mut text = String::new();
    let mut device = Device::Unknown;
    let mut pci = Vec::new();
    let mut rest = bytes;
    for _ in 0..NODES {
        let Some((kind, subtype, data)) = node(rest) else {
            break;
        };
        if kind == 0x7f {
            break;
        }
        rest = rest.get(data.len() + 4..).unwrap_or_default();
        let row = TABLE.iter().find(|row| (row.0, row.1) == (kind, subtype));
        if !text.is_empty() {
            text.push('/');
        }
        match row {
            Some(row) => text.push_str(row.2),
            None => text.push_str(&format!("Path({kind},{subtype})")),
        }
        if let ((1, 1), [function, device, ..]) = ((kind, subtype), data) {
            pci.push(format!("{device:02x}.{function:x}"));
        }
        let leads_to = match (kind, subtype) {
            (5, 1) => bios_boot(data),
            _ => row.and_then(|row| row.3),
        };
        // Later nodes tell more; a partition or a CD's image may be on anything, also behind the network.
        device = match (device, leads_to) {
            (Device::Network, Some(_)) => Device::Network,
            (_, Some(device)) => device,
            (device, None) => device,
        };
    }
    DevicePath { text, device, pci }
}

/// Puts zeros for the data of all nodes but those that [`parse`] reads: they hold hardware addresses, serial numbers and
/// the signatures of disks.
pub fn redact(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some((kind, subtype, data)) = bytes.get(at..).and_then(node) {
        let kept = match (kind, subtype) {
            (1, 1) => data.len(),
            (5, 1) => 2,
            _ => 0,
        };
        let (start, end) = (at + 4, at + 4 + data.len());
        bytes[(start + kept).min(end)..end].fill(0);
        at = end;
    }
    bytes[at..].fill(0);
}

/// Type, subtype and data of the first node; `None` for a length that is shorter than the header or past the end.
fn node(bytes: &[u8]) -> Option<(u8, u8, &[u8])> {
    let length = usize::from(le16(bytes, 2)?);
    Some((*bytes.first()?, *bytes.get(1)?, bytes.get(4..length)?))
}

/// Device types of the BIOS Boot Specification (UEFI 2.10, 10.3.6).
fn bios_boot(data: &[u8]) -> Option<Device> {
    match le16(data, 0)? {
        1 => Some(Device::Floppy),
        2 => Some(Device::Disk),
        3 => Some(Device::Dvd),
        5 => Some(Device::Usb),
        6 | 0x80 => Some(Device::Network),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(path: &[u8]) -> (String, Device) {
        let path = parse(path);
        (path.text, path.device)
    }

    const PCI: &[u8] = &[1, 1, 6, 0, 0, 3];
    const END: &[u8] = &[0x7f, 0xff, 4, 0];

    fn mac() -> Vec<u8> {
        let mut node = vec![3, 11, 37, 0];
        node.resize(37, 0);
        node
    }

    #[test]
    fn pxe_over_ipv4() {
        let ipv4 = [3, 12, 4, 0];
        let path = [PCI, &mac(), &ipv4, END, PCI].concat();
        assert_eq!(leads(&path), ("Pci/MAC/IPv4".to_owned(), Device::Network));
    }

    #[test]
    fn a_partition_and_a_bios_device() {
        let disk = [PCI, &[3, 18, 4, 0], &[4, 1, 4, 0], &[4, 4, 4, 0], END].concat();
        assert_eq!(leads(&disk), ("Pci/Sata/HD/File".to_owned(), Device::Disk));
        let bbs = [5, 1, 8, 0, 3, 0, 0, 0];
        assert_eq!(leads(&bbs), ("BBS".to_owned(), Device::Dvd));
    }

    #[test]
    fn node_of_length_zero() {
        assert_eq!(parse(&[3, 11, 0, 0, 3, 11, 0, 0]).text, "");
        assert_eq!(parse(&[1, 1, 3, 0]).text, "");
    }

    #[test]
    fn node_that_reaches_past_the_end() {
        let path = [PCI, &[3, 11, 0xff, 0xff]].concat();
        assert_eq!(leads(&path), ("Pci".to_owned(), Device::Unknown));
        for end in 0..path.len() {
            parse(&path[..end]);
        }
    }

    #[test]
    fn path_without_an_end() {
        let path = PCI.repeat(1000);
        assert_eq!(parse(&path).text.matches("Pci").count(), NODES);
    }
}
