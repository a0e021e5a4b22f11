//! Option ROMs: those of network cards are read through sysfs's `rom`; those that a BIOS copied to 0xC0000 to 0xEFFFF are
//! looked for at every 2 KiB.

use super::{boot_of, looks_for_bios};
use crate::error::{error_text, is_absent};
use crate::facts::boot::{OptionRom, RomImage, RomPlace};
use crate::facts::{Address, Facts, PciFunction};
use crate::format::option_rom::{images, parse, HEAD};
use crate::machine::{read_text, Machine, PCI_DEVICES};
use crate::source::{Context, Part, Problems, Source, Stage};

/// Option ROMs that the firmware may boot from.
pub static SOURCE: Source = Source {
    name: "option-rom",
    stage: Stage::Boot,
    parts: &[Part::Roms, Part::Memory(0xc_0000, 0xe_ffff)],
    read,
};

const AREA: u32 = 0xc_0000;
const AREA_SIZE: usize = 0x3_0000;
/// Where ROMs begin.
const STEP: usize = 2048;

/// The highest byte of a network card's PCI class.
const NETWORK: u32 = 0x02;

fn read(context: &Context, facts: &mut Facts, problems: &mut Problems) {
    let machine = context.machine;
    let copies = match looks_for_bios(context, facts) {
        true => in_memory(machine),
        false => None,
    };
    if context.access.rom_decode_enable && facts.pci.is_some() {
        let known = copies.as_deref().unwrap_or_default();
        boot_of(facts).nic_roms = Some(of_nics(machine, facts, known, problems));
    }
    boot_of(facts).bios_roms = copies;
}

/// The ROM of each network card, one without images where it has none. A card is left out where that cannot be told,
/// and where the BIOS's copy is among `copies`: enabling a decoder costs an emulated machine more than all the rest.
fn of_nics(
    machine: &dyn Machine,
    facts: &Facts,
    copies: &[OptionRom],
    problems: &mut Problems,
) -> Vec<OptionRom> {
    let functions = facts.pci.iter().flat_map(|pci| &pci.functions);
    let cards = functions.filter(|function| function.class >> 16 == NETWORK);
    let copied = |function: &&PciFunction| copies.iter().any(|rom| rom.is_for(function));
    let roms = cards.filter(|card| !copied(card)).filter_map(|function| {
        let address = function.address;
        let rom = |images| OptionRom {
            place: RomPlace::Function(address),
            images,
        };
        if has_no_rom(machine, address) {
            return Some(rom(Vec::new()));
        }
        let part = |offset: usize| machine.rom(&address.to_string(), offset, HEAD);
        match part(0) {
            Ok(head) => Some(rom(images(head, |offset| part(offset).unwrap_or_default()))),
            // The kernel's list of resources says that there is one: this is a capture that does not have it.
            Err(error) if is_absent(&error) => None,
            Err(error) => {
                problems.warn(&SOURCE, &address.to_string(), &error_text(&error));
                None
            }
        }
    });
    roms.collect()
}

/// Whether the seventh line of a function's resources, its expansion ROM, is empty.
fn has_no_rom(machine: &dyn Machine, function: Address) -> bool {
    let path = format!("{PCI_DEVICES}/{function}/resource");
    let text = read_text(machine, &path).unwrap_or_default();
    let digits = |line: &str| line.bytes().all(|byte| matches!(byte, b'0' | b'x' | b' '));
    text.lines().nth(6).is_some_and(digits)
}

/// The ROMs that a BIOS left below 1 MiB; `None` where that cannot be read.
fn in_memory(machine: &dyn Machine) -> Option<Vec<OptionRom>> {
    let area = machine.memory(AREA, AREA_SIZE).ok()?;
    // So that a capture shows that the area could be read, whatever is found in it.
    let _ = machine.memory(AREA, 2);
    Some(scan(machine, &area))
}

fn scan(machine: &dyn Machine, area: &[u8]) -> Vec<OptionRom> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(head) = area.get(at..(at + HEAD).min(area.len())) {
        let mut next = at + STEP;
        // Two bytes are soon found where a BIOS has its own code: one of the two newer headers has to be there.
        let is_rom = |image: &RomImage| image.code_type.is_some() || image.pnp.is_some();
        if let Some((image, _)) = parse(head).filter(|(image, _)| is_rom(image)) {
            next = at + (image.length as usize).next_multiple_of(STEP);
            let address = AREA + at as u32;
            // Read once more by itself: a capture keeps heads and not the whole area.
            let _ = machine.memory(address, HEAD);
            found.push(OptionRom {
                place: RomPlace::Memory(address),
                images: vec![image],
            });
        }
        at = next;
        if at >= area.len() {
            break;
        }
    }
    found
}
