//! QEMU's firmware configuration device (qemu docs/specs/fw_cfg.rst): its files through sysfs, where the kernel's
//! driver is loaded; else through ports 0x510 (selector) and 0x511 (data), where that is allowed, and only after the
//! signature was read there.

use super::boot_of;
use crate::bytes::field_text;
use crate::facts::boot::{FwCfg, FwCfgVia};
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

/// Size, selector and two reserved bytes in front of a name of 56 bytes.
const ENTRY: usize = 64;
/// QEMU itself has far fewer files (FW_CFG_FILE_SLOTS_DFLT is 32).
const ENTRIES: usize = 128;
const FIRST: usize = 4;
const BOOT_ORDER_LIMIT: usize = 4096;
const LINES: usize = 64;

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
    let kernel_size = machine.fw_cfg(KERNEL_SIZE, 4)?;
    Some(FwCfg {
        via: FwCfgVia::Ports,
        kernel_size: Some(u32::from_le_bytes(kernel_size.try_into().ok()?)),
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

/// Selector and size of the file called `name`.
fn find(directory: &[u8], name: &[u8]) -> Option<(u16, usize)> {
    let entry = directory.chunks_exact(ENTRY).find(|entry| {
        let field = entry.get(8..).unwrap_or_default();
        field.split(|byte| *byte == 0).next() == Some(name)
    })?;
    let size = u32::from_be_bytes(entry.get(..4)?.try_into().ok()?);
    let selector = u16::from_be_bytes(entry.get(4..6)?.try_into().ok()?);
    Some((selector, usize::try_from(size).ok()?))
}

fn lines(file: &[u8]) -> Vec<String> {
    file.split(|byte| matches!(byte, b'\n' | 0))
        .filter(|line| !line.is_empty())
        .take(LINES)
        .map(field_text)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(size: u32, selector: u16, name: &[u8]) -> [u8; ENTRY] {
        let mut entry = [0; ENTRY];
        entry[..4].copy_from_slice(&size.to_be_bytes());
        entry[4..6].copy_from_slice(&selector.to_be_bytes());
        entry[8..8 + name.len()].copy_from_slice(name);
        entry
    }

    #[test]
    fn a_name_that_only_begins_the_same_is_another_file() {
        let directory = [entry(7, 0x20, b"bootorder2"), entry(9, 0x21, b"bootorder")].concat();
        assert_eq!(find(&directory, b"bootorder"), Some((0x21, 9)));
        assert_eq!(find(&directory[..100], b"bootorder"), None);
        assert_eq!(find(&[0xff; ENTRY], b"bootorder"), None);
    }

    #[test]
    fn the_file_ends_with_a_nul() {
        let file = b"/rom@genroms/linuxboot_dma.bin\n/pci@i0cf8/ethernet@3/ethernet-phy@0\0";
        assert_eq!(
            lines(file),
            [
                "/rom@genroms/linuxboot_dma.bin",
                "/pci@i0cf8/ethernet@3/ethernet-phy@0"
            ]
        );
    }
}
