//! Which firmware started the machine, if any did: by the maker in SMBIOS; on Xen HVM, where hvmloader makes those tables, by
//! what the toolstack wrote into xenstore or the firmware into its segment.

use super::{by_kind, has_no_board, reason, Firmware, FirmwareInterface};
use crate::facts::boot::BootFacts;
use crate::facts::Facts;
use crate::source;
use crate::verdict::words::{Class, Kind};
use crate::verdict::{Reason, Verdict};

/// What SMBIOS's firmware vendor holds, and whose it is. SeaBIOS also called itself Bochs, as rombios does, before 1.7.
const VENDORS: &[(&str, &str)] = &[
    ("SeaBIOS", "seabios"),
    ("EDK II", "ovmf"), // "EFI Development Kit II / OVMF" before 2022, "... distribution of EDK II" since
    ("EFI Development Kit II", "ovmf"),
    ("coreboot", "coreboot"),
    ("The Bochs Project", "rombios"), // Bochs' own, since 2.7
];

/// Monitors that make SMBIOS tables also where they start a kernel without any firmware (bhyve usr.sbin/bhyve/smbiostbl.c,
/// cloud-hypervisor arch/src/x86_64/smbios.rs, crosvm x86_64/src/smbios.rs).
const TABLES_OF_MONITORS: &[&str] = &["bhyve", "cloud-hypervisor", "crosvm"];

/// The firmware, by its own name for itself.
pub fn judge(facts: &Facts, boot: &BootFacts, verdict: &Verdict) -> Firmware {
    let smbios = facts.smbios.as_ref();
    let vendor = smbios.and_then(|smbios| smbios.bios_vendor.clone());
    let version = smbios.and_then(|smbios| smbios.bios_version.clone());
    let by_vendor = vendor.as_deref().and_then(|vendor| {
        let row = VENDORS.iter().find(|row| vendor.contains(row.0))?;
        // The same code is in real boards' firmware; only in a virtual machine is it called OVMF.
        (row.1 != "ovmf" || verdict.class == Class::Hvm).then_some(row.1)
    });
    let named = by_vendor.or(boot.firmware_name);
    let mut firmware = Firmware {
        name: "none",
        interface: FirmwareInterface::None,
        vendor: None,
        version: None,
        started_by: None,
        reasons: Vec::new(),
    };
    if boot.efi.is_some() {
        firmware.reasons.push(reason(
            &source::boot::efi_vars::SOURCE,
            format_args!("/sys/firmware/efi is there"),
            "the kernel was started by UEFI",
        ));
    } else if let Some(why) = absent(facts, boot, verdict, named.is_some()) {
        firmware.reasons.push(why);
        return firmware;
    }
    if verdict.kind == Kind::XenHvm {
        of_xen(boot, version, &mut firmware);
    } else {
        let of_monitor = verdict
            .vmm
            .is_some_and(|vmm| TABLES_OF_MONITORS.contains(&vmm));
        firmware.name = match (named, &vendor) {
            (Some(name), _) => name,
            (None, Some(_)) if boot.efi.is_some() || !of_monitor => "other",
            (None, _) => "unknown",
        };
        if let Some(vendor) = &vendor {
            let version = version.as_deref().unwrap_or("-");
            firmware.reasons.push(reason(
                &source::smbios::SOURCE,
                format_args!("firmware of \"{vendor}\", version \"{version}\""),
                match of_monitor {
                    true => "the monitor's own tables, whatever started the kernel",
                    false => "what SMBIOS calls it",
                },
            ));
        }
        if let (None, Some(name)) = (by_vendor, boot.firmware_name) {
            firmware.reasons.push(in_segment(name));
        }
        firmware.vendor = vendor;
        firmware.version = version;
    }
    firmware.interface = interface(boot, firmware.name, &mut firmware.reasons);
    firmware
}

/// Why there is none, where something shows it.
fn absent(facts: &Facts, boot: &BootFacts, verdict: &Verdict, is_named: bool) -> Option<Reason> {
    if has_no_board(verdict.kind) {
        let means = "no board, and so no firmware: Xen or its toolstack starts the kernel";
        return Some(by_kind(verdict, means));
    }
    if verdict.vmm == Some("firecracker") {
        let mut reasons = verdict.reasons.iter();
        let told = reasons.find(|reason| reason.source == source::acpi::SOURCE.name)?;
        return Some(Reason {
            means: "Firecracker has no firmware and enters the kernel itself".to_owned(),
            ..told.clone()
        });
    }
    let fadt = facts.acpi.as_ref()?.fadt.as_ref()?;
    let handed_over = facts.boot_params.as_ref()?.is_handed_over();
    // Low memory could be looked at, and no BIOS has left its name there.
    let is_nameless = boot.bios_roms.is_some() && !is_named;
    (fadt.hardware_reduced && handed_over && is_nameless).then(|| {
        reason(
            &source::acpi::SOURCE,
            format_args!(
                "the FADT is hardware-reduced, there is no UEFI, and no BIOS names itself"
            ),
            "no firmware but what enters a kernel that is handed over",
        )
    })
}

/// hvmloader starts one of three, and the tables are its own, with Xen's version in them.
fn of_xen(boot: &BootFacts, version: Option<String>, firmware: &mut Firmware) {
    let told = boot.xenstore.as_ref().and_then(|keys| keys.bios.as_deref());
    firmware.name = match told.map(str::to_ascii_lowercase).as_deref() {
        Some("seabios") => "seabios",
        Some("rombios") => "rombios",
        Some("ovmf") => "ovmf",
        _ if boot.efi.is_some() => "ovmf",
        _ => boot.firmware_name.unwrap_or("hvmloader"),
    };
    if let Some(told) = told {
        firmware.reasons.push(reason(
            &source::boot::xenstore::SOURCE,
            format_args!("hvmloader/bios is {told}"),
            "what hvmloader was told to start",
        ));
    } else if let Some(name) = boot.firmware_name {
        firmware.reasons.push(in_segment(name));
    }
    firmware.started_by = Some(match version {
        Some(version) => format!("hvmloader {version}"),
        None => "hvmloader".to_owned(),
    });
}

fn in_segment(name: &str) -> Reason {
    reason(
        &source::boot::bios_segment::SOURCE,
        format_args!("the name of {name} between 0xf0000 and 0xfffff"),
        "the memory that a BIOS has for itself",
    )
}

/// A BIOS shows by its name or by an option ROM below 1 MiB. That there is no UEFI shows none.
fn interface(boot: &BootFacts, name: &str, reasons: &mut Vec<Reason>) -> FirmwareInterface {
    match name {
        _ if boot.efi.is_some() => FirmwareInterface::Uefi,
        "ovmf" => FirmwareInterface::Uefi,
        "seabios" | "rombios" | "hvmloader" => FirmwareInterface::Bios,
        _ => match boot.bios_roms.as_deref() {
            Some([rom, ..]) => {
                reasons.push(reason(
                    &source::boot::option_rom::SOURCE,
                    format_args!("an option ROM at {}", rom.place),
                    "a BIOS copied it there",
                ));
                FirmwareInterface::Bios
            }
            _ => FirmwareInterface::Unknown,
        },
    }
}
