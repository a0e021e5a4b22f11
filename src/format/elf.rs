//! ELF files of 32 and 64 bits, little-endian (System V ABI, generic, chapters 4 and 5): what machine a file is for, its
//! segments and sections, and the notes in either. Nothing is copied out of the file, and no offset is trusted.

use crate::bytes::{le16, le32};
use crate::error::Error;
use std::borrow::Cow;

/// The first four bytes of every ELF file.
pub const MAGIC: &[u8] = b"\x7fELF";

/// A segment that is loaded, `p_type` 1.
pub const PT_LOAD: u32 = 1;
/// A segment or section with notes in it: `p_type` 4, `sh_type` 7.
pub const PT_NOTE: u32 = 4;
/// See [`PT_NOTE`].
pub const SHT_NOTE: u32 = 7;
/// A section that takes no bytes of the file.
pub const SHT_NOBITS: u32 = 8;

/// `e_machine` of 32-bit and 64-bit x86, and of 64-bit Arm.
pub const EM_386: u16 = 3;
/// See [`EM_386`].
pub const EM_X86_64: u16 = 62;
/// See [`EM_386`].
pub const EM_AARCH64: u16 = 183;

fn corrupt(why: impl Into<Cow<'static, str>>) -> Error {
    Error::new("ELF", why)
}

/// A file whose header is whole.
#[derive(Debug, Clone, Copy)]
pub struct Elf<'a> {
    bytes: &'a [u8],
    layout: &'static Layout,
    /// What it was compiled for, `e_machine`.
    pub machine: u16,
}

/// Where the fields stand, which differs between the two classes: in the file header, a program header and a section
/// header.
#[derive(Debug)]
struct Layout {
    bits: u8,
    header_size: usize,
    /// The size of a program header and of a section header: a file with another is none that anything loads.
    segment_size: usize,
    section_size: usize,
    program_headers: usize,
    sections: usize,
    /// The size of a program header; behind it their number and the same of sections, two bytes each.
    counts: usize,
    segment_extent: (usize, usize),
    section_extent: (usize, usize),
}

const ELF32: Layout = Layout {
    bits: 32,
    header_size: 52,
    segment_size: 32,
    section_size: 40,
    program_headers: 28,
    sections: 32,
    counts: 42,
    segment_extent: (4, 16),
    section_extent: (16, 20),
};

const ELF64: Layout = Layout {
    bits: 64,
    header_size: 64,
    segment_size: 56,
    section_size: 64,
    program_headers: 32,
    sections: 40,
    counts: 54,
    segment_extent: (8, 32),
    section_extent: (24, 32),
};

/// A segment or a section: a part of the file with a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// `p_type` or `sh_type`.
    pub kind: u32,
    /// A section's name, as an offset in the section of names; 0 for a segment.
    name: u32,
    offset: u64,
    size: u64,
}

/// A note (chapter 5, "Note Section").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note<'a> {
    /// Who defines the type, without the NUL behind it.
    pub owner: &'a [u8],
    /// What the content means to that owner.
    pub kind: u32,
    /// The note's own bytes.
    pub content: &'a [u8],
}

