//! From what a machine can boot: whether there is something that a disk, a DVD or a floppy can be attached to, and a
//! network card with a boot program. Whether a medium is in the drive is not asked.

use super::device::{functions_of, storage};
use super::{by_kind, has_no_board, load_option, network, on_pci_alone, reason};
use super::{Answer, BootCapabilities, Firmware, FirmwareInterface};
use crate::facts::boot::{BootFacts, Device, DriveKind};
use crate::facts::Facts;
use crate::source;
use crate::verdict::{Reason, Verdict};

/// One answer for each kind of device.
pub fn judge(
    facts: &Facts,
    boot: &BootFacts,
    verdict: &Verdict,
    firmware: &Firmware,
) -> BootCapabilities {
    let interface = firmware.interface;
    if interface == FirmwareInterface::None {
        return match has_no_board(verdict.kind) {
            true => by_toolstack(boot, verdict),
            false => without_firmware(firmware),
        };
    }
    BootCapabilities {
        disk: drive(facts, boot, firmware, DriveKind::Disk),
        dvd: drive(facts, boot, firmware, DriveKind::Dvd),
        network: network::judge(facts, boot, verdict, interface),
        floppy: floppy(facts, boot, interface),
    }
}

/// Whatever is there, nothing in the machine looks at it before the kernel.
fn without_firmware(firmware: &Firmware) -> BootCapabilities {
    let never = || Answer::no(vec![firmware.means("nothing in the machine loads a kernel")]);
    BootCapabilities {
        disk: never(),
        dvd: never(),
        network: never(),
        floppy: never(),
    }
}

/// PV, and PVH without firmware.
fn by_toolstack(boot: &BootFacts, verdict: &Verdict) -> BootCapabilities {
    let loader = "through the toolstack's loader (pygrub, pvgrub), which reads the kernel from it";
    let never = "no firmware, and pygrub and pvgrub read disks and DVDs alone";
    let answer = |answer, means: &str, kind| Answer {
        answer: Some(answer),
        reasons: std::iter::once(by_kind(verdict, means))
            .chain(attached(boot, kind))
            .collect(),
    };
    BootCapabilities {
        disk: answer(true, loader, Some("disk")),
        dvd: answer(true, loader, Some("cdrom")),
        network: answer(false, never, None),
        floppy: answer(false, "without a board there is no floppy controller", None),
    }
}

/// Block devices of that type on the Xen bus.
fn attached(boot: &BootFacts, kind: Option<&'static str>) -> Vec<Reason> {
    let disks = boot.xenstore.iter().flat_map(|keys| &keys.disks);
    let of_kind = disks.filter(|disk| Some(disk.device_type.as_str()) == kind);
    of_kind
        .map(|disk| {
            let observed = format_args!("{} has device-type {}", disk.name, disk.device_type);
            reason(&source::boot::xenstore::SOURCE, observed, "one is attached")
        })
        .collect()
}

fn drive(facts: &Facts, boot: &BootFacts, firmware: &Firmware, kind: DriveKind) -> Answer {
    let mut reasons = Vec::new();
    for function in facts.pci.iter().flat_map(|pci| &pci.functions) {
        if let Some(what) = storage(function, kind) {
            let observed = format_args!("{} is {what}", function.address);
            let means = "for drives that firmware boots from";
            reasons.push(reason(&source::pci::SOURCE, observed, means));
        }
    }
    seen(facts, boot, kind, &mut reasons);
    if !reasons.is_empty() {
        // Nothing shows that there is a firmware to boot from them.
        let shows_firmware =
            firmware.name != "unknown" || firmware.interface != FirmwareInterface::Unknown;
        return Answer {
            answer: shows_firmware.then_some(true),
            reasons,
        };
    }
    let usb = functions_of(facts, &|function| function.class >> 8 == 0x0c03);
    if let Some(function) = usb.first() {
        let observed = format_args!("{} is a USB controller", function.address);
        let means = "a drive may be behind it, if the firmware looks there";
        return Answer::unknown(vec![reason(&source::pci::SOURCE, observed, means)]);
    }
    match on_pci_alone(facts) {
        true => Answer::no(vec![reason(
            &source::pci::SOURCE,
            format_args!("no controller among the PCI functions"),
            "nothing to attach a drive to",
        )]),
        false => Answer::unknown(Vec::new()),
    }
}

/// Drives of that kind that the kernel found, and active options of UEFI that lead to one.
fn seen(facts: &Facts, boot: &BootFacts, kind: DriveKind, reasons: &mut Vec<Reason>) {
    for drive in boot.drives.iter().flatten() {
        if drive.kind == kind {
            let observed = format_args!("{} is there", drive.name);
            let means = "a drive that the kernel found";
            reasons.push(reason(
                &source::boot::block_devices::SOURCE,
                observed,
                means,
            ));
        }
    }
    let wanted = match kind {
        DriveKind::Disk => Device::Disk,
        DriveKind::Dvd => Device::Dvd,
        DriveKind::Floppy => Device::Floppy,
    };
    load_option::leading_to(wanted, facts, boot, reasons);
}

fn floppy(facts: &Facts, boot: &BootFacts, interface: FirmwareInterface) -> Answer {
    let mut reasons = Vec::new();
    seen(facts, boot, DriveKind::Floppy, &mut reasons);
    if let Some(floppies) = boot.cmos.as_ref().and_then(|cmos| cmos.floppies) {
        let none = floppies == 0;
        if !none || reasons.is_empty() {
            let means = match none {
                true => "no floppy drive",
                false => "a floppy drive's type",
            };
            let observed = format_args!("CMOS 0x10 is {floppies:#04x}");
            reasons.push(reason(&source::boot::cmos::SOURCE, observed, means));
            return Answer {
                answer: Some(!none),
                reasons,
            };
        }
    }
    let lists_options = boot.efi.as_ref().is_some_and(|efi| efi.variables);
    match reasons.is_empty() {
        false => Answer::yes(reasons),
        true if interface == FirmwareInterface::Uefi && lists_options => Answer::no(vec![reason(
            &source::boot::efi_vars::SOURCE,
            format_args!("no option of UEFI's leads to a floppy drive"),
            "it makes one for each drive that it boots from",
        )]),
        true => Answer::unknown(reasons),
    }
}
