//! Whose board and firmware these are: ACPI ids, SMBIOS strings, PCI devices. A dom0 inherits them from the machine
//! below, so they speak of the board and never of who executes the code.

use super::{xen_leaves, Claim, Gathered, Subject, Weight};
use crate::facts::boot::BootFacts;
use crate::facts::{Address, Cpuid, Facts, Pci, PciFunction, Smbios};
use crate::source;
use crate::verdict::hypervisor::{AcpiMark, Hypervisor};
use crate::verdict::hypervisors::{self, BOCHS, QEMU, XEN};
use crate::verdict::words::XenMode;
use crate::verdict::{rom, tables};

/// IAPC_BOOT_ARCH bits that Xen sets for PVH: no VGA, no CMOS clock (xen tools/libacpi/build.c).
const NO_VGA_NO_CMOS: u16 = 1 << 2 | 1 << 5;

/// How the name begins that QEMU gives a processor which is no real one's (qemu target/i386/cpu.c).
pub const QEMU_PROCESSOR: &str = "QEMU Virtual CPU";

/// The subsystem vendor of QEMU's emulated parts (qemu docs/specs/pci-ids.rst). Others mark what they copy of them in the
/// same way: virtio's devices, and Google its host bridge.
const QUMRANET: u16 = 0x1af4;

/// The class of a bridge to ISA, above its interface byte.
const ISA_BRIDGE: u32 = 0x0601;

pub fn gather(facts: &Facts, all: &mut Gathered) {
    acpi(facts, all);
    smbios(facts, all);
    pci(facts, all);
    boot_rom(facts, all);
}

/// Whether tables with the ids that Bochs' and QEMU's share are Bochs': its processor tells of no hypervisor, and either its
/// firmware bears its name or no part of the board is marked as QEMU's.
fn is_bochs(facts: &Facts) -> bool {
    let hidden = |cpuid: &Cpuid| {
        let brand = cpuid.brand.as_deref().unwrap_or_default();
        cpuid.hypervisor_bit == Some(false)
            && cpuid.signatures.is_empty()
            && !brand.starts_with(QEMU_PROCESSOR)
    };
    facts.cpuid.as_ref().is_some_and(hidden)
        && (smbios_maker(facts).is_some_and(|found| found.1 == &BOCHS)
            || facts.pci.as_ref().is_some_and(is_unmarked))
}

/// Whether there is a board without a part that is marked as QEMU's.
fn is_unmarked(pci: &Pci) -> bool {
    !pci.functions.is_empty() && !pci.functions.iter().any(is_marked)
}

fn is_marked(function: &PciFunction) -> bool {
    function.subsystem_vendor == Some(QUMRANET)
}

/// A network card's boot program is for a firmware, which neither PV nor PVH have. A dom0 sees the board's.
fn boot_rom(facts: &Facts, all: &mut Gathered) {
    let roms = facts.boot.iter().flat_map(BootFacts::option_roms);
    let mut working = roms.filter(|rom| rom.images.iter().any(rom::boots_as_pxe));
    if let Some(rom) = working.next() {
        all.add(
            &source::boot::option_rom::SOURCE,
            Weight::Supports,
            &format!("{} has a ROM that boots from the network", rom.place),
            "a board with firmware: no PV machine boots so",
            &[Claim::HasBoard(true)],
        );
    }
}

/// Whose board this is: that of the ACPI tables' maker, else of one whose devices no other board has, else of SMBIOS', whose
/// strings are anybody's choice.
pub fn board_maker(facts: &Facts) -> Option<&'static Hypervisor> {
    let by_acpi = acpi_maker(facts).map(|found| found.1);
    let by_device = || {
        let functions = &facts.pci.as_ref()?.functions;
        functions.iter().find_map(owner)
    };
    let by_smbios = || Some(smbios_maker(facts)?.1);
    by_acpi.or_else(by_device).or_else(by_smbios)
}

/// Whose machines alone have such a device.
fn owner(function: &PciFunction) -> Option<&'static Hypervisor> {
    hypervisors::find(|row| {
        let subsystem = function.subsystem_vendor;
        row.has_device(function.vendor, function.device)
            || row.subsystem != 0 && subsystem == Some(row.subsystem)
    })
    .or(is_qemus_bridge(function).then_some(&QEMU))
}

fn is_qemus_bridge(function: &PciFunction) -> bool {
    function.class >> 8 == ISA_BRIDGE && is_marked(function)
}