impl<'a> Elf<'a> {
    /// Reads the file header.
    ///
    /// # Errors
    /// Where it is no ELF file, one of another byte order or class, or shorter than its header.
    pub fn parse(bytes: &'a [u8]) -> Result<Elf<'a>, Error> {
        let truncated = || corrupt("ends within its header");
        if !bytes.starts_with(MAGIC) {
            return Err(Error::text("no ELF file"));
        }
        let layout = match bytes.get(4).ok_or_else(truncated)? {
            1 => &ELF32,
            2 => &ELF64,
            class => {
                return Err(corrupt(format!("class {class} is neither 32 nor 64 bits")));
            }
        };
        if bytes.get(5) != Some(&1) {
            return Err(corrupt("not little-endian, so not for x86"));
        }
        let machine = le16(bytes, 18).filter(|_| bytes.len() >= layout.header_size);
        Ok(Elf {
            bytes,
            layout,
            machine: machine.ok_or_else(truncated)?,
        })
    }

    /// How long the file is, in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The width of an address, 32 or 64.
    pub fn bits(&self) -> u8 {
        self.layout.bits
    }

    /// What is loaded when the file is started. All that is loaded is in the file.
    ///
    /// # Errors
    /// Where the table or what is loaded leaves the file, or the entries have a size that is none: then it could not be
    /// started either.
    pub fn segments(&self) -> Result<Vec<Part>, Error> {
        let layout = self.layout;
        let at = self.table("program", layout.program_headers, 0, layout.segment_size)?;
        let mut parts = Vec::new();
        for at in at {
            let part = self.part(at, layout.segment_extent);
            let (kind, _, offset, size) = part.unwrap_or_default();
            let part = Part {
                kind,
                name: 0,
                offset,
                size,
            };
            if kind == PT_LOAD && self.content(&part).is_err() {
                let length = self.bytes.len();
                return Err(corrupt(format!(
                    "a segment of {size} bytes at {offset:#x} lies past the end at {length:#x}: it is cut short"
                )));
            }
            parts.push(part);
        }
        Ok(parts)
    }

    /// What the linker made: stripped files have lost theirs, and nothing needs them to run.
    ///
    /// # Errors
    /// Where the table leaves the file, which is cut then, or its entries have a size that is none.
    pub fn sections(&self) -> Result<Vec<Part>, Error> {
        let layout = self.layout;
        let at = self.table("section", layout.sections, 4, layout.section_size)?;
        let parts = at.filter_map(|at| {
            let (name, kind, offset, size) = self.part(at, layout.section_extent)?;
            Some(Part {
                kind,
                name,
                offset,
                size,
            })
        });
        Ok(parts.collect())
    }

    /// Where the entries of a table begin. The whole table is in the file, so that there are no more of them than the file
    /// has bytes for.
    fn table(
        &self,
        what: &str,
        offset: usize,
        counts: usize,
        size: usize,
    ) -> Result<impl Iterator<Item = usize>, Error> {
        let field =
            |at| usize::from(le16(self.bytes, self.layout.counts + counts + at).unwrap_or(0));
        let (at, entry, count) = (self.word(offset).unwrap_or(0), field(0), field(2));
        if count > 0 && entry != size {
            return Err(corrupt(format!(
                "{what} headers of {entry} bytes instead of {size}"
            )));
        }
        let start = usize::try_from(at).unwrap_or(usize::MAX);
        let end = start.checked_add(count * size);
        if count > 0 && end.is_none_or(|end| end > self.bytes.len()) {
            return Err(corrupt(format!("{what} headers lie past the end")));
        }
        Ok((0..count).map(move |number| start + number * size))
    }

    /// The first two fields of an entry, and its offset and size.
    fn part(&self, at: usize, extent: (usize, usize)) -> Option<(u32, u32, u64, u64)> {
        Some((
            le32(self.bytes, at)?,
            le32(self.bytes, at + 4)?,
            self.word(at + extent.0)?,
            self.word(at + extent.1)?,
        ))
    }

    /// A field as wide as an address.
    fn word(&self, at: usize) -> Option<u64> {
        let low = u64::from(le32(self.bytes, at)?);
        match self.layout.bits {
            32 => Some(low),
            _ => Some(u64::from(le32(self.bytes, at + 4)?) << 32 | low),
        }
    }

    /// Whether one of these sections, which are this file's, has that name.
    pub fn is_named(&self, sections: &[Part], section: &Part, wanted: &[u8]) -> bool {
        let names = le16(self.bytes, self.layout.counts + 8).map(usize::from);
        let names = names.and_then(|number| sections.get(number));
        let names = names.and_then(|names| self.content(names).ok());
        let name = names.and_then(|names| names.get(section.name as usize..));
        let rest = name.and_then(|name| name.strip_prefix(wanted));
        rest.is_some_and(|rest| rest.first() == Some(&0))
    }

    /// The bytes of a part.
    ///
    /// # Errors
    /// Where it leaves the file.
    pub fn content(&self, part: &Part) -> Result<&'a [u8], Error> {
        let start = usize::try_from(part.offset).unwrap_or(usize::MAX);
        let size = usize::try_from(part.size).unwrap_or(usize::MAX);
        let rest = self.bytes.get(start..).unwrap_or_default();
        rest.get(..size).ok_or_else(|| {
            let (offset, size, length) = (part.offset, part.size, self.bytes.len());
            corrupt(format!(
                "{size} bytes of notes at {offset:#x} lie past the end at {length:#x}"
            ))
        })
    }

    /// The notes in a part of type [`PT_NOTE`] or [`SHT_NOTE`].
    ///
    /// # Errors
    /// Where the part leaves the file; each note has its own.
    pub fn notes(&self, part: &Part) -> Result<Notes<'a>, Error> {
        let size = self.content(part)?.len();
        // An empty part may lie anywhere.
        let start = usize::try_from(part.offset).unwrap_or(usize::MAX);
        Ok(Notes {
            bytes: self.bytes.get(start..).unwrap_or_default(),
            size,
            at: 0,
        })
    }
}

/// Two lengths and a type, the owner's name, the content, both padded to four bytes. The last note may leave its part,
/// as in Debian's `grub-i386-xen.bin`, which Xen starts; it may not leave the file.
#[derive(Debug, Clone)]
pub struct Notes<'a> {
    /// From the part's start to the file's end.
    bytes: &'a [u8],
    size: usize,
    at: usize,
}

impl<'a> Iterator for Notes<'a> {
    type Item = Result<Note<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.size {
            return None;
        }
        let note = self.note();
        if !matches!(note, Ok(Some(_))) {
            self.at = self.size;
        }
        note.transpose()
    }
}

impl<'a> Notes<'a> {
    /// `None` where padding up to the part's alignment begins.
    fn note(&mut self) -> Result<Option<Note<'a>>, Error> {
        let field = |number: usize| le32(self.bytes, self.at + number * 4);
        let (Some(name_size), Some(content_size), Some(kind)) = (field(0), field(1), field(2))
        else {
            return Err(corrupt("ends within a note"));
        };
        if (name_size, content_size, kind) == (0, 0, 0) || self.at + 12 > self.size {
            return Ok(None);
        }
        let name_at = self.at as u64 + 12;
        let content_at = name_at + u64::from(name_size).next_multiple_of(4);
        let (Some(owner), Some(content)) = (
            self.slice(name_at, name_size),
            self.slice(content_at, content_size),
        ) else {
            let left = self.bytes.len() - self.at;
            return Err(corrupt(format!(
                "a note of type {kind} claims {name_size} and {content_size} bytes, and {left} are left"
            )));
        };
        let next = content_at + u64::from(content_size).next_multiple_of(4);
        self.at = usize::try_from(next).unwrap_or(usize::MAX);
        Ok(Some(Note {
            owner: owner.strip_suffix(b"\0").unwrap_or(owner),
            kind,
            content,
        }))
    }

    fn slice(&self, start: u64, size: u32) -> Option<&'a [u8]> {
        let rest = self.bytes.get(usize::try_from(start).ok()?..)?;
        rest.get(..usize::try_from(size).ok()?)
    }
}
