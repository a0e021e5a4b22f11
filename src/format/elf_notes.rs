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

/// Who owns the notes.
pub const OWNER: &[u8] = b"Xen";
/// The section with the text form.
pub const GUEST_SECTION: &[u8] = b"__xen_guest";

/// Types of notes, as in `elfnote.h`: where a PV domain is entered.
pub const ENTRY: u32 = 1;
/// Where Xen puts the code of hypercalls.
pub const HYPERCALL_PAGE: u32 = 2;
/// The interface that it was built for, `xen-3.0`.
pub const XEN_VERSION: u32 = 5;
/// The operating system, such as `linux`.
pub const GUEST_OS: u32 = 6;
/// The way of loading it, `generic`.
pub const LOADER: u32 = 8;
/// What a 32-bit kernel needs of PAE: `yes`, `bimodal`, ...
pub const PAE_MODE: u32 = 9;
/// Features by name, separated by `|`; `!` before one that it cannot do without.
pub const FEATURES: u32 = 10;
/// Features by bit (`xen/include/public/features.h`).
pub const SUPPORTED_FEATURES: u32 = 17;
/// Where a PVH domain is entered, without paging.
pub const PHYS32_ENTRY: u32 = 18;
/// How it may be moved before it is entered there.
pub const PHYS32_RELOC: u32 = 19;

/// The bit of SUPPORTED_FEATURES for dom0 (`XENFEAT_dom0`).
pub const FEATURE_DOM0: u32 = 11;

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
    row(PHYS32_RELOC, "PHYS32_RELOC", Form::Bytes, ""),
];

const fn row(kind: u32, name: &'static str, form: Form, key: &'static str) -> Row {
    Row {
        kind,
        name,
        form,
        key,
    }
}

/// One note of Xen's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct XenNote {
    /// Its type, such as [`ENTRY`].
    #[serde(rename = "type")]
    pub kind: u32,
    /// As in `elfnote.h`, less `XEN_ELFNOTE_`; empty where this table does not know it.
    pub name: &'static str,
    /// What it says.
    pub value: Value,
}

/// A note's content. It is printed as the tools of ELF would: numbers in hex, text as it is, of bytes the first 32.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum Value {
    /// A number of four or eight bytes.
    Number(u64),
    /// Text without control characters.
    Text(String),
    /// A content of another form, a number of an odd size among them.
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

impl XenNote {
    /// From the content of a note of Xen's. A number of a size that is none stays bytes.
    pub fn new(kind: u32, content: &[u8]) -> XenNote {
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
        XenNote {
            kind,
            name: row.map_or("", |row| row.name),
            value,
        }
    }
}

/// The notes in the text of the section `__xen_guest`: `KEY=VALUE`, separated by commas. Keys that mean no note are left
/// out.
pub fn of_guest_section(bytes: &[u8]) -> Vec<XenNote> {
    let text = field_text(bytes);
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let notes = pairs.filter_map(|(key, value)| {
        let mut rows = NOTES.iter();
        let row = rows.find(|row| !row.key.is_empty() && row.key == key)?;
        let value = match row.form {
            Form::Number => {
                let digits = value.strip_prefix("0x").unwrap_or(value);
                Value::Number(u64::from_str_radix(digits, 16).ok()?)
            }
            _ => Value::Text(value.to_owned()),
        };
        Some(XenNote {
            kind: row.kind,
            name: row.name,
            value,
        })
    });
    notes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_of_linux_2_6_16() {
        let text = b"GUEST_OS=linux,GUEST_VER=2.6,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,LOADER=generic,PAE=yes\0";
        let notes = of_guest_section(text);
        let printed: Vec<String> = notes
            .iter()
            .map(|note| format!("{} {}", note.name, note.value))
            .collect();
        let expected = [
            "GUEST_OS linux",
            "GUEST_VERSION 2.6",
            "XEN_VERSION xen-3.0",
            "VIRT_BASE 0xc0000000",
            "LOADER generic",
            "PAE_MODE yes",
        ];
        assert_eq!(printed, expected);
        assert!(of_guest_section(b",,=,A=,\xff=\xff").is_empty());
    }

    #[test]
    fn number_of_an_odd_size_stays_bytes() {
        let printed = |content: &[u8]| XenNote::new(PHYS32_ENTRY, content).value.to_string();
        assert_eq!(printed(&[1, 2, 3]), "01 02 03");
        assert_eq!(printed(&[1, 2, 0, 0]), "0x201");
        assert_eq!(XenNote::new(99, b"").name, "");
    }
}
