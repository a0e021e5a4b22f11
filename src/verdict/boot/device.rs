//! What can be attached to a PCI function, by its class: disks, DVD drives, a network.

use crate::facts::boot::{Device, DriveKind};
use crate::facts::{Facts, PciFunction};
use crate::verdict::hypervisors::XEN;

/// PCI base class of network controllers.
pub const NETWORK_CLASS: u32 = 0x02;
/// PCI base class of mass storage controllers.
const STORAGE_CLASS: u32 = 0x01;
/// virtio block devices (virtio 1.2, 4.1.2): disks, whatever class they have.
const VIRTIO_BLOCK: [(u16, u16); 2] = [(0x1af4, 0x1001), (0x1af4, 0x1042)];

/// Mass storage subclasses, what they are called, and whether a DVD drive can be behind them.
const STORAGE: &[(u8, &str, bool)] = &[
    (0x00, "a SCSI controller", true),
    (0x01, "an IDE controller", true),
    (0x02, "a floppy controller", false),
    (0x04, "a RAID controller", false),
    (0x05, "an ATA controller", true),
    (0x06, "a SATA controller", true),
    (0x07, "a SAS controller", true),
    (0x08, "an NVMe controller", false),
];

/// What a function's only medium is.
pub fn boots_from(function: &PciFunction) -> Option<Device> {
    if function.class >> 16 == NETWORK_CLASS {
        return Some(Device::Network);
    }
    storage(function, DriveKind::Disk)?;
    match storage(function, DriveKind::Dvd) {
        Some(_) => Some(Device::Drive),
        None => Some(Device::Disk),
    }
}

/// What the function is to drives of that kind; `None` where none can be behind it.
pub fn storage(function: &PciFunction, kind: DriveKind) -> Option<&'static str> {
    let id = (function.vendor, function.device);
    if VIRTIO_BLOCK.contains(&id) {
        return (kind == DriveKind::Disk).then_some("a virtio disk");
    }
    // Xen's platform device calls itself a SCSI controller in old versions.
    if function.class >> 16 != STORAGE_CLASS || XEN.has_device(id.0, id.1) {
        return None;
    }
    let subclass = (function.class >> 8) as u8;
    let row = STORAGE.iter().find(|row| row.0 == subclass)?;
    let fits = match kind {
        DriveKind::Disk => subclass != 0x02,
        DriveKind::Dvd => row.2,
        DriveKind::Floppy => subclass == 0x02,
    };
    fits.then_some(row.1)
}

/// The functions of which `fits` is true, in order of address.
pub fn functions_of<'a>(
    facts: &'a Facts,
    fits: &dyn Fn(&PciFunction) -> bool,
) -> Vec<&'a PciFunction> {
    let functions = facts.pci.iter().flat_map(|pci| &pci.functions);
    functions.filter(|function| fits(function)).collect()
}
