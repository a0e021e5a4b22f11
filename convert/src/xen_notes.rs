//! A kernel's notes of Xen's, looked for in the order in which Xen itself does (`xen/common/libelf/libelf-dominfo.c`):
//! program headers, then sections, then the text in `__xen_guest`.

use serde::Serialize;
use xenprobe::error::Error;
use xenprobe::format::elf::{Elf, Part, PT_NOTE, SHT_NOBITS, SHT_NOTE};
use xenprobe::format::elf_notes::{self, Value, XenNote};

/// Two lengths and a type.
const NOTE_HEADER: usize = 12;
/// Kernels have some twenty notes of Xen's of at most 200 bytes, and programs built with annotations some thousands of
/// others.
const NOTES_LIMIT: usize = 1 << 16;
const XEN_NOTES_LIMIT: usize = 1 << 10;
const XEN_NOTE_LIMIT: usize = 4 << 10;
/// Who owns the notes that Linux's own build leaves.
const LINUX: &[u8] = b"Linux";

/// The notes of a kernel, and where they were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notes {
    /// Which of the places had them.
    pub found: NoteLocation,
    /// In the order of the file.
    pub notes: Vec<XenNote>,
}

/// Where Xen looks for its notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoteLocation {
    /// Segments of type PT_NOTE.
    ProgramHeader,
    /// Sections of type SHT_NOTE.
    Section,
    /// The section `__xen_guest`.
    XenGuest,
}

impl NoteLocation {
    /// In the field's words.
    pub fn name(self) -> &'static str {
        match self {
            NoteLocation::ProgramHeader => "a PT_NOTE program header",
            NoteLocation::Section => "an SHT_NOTE section",
            NoteLocation::XenGuest => "the section __xen_guest",
        }
    }
}

/// What a kernel says of being dom0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dom0 {
    /// It can.
    Yes,
    /// It cannot.
    No,
    /// Linux, before one change dropped `pae_pgdir_above_4gb` and made the bit depend on CONFIG_XEN_DOM0, set it in any
    /// kernel.
    Always,
    /// There is no note on supported features.
    Unsaid,
}

/// What the notes of a file tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Xen's, if there are any.
    pub xen: Option<Notes>,
    /// Whether Linux's own build left notes.
    pub is_linux: bool,
}

/// Reads all notes that Xen would.
///
/// # Errors
/// Where a part with notes, or a note in it, leaves the file; or where there are more of them, or longer ones, than any
/// kernel has.
pub fn find(elf: &Elf) -> Result<Found, Error> {
    let mut found = Found::default();
    let segments = elf.segments()?;
    found.add(elf, &segments, PT_NOTE, NoteLocation::ProgramHeader)?;
    if found.xen.is_some() {
        return Ok(found);
    }
    let sections = elf.sections()?;
    found.add(elf, &sections, SHT_NOTE, NoteLocation::Section)?;
    if found.xen.is_none() {
        let mut guest = sections.iter().filter(|section| {
            section.kind != SHT_NOBITS && elf.is_named(&sections, section, elf_notes::GUEST_SECTION)
        });
        if let Some(section) = guest.next() {
            let content = elf.content(section)?;
            if content.len() > XEN_NOTE_LIMIT {
                let size = content.len();
                return Err(Error::new("ELF", format!("__xen_guest has {size} bytes")));
            }
            found.xen = Some(Notes {
                found: NoteLocation::XenGuest,
                notes: elf_notes::of_guest_section(content),
            });
        }
    }
    Ok(found)
}

impl Found {
    fn add(
        &mut self,
        elf: &Elf,
        parts: &[Part],
        kind: u32,
        location: NoteLocation,
    ) -> Result<(), Error> {
        let mut left = elf.size();
        let mut count = 0;
        let many = || Error::new("ELF", "more notes than any kernel has");
        for part in parts.iter().filter(|part| part.kind == kind) {
            for note in elf.notes(part)? {
                let note = note?;
                // Many parts that name the same notes would take forever.
                let rest = left.checked_sub(NOTE_HEADER + note.content.len());
                left = rest.ok_or(Error::new("ELF", "notes lie in each other"))?;
                count += 1;
                if count > NOTES_LIMIT {
                    return Err(many());
                }
                if note.owner == elf_notes::OWNER {
                    let (kind, size) = (note.kind, note.content.len());
                    if size > XEN_NOTE_LIMIT {
                        let why = format!("Xen's note of type {kind} has {size} bytes");
                        return Err(Error::new("ELF", why));
                    }
                    let notes = self.xen.get_or_insert_with(|| Notes {
                        found: location,
                        notes: Vec::new(),
                    });
                    if notes.notes.len() >= XEN_NOTES_LIMIT {
                        return Err(many());
                    }
                    notes.notes.push(XenNote::new(note.kind, note.content));
                }
                self.is_linux |= note.owner == LINUX;
            }
        }
        Ok(())
    }
}

impl Notes {
    /// The first note of a type.
    pub fn get(&self, kind: u32) -> Option<&Value> {
        let note = self.notes.iter().find(|note| note.kind == kind);
        note.map(|note| &note.value)
    }

    /// The first note of a type, if it is text.
    pub fn text(&self, kind: u32) -> Option<&str> {
        match self.get(kind)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The first note of a type, if it is a number.
    pub fn number(&self, kind: u32) -> Option<u64> {
        match self.get(kind)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// What the kernel says of being dom0.
    pub fn dom0(&self) -> Dom0 {
        let text = self.text(elf_notes::FEATURES).unwrap_or("");
        let has = |wanted: &str| {
            let mut names = text.split('|').map(|name| name.trim_start_matches('!'));
            names.any(|name| name == wanted)
        };
        match self.number(elf_notes::SUPPORTED_FEATURES) {
            _ if has("dom0") => Dom0::Yes,
            None => Dom0::Unsaid,
            Some(bits) if bits >> elf_notes::FEATURE_DOM0 & 1 == 0 => Dom0::No,
            Some(_) if has("pae_pgdir_above_4gb") => Dom0::Always,
            Some(_) => Dom0::Yes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Debian 12's cloud kernel is built without XEN_DOM0 and has the bit; Debian 13's has not.
    #[test]
    fn features_of_debian_kernels() {
        let of = |notes: Vec<XenNote>| {
            let found = NoteLocation::Section;
            Notes { found, notes }.dom0()
        };
        let features = |bits: u32, text: &str| {
            let bits = XenNote::new(elf_notes::SUPPORTED_FEATURES, &bits.to_le_bytes());
            of(vec![
                bits,
                XenNote::new(elf_notes::FEATURES, text.as_bytes()),
            ])
        };
        let old = "!writable_page_tables|pae_pgdir_above_4gb";
        assert_eq!(features(0x8801, old), Dom0::Always);
        assert_eq!(features(0x8801, "!writable_page_tables"), Dom0::Yes);
        assert_eq!(features(0x8001, "!writable_page_tables"), Dom0::No);
        assert_eq!(features(0, "a|dom0"), Dom0::Yes);
        assert_eq!(of(Vec::new()), Dom0::Unsaid);
    }
}