/// A maker as the subject of a claim: its mark on a bare machine that it rents is none.
fn subject(maker: &'static Hypervisor, facts: &Facts) -> Option<Subject> {
    (!maker.rents_bare_machines || is_virtual(facts)).then_some(Subject::Hypervisor(maker))
}

/// Whether a machine of one who rents bare ones as well is virtual: they lack both marks of a virtual one. Where the processor
/// has no such mark the product tells them.
fn is_virtual(facts: &Facts) -> bool {
    let smbios = facts.smbios.as_ref();
    let bit = facts.cpuid.as_ref().and_then(|cpuid| cpuid.hypervisor_bit);
    smbios.and_then(|smbios| smbios.virtual_machine_bit) == Some(true)
        || bit.unwrap_or_else(|| smbios.is_some_and(|smbios| !is_metal(smbios)))
}

/// Whether the product is the name of a bare machine, as EC2's `m7g.metal` and `m7g.metal-48xl`.
fn is_metal(smbios: &Smbios) -> bool {
    let product = smbios.product_name.as_deref();
    product.is_some_and(|name| name.contains(".metal"))
}

/// The first table that a row made, as observed, and that row. Bochs' tables were there before QEMU's.
fn acpi_maker(facts: &Facts) -> Option<(String, &'static Hypervisor)> {
    let tables = &facts.acpi.as_ref()?.tables;
    tables.iter().find_map(|table| {
        let made = |mark: &AcpiMark| {
            table.oem_id == mark.oem_id && table.oem_table_id.starts_with(mark.table_id)
        };
        let maker = hypervisors::find(|row| row.acpi.iter().any(made))?;
        let observed = format!(
            "{} has OEM id \"{}\" \"{}\"",
            table.name, table.oem_id, table.oem_table_id
        );
        match maker == &QEMU && is_bochs(facts) {
            true => Some((observed, &BOCHS)),
            false => Some((observed, maker)),
        }
    })
}

fn acpi(facts: &Facts, all: &mut Gathered) {
    let Some((observed, maker)) = acpi_maker(facts) else {
        return;
    };
    let Some(subject) = subject(maker, facts) else {
        return;
    };
    let mut claims = vec![Claim::Board(subject)];
    let built = format!("{} built the tables", maker.title);
    let means = if maker == &XEN {
        claims.push(Claim::Genuine(true));
        xen_tables(facts, built, &mut claims)
    } else if copies_xen_here(facts, maker) {
        claims.push(Claim::Genuine(false));
        format!("{built}: a guest of Xen would have Xen's")
    } else {
        built
    };
    all.add(
        &source::acpi::SOURCE,
        Weight::Strong,
        &observed,
        &means,
        &claims,
    );
}

/// Xen's tables tell a machine with an emulated board from one without any.
fn xen_tables(facts: &Facts, built: String, claims: &mut Vec<Claim>) -> String {
    let fadt = facts.acpi.as_ref().and_then(|acpi| acpi.fadt.as_ref());
    match fadt.and_then(|fadt| fadt.boot_arch) {
        Some(bits) if bits & NO_VGA_NO_CMOS == NO_VGA_NO_CMOS => {
            claims.push(Claim::Mode(XenMode::Pvh));
            format!("{built}, for a machine without a board (no VGA, no CMOS)")
        }
        Some(_) => {
            claims.push(Claim::Mode(XenMode::Hvm));
            format!("{built}, for an emulated board")
        }
        None => built,
    }
}

/// Whether native CPUID has Xen's leaves on the board of one that runs under a hypervisor which copies them. A dom0 has
/// the board of the machine below.
fn copies_xen_here(facts: &Facts, maker: &Hypervisor) -> bool {
    let native = facts.cpuid.as_ref().and_then(|cpuid| cpuid.xen.as_ref());
    let dom0 = xen_leaves::both(facts).any(|leaves| leaves.domid == Some(0));
    let copier = |row: &Hypervisor| row.is_copy_of(&XEN) && row.has_board_of(maker);
    native.is_some() && !dom0 && hypervisors::find(copier).is_some()
}

/// The string that bears a row's mark, and the row.
fn smbios_maker(facts: &Facts) -> Option<(&str, &'static Hypervisor)> {
    let smbios = facts.smbios.as_ref()?;
    let rented = is_virtual(facts);
    hypervisors::ALL.iter().copied().find_map(|row| {
        let rented = row.rented_smbios.iter().filter(|_| rented);
        let text = row
            .smbios
            .iter()
            .chain(rented)
            .find_map(|mark| mark.find(smbios));
        Some((text?, row))
    })
}

