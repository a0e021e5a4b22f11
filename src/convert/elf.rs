//! ELF files of 32 and 64 bits, little-endian (System V ABI, gabi chapters 4 and 5): what kind of file it is, and its
//! notes, through program headers or sections, looked for in the order in which Xen's `libelf-dominfo.c` does.

use super::notes::{Note, Notes, Place};
use crate::bytes::{le16, le32};

pub const MAGIC: &[u8] = b"\x7fELF";
const PT_NOTE: u32 = 4;
const SHT_NOTE: u32 = 7;
/// Holds nothing in the file.
const SHT_NOBITS: u32 = 8;

#[derive(Debug, PartialEq, Eq)]
pub struct Elf {
    pub bits: u8,
    pub machine: u16,
    pub xen: Option<Notes>,
    /// Whether Linux's own build left notes.
    pub is_linux: bool,
}

/// Where a header's fields stand, which differs between the two classes.
struct Layout {
    wide: bool,
    program_headers: usize,
    sections: usize,
    counts: usize,
}

struct File<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

/// A part of the file by offset and size.
struct Part {
    kind: u32,
    name: u32,
    offset: u64,
    size: u64,
}

pub fn parse(bytes: &[u8]) -> Result<Elf, String> {
    let early = || "ELF: ends within its header".to_owned();
    if !bytes.starts_with(MAGIC) {
        return Err("no ELF file".to_owned());
    }
    let wide = match bytes.get(4).ok_or_else(early)? {
        1 => false,
        2 => true,
        class => return Err(format!("ELF: class {class} is neither 32 nor 64 bits")),
    };
    if bytes.get(5) != Some(&1) {
        return Err("ELF: not little-endian, so not for x86".to_owned());
    }
    let layout = match wide {
        false => Layout {
            wide,
            program_headers: 28,
            sections: 32,
            counts: 42,
        },
        true => Layout {
            wide,
            program_headers: 32,
            sections: 40,
            counts: 54,
        },
    };
    let file = File { bytes, layout };
    let machine = le16(bytes, 18).ok_or_else(early)?;
    let mut found = Found::default();
    for part in file.program_headers().ok_or_else(early)? {
        let part = part?;
        if part.kind == PT_NOTE {
            found.add(&file, &part, Place::ProgramHeader)?;
        }
    }
    let sections = file.sections().ok_or_else(early)?;
    if found.xen.is_none() {
        for part in &sections {
            if part.kind == SHT_NOTE {
                found.add(&file, part, Place::Section)?;
            }
        }
    }
    if found.xen.is_none() {
        let names = le16(bytes, file.layout.counts + 8).map(usize::from);
        let names = names.and_then(|number| sections.get(number));
        let names = names
            .and_then(|part| file.content(part).ok())
            .unwrap_or_default();
        for part in &sections {
            let name = names.get(part.name as usize..).unwrap_or_default();
            if part.kind != SHT_NOBITS && name.starts_with(b"__xen_guest\0") {
                found.xen = Some(Notes::of_text(file.content(part)?));
            }
        }
    }
    Ok(Elf {
        bits: if wide { 64 } else { 32 },
        machine,
        xen: found.xen,
        is_linux: found.is_linux,
    })
}

impl<'a> File<'a> {
    /// A field as wide as an address.
    fn word(&self, at: usize) -> Option<u64> {
        let low = u64::from(le32(self.bytes, at)?);
        match self.layout.wide {
            false => Some(low),
            true => Some(u64::from(le32(self.bytes, at + 4)?) << 32 | low),
        }
    }

    /// `None` where the file header is cut; an error for a table that leaves the file.
    fn program_headers(&self) -> Option<Vec<Result<Part, String>>> {
        let start = self.word(self.layout.program_headers)?;
        let size = usize::from(le16(self.bytes, self.layout.counts)?);
        let count = le16(self.bytes, self.layout.counts + 2)?;
        let mut parts = Vec::new();
        for number in 0..usize::from(count) {
            let part = self.program_header(start, number * size);
            let failed = part.is_none();
            parts.push(part.ok_or_else(|| "ELF: program headers lie past the end".to_owned()));
            if failed {
                break;
            }
        }
        Some(parts)
    }

