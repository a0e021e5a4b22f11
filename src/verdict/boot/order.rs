//! The order in which the firmware tries devices. UEFI has it in BootOrder; SeaBIOS takes the devices of fw_cfg's
//! `bootorder` first and then whole types of devices as CMOS has them (SeaBIOS src/boot.c); rombios knows CMOS alone.

use super::possible;
use super::{by_kind, has_no_board, reason, Configured, Entry, Firmware, Interface};
use crate::facts::boot::{BootFacts, Cmos, Device, Efi, FwCfg, LoadOption};
use crate::facts::{Address, Facts};
use crate::verdict::{Reason, Verdict};

/// Firmware that reads QEMU's order from CMOS.
const READS_CMOS: &[&str] = &["seabios", "rombios", "hvmloader"];

/// Starts of what stands behind the last bus in an Open Firmware path as QEMU writes it (qemu system/bootdevice.c).
const NODES: &[(&str, Device)] = &[
    ("/rom@genroms/linuxboot", Device::Kernel),
    ("/rom@genroms/multiboot", Device::Kernel),
    ("/rom@genroms/pvh", Device::Kernel),
    ("/ethernet@", Device::Network),
    ("/floppy@", Device::Floppy),
    ("/nvme@", Device::Disk),
    ("/virtio-blk", Device::Disk),
    ("/usb@", Device::Usb),
    ("/scsi@", Device::Drive),
    ("/drive@", Device::Drive),
    ("/disk@", Device::Drive),
];

pub fn judge(
    facts: &Facts,
    boot: &BootFacts,
    verdict: &Verdict,
    firmware: &Firmware,
) -> Configured {
    if has_no_board(verdict.kind) && firmware.interface == Interface::None {
        let means =
            "the order is in the toolstack's configuration, which is not to be seen from here";
        return Configured {
            reasons: vec![by_kind(verdict, means)],
            ..Configured::default()
        };
    }
    match &boot.efi {
        Some(efi) => of_uefi(facts, efi, boot.fw_cfg.as_ref()),
        None => of_bios(boot, firmware),
    }
}

fn of_uefi(facts: &Facts, efi: &Efi, fw_cfg: Option<&FwCfg>) -> Configured {
    let option = |number: &u16| efi.options.iter().find(|option| option.number == *number);
    let entry = |option: &LoadOption| Entry {
        device: device(option, facts),
        name: title(option),
    };
    let active = |option: &&LoadOption| option.active;
    let mut reasons = Vec::new();
    if let Some(order) = &efi.boot_order {
        let numbers: Vec<String> = order.iter().map(|number| format!("{number:04X}")).collect();
        let observed = format!("BootOrder is {}", numbers.join(","));
        reasons.push(reason(
            "efi-vars",
            observed,
            "the order of UEFI's boot manager",
        ));
    }
    let used = efi.boot_order.iter().flatten().filter_map(option);
    reasons.extend(used.map(|option| of_option(option, facts)));
    let mut entries: Vec<Entry> = efi
        .boot_order
        .iter()
        .flatten()
        .filter_map(option)
        .filter(active)
        .map(entry)
        .collect();
    if let Some(handed_over) = fw_cfg.and_then(kernel_of_qemu) {
        let means = "OVMF starts what QEMU hands over before it looks at BootOrder";
        reasons.insert(0, reason("fw-cfg", handed_over.observed, means));
        entries.insert(
            0,
            Entry {
                device: Device::Kernel,
                name: "QEMU's -kernel".to_owned(),
            },
        );
    }
    Configured {
        next: efi.boot_next.as_ref().and_then(option).map(entry),
        order: (efi.boot_order.is_some() || !entries.is_empty()).then_some(entries),
        reasons,
    }
}

/// That QEMU has a kernel to hand over, as a reason: its size, or the ROM that loads it and is there for nothing else.
pub fn kernel_of_qemu(fw_cfg: &FwCfg) -> Option<Reason> {
    let means = "QEMU has a kernel to hand over (-kernel, or kernel= of an HVM guest)";
    if let Some(size) = fw_cfg.kernel_size {
        let observed = format!("a kernel of {size} bytes");
        return (size != 0).then(|| reason("fw-cfg", observed, means));
    }
    let mut paths = fw_cfg.boot_order.iter().flatten();
    let rom = paths.find(|path| of_path(path) == Device::Kernel)?;
    Some(reason("fw-cfg", format!("bootorder: {rom}"), means))
}

/// A load option as a reason.
pub fn of_option(option: &LoadOption, facts: &Facts) -> Reason {
    let device = device(option, facts).name();
    let means = match option.active {
        true => format!("leads to: {device}"),
        false => format!("leads to: {device}; switched off"),
    };
    reason(
        "efi-vars",
        format!("{}, {}", title(option), option.path),
        means,
    )
}

