//! Names of PCI classes, vendors, devices and subsystems, from a text in the format of the PCI ID database
//! (https://pci-ids.ucw.cz/, pci.ids(5)): the file that the system has, plain or gzip, or the built-in excerpt of it,
//! which has what virtual machines show. The text is searched where it lies; nothing is built from it but a list of its
//! vendors.

use crate::fd::read_file;
use crate::format::gzip;
use std::path::Path;

/// The excerpt, without its comments: `data/pci.ids`, reduced and compressed by `build.rs`.
const BUILTIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/pci.ids.gz"));

/// Where distributions keep the database, in the order in which they are tried: pciutils' own place on Debian (kept fresh
/// by update-pciids, or the package's), hwdata's on Fedora and Arch, and older ones.
const PLACES: &[&str] = &[
    "/usr/share/misc/pci.ids",
    "/usr/share/misc/pci.ids.gz",
    "/usr/share/hwdata/pci.ids",
    "/usr/share/hwdata/pci.ids.gz",
    "/usr/share/pci.ids",
    "/usr/share/pci.ids.gz",
    "/usr/local/share/pci.ids",
    "/usr/local/share/pci.ids.gz",
];

/// The database has 1.5 MiB.
const LIMIT: usize = 16 << 20;

/// A database of names, in the format of pci.ids.
#[derive(Debug, Clone)]
pub struct Names {
    text: String,
    /// Vendors with the offset of their line, in the order of the text.
    vendors: Vec<(u16, usize)>,
    /// Offset of the first class.
    classes: usize,
    /// Offset of the first vendor whose subsystems have the same names everywhere. No database of today has one, and
    /// to search it whole for every function would take as long as there are functions.
    everywhere: usize,
}

impl Names {
    /// The excerpt in the binary.
    pub fn builtin() -> Names {
        Names::of(text(BUILTIN.to_vec()).unwrap_or_default())
    }

    /// The system's database, else the built-in excerpt.
    pub fn load() -> Names {
        let found = PLACES.iter().find_map(|place| read(Path::new(place)));
        found.map_or_else(Names::builtin, Names::of)
    }

    /// The text of a database, plain or gzip. `None` if it is neither.
    pub fn parse(bytes: Vec<u8>) -> Option<Names> {
        Some(Names::of(text(bytes)?))
    }

    fn of(text: String) -> Names {
        let mut vendors = Vec::new();
        let mut classes = None;
        let mut everywhere = None;
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            match line.as_bytes().first() {
                Some(b'0'..=b'9' | b'a'..=b'f') => {
                    if let Some((id, _)) = entry(line, 4) {
                        vendors.push((id as u16, offset));
                    }
                }
                Some(b'C') if classes.is_none() && line.starts_with("C ") => classes = Some(offset),
                Some(b'S') if everywhere.is_none() && line.starts_with("S ") => {
                    everywhere = Some(offset)
                }
                _ => {}
            }
            offset += line.len();
        }
        Names {
            classes: classes.unwrap_or(text.len()),
            everywhere: everywhere.unwrap_or(text.len()),
            vendors,
            text,
        }
    }

    /// A vendor's name.
    pub fn vendor(&self, vendor: u16) -> Option<&str> {
        let first = self.block(vendor)?.next()?;
        Some(entry(first, 4)?.1)
    }

    /// A device's name.
    pub fn device(&self, vendor: u16, device: u16) -> Option<&str> {
        nested(self.block(vendor)?.skip(1), "\t", 4, u32::from(device)).map(|found| found.0)
    }

    /// A subsystem of this device; one that its vendor has everywhere; or, where the subsystem's ids are the device's
    /// own, the device.
    pub fn subsystem(&self, device: (u16, u16), subsystem: (u16, u16)) -> Option<&str> {
        let of_device = || {
            let lines = self.block(device.0)?.skip(1);
            let (_, rest) = nested(lines, "\t", 4, u32::from(device.1))?;
            let wanted = format!("\t\t{:04x} {:04x}", subsystem.0, subsystem.1);
            let mut inner = rest.take_while(|line| is_within(line, "\t\t"));
            inner.find_map(|line| Some(line.strip_prefix(&wanted)?.trim()))
        };
        let everywhere = || {
            let heading = format!("S {:04x}", subsystem.0);
            let mut lines = self.text.get(self.everywhere..)?.lines();
            lines.find(|line| line.trim_end() == heading)?;
            nested(lines, "\t", 4, u32::from(subsystem.1)).map(|found| found.0)
        };
        of_device()
            .or_else(everywhere)
            .or_else(|| match device == subsystem {
                true => self.device(device.0, device.1),
                false => None,
            })
    }

    /// Base class and subclass.
    pub fn subclass(&self, class: u16) -> Option<&str> {
        nested(self.class_block(class)?, "\t", 2, u32::from(class & 0xff)).map(|found| found.0)
    }

    /// A base class.
    pub fn class(&self, base: u8) -> Option<&str> {
        let heading = format!("C {base:02x}");
        let lines = self.text.get(self.classes..)?.lines();
        let mut names = lines.filter_map(|line| line.strip_prefix(&heading));
        names.next().map(str::trim)
    }

    /// The programming interface of a whole class of three bytes.
    pub fn programming_interface(&self, class: u32) -> Option<&str> {
        let lines = self.class_block((class >> 8) as u16)?;
        let (_, rest) = nested(lines, "\t", 2, class >> 8 & 0xff)?;
        nested(rest, "\t\t", 2, class & 0xff).map(|found| found.0)
    }

    /// The lines of a vendor's block and all behind it, its own line first.
    fn block(&self, vendor: u16) -> Option<std::str::Lines<'_>> {
        let place = self.vendors.iter().find(|place| place.0 == vendor)?.1;
        Some(self.text.get(place..)?.lines())
    }

    fn class_block(&self, class: u16) -> Option<std::str::Lines<'_>> {
        let heading = format!("C {:02x}", class >> 8);
        let mut lines = self.text.get(self.classes..)?.lines();
        lines.find(|line| line.starts_with(&heading))?;
        Some(lines)
    }
}

