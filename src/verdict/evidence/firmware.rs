//! Whose board and firmware these are: ACPI ids, SMBIOS strings, PCI devices. A dom0 inherits them from the machine
//! below, so they speak of the board and never of who executes the code.

use super::{xen_leaves, Claim, Evidence, Weight, What};
use crate::facts::boot::BootFacts;
use crate::facts::{Address, Facts, Smbios};
use crate::verdict::boot::boots_as_pxe;
use crate::verdict::tables::{self, Field, Maker};
use crate::verdict::words::Mode;

/// IAPC_BOOT_ARCH bits that Xen sets for PVH: no VGA, no CMOS clock (xen tools/libacpi/build.c).
const NO_VGA_NO_CMOS: u16 = 1 << 2 | 1 << 5;

pub fn gather(facts: &Facts, all: &mut Vec<Evidence>) {
    acpi(facts, all);
    smbios(facts, all);
    pci(facts, all);
    boot_rom(facts, all);
}

/// A network card's boot program is for a firmware, which neither PV nor PVH have. A dom0 sees the board's.
fn boot_rom(facts: &Facts, all: &mut Vec<Evidence>) {
    let roms = facts.boot.iter().flat_map(BootFacts::option_roms);
    let mut working = roms.filter(|rom| rom.images.iter().any(boots_as_pxe));
    if let Some(rom) = working.next() {
        all.push(Evidence {
            source: "option-rom",
            observed: format!("{} has a ROM that boots from the network", rom.place),
            means: "a board with firmware: no PV machine boots so".to_owned(),
            claims: vec![Claim::HasBoard(true)],
            weight: Weight::Supports,
        });
    }
}

/// Whether QEMU made the tables, under whatever accelerator.
pub fn is_qemu_machine(facts: &Facts) -> bool {
    let acpi = acpi_maker(facts).map(|found| found.1);
    let smbios = facts
        .smbios
        .as_ref()
        .and_then(smbios_maker)
        .map(|found| found.1);
    acpi == Some(Maker::QemuMachine) || (acpi.is_none() && smbios == Some(Maker::QemuMachine))
}

fn what(maker: Maker, facts: &Facts) -> Option<What> {
    match maker {
        Maker::Xen => Some(What::Xen),
        Maker::QemuMachine => Some(What::QemuMachine),
        Maker::Hypervisor(name) => Some(What::Hypervisor(name)),
        // The same name stands on the cloud's bare machines, which lack both marks of a virtual one.
        Maker::Cloud(name) => {
            let bit = facts.cpuid.as_ref().and_then(|cpuid| cpuid.hypervisor_bit);
            let smbios = facts
                .smbios
                .as_ref()
                .and_then(|smbios| smbios.virtual_machine_bit);
            (bit == Some(true) || smbios == Some(true)).then_some(What::Cloud(name))
        }
    }
}

fn acpi_maker(facts: &Facts) -> Option<(String, Maker)> {
    let tables = &facts.acpi.as_ref()?.tables;
    tables.iter().find_map(|table| {
        let row = tables::ACPI
            .iter()
            .find(|row| table.oem_id == row.0 && table.oem_table_id.starts_with(row.1))?;
        let observed = format!(
            "{} has OEM id \"{}\" \"{}\"",
            table.name, table.oem_id, table.oem_table_id
        );
        Some((observed, row.2))
    })
}

fn acpi(facts: &Facts, all: &mut Vec<Evidence>) {
    let Some((observed, maker)) = acpi_maker(facts) else {
        return;
    };
    let Some(what) = what(maker, facts) else {
        return;
    };
    let native_xen = facts
        .cpuid
        .as_ref()
        .is_some_and(|cpuid| cpuid.xen.is_some());
    let dom0_by_number = xen_leaves(facts).any(|leaves| leaves.domid == Some(0));
    let (means, claims) = match maker {
        Maker::Xen => {
            let boot_arch = facts
                .acpi
                .as_ref()
                .and_then(|acpi| acpi.fadt.as_ref()?.boot_arch);
            let mut claims = vec![Claim::Board(what), Claim::Genuine(true)];
            let means = match boot_arch {
                Some(bits) if bits & NO_VGA_NO_CMOS == NO_VGA_NO_CMOS => {
                    claims.push(Claim::Mode(Mode::Pvh));
                    "Xen built the tables, for a machine without a board (no VGA, no CMOS)"
                }
                Some(_) => {
                    claims.push(Claim::Mode(Mode::Hvm));
                    "Xen built the tables, for an emulated board"
                }
                None => "Xen built the tables",
            };
            (means.to_owned(), claims)
        }
        Maker::QemuMachine if native_xen && !dom0_by_number => (
            "QEMU built the tables: a guest of Xen would have Xen's".to_owned(),
            vec![Claim::Board(what), Claim::Genuine(false)],
        ),
        Maker::QemuMachine => ("QEMU built the tables".to_owned(), vec![Claim::Board(what)]),
        Maker::Hypervisor(name) | Maker::Cloud(name) => {
            (format!("{name} built the tables"), vec![Claim::Board(what)])
        }
    };
    all.push(Evidence {
        source: "acpi",
        observed,
        means,
        claims,
        weight: Weight::Strong,
    });
}

