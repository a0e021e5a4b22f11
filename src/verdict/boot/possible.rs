//! From what a machine can boot: whether there is something that a disk, a DVD or a floppy can be attached to, and a
//! network card with a boot program. Whether a medium is in the drive is not asked.

use super::{by_kind, has_no_board, reason, Answer, Interface, Possible};
use crate::facts::boot::{BootFacts, Device, DriveKind, OptionRom, RomImage};
use crate::facts::{Facts, PciFunction};
use crate::verdict::hypervisors::XEN;
use crate::verdict::words::Class;
use crate::verdict::{Reason, Verdict};

const EFI_IMAGE: u8 = 3;
const NETWORK_CLASS: u32 = 0x02;
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

pub fn judge(facts: &Facts, boot: &BootFacts, verdict: &Verdict, interface: Interface) -> Possible {
    if has_no_board(verdict.kind) && interface == Interface::None {
        return by_toolstack(boot, verdict);
    }
    Possible {
        disk: drive(facts, boot, DriveKind::Disk),
        dvd: drive(facts, boot, DriveKind::Dvd),
        network: network(facts, boot, verdict, interface),
        floppy: floppy(boot, interface),
    }
}

/// PV, and PVH without firmware.
fn by_toolstack(boot: &BootFacts, verdict: &Verdict) -> Possible {
    let loader = "through the toolstack's loader (pygrub, pvgrub), which reads the kernel from it";
    let never = "never: the toolstack's loaders read disks and DVDs, and there is no card that could load anything";
    let answer = |answer, means: &str, kind| Answer {
        answer: Some(answer),
        reasons: std::iter::once(by_kind(verdict, means))
            .chain(attached(boot, kind))
            .collect(),
    };
    Possible {
        disk: answer(true, loader, Some("disk")),
        dvd: answer(true, loader, Some("cdrom")),
        network: answer(false, never, None),
        floppy: answer(false, "never: there is no floppy controller", None),
    }
}

/// Block devices of that type on the Xen bus.
fn attached(boot: &BootFacts, kind: Option<&'static str>) -> Vec<Reason> {
    let disks = boot.xenstore.iter().flat_map(|keys| &keys.disks);
    let of_kind = disks.filter(|disk| Some(disk.device_type.as_str()) == kind);
    of_kind
        .map(|disk| {
            let observed = format!("{} has device-type {}", disk.name, disk.device_type);
            reason("xenstore", observed, "one is attached")
        })
        .collect()
}

fn drive(facts: &Facts, boot: &BootFacts, kind: DriveKind) -> Answer {
    let mut reasons = Vec::new();
    let functions = facts.pci.iter().flat_map(|pci| &pci.functions);
    for function in functions {
        if let Some(what) = storage(function, kind) {
            let observed = format!("{} is {what}", function.address);
            reasons.push(reason(
                "pci",
                observed,
                "the firmware boots from its drives",
            ));
        }
    }
    for drive in boot.drives.iter().flatten() {
        if drive.kind == kind {
            let observed = format!("{} is there", drive.name);
            reasons.push(reason("block", observed, "a drive that the kernel found"));
        }
    }
    for option in boot.efi.iter().flat_map(|efi| &efi.options) {
        let wanted = match kind {
            DriveKind::Disk => Device::Disk,
            DriveKind::Dvd => Device::Dvd,
            DriveKind::Floppy => Device::Floppy,
        };
        if option.active && option.device == wanted {
            reasons.push(super::order::of_option(option, facts));
        }
    }
    if !reasons.is_empty() {
        return yes(reasons);
    }
    let usb = functions_of(facts, |function| function.class >> 8 == 0x0c03);
    if let Some(function) = usb.first() {
        let observed = format!("{} is a USB controller", function.address);
        let means = "a drive may be behind it, if the firmware looks there";
        return unknown(vec![reason("pci", observed, means)]);
    }
    match &facts.pci {
        Some(pci) if !pci.functions.is_empty() => no(
            "pci",
            "no controller among the PCI functions",
            "nothing to attach a drive to",
        ),
        _ => unknown(Vec::new()),
    }
}

/// What a function's only medium is.
pub fn boots(function: &PciFunction) -> Option<Device> {
    if function.class >> 16 == NETWORK_CLASS {
        return Some(Device::Network);
    }
    storage(function, DriveKind::Disk)?;
    match storage(function, DriveKind::Dvd) {
        Some(_) => Some(Device::Drive),
        None => Some(Device::Disk),
    }
}

