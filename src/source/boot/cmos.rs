//! The boot order that QEMU leaves in CMOS for the BIOS: through /dev/nvram, which counts from the first byte after
//! the clock's (Linux drivers/char/nvram.c), else through ports 0x70 and 0x71, where that is allowed.

use super::boot_of;
use crate::facts::boot::{Cmos, CmosVia};
use crate::machine::{Machine, PortRead};
use crate::source::{Part, Source, Stage};

/// The boot order for a BIOS.
pub static SOURCE: Source = Source {
    name: "cmos",
    stage: Stage::Boot,
    parts: &[Part::Files("/dev/nvram"), Part::Cmos],
    read: |context, facts, _| {
        boot_of(facts).cmos = read(context.machine, context.access.cmos_ports)
    },
};

const NVRAM: &str = "/dev/nvram";
const NVRAM_FIRST: usize = 0x0e;
const FLOPPIES: u8 = 0x10;
const THIRD: u8 = 0x38;
const FIRST_TWO: u8 = 0x3d;

fn read(machine: &dyn Machine, ports: bool) -> Option<Cmos> {
    if let Some(cmos) = through_nvram(machine) {
        return Some(cmos);
    }
    if !ports {
        return None;
    }
    let byte = |index| {
        let value = machine.port(PortRead::Cmos(index))?;
        u8::try_from(value).ok()
    };
    let cmos = Cmos {
        via: CmosVia::Ports,
        floppies: byte(FLOPPIES)?,
        third: byte(THIRD)?,
        first_two: byte(FIRST_TWO)?,
    };
    // Nobody answers in a machine without a clock chip.
    let nobody = [cmos.floppies, cmos.third, cmos.first_two] == [0xff; 3];
    (!nobody).then_some(cmos)
}

/// The driver refuses to read where the checksum that vendors' BIOSes keep is wrong, as it is in QEMU.
fn through_nvram(machine: &dyn Machine) -> Option<Cmos> {
    let bytes = machine.read(NVRAM, 128 - NVRAM_FIRST).ok()?;
    let byte = |index: u8| bytes.get(usize::from(index) - NVRAM_FIRST).copied();
    Some(Cmos {
        via: CmosVia::Nvram,
        floppies: byte(FLOPPIES)?,
        third: byte(THIRD)?,
        first_two: byte(FIRST_TWO)?,
    })
}
