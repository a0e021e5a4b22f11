//! Option ROMs: the headers of every image (PCI Firmware 3.3, chapter 5), with the Plug and Play expansion header
//! (Plug and Play BIOS 1.0A, 3.2) that says whether an image can boot. Those of network cards are read through sysfs's
//! `rom`; those that a BIOS copied to 0xC0000 to 0xEFFFF are looked for at every 2 KiB.

use crate::bytes::{field_text, le16, le32};
use crate::error::{error_text, is_absent};
use crate::facts::boot::{OptionRom, PnpHeader, RomImage};
use crate::facts::{Facts, PciFunction};
use crate::machine::{read_text, Machine, FILE_LIMIT};
use crate::source::pci::ROOT;
use crate::source::Problems;

/// Enough for both headers and their strings, which stand near the start.
const HEAD: usize = 1024;
const AREA: u32 = 0xc_0000;
const AREA_SIZE: usize = 0x3_0000;
/// Where ROMs begin.
const STEP: usize = 2048;
/// Unit of lengths.
const BLOCK: usize = 512;
const IMAGES: usize = 8;
const PNP_HEADERS: usize = 4;

/// Code type of images for a PC's BIOS.
const PC: u8 = 0;

/// The highest byte of a network card's PCI class.
const NETWORK: u32 = 0x02;

/// The ROM of each network card, one without images where it has none. A card is left out where that cannot be told,
/// and where the BIOS's copy is among `copies`: switching a decoder costs an emulated machine more than all the rest.
pub fn of_cards(
    machine: &dyn Machine,
    facts: &Facts,
    copies: &[OptionRom],
    problems: &mut Problems,
) -> Vec<OptionRom> {
    let functions = facts.pci.iter().flat_map(|pci| &pci.functions);
    let cards = functions.filter(|function| function.class >> 16 == NETWORK);
    let copied = |function: &&PciFunction| copies.iter().any(|rom| rom.is_for(function));
    let roms = cards.filter(|card| !copied(card)).filter_map(|function| {
        let address = function.address.as_str();
        let rom = |images| OptionRom {
            place: address.to_owned(),
            images,
        };
        if has_no_rom(machine, address) {
            return Some(rom(Vec::new()));
        }
        let part = |offset: usize| machine.rom(address, offset, HEAD);
        match part(0) {
            Ok(head) => Some(rom(images(head, |offset| part(offset).unwrap_or_default()))),
            // The kernel's list of resources says that there is one: this is a capture that does not have it.
            Err(error) if is_absent(&error) => None,
            Err(error) => {
                problems.say("option-rom", address, &error_text(&error));
                None
            }
        }
    });
    roms.collect()
}

/// Whether the seventh line of a function's resources, its expansion ROM, is empty.
fn has_no_rom(machine: &dyn Machine, function: &str) -> bool {
    let path = format!("{ROOT}/{function}/resource");
    let text = read_text(machine, &path).unwrap_or_default();
    let digits = |line: &str| line.bytes().all(|byte| matches!(byte, b'0' | b'x' | b' '));
    text.lines().nth(6).is_some_and(digits)
}

/// The ROMs that a BIOS left below 1 MiB; `None` where that cannot be read.
pub fn in_memory(machine: &dyn Machine) -> Option<Vec<OptionRom>> {
    let area = machine.memory(AREA, AREA_SIZE).ok()?;
    // So that a capture shows that the area could be read, whatever is found in it.
    let _ = machine.memory(AREA, 2);
    Some(scan(machine, &area))
}

