//! Why something about booting could not be told, where nothing that was read speaks of it.

use super::{reason, Boot, FirmwareInterface, Loader};
use crate::facts::boot::BootFacts;
use crate::facts::Facts;
use crate::source;
use crate::verdict::Reason;

/// Gives every answer that is unknown the reason that it lacks.
pub fn explain(boot: &mut Boot, facts: &Facts, read: &BootFacts) {
    if boot.firmware.name == "unknown" && boot.firmware.reasons.is_empty() {
        boot.firmware.reasons.push(nameless(read));
    }
    let capabilities = &mut boot.capabilities;
    for answer in [
        &mut capabilities.disk,
        &mut capabilities.dvd,
        &mut capabilities.network,
    ] {
        if answer.answer.is_none() && answer.reasons.is_empty() {
            answer.reasons.push(without_pci(facts));
        }
    }
    let floppy = &mut capabilities.floppy;
    if floppy.answer.is_none() && floppy.reasons.is_empty() {
        floppy.reasons.push(without_cmos());
    }
    if boot.order.order.is_none() && boot.order.reasons.is_empty() {
        let found = without_order(boot.firmware.name, boot.firmware.interface, read);
        boot.order.reasons.push(found);
    }
    if boot.source.by == Loader::Unknown && boot.source.reasons.is_empty() {
        boot.source.reasons.push(without_loader(facts));
    }
}

fn nameless(read: &BootFacts) -> Reason {
    let observed = match read.bios_roms {
        Some(_) => {
            "no vendor of the firmware, and no name that is known between 0xf0000 and 0xfffff"
        }
        None => "no vendor of the firmware, and a BIOS's memory was not read",
    };
    reason(
        &source::smbios::SOURCE,
        format_args!("{observed}"),
        "the firmware may be any, or none",
    )
}

fn without_pci(facts: &Facts) -> Reason {
    let (observed, means) = match &facts.pci {
        None => (
            "the PCI functions could not be read",
            "what to boot from may be among them",
        ),
        Some(pci) => (
            match pci.functions.is_empty() {
                true => "no function at all",
                false => "none of the functions",
            },
            "what to boot from may be on another bus, such as virtio's",
        ),
    };
    reason(&source::pci::SOURCE, format_args!("{observed}"), means)
}

fn without_cmos() -> Reason {
    let observed = format_args!("CMOS 0x10 was not read");
    reason(
        &source::boot::cmos::SOURCE,
        observed,
        "it would tell of floppy drives",
    )
}

fn without_order(firmware: &str, interface: FirmwareInterface, read: &BootFacts) -> Reason {
    match interface {
        FirmwareInterface::Uefi => reason(
            &source::boot::efi_vars::SOURCE,
            format_args!("BootOrder was not read"),
            "UEFI's boot manager keeps its order there",
        ),
        _ if read.cmos.is_none() => reason(
            &source::boot::cmos::SOURCE,
            format_args!("CMOS was not read"),
            "the BIOS of QEMU and Xen keeps its order there",
        ),
        _ => reason(
            &source::boot::cmos::SOURCE,
            format_args!("the firmware is {firmware}"),
            "where it keeps its order is not known",
        ),
    }
}

fn without_loader(facts: &Facts) -> Reason {
    let (observed, means) = match &facts.boot_params {
        None => (
            "the boot parameters could not be read".to_owned(),
            "the boot loader's number is in them",
        ),
        Some(params) => (
            format!("type_of_loader {:#04x}", params.type_of_loader),
            match params.type_of_loader {
                0 => "no loader has written its number",
                0x90..=0x9f => "entered at one of Xen's entries",
                0xff => "a loader that has no number",
                _ => "no boot loader has this number",
            },
        ),
    };
    reason(
        &source::boot_params::SOURCE,
        format_args!("{observed}"),
        means,
    )
}