fn title(option: &LoadOption) -> String {
    format!("Boot{:04X} \"{}\"", option.number, option.description)
}

/// Behind a bus that has both, the firmware's description tells a DVD drive from a disk. A path that ends at a PCI function,
/// as OVMF's to a virtio disk does, leads to what that function is.
pub fn device(option: &LoadOption, facts: &Facts) -> Device {
    let says = |words: &[&str]| {
        let text = option.description.to_ascii_uppercase();
        words.iter().any(|word| text.contains(word))
    };
    match option.device {
        Device::Drive if says(&["DVD", "CD-ROM", "CDROM"]) => Device::Dvd,
        Device::Drive if says(&["HARDDISK", "HARD DISK", "HARD DRIVE"]) => Device::Disk,
        Device::Unknown => of_function(option, facts).unwrap_or(Device::Unknown),
        device => device,
    }
}

/// Functions behind bridges are on buses that the path does not number.
fn of_function(option: &LoadOption, facts: &Facts) -> Option<Device> {
    let [place] = option.pci.as_slice() else {
        return None;
    };
    let address = Address::parse(&format!("00:{place}"))?;
    let mut functions = facts.pci.as_ref()?.functions.iter();
    possible::boots(functions.find(|function| function.address == address)?)
}

fn of_bios(boot: &BootFacts, firmware: &Firmware) -> Configured {
    let mut entries = Vec::new();
    let mut reasons = Vec::new();
    let fw_cfg = boot.fw_cfg.as_ref().filter(|_| firmware.name == "seabios");
    if let Some(fw_cfg) = fw_cfg {
        by_path(fw_cfg, &mut entries, &mut reasons);
    }
    let reads_cmos = READS_CMOS.contains(&firmware.name);
    if let Some(cmos) = boot.cmos.as_ref().filter(|_| reads_cmos) {
        by_type(cmos, &mut entries, &mut reasons);
    }
    Configured {
        next: None,
        order: (!reasons.is_empty()).then_some(entries),
        reasons,
    }
}

fn by_path(fw_cfg: &FwCfg, entries: &mut Vec<Entry>, reasons: &mut Vec<Reason>) {
    for path in fw_cfg.boot_order.iter().flatten() {
        let observed = format!("bootorder: {path}");
        if path == "HALT" {
            reasons.push(reason("fw-cfg", observed, "nothing else is tried"));
            continue;
        }
        let device = of_path(path);
        let means = format!("a device with a bootindex: {}", device.name());
        reasons.push(reason("fw-cfg", observed, means));
        entries.push(Entry {
            device,
            name: path.clone(),
        });
    }
}

fn of_path(path: &str) -> Device {
    let row = NODES.iter().find(|row| path.contains(row.0));
    row.map_or(Device::Unknown, |row| row.1)
}

fn by_type(cmos: &Cmos, entries: &mut Vec<Entry>, reasons: &mut Vec<Reason>) {
    let nibbles = [
        (cmos.first_two & 15, "0x3d low"),
        (cmos.first_two >> 4, "0x3d high"),
        (cmos.third >> 4, "0x38 high"),
    ];
    let mut words = Vec::new();
    for (value, place) in nibbles {
        let device = match value {
            1 => Device::Floppy,
            2 => Device::Disk,
            3 => Device::Dvd,
            4 => Device::Network,
            _ => continue,
        };
        words.push(device.name());
        entries.push(Entry {
            device,
            name: format!("CMOS {place} nibble is {value}"),
        });
    }
    if !words.is_empty() {
        let (first_two, third) = (cmos.first_two, cmos.third);
        reasons.push(reason(
            "cmos",
            format!("0x3d is {first_two:#04x}, 0x38 is {third:#04x}"),
            format!("types of devices in this order: {}", words.join(", ")),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_as_qemu_writes_them() {
        for (path, device) in [
            ("/rom@genroms/linuxboot_dma.bin", Device::Kernel),
            ("/pci@i0cf8/ethernet@3/ethernet-phy@0", Device::Network),
            ("/pci@i0cf8/ide@1,1/drive@0/disk@0", Device::Drive),
            ("/pci@i0cf8/scsi@4/disk@0,0", Device::Drive),
            ("/pci@i0cf8/isa@1/fdc@03f0/floppy@0", Device::Floppy),
            (
                "/pci@i0cf8/usb@1,2/storage@1/channel@0/disk@0,0",
                Device::Usb,
            ),
            ("/pci@i0cf8/strange@7", Device::Unknown),
        ] {
            assert_eq!(of_path(path), device, "{path}");
        }
    }
}
