//! QEMU's firmware configuration device (qemu docs/specs/fw_cfg.rst): its files through sysfs, where the kernel's
//! driver is loaded; else through ports 0x510 (selector) and 0x511 (data), where that is allowed, and only after the
//! signature was read there.

use super::boot_of;
use crate::facts::boot::{FwCfg, FwCfgVia};
use crate::format::fw_cfg::{find, lines, ENTRY};
use crate::machine::Machine;
use crate::source::{Part, Source, Stage};

/// What QEMU tells the firmware.
pub static SOURCE: Source = Source {
    name: "fw-cfg",
    stage: Stage::Boot,
    parts: &[Part::Files("/sys/firmware/qemu_fw_cfg"), Part::FwCfg],
    read: |context, facts, _| {
        boot_of(facts).fw_cfg = read(context.machine, context.access.fw_cfg_ports)
    },
};

const BOOT_ORDER: &str = "/sys/firmware/qemu_fw_cfg/by_name/bootorder/raw";
const FILES: &str = "/sys/firmware/qemu_fw_cfg/by_name";

/// Selectors.
const SIGNATURE: u16 = 0x00;
const KERNEL_SIZE: u16 = 0x08;
const DIRECTORY: u16 = 0x19;

/// QEMU itself has far fewer files (FW_CFG_FILE_SLOTS_DFLT is 32).
const ENTRIES: usize = 128;
const FIRST: usize = 4;
const BOOT_ORDER_LIMIT: usize = 4096;

fn read(machine: &dyn Machine, ports: bool) -> Option<FwCfg> {
    if machine.list(FILES).is_ok() {
        let boot_order = machine.read(BOOT_ORDER, BOOT_ORDER_LIMIT).ok();
        return Some(FwCfg {
            via: FwCfgVia::Sysfs,
            kernel_size: None,
            boot_order: boot_order.map(|bytes| lines(&bytes)),
        });
    }
    if !ports || machine.fw_cfg(SIGNATURE, 4)? != b"QEMU" {
        return None;
    }
    let kernel_size = machine.fw_cfg(KERNEL_SIZE, 4);
    let kernel_size = kernel_size.and_then(|bytes| bytes.try_into().ok());
    Some(FwCfg {
        via: FwCfgVia::Ports,
        kernel_size: kernel_size.map(u32::from_le_bytes),
        boot_order: boot_order(machine).map(|bytes| lines(&bytes)),
    })
}

fn boot_order(machine: &dyn Machine) -> Option<Vec<u8>> {
    let head = machine.fw_cfg(DIRECTORY, 4)?;
    let count = u32::from_be_bytes(head.try_into().ok()?);
    let count = usize::try_from(count).ok()?.min(ENTRIES);
    // The names are sorted, so the first few are enough, and every byte costs a way to QEMU and back.
    let found = |count: usize| {
        let directory = machine.fw_cfg(DIRECTORY, 4 + count * ENTRY)?;
        find(directory.get(4..)?, b"bootorder")
    };
    let (selector, size) = found(count.min(FIRST)).or_else(|| found(count))?;
    machine.fw_cfg(selector, size.min(BOOT_ORDER_LIMIT))
}
