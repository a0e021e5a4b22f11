//! Xen's ELF notes, by which a kernel says how it wants to be started. Numbers and meanings as in Xen's
//! `xen/include/public/elfnote.h`; the text form of the section `__xen_guest`, which came before them, as in
//! `xen/common/libelf/libelf-dominfo.c`.

use crate::bytes::field_text;
use serde::Serialize;
use std::fmt;

/// How the bytes of a note are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Number,
    Text,
    Bytes,
}

struct Row {
    kind: u32,
    name: &'static str,
    form: Form,
    /// The key of the same in `__xen_guest`.
    key: &'static str,
}

pub const ENTRY: u32 = 1;
pub const HYPERCALL_PAGE: u32 = 2;
pub const XEN_VERSION: u32 = 5;
pub const GUEST_OS: u32 = 6;
pub const LOADER: u32 = 8;
pub const PAE_MODE: u32 = 9;
pub const FEATURES: u32 = 10;
pub const SUPPORTED_FEATURES: u32 = 17;
pub const PHYS32_ENTRY: u32 = 18;

const NOTES: &[Row] = &[
    row(0, "INFO", Form::Text, ""),
    row(ENTRY, "ENTRY", Form::Number, "VIRT_ENTRY"),
    row(
        HYPERCALL_PAGE,
        "HYPERCALL_PAGE",
        Form::Number,
        "HYPERCALL_PAGE",
    ),
    row(3, "VIRT_BASE", Form::Number, "VIRT_BASE"),
    row(4, "PADDR_OFFSET", Form::Number, "ELF_PADDR_OFFSET"),
    row(XEN_VERSION, "XEN_VERSION", Form::Text, "XEN_VER"),
    row(GUEST_OS, "GUEST_OS", Form::Text, "GUEST_OS"),
    row(7, "GUEST_VERSION", Form::Text, "GUEST_VER"),
    row(LOADER, "LOADER", Form::Text, "LOADER"),
    row(PAE_MODE, "PAE_MODE", Form::Text, "PAE"),
    row(FEATURES, "FEATURES", Form::Text, "FEATURES"),
    row(11, "BSD_SYMTAB", Form::Text, "BSD_SYMTAB"),
    row(12, "HV_START_LOW", Form::Number, ""),
    row(13, "L1_MFN_VALID", Form::Bytes, ""),
    row(14, "SUSPEND_CANCEL", Form::Number, ""),
    row(15, "INIT_P2M", Form::Number, ""),
    row(16, "MOD_START_PFN", Form::Number, ""),
    row(SUPPORTED_FEATURES, "SUPPORTED_FEATURES", Form::Number, ""),
    row(PHYS32_ENTRY, "PHYS32_ENTRY", Form::Number, ""),
    row(19, "PHYS32_RELOC", Form::Bytes, ""),
];

const fn row(kind: u32, name: &'static str, form: Form, key: &'static str) -> Row {
    Row {
        kind,
        name,
        form,
        key,
    }
}

/// Names of the bits of SUPPORTED_FEATURES (Xen's `xen/include/public/features.h`) that are told.
const DOM0: u32 = 11;

/// One note. Its value is printed as the tools of ELF would: numbers in hex, text as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    #[serde(rename = "type")]
    pub kind: u32,
    /// As in `elfnote.h`, less `XEN_ELFNOTE_`; empty where this table does not know it.
    pub name: &'static str,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum Value {
    Number(u64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<Value> for String {
    fn from(value: Value) -> String {
        value.to_string()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => write!(to, "{number:#x}"),
            Value::Text(text) => to.write_str(text),
            Value::Bytes(bytes) => {
                // Notes are short; one that is not tells no more by being printed whole.
                for (place, byte) in bytes.iter().take(32).enumerate() {
                    let blank = if place == 0 { "" } else { " " };
                    write!(to, "{blank}{byte:02x}")?;
                }
                Ok(())
            }
        }
    }
}

impl Note {
    /// A note of owner `Xen`. A number of a size that is none stays bytes.
    pub fn new(kind: u32, content: &[u8]) -> Note {
        let row = NOTES.iter().find(|row| row.kind == kind);
        let number = match content.len() {
            4 | 8 => content
                .iter()
                .rev()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
            _ => 0,
        };
        let value = match row.map_or(Form::Bytes, |row| row.form) {
            Form::Number if matches!(content.len(), 4 | 8) => Value::Number(number),
            Form::Text => Value::Text(field_text(content)),
            _ => Value::Bytes(content.to_vec()),
        };
        Note {
            kind,
            name: row.map_or("", |row| row.name),
            value,
        }
    }
}