    fn program_header(&self, start: u64, offset: usize) -> Option<Part> {
        let at = usize::try_from(start).ok()?.checked_add(offset)?;
        // Far behind it no field can be; this keeps the sums below small.
        self.bytes.get(at)?;
        let (offset, size) = match self.layout.wide {
            false => (4, 16),
            true => (8, 32),
        };
        Some(Part {
            kind: le32(self.bytes, at)?,
            name: 0,
            offset: self.word(at + offset)?,
            size: self.word(at + size)?,
        })
    }

    /// Sections, as far as the file has them: stripped kernels have lost theirs, and nothing needs them to run.
    fn sections(&self) -> Option<Vec<Part>> {
        let start = self.word(self.layout.sections)?;
        let size = usize::from(le16(self.bytes, self.layout.counts + 4)?);
        let count = le16(self.bytes, self.layout.counts + 6)?;
        let numbers = 0..usize::from(count);
        let parts = numbers.map_while(|number| self.section(start, number * size));
        Some(parts.collect())
    }

    fn section(&self, start: u64, offset: usize) -> Option<Part> {
        let at = usize::try_from(start).ok()?.checked_add(offset)?;
        self.bytes.get(at)?;
        let (offset, size) = match self.layout.wide {
            false => (16, 20),
            true => (24, 32),
        };
        Some(Part {
            name: le32(self.bytes, at)?,
            kind: le32(self.bytes, at + 4)?,
            offset: self.word(at + offset)?,
            size: self.word(at + size)?,
        })
    }

    fn content(&self, part: &Part) -> Result<&'a [u8], String> {
        let start = usize::try_from(part.offset).unwrap_or(usize::MAX);
        let size = usize::try_from(part.size).unwrap_or(usize::MAX);
        let rest = self.bytes.get(start..).unwrap_or_default();
        rest.get(..size).ok_or_else(|| {
            let (offset, size, length) = (part.offset, part.size, self.bytes.len());
            format!("ELF: {size} bytes of notes at {offset:#x} lie past the end at {length:#x}")
        })
    }
}

#[derive(Default)]
struct Found {
    xen: Option<Notes>,
    is_linux: bool,
}

impl Found {
    /// Reads notes: two lengths and a type, the owner's name, the content, both padded to four bytes. The last one may
    /// leave its part, as in Debian's `grub-i386-xen.bin`, which Xen starts; it may not leave the file.
    fn add(&mut self, file: &File, part: &Part, place: Place) -> Result<(), String> {
        let size = file.content(part)?.len();
        // An empty part may lie anywhere.
        let bytes = file.bytes.get(part.offset as usize..).unwrap_or_default();
        let mut at = 0;
        while at < size {
            let header = (le32(bytes, at), le32(bytes, at + 4), le32(bytes, at + 8));
            let (Some(name_size), Some(content_size), Some(kind)) = header else {
                return Err("ELF: ends within a note".to_owned());
            };
            // Padding up to a section's alignment.
            if (name_size, content_size, kind) == (0, 0, 0) || at + 12 > size {
                break;
            }
            let name_at = at + 12;
            let content_at = name_at + (name_size as usize).next_multiple_of(4);
            let name = bytes.get(name_at..name_at + name_size as usize);
            let content = bytes.get(content_at..content_at + content_size as usize);
            let (Some(name), Some(content)) = (name, content) else {
                let left = bytes.len() - at;
                return Err(format!(
                    "ELF: a note of type {kind} claims {name_size} and {content_size} bytes, and {left} are left"
                ));
            };
            match name {
                b"Xen\0" | b"Xen" => {
                    let notes = self.xen.get_or_insert_with(|| Notes {
                        found: place,
                        notes: Vec::new(),
                    });
                    notes.notes.push(Note::new(kind, content));
                }
                b"Linux\0" => self.is_linux = true,
                _ => {}
            }
            at = content_at + (content_size as usize).next_multiple_of(4);
        }
        Ok(())
    }
}
