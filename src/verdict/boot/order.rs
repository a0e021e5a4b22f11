//! The order in which the firmware tries devices. UEFI has it in BootOrder; SeaBIOS takes the devices of fw_cfg's
//! `bootorder` first and then whole types of devices as CMOS has them (SeaBIOS src/boot.c); rombios knows CMOS alone.

use super::{by_kind, has_no_board, load_option, open_firmware, reason};
use super::{BootOrder, Entry, Firmware, FirmwareInterface};
use crate::facts::boot::{BootFacts, Cmos, Device, Efi, FwCfg, LoadOption};
use crate::facts::Facts;
use crate::source;
use crate::verdict::{Reason, Verdict};

/// Firmware that reads QEMU's order from CMOS.
const READS_CMOS: &[&str] = &["seabios", "rombios", "hvmloader"];

/// What UEFI's variables say where they are there, else what a BIOS reads.
pub fn judge(facts: &Facts, boot: &BootFacts, verdict: &Verdict, firmware: &Firmware) -> BootOrder {
    if firmware.interface == FirmwareInterface::None {
        let (order, why) = match has_no_board(verdict.kind) {
            true => {
                let means = "the order is in the toolstack's configuration, which is not to be seen from here";
                (None, by_kind(verdict, means))
            }
            false => (Some(Vec::new()), firmware.means("nothing tries anything")),
        };
        return BootOrder {
            next: None,
            order,
            reasons: vec![why],
        };
    }
    match &boot.efi {
        Some(efi) => of_uefi(facts, efi, boot.fw_cfg.as_ref()),
        None => of_bios(boot, firmware),
    }
}

fn of_uefi(facts: &Facts, efi: &Efi, fw_cfg: Option<&FwCfg>) -> BootOrder {
    let option = |number: &u16| efi.options.iter().find(|option| option.number == *number);
    let entry = |option: &LoadOption| Entry {
        device: load_option::device(option, facts),
        name: load_option::title(option),
    };
    let active = |option: &&LoadOption| option.active;
    let mut reasons = Vec::new();
    if let Some(order) = &efi.boot_order {
        let numbers: Vec<String> = order.iter().map(|number| format!("{number:04X}")).collect();
        reasons.push(reason(
            &source::boot::efi_vars::SOURCE,
            format_args!("BootOrder is {}", numbers.join(",")),
            "the order of UEFI's boot manager",
        ));
    }
    let used = efi.boot_order.iter().flatten().filter_map(option);
    reasons.extend(used.map(|option| load_option::reason_of(option, facts)));
    let mut entries: Vec<Entry> = efi
        .boot_order
        .iter()
        .flatten()
        .filter_map(option)
        .filter(active)
        .map(entry)
        .collect();
    if let Some(handed_over) = fw_cfg.and_then(open_firmware::kernel_of_qemu) {
        let means = "OVMF starts what it is handed over before it looks at BootOrder";
        let means = means.to_owned();
        reasons.insert(
            0,
            Reason {
                means,
                ..handed_over
            },
        );
        entries.insert(
            0,
            Entry {
                device: Device::Kernel,
                name: "QEMU's -kernel".to_owned(),
            },
        );
    }
    BootOrder {
        next: efi.boot_next.as_ref().and_then(option).map(entry),
        order: (efi.boot_order.is_some() || !entries.is_empty()).then_some(entries),
        reasons,
    }
}

fn of_bios(boot: &BootFacts, firmware: &Firmware) -> BootOrder {
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
    BootOrder {
        next: None,
        order: (!reasons.is_empty()).then_some(entries),
        reasons,
    }
}

fn by_path(fw_cfg: &FwCfg, entries: &mut Vec<Entry>, reasons: &mut Vec<Reason>) {
    for path in fw_cfg.boot_order.iter().flatten() {
        let means = match path == "HALT" {
            true => "nothing else is tried".to_owned(),
            false => {
                let device = open_firmware::device(path);
                entries.push(Entry {
                    device,
                    name: path.clone(),
                });
                format!("a device with a bootindex: {}", device.name())
            }
        };
        let observed = format_args!("bootorder: {path}");
        reasons.push(reason(&source::boot::fw_cfg::SOURCE, observed, &means));
    }
}

fn by_type(cmos: &Cmos, entries: &mut Vec<Entry>, reasons: &mut Vec<Reason>) {
    let nibbles = [
        (cmos.first_two.map(|byte| byte & 15), "0x3d low"),
        (cmos.first_two.map(|byte| byte >> 4), "0x3d high"),
        (cmos.third.map(|byte| byte >> 4), "0x38 high"),
    ];
    let mut words = Vec::new();
    for (value, place) in nibbles {
        let device = match value {
            Some(1) => Device::Floppy,
            Some(2) => Device::Disk,
            Some(3) => Device::Dvd,
            Some(4) => Device::Network,
            _ => continue,
        };
        words.push(device.name());
        entries.push(Entry {
            device,
            name: format!("CMOS {place} nibble is {}", value.unwrap_or(0)),
        });
    }
    if !words.is_empty() {
        let bytes = [("0x3d", cmos.first_two), ("0x38", cmos.third)];
        let read = bytes
            .iter()
            .filter_map(|(name, byte)| Some(format!("{name} is {:#04x}", (*byte)?)));
        let read: Vec<String> = read.collect();
        reasons.push(reason(
            &source::boot::cmos::SOURCE,
            format_args!("{}", read.join(", ")),
            &format!("types of devices in this order: {}", words.join(", ")),
        ));
    }
}