/// Vendor, the firmware's where the machine names none, and product, for a person.
fn identity(smbios: &Smbios) -> String {
    let text = |field: Option<&String>| field.map_or_else(|| "-".to_owned(), String::clone);
    let vendor = smbios.system_vendor.as_ref();
    format!(
        "\"{}\" \"{}\"",
        text(vendor.or(smbios.bios_vendor.as_ref())),
        text(smbios.product_name.as_ref())
    )
}

fn smbios(facts: &Facts, all: &mut Gathered) {
    let Some(smbios) = &facts.smbios else { return };
    let mut observed = identity(smbios);
    let mut weight = Weight::Supports;
    let (means, claims) = match smbios_maker(facts) {
        Some((text, maker)) => {
            if !observed.contains(text) {
                observed = [&observed, ", \"", text, "\""].concat();
            }
            match subject(maker, facts) {
                Some(subject) => {
                    let mut claims = vec![Claim::Board(subject)];
                    let mut means = format!("{}'s firmware", maker.title);
                    if maker == &XEN {
                        claims.push(Claim::Mode(XenMode::Hvm));
                        means.push_str(" for an emulated board");
                    }
                    // What builds machines on KVM leaves QEMU's name beside its own.
                    let beside = hypervisors::find(|row| {
                        maker.boards.contains(&row)
                            && row.smbios.iter().any(|mark| mark.find(smbios).is_some())
                    });
                    claims.extend(beside.map(|row| Claim::Board(Subject::Hypervisor(row))));
                    (means, claims)
                }
                None if facts.cpuid.is_none() && is_metal(smbios) => (
                    [maker.title, " rents it as a bare machine"].concat(),
                    vec![Claim::Processor(Subject::Nothing)],
                ),
                None => return,
            }
        }
        None if smbios.virtual_machine_bit == Some(true) => {
            // Of other processors there is nothing that tells it better, and no real machine is known that says so.
            if facts.arch != "x86_64" {
                weight = Weight::Strong;
            }
            observed = "type 0 says: a virtual machine".to_owned();
            (
                "some hypervisor's firmware, or a mistake of a real machine's".to_owned(),
                vec![Claim::Board(Subject::Virtual)],
            )
        }
        None if smbios.system_vendor.is_some() => (
            "no virtual machine's firmware that xenprobe knows".to_owned(),
            vec![Claim::Board(Subject::Nothing)],
        ),
        None => return,
    };
    all.add(&source::smbios::SOURCE, weight, &observed, &means, &claims);
}

fn pci(facts: &Facts, all: &mut Gathered) {
    let Some(pci) = &facts.pci else { return };
    let mut say = |observed: String, means: String, claims: Vec<Claim>| {
        all.add(
            &source::pci::SOURCE,
            Weight::Supports,
            &observed,
            &means,
            &claims,
        );
    };
    for function in &pci.functions {
        let id = (function.vendor, function.device);
        let marked = match is_qemus_bridge(function) {
            true => ", subsystem vendor 1af4",
            false => "",
        };
        let observed = || format!("{} is {:04x}:{:04x}{marked}", function.address, id.0, id.1);
        let owner = owner(function);
        if owner == Some(&XEN) {
            say(
                observed(),
                "Xen's platform device, on emulated boards only".to_owned(),
                vec![
                    Claim::Mode(XenMode::Hvm),
                    Claim::Device(Subject::Hypervisor(&XEN)),
                ],
            );
        } else if let Some(owner) = owner {
            let title = owner.title;
            let means = match hypervisors::shares_board(owner) {
                true => format!("a device of {title}'s"),
                false => format!("a device of {title}'s machines alone"),
            };
            let subject = Subject::Hypervisor(owner);
            say(observed(), means, vec![Claim::Device(subject)]);
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
    let maker = acpi_maker(facts).map(|found| found.1);
    if maker == Some(&BOCHS) && is_unmarked(pci) {
        say(
            "no function has QEMU's subsystem ids".to_owned(),
            "Bochs' board, from which QEMU's was made, has none".to_owned(),
            vec![Claim::Device(Subject::Hypervisor(&BOCHS))],
        );
    }
    if pci.functions.is_empty() {
        say(
            "no function at all".to_owned(),
            "no board: PV, PVH, or a machine without PCI".to_owned(),
            vec![Claim::HasBoard(false)],
        );
    }
}
