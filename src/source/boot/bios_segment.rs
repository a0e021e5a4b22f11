//! The BIOS's own segment, 0xF0000 to 0xFFFFF of physical memory: SeaBIOS and rombios leave their names there, which
//! tells them apart where hvmloader has filled in the firmware tables.

use crate::machine::Machine;

const SEGMENT: u32 = 0xf_0000;
const SIZE: usize = 0x1_0000;

/// What stands in the segment, and whose it is.
const NAMES: &[(&[u8], &str)] = &[
    (b"SeaBIOS", "seabios"),
    (b"HVMAssist BIOS", "rombios"), // xen tools/firmware/rombios/rombios.c, BX_APPNAME
    (b"Bochs BIOS - build", "rombios"),
];

pub fn firmware(machine: &dyn Machine) -> Option<&'static str> {
    let segment = machine.memory(SEGMENT, SIZE).ok()?;
    (SEGMENT..).zip(0..segment.len()).find_map(|(address, at)| {
        let rest = segment.get(at..)?;
        let row = NAMES.iter().find(|row| rest.starts_with(row.0))?;
        // Read once more by itself: a capture keeps what was found and not the whole segment.
        let _ = machine.memory(address, row.0.len());
        Some(row.1)
    })
}