fn field(smbios: &Smbios, field: Field) -> Option<&str> {
    match field {
        Field::SystemVendor => smbios.system_vendor.as_deref(),
        Field::ProductName => smbios.product_name.as_deref(),
        Field::ProductVersion => smbios.product_version.as_deref(),
        Field::BiosVendor => smbios.bios_vendor.as_deref(),
        Field::BoardVendor => smbios.board_vendor.as_deref(),
    }
}

fn smbios_maker(smbios: &Smbios) -> Option<(String, Maker)> {
    let fits = |row: &&tables::SmbiosRow| {
        field(smbios, row.field).is_some_and(|text| text.starts_with(row.starts))
    };
    let row = tables::SMBIOS.iter().find(fits)?;
    Some((identity(smbios), row.maker))
}

/// Vendor and product, for a person.
fn identity(smbios: &Smbios) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "\"{}\" \"{}\"",
        text(&smbios.system_vendor),
        text(&smbios.product_name)
    )
}

fn smbios(facts: &Facts, all: &mut Vec<Evidence>) {
    let Some(smbios) = &facts.smbios else { return };
    let (observed, means, claims) = match smbios_maker(smbios) {
        Some((observed, maker)) => {
            let Some(what) = what(maker, facts) else {
                return;
            };
            let means = match maker {
                Maker::Xen => "Xen's firmware for an emulated board".to_owned(),
                Maker::QemuMachine => "QEMU's firmware".to_owned(),
                Maker::Hypervisor(name) | Maker::Cloud(name) => format!("{name}'s firmware"),
            };
            let mode = (maker == Maker::Xen).then_some(Claim::Mode(Mode::Hvm));
            let claims = [Claim::Board(what)].into_iter().chain(mode).collect();
            (observed, means, claims)
        }
        None if smbios.virtual_machine_bit == Some(true) => (
            "type 0 says: a virtual machine".to_owned(),
            "some hypervisor's firmware".to_owned(),
            vec![Claim::Board(What::Virtual)],
        ),
        None if smbios.system_vendor.is_some() => (
            identity(smbios),
            "no virtual machine's firmware that xenprobe knows".to_owned(),
            vec![Claim::Board(What::Nothing)],
        ),
        None => return,
    };
    all.push(Evidence {
        source: "smbios",
        observed,
        means,
        claims,
        weight: Weight::Supports,
    });
}

fn pci(facts: &Facts, all: &mut Vec<Evidence>) {
    let Some(pci) = &facts.pci else { return };
    let mut say = |observed: String, means: String, claims: Vec<Claim>| {
        all.push(Evidence {
            source: "pci",
            observed,
            means,
            claims,
            weight: Weight::Supports,
        });
    };
    for function in &pci.functions {
        let id = (function.vendor, function.device);
        let observed = || format!("{} is {:04x}:{:04x}", function.address, id.0, id.1);
        if tables::XEN_PLATFORM.contains(&id) {
            say(
                observed(),
                "Xen's platform device, on emulated boards only".to_owned(),
                vec![Claim::Mode(Mode::Hvm)],
            );
        }
        let row = tables::PCI.iter().find(|row| (row.0, row.1) == id);
        if let Some(what) = row.and_then(|row| what(row.2, facts)) {
            let means = match what {
                What::Hypervisor(name) => format!("a device of {name}'s machines alone"),
                _ => "a device of QEMU's".to_owned(),
            };
            say(observed(), means, vec![Claim::Device(what)]);
        }
        if function.address == Address::HOST_BRIDGE {
            if let Some(board) = tables::BOARDS.iter().find(|row| (row.0, row.1) == id) {
                say(
                    observed(),
                    format!("host bridge of a {} board", board.2),
                    vec![Claim::HasBoard(true)],
                );
            }
        }
    }
    if pci.functions.is_empty() {
        say(
            "no function at all".to_owned(),
            "no board: PV, PVH, or a machine without PCI".to_owned(),
            vec![Claim::HasBoard(false)],
        );
    }
}