/// The notes of a kernel, and where they were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notes {
    pub found: Place,
    pub notes: Vec<Note>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    ProgramHeader,
    Section,
    XenGuest,
}

impl Place {
    /// In the field's words.
    pub fn name(self) -> &'static str {
        match self {
            Place::ProgramHeader => "a PT_NOTE program header",
            Place::Section => "an SHT_NOTE section",
            Place::XenGuest => "the section __xen_guest",
        }
    }
}

impl Notes {
    /// From the text of the section `__xen_guest`: `KEY=VALUE`, separated by commas.
    pub fn of_text(bytes: &[u8]) -> Notes {
        let text = field_text(bytes);
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        let notes = pairs.filter_map(|(key, value)| {
            let row = NOTES
                .iter()
                .find(|row| !row.key.is_empty() && row.key == key)?;
            let value = match row.form {
                Form::Number => {
                    let digits = value.trim_start_matches("0x");
                    Value::Number(u64::from_str_radix(digits, 16).ok()?)
                }
                _ => Value::Text(value.to_owned()),
            };
            Some(Note {
                kind: row.kind,
                name: row.name,
                value,
            })
        });
        Notes {
            found: Place::XenGuest,
            notes: notes.collect(),
        }
    }

    pub fn get(&self, kind: u32) -> Option<&Value> {
        let note = self.notes.iter().find(|note| note.kind == kind);
        note.map(|note| &note.value)
    }

    pub fn text(&self, kind: u32) -> Option<&str> {
        match self.get(kind)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn number(&self, kind: u32) -> Option<u64> {
        match self.get(kind)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// What the kernel says of being dom0.
    pub fn dom0(&self) -> Dom0 {
        let text = self.text(FEATURES).unwrap_or("");
        let has = |wanted: &str| {
            let mut names = text.split('|').map(|name| name.trim_start_matches('!'));
            names.any(|name| name == wanted)
        };
        match self.number(SUPPORTED_FEATURES) {
            _ if has("dom0") => Dom0::Yes,
            None => Dom0::Unsaid,
            Some(bits) if bits >> DOM0 & 1 == 0 => Dom0::No,
            Some(_) if has("pae_pgdir_above_4gb") => Dom0::Always,
            Some(_) => Dom0::Yes,
        }
    }
}

/// A kernel's word on being dom0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dom0 {
    Yes,
    No,
    /// Linux, before one change dropped `pae_pgdir_above_4gb` and made the bit depend on CONFIG_XEN_DOM0, set it in any
    /// kernel.
    Always,
    /// There is no note on supported features.
    Unsaid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_of_linux_2_6_16() {
        let text = b"GUEST_OS=linux,GUEST_VER=2.6,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,LOADER=generic,PAE=yes\0";
        let notes = Notes::of_text(text);
        assert_eq!(notes.text(GUEST_OS), Some("linux"));
        assert_eq!(notes.number(3), Some(0xc000_0000));
        assert_eq!(notes.text(PAE_MODE), Some("yes"));
        assert_eq!(notes.notes.len(), 6);
        assert!(Notes::of_text(b",,=,A=,\xff=\xff").notes.is_empty());
    }

    /// Debian 12's cloud kernel is built without XEN_DOM0 and has the bit; Debian 13's has not.
    #[test]
    fn features_of_debian_kernels() {
        let of = |bits: u32, text: &str| {
            let bits = Note::new(SUPPORTED_FEATURES, &bits.to_le_bytes());
            let notes = vec![bits, Note::new(FEATURES, text.as_bytes())];
            let found = Place::Section;
            Notes { found, notes }.dom0()
        };
        let old = "!writable_page_tables|pae_pgdir_above_4gb";
        assert_eq!(of(0x8801, old), Dom0::Always);
        assert_eq!(of(0x8801, "!writable_page_tables"), Dom0::Yes);
        assert_eq!(of(0x8001, "!writable_page_tables"), Dom0::No);
        assert_eq!(of(0, "a|dom0"), Dom0::Yes);
        assert_eq!(Notes::of_text(b"").dom0(), Dom0::Unsaid);
    }

    #[test]
    fn number_of_an_odd_size_stays_bytes() {
        assert_eq!(
            Note::new(PHYS32_ENTRY, &[1, 2, 3]).value.to_string(),
            "01 02 03"
        );
        assert_eq!(
            Note::new(PHYS32_ENTRY, &[1, 2, 0, 0]).value.to_string(),
            "0x201"
        );
        assert_eq!(Note::new(99, b"").name, "");
    }
}