fn read(place: &Path) -> Option<String> {
    text(read_file(place, LIMIT).ok()?)
}

fn text(bytes: Vec<u8>) -> Option<String> {
    let bytes = match bytes.starts_with(&gzip::MAGIC) {
        true => gzip::decompress(&bytes, LIMIT).ok()?,
        false => bytes,
    };
    match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => Some(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// The identifier of `digits` digits that a line begins with, and the name behind it.
fn entry(line: &str, digits: usize) -> Option<(u32, &str)> {
    let (id, name) = line.split_at_checked(digits)?;
    let name = name.strip_prefix([' ', '\t'])?;
    Some((u32::from_str_radix(id, 16).ok()?, name.trim()))
}

/// Whether a line belongs to the block of a heading whose entries begin with `indent`; comments may lie between them.
fn is_within(line: &str, indent: &str) -> bool {
    line.starts_with(indent) || line.starts_with('#') || line.trim().is_empty()
}

/// The name of an entry in the block that begins here, and the lines behind it.
fn nested<'a, I: Iterator<Item = &'a str>>(
    mut lines: I,
    indent: &str,
    digits: usize,
    id: u32,
) -> Option<(&'a str, I)> {
    loop {
        let line = lines.next()?;
        if !is_within(line, indent) {
            return None;
        }
        let found = line
            .strip_prefix(indent)
            .and_then(|rest| entry(rest, digits));
        if let Some((number, name)) = found {
            if number == id {
                return Some((name, lines));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_names_of_the_440fx_board() {
        let names = Names::builtin();
        assert_eq!(names.vendor(0x8086), Some("Intel Corporation"));
        assert_eq!(
            names.device(0x8086, 0x1237),
            Some("440FX - 82441FX PMC [Natoma]")
        );
        assert_eq!(names.device(0x8086, 0xffff), None);
        // A device of the vendor behind must not be found in this one's block.
        assert_eq!(names.device(0x1234, 0x1237), None);
        assert_eq!(names.subclass(0x0601), Some("ISA bridge"));
        assert_eq!(names.class(0x06), Some("Bridge"));
        assert_eq!(
            names.subsystem((0x8086, 0x1237), (0x1af4, 0x1100)),
            Some("Qemu virtual machine")
        );
        assert_eq!(names.programming_interface(0x0c0320), Some("EHCI"));
    }

    #[test]
    fn the_built_in_excerpt_keeps_its_size() {
        assert!(BUILTIN.len() < 9 << 10, "{}", BUILTIN.len());
    }

    #[test]
    fn a_text_that_is_no_database() {
        for text in [
            "",
            "C ",
            "C 06",
            "8086",
            "8086  ",
            "\t1237  x",
            "8086  I\n\t\t1 2 x\n\t12",
            "S 8086",
        ] {
            let names = Names::parse(text.into()).unwrap();
            assert_eq!(names.device(0x8086, 0x1237), None);
            assert_eq!(names.subclass(0x0601), None);
            assert_eq!(names.subsystem((0x8086, 0x1237), (0x8086, 1)), None);
            assert_eq!(names.programming_interface(0x060100), None);
        }
    }
}
