//! The BIOS's own segment, 0xF0000 to 0xFFFFF of physical memory: SeaBIOS and rombios leave their names there, which
//! tells them apart where hvmloader has filled in the firmware tables.

use super::{boot_of, looks_for_bios};
use crate::facts::Facts;
use crate::machine::Machine;
use crate::source::{Part, Source, Stage};

/// The BIOS's name for itself.
pub static SOURCE: Source = Source {
    name: "bios-segment",
    stage: Stage::Boot,
    parts: &[Part::Memory(0xf_0000, 0xf_ffff)],
    read: |context, facts, _| {
        if looks_for_bios(context, facts) && !is_named(facts) {
            boot_of(facts).firmware_name = firmware(context.machine);
        }
    },
};

const SEGMENT: u32 = 0xf_0000;
const SIZE: usize = 0x1_0000;

/// What stands in the segment, and whose it is.
const NAMES: &[(&[u8], &str)] = &[
    (b"SeaBIOS", "seabios"),
    (b"HVMAssist BIOS", "rombios"), // xen tools/firmware/rombios/rombios.c, BX_APPNAME
    (b"Bochs BIOS - build", "rombios"),
];

fn firmware(machine: &dyn Machine) -> Option<&'static str> {
    let segment = machine.memory(SEGMENT, SIZE).ok()?;
    (SEGMENT..).zip(0..segment.len()).find_map(|(address, at)| {
        let rest = segment.get(at..)?;
        let row = NAMES.iter().find(|row| rest.starts_with(row.0))?;
        // Read once more by itself: a capture keeps what was found and not the whole segment.
        let _ = machine.memory(address, row.0.len());
        Some(row.1)
    })
}

/// Whether others name the firmware: SMBIOS, unless hvmloader made it, and then xenstore. Bochs is what both rombios and
/// SeaBIOS before 1.7 call themselves there.
fn is_named(facts: &Facts) -> bool {
    let smbios = facts.smbios.as_ref();
    match smbios.and_then(|smbios| smbios.bios_vendor.as_deref()) {
        None | Some("Xen" | "Bochs") => {
            let boot = facts.boot.as_ref();
            let keys = boot.and_then(|boot| boot.xenstore.as_ref());
            keys.is_some_and(|keys| keys.bios.is_some())
        }
        Some(_) => true,
    }
}
