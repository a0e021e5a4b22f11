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
    NAMES.iter().find_map(|(text, name)| {
        let at = segment.windows(text.len()).position(|part| part == *text)?;
        // Read once more by itself: a capture keeps what was found and not the whole segment.
        let _ = machine.memory(SEGMENT + at as u32, text.len());
        Some(*name)
    })
}
