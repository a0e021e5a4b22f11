//! From what a machine can boot: whether there is something that a disk, a DVD or a floppy can be attached to, and a
//! network card with a boot program. Whether a medium is in the drive is not asked.

use super::device::{functions_of, storage};
use super::{by_kind, has_no_board, load_option, network, reason};
use super::{Answer, BootCapabilities, FirmwareInterface};
use crate::facts::boot::{BootFacts, Device, DriveKind};
use crate::facts::Facts;
use crate::source;
use crate::verdict::{Reason, Verdict};

/// One answer for each kind of device.
pub fn judge(
    facts: &Facts,
    boot: &BootFacts,
    verdict: &Verdict,
    interface: FirmwareInterface,
) -> BootCapabilities {
    if has_no_board(verdict.kind) && interface == FirmwareInterface::None {
        return by_toolstack(boot, verdict);
    }
    BootCapabilities {
        disk: drive(facts, boot, DriveKind::Disk),
        dvd: drive(facts, boot, DriveKind::Dvd),
        network: network::judge(facts, boot, verdict, interface),
        floppy: floppy(boot, interface),
    }
}

/// PV, and PVH without firmware.
fn by_toolstack(boot: &BootFacts, verdict: &Verdict) -> BootCapabilities {
    let loader = "through the toolstack's loader (pygrub, pvgrub), which reads the kernel from it";
    let never = "never: the toolstack's loaders read disks and DVDs, and there is no card that could load anything";
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
            reason(&source::boot::xenstore::SOURCE, observed, "one is attached")
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
                &source::pci::SOURCE,
                observed,
                "the firmware boots from its drives",
            ));
        }
    }
    for drive in boot.drives.iter().flatten() {
        if drive.kind == kind {
            let observed = format!("{} is there", drive.name);
            reasons.push(reason(
                &source::boot::block_devices::SOURCE,
                observed,
                "a drive that the kernel found",
            ));
        }
    }
    for option in boot.efi.iter().flat_map(|efi| &efi.options) {
        let wanted = match kind {
            DriveKind::Disk => Device::Disk,
            DriveKind::Dvd => Device::Dvd,
            DriveKind::Floppy => Device::Floppy,
        };
        if option.active && option.device == wanted {
            reasons.push(load_option::reason_of(option, facts));
        }
    }
    if !reasons.is_empty() {
        return Answer::yes(reasons);
    }
    let usb = functions_of(facts, |function| function.class >> 8 == 0x0c03);
    if let Some(function) = usb.first() {
        let observed = format!("{} is a USB controller", function.address);
        let means = "a drive may be behind it, if the firmware looks there";
        return Answer::unknown(vec![reason(&source::pci::SOURCE, observed, means)]);
    }
    match &facts.pci {
        Some(pci) if !pci.functions.is_empty() => Answer::no(vec![reason(
            &source::pci::SOURCE,
            "no controller among the PCI functions",
            "nothing to attach a drive to",
        )]),
        _ => Answer::unknown(Vec::new()),
    }
}

fn floppy(boot: &BootFacts, interface: FirmwareInterface) -> Answer {
    if interface == FirmwareInterface::Uefi {
        return Answer::no(vec![reason(
            &source::boot::efi_vars::SOURCE,
            "the firmware is UEFI",
            "it has no driver for floppies",
        )]);
    }
    let drives = boot.drives.iter().flatten();
    let found = drives.filter(|drive| drive.kind == DriveKind::Floppy);
    let mut reasons: Vec<Reason> = found
        .map(|drive| {
            let observed = format!("{} is there", drive.name);
            reason(
                &source::boot::block_devices::SOURCE,
                observed,
                "a drive that the kernel found",
            )
        })
        .collect();
    if let Some(floppies) = boot.cmos.as_ref().and_then(|cmos| cmos.floppies) {
        let observed = format!("CMOS 0x10 is {floppies:#04x}");
        match floppies {
            0 if reasons.is_empty() => {
                return Answer::no(vec![reason(
                    &source::boot::cmos::SOURCE,
                    observed,
                    "no floppy drive",
                )])
            }
            0 => {}
            _ => reasons.push(reason(
                &source::boot::cmos::SOURCE,
                observed,
                "a floppy drive's type",
            )),
        }
    }
    match reasons.is_empty() {
        true => Answer::unknown(reasons),
        false => Answer::yes(reasons),
    }
}