/// The images of one ROM, each behind the other until one says that it is the last. `part` reads from an offset on.
pub fn images(head: Vec<u8>, mut part: impl FnMut(usize) -> Vec<u8>) -> Vec<RomImage> {
    let mut found = Vec::new();
    let (mut offset, mut head) = (0, head);
    while let Some((image, last)) = parse(&head) {
        offset += image.length as usize;
        found.push(image);
        if last || found.len() == IMAGES || offset >= FILE_LIMIT {
            break;
        }
        head = part(offset);
    }
    found
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
                place: format!("{address:#x}"),
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

/// The image that begins with `head`, and whether it is the last; `None` where none begins.
pub fn parse(head: &[u8]) -> Option<(RomImage, bool)> {
    if head.get(..2)? != [0x55, 0xaa] {
        return None;
    }
    let mut image = RomImage {
        // The byte of the old header; EFI images have something else there.
        length: u32::from(*head.get(2)?) * BLOCK as u32,
        ..RomImage::default()
    };
    let pointer = |at: usize| le16(head, at).map(usize::from).filter(|to| *to != 0);
    let mut last = true;
    if let Some(data) = pointer(0x18).and_then(|at| head.get(at..)) {
        if data.starts_with(b"PCIR") {
            image.vendor = le16(data, 4);
            image.device = le16(data, 6);
            image.class = le32(data, 0x0c).map(|value| value >> 8);
            image.code_type = data.get(0x14).copied();
            last = data
                .get(0x15)
                .map_or(true, |indicator| indicator & 0x80 != 0);
            // In memory the old header counts: an image that initialised itself is shorter than it was.
            let told = le16(data, 0x10).map_or(0, |blocks| u32::from(blocks) * BLOCK as u32);
            if image.code_type != Some(PC) || image.length == 0 {
                image.length = told;
            }
        }
    }
    if image.length == 0 {
        last = true;
    }
    if image.code_type.unwrap_or(PC) == PC {
        image.pnp = pointer(0x1a).and_then(|at| pnp(head, at));
    }
    Some((image, last))
}

/// The first Plug and Play header of the chain that can boot, else the first.
fn pnp(head: &[u8], mut at: usize) -> Option<PnpHeader> {
    let mut first = None;
    for _ in 0..PNP_HEADERS {
        let Some(header) = head.get(at..).filter(|header| header.starts_with(b"$PnP")) else {
            break;
        };
        let Some(parsed) = pnp_header(head, header) else {
            break;
        };
        if parsed.bev != 0 || parsed.bcv != 0 {
            return Some(parsed);
        }
        first.get_or_insert(parsed);
        match le16(header, 6).map(usize::from) {
            Some(next) if next > at => at = next,
            _ => break,
        }
    }
    first
}

fn pnp_header(head: &[u8], header: &[u8]) -> Option<PnpHeader> {
    let text = |at: usize| {
        let to = le16(header, at).map(usize::from).filter(|to| *to != 0)?;
        let text = field_text(head.get(to..(to + 64).min(head.len()))?);
        (!text.is_empty()).then_some(text)
    };
    let device_type = header.get(0x12..0x15)?;
    Some(PnpHeader {
        device_type: device_type
            .iter()
            .fold(0, |value, byte| value << 8 | u32::from(*byte)),
        bcv: le16(header, 0x16)?,
        bev: le16(header, 0x1a)?,
        manufacturer: text(0x0e),
        product: text(0x10),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What iPXE's ROM for an e1000 begins with: PCI data at 0x1c, Plug and Play at 0x40, strings behind them.
    fn ipxe() -> Vec<u8> {
        let mut head = vec![0; 0x80];
        head[..3].copy_from_slice(&[0x55, 0xaa, 0x93]);
        head[0x18..0x1c].copy_from_slice(&[0x1c, 0, 0x40, 0]);
        head[0x1c..0x38].copy_from_slice(
            b"PCIR\x86\x80\x0e\x10\xbf\x04\x1c\x00\x03\x00\x00\x02\x93\x00\x01\x00\x00\x80\x07\x00\x00\x00\x00\x00",
        );
        head[0x40..0x5c].copy_from_slice(
            b"$PnP\x01\x02\x00\x00\x00\x7d\x00\x00\x00\x00\x60\x00\x70\x00\x02\x00\x00\xf4\x00\x00\x00\x00\x85\x03",
        );
        head[0x60..0x70].copy_from_slice(b"http://ipxe.org\0");
        head[0x70..0x74].copy_from_slice(b"iPXE");
        head
    }

    #[test]
    fn ipxe_for_an_e1000() {
        let (image, last) = parse(&ipxe()).unwrap();
        assert!(last);
        assert_eq!((image.code_type, image.length), (Some(0), 0x93 * 512));
        assert_eq!((image.vendor, image.device), (Some(0x8086), Some(0x100e)));
        assert_eq!(image.class, Some(0x02_0000));
        let pnp = image.pnp.unwrap();
        assert_eq!((pnp.bcv, pnp.bev, pnp.device_type), (0, 0x385, 0x02_0000));
        assert_eq!(pnp.product.as_deref(), Some("iPXE"));
    }

    #[test]
    fn cut_off_anywhere() {
        let head = ipxe();
        for end in 0..head.len() {
            let _ = parse(&head[..end]);
        }
    }

    #[test]
    fn pointers_past_the_end() {
        let mut head = ipxe();
        head[0x18..0x1c].copy_from_slice(&[0xff; 4]);
        let (image, _) = parse(&head).unwrap();
        assert_eq!((image.code_type, image.pnp), (None, None));
    }

    #[test]
    fn plug_and_play_header_that_points_to_itself() {
        let mut head = ipxe();
        head[0x46] = 0x40;
        head[0x5a..0x5c].copy_from_slice(&[0, 0]);
        assert_eq!(parse(&head).unwrap().0.pnp.unwrap().bev, 0);
    }

    #[test]
    fn image_of_length_zero_ends_the_rom() {
        let mut head = ipxe();
        head[2] = 0;
        head[0x2c] = 0;
        head[0x31] = 0;
        let found = images(head.clone(), |_| head.clone());
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn rom_without_a_last_image() {
        let mut head = ipxe();
        head[0x31] = 0;
        let found = images(head.clone(), |_| head.clone());
        assert_eq!(found.len(), IMAGES);
    }
}
