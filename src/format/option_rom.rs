//! Option ROMs: the headers of every image (PCI Firmware 3.3, chapter 5), with the Plug and Play expansion header (Plug and
//! Play BIOS 1.0A, 3.2) that says whether an image can boot.

use super::hex::{hex4_or_null, hex6, hex6_or_null};
use crate::bytes::{field_text, le16, le32};
use serde::Serialize;

/// Bytes that hold both headers of an image and their strings, which stand near its start.
pub const HEAD: usize = 1024;
/// Unit of lengths.
const BLOCK: usize = 512;
/// Images of one ROM, and Plug and Play headers of one image, that are looked at.
const IMAGES: usize = 8;
const PNP_HEADERS: usize = 4;
/// Bytes of a ROM, at most.
const SIZE: usize = 1 << 20;

/// Code type of images for a PC's BIOS.
const PC: u8 = 0;

/// Headers of one image (PCI Firmware 3.3, chapter 5; Plug and Play BIOS 1.0A, 3.2).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RomImage {
    /// Bytes.
    pub length: u32,
    /// Code type of the PCI data structure: 0 PC, 1 Open Firmware, 3 EFI; `None` without one.
    pub code_type: Option<u8>,
    /// PCI vendor of the device that it is for.
    #[serde(serialize_with = "hex4_or_null")]
    pub vendor: Option<u16>,
    /// That device.
    #[serde(serialize_with = "hex4_or_null")]
    pub device: Option<u16>,
    /// Class, subclass and programming interface, 6 hexadecimal digits.
    #[serde(serialize_with = "hex6_or_null")]
    pub class: Option<u32>,
    /// `None` in images for other machines than a PC, and in old ones.
    pub pnp: Option<PnpHeader>,
}

/// The Plug and Play expansion header (Plug and Play BIOS 1.0A, 3.2).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PnpHeader {
    /// Class, subclass and programming interface of the device, as in PCI.
    #[serde(serialize_with = "hex6")]
    pub device_type: u32,
    /// Boot connection vector: the ROM makes itself a disk of the BIOS's. 0 is none.
    pub bcv: u16,
    /// Bootstrap entry vector: the ROM itself boots, as PXE does. 0 is none.
    pub bev: u16,
    /// The maker's name, where there is one.
    pub manufacturer: Option<String>,
    /// The product's name, where there is one.
    pub product: Option<String>,
}

/// The images of one ROM, each behind the other until one says that it is the last. `part` reads from an offset on.
pub fn images(head: Vec<u8>, mut part: impl FnMut(usize) -> Vec<u8>) -> Vec<RomImage> {
    let mut found = Vec::new();
    let (mut offset, mut head) = (0, head);
    while let Some((image, last)) = parse(&head) {
        offset += image.length as usize;
        found.push(image);
        if last || found.len() == IMAGES || offset >= SIZE {
            break;
        }
        head = part(offset);
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
            last = data.get(0x15).is_none_or(|indicator| indicator & 0x80 != 0);
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
