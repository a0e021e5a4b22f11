//! Which firmware started the machine: by the maker in SMBIOS; on Xen HVM, where hvmloader makes those tables, by what
//! the toolstack wrote into xenstore or the firmware into its segment.

use super::{by_kind, has_no_board, reason, Firmware, FirmwareInterface};
use crate::facts::boot::BootFacts;
use crate::facts::Facts;
use crate::source;
use crate::verdict::words::{Class, Kind};
use crate::verdict::{Reason, Verdict};

/// What SMBIOS's firmware vendor holds, and whose it is.
const VENDORS: &[(&str, &str)] = &[
    ("SeaBIOS", "seabios"),
    ("EDK II", "ovmf"), // "EFI Development Kit II / OVMF" before 2022, "... distribution of EDK II" since
    ("EFI Development Kit II", "ovmf"),
    ("Bochs", "rombios"),
    ("coreboot", "coreboot"),
];

/// The firmware, by its own name for itself.
pub fn judge(facts: &Facts, boot: &BootFacts, verdict: &Verdict) -> Firmware {
    if has_no_board(verdict.kind) && boot.efi.is_none() {
        let means = "Xen's toolstack loads the kernel: there is no firmware";
        return Firmware {
            name: "none",
            interface: FirmwareInterface::None,
            vendor: None,
            version: None,
            started_by: None,
            reasons: vec![by_kind(verdict, means)],
        };
    }
    let smbios = facts.smbios.as_ref();
    let vendor = smbios.and_then(|smbios| smbios.bios_vendor.clone());
    let version = smbios.and_then(|smbios| smbios.bios_version.clone());
    let mut reasons = Vec::new();
    let interface = interface(boot, verdict, &mut reasons);
    if verdict.kind == Kind::XenHvm {
        return of_xen(boot, interface, version, reasons);
    }
    let by_vendor = vendor.as_deref().and_then(|vendor| {
        let row = VENDORS.iter().find(|row| vendor.contains(row.0))?;
        // The same code is in real boards' firmware; only in a virtual machine is it called OVMF.
        (row.1 != "ovmf" || verdict.class == Class::Hvm).then_some(row.1)
    });
    if let Some(vendor) = &vendor {
        let version = version.as_deref().unwrap_or("-");
        reasons.push(reason(
            &source::smbios::SOURCE,
            format!("firmware of \"{vendor}\", version \"{version}\""),
            "the firmware's own name",
        ));
    } else if let Some(name) = boot.firmware_name {
        reasons.push(in_segment(name));
    }
    Firmware {
        name: match (by_vendor, boot.firmware_name, &vendor) {
            (Some(name), _, _) | (None, Some(name), None) => name,
            (None, _, Some(_)) => "other",
            (None, None, None) => "unknown",
        },
        interface,
        vendor,
        version,
        started_by: None,
        reasons,
    }
}

/// hvmloader starts one of three, and the tables are its own, with Xen's version in them.
fn of_xen(
    boot: &BootFacts,
    interface: FirmwareInterface,
    version: Option<String>,
    mut reasons: Vec<Reason>,
) -> Firmware {
    let told = boot.xenstore.as_ref().and_then(|keys| keys.bios.as_deref());
    let name = match told.map(str::to_ascii_lowercase).as_deref() {
        Some("seabios") => "seabios",
        Some("rombios") => "rombios",
        Some("ovmf") => "ovmf",
        _ if boot.efi.is_some() => "ovmf",
        _ => boot.firmware_name.unwrap_or("hvmloader"),
    };
    if let Some(told) = told {
        reasons.push(reason(
            &source::boot::xenstore::SOURCE,
            format!("hvmloader/bios is {told}"),
            "what hvmloader was told to start",
        ));
    } else if let Some(name) = boot.firmware_name {
        reasons.push(in_segment(name));
    }
    let started_by = match version {
        Some(version) => format!("hvmloader {version}"),
        None => "hvmloader".to_owned(),
    };
    Firmware {
        name,
        interface,
        vendor: None,
        version: None,
        started_by: Some(started_by),
        reasons,
    }
}

fn in_segment(name: &str) -> Reason {
    reason(
        &source::boot::bios_segment::SOURCE,
        format!("the name of {name} between 0xf0000 and 0xfffff"),
        "the firmware's own code",
    )
}

fn interface(boot: &BootFacts, verdict: &Verdict, reasons: &mut Vec<Reason>) -> FirmwareInterface {
    if boot.efi.is_some() {
        reasons.push(reason(
            &source::boot::efi_vars::SOURCE,
            "/sys/firmware/efi is there",
            "the kernel was started by UEFI",
        ));
        return FirmwareInterface::Uefi;
    }
    match verdict.class {
        Class::Hvm | Class::BareMetal => FirmwareInterface::Bios,
        _ if super::has_real_board(verdict.kind) => FirmwareInterface::Bios,
        _ => FirmwareInterface::Unknown,
    }
}