fn storage(function: &PciFunction, kind: DriveKind) -> Option<&'static str> {
    let id = (function.vendor, function.device);
    if VIRTIO_BLOCK.contains(&id) {
        return (kind == DriveKind::Disk).then_some("a virtio disk");
    }
    // Xen's platform device calls itself a SCSI controller in old versions.
    if function.class >> 16 != 0x01 || XEN.has_device(id.0, id.1) {
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

fn network(facts: &Facts, boot: &BootFacts, verdict: &Verdict, interface: Interface) -> Answer {
    let mut reasons: Vec<Reason> = boot
        .option_roms()
        .filter_map(|rom| boots_network(rom, interface))
        .collect();
    for option in boot.efi.iter().flat_map(|efi| &efi.options) {
        if option.active && option.device == Device::Network {
            reasons.push(super::order::of_option(option, facts));
        }
    }
    if !reasons.is_empty() {
        return yes(reasons);
    }
    let cards = functions_of(facts, |function| function.class >> 16 == NETWORK_CLASS);
    if cards.is_empty() {
        return without_card(facts, boot, interface);
    }
    let emulated = verdict.class == Class::Hvm;
    let known = |card: &&PciFunction| {
        let mut roms = boot.option_roms();
        roms.any(|rom| rom.place == card.address || rom.is_for(card))
    };
    let all_known = boot.bios_roms.is_some() && cards.iter().all(known);
    if interface == Interface::Bios && emulated && all_known {
        let means = "a BIOS needs the card's own boot program, and it has none";
        let none = |card: &&PciFunction| {
            let observed = format!("{} has no boot ROM", card.address);
            reason("option-rom", observed, means)
        };
        return Answer {
            answer: Some(false),
            reasons: cards.iter().map(none).collect(),
        };
    }
    let observed = format!("{} is a network card", cards[0].address);
    let means = "whether the firmware has a boot program for it could not be told";
    unknown(vec![reason("pci", observed, means)])
}

/// No network card shows; one that was there for the firmware may have been unplugged since, and its ROM is left.
fn without_card(facts: &Facts, boot: &BootFacts, interface: Interface) -> Answer {
    let xenbus = facts.xenbus.as_deref().unwrap_or_default();
    let unplugged = xenbus
        .iter()
        .any(|device| device.devtype.as_deref() == Some("vif"));
    let means = "nothing to boot through";
    match &facts.pci {
        _ if boot.bios_roms.is_some() && interface == Interface::Bios => {
            let observed = "neither a network card nor an option ROM that boots from the network";
            no("option-rom", observed, means)
        }
        Some(pci) if !pci.functions.is_empty() && !unplugged => {
            no("pci", "no network card among the PCI functions", means)
        }
        _ => unknown(Vec::new()),
    }
}

/// Whether a ROM holds a program that the firmware can boot the network with, as a reason.
pub fn boots_network(rom: &OptionRom, interface: Interface) -> Option<Reason> {
    let fits = |image: &&RomImage| match interface {
        Interface::Uefi => image.code_type == Some(EFI_IMAGE) && is_network(image),
        _ => boots_as_pxe(image),
    };
    let image = rom.images.iter().find(fits)?;
    let pnp = image.pnp.as_ref();
    let product = pnp.and_then(|pnp| pnp.product.as_deref());
    let what = match (interface, product) {
        (Interface::Uefi, _) => "an EFI driver for the network".to_owned(),
        (_, Some(product)) => format!("a boot entry (BEV), product \"{product}\""),
        (_, None) => "a boot entry (BEV) for the network".to_owned(),
    };
    Some(reason(
        "option-rom",
        format!("{}: option ROM with {what}", rom.place),
        "a network boot program that the firmware starts",
    ))
}

/// A ROM for a PC with a bootstrap entry vector and a network card's class: PXE, iPXE, Etherboot. QEMU's loaders of
/// kernels have such a vector as well, and no such class.
pub fn boots_as_pxe(image: &RomImage) -> bool {
    let can_boot = image.pnp.as_ref().is_some_and(|pnp| pnp.bev != 0);
    can_boot && image.code_type != Some(EFI_IMAGE) && is_network(image)
}

fn is_network(image: &RomImage) -> bool {
    let by_pnp = image.pnp.as_ref().map(|pnp| pnp.device_type >> 16);
    let by_pci = image.class.map(|class| class >> 16);
    by_pci == Some(NETWORK_CLASS) || (by_pci.is_none() && by_pnp == Some(NETWORK_CLASS))
}

fn floppy(boot: &BootFacts, interface: Interface) -> Answer {
    if interface == Interface::Uefi {
        return no(
            "efi-vars",
            "the firmware is UEFI",
            "it has no driver for floppies",
        );
    }
    let drives = boot.drives.iter().flatten();
    let found = drives.filter(|drive| drive.kind == DriveKind::Floppy);
    let mut reasons: Vec<Reason> = found
        .map(|drive| {
            let observed = format!("{} is there", drive.name);
            reason("block", observed, "a drive that the kernel found")
        })
        .collect();
    if let Some(cmos) = &boot.cmos {
        let observed = format!("CMOS 0x10 is {:#04x}", cmos.floppies);
        match cmos.floppies {
            0 if reasons.is_empty() => return no("cmos", &observed, "no floppy drive"),
            0 => {}
            _ => reasons.push(reason("cmos", observed, "a floppy drive's type")),
        }
    }
    match reasons.is_empty() {
        true => unknown(reasons),
        false => yes(reasons),
    }
}

fn functions_of(facts: &Facts, fits: impl Fn(&PciFunction) -> bool) -> Vec<&PciFunction> {
    let functions = facts.pci.iter().flat_map(|pci| &pci.functions);
    functions.filter(|function| fits(function)).collect()
}

fn yes(reasons: Vec<Reason>) -> Answer {
    Answer {
        answer: Some(true),
        reasons,
    }
}

fn no(source: &'static str, observed: &str, means: &str) -> Answer {
    Answer {
        answer: Some(false),
        reasons: vec![reason(source, observed, means)],
    }
}

fn unknown(reasons: Vec<Reason>) -> Answer {
    Answer {
        answer: None,
        reasons,
    }
}
