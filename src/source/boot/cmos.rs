//! The boot order that QEMU leaves in CMOS for the BIOS: through /dev/nvram, which counts from the first byte after
//! the clock's (Linux drivers/char/nvram.c), else, where CMOS may be looked at, through ports 0x70 and 0x71 or through the
//! clock's driver, which counts like it (drivers/rtc/rtc-cmos.c). The drivers hold the kernel's lock between index and
//! data; the live machine refuses the ports where that lock is needed.

use super::boot_of;
use crate::facts::boot::{Cmos, CmosVia};
use crate::machine::{Machine, PortRead};
use crate::source::{Part, Source, Stage};

/// The boot order for a BIOS.
pub static SOURCE: Source = Source {
    name: "cmos",
    stage: Stage::Boot,
    parts: &[
        Part::Files("/dev/nvram"),
        Part::Files("/sys/bus/nvmem"),
        Part::Cmos,
    ],
    read: |context, facts, _| {
        boot_of(facts).cmos = read(context.machine, context.access.cmos_ports)
    },
};

/// What the driver of /dev/nvram and that of the clock show begins after the clock's own bytes.
const FIRST: usize = 0x0e;
const NVRAM: &str = "/dev/nvram";
const NVMEM: &str = "/sys/bus/nvmem/devices/cmos_nvram0/nvmem";
const FLOPPIES: u8 = 0x10;
const THIRD: u8 = 0x38;
const FIRST_TWO: u8 = 0x3d;

/// The driver of /dev/nvram refuses to read where the checksum that vendors' BIOSes keep is wrong, as it is in QEMU. The
/// clock's driver does not, and reads all bytes up to the last one wanted, where ports take three.
fn read(machine: &dyn Machine, allowed: bool) -> Option<Cmos> {
    let nvram = through_driver(machine, NVRAM, CmosVia::Nvram);
    if nvram.is_some() || !allowed {
        return nvram;
    }
    let port = |index| u8::try_from(machine.port(PortRead::Cmos(index))?).ok();
    of(CmosVia::Ports, port).or_else(|| through_driver(machine, NVMEM, CmosVia::Nvmem))
}

fn through_driver(machine: &dyn Machine, path: &str, via: CmosVia) -> Option<Cmos> {
    let bytes = machine
        .read(path, usize::from(FIRST_TWO) + 1 - FIRST)
        .ok()?;
    of(via, |index| bytes.get(usize::from(index) - FIRST).copied())
}

/// The bytes that `byte` gives. `None` without any, and where nobody answers, as in a machine without a clock chip.
fn of(via: CmosVia, byte: impl Fn(u8) -> Option<u8>) -> Option<Cmos> {
    let cmos = Cmos {
        via,
        floppies: byte(FLOPPIES),
        third: byte(THIRD),
        first_two: byte(FIRST_TWO),
    };
    let mut bytes = [cmos.floppies, cmos.third, cmos.first_two]
        .into_iter()
        .flatten();
    bytes.any(|byte| byte != 0xff).then_some(cmos)
}
