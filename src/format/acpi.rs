//! ACPI tables: the maker's ids in each header (ACPI 6.5, 5.2.6) and a few fields of the FADT (5.2.9).

use crate::bytes::{field_text, le16, le32};
use serde::Serialize;

/// Bytes of the header that every table begins with.
pub const HEADER: usize = 36;
/// Bytes of a full FADT of revision 6.
pub const FADT: usize = 276;

/// What a table's header says of its maker.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AcpiTable {
    /// The name under which the kernel shows it: its signature, with a number where several have the same.
    pub name: String,
    /// Trailing blanks and NULs removed.
    pub oem_id: String,
    /// The maker's name for the table, trailing blanks and NULs removed.
    pub oem_table_id: String,
}

/// The fields of the Fixed ACPI Description Table that tell machines apart (5.2.9).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fadt {
    /// Of the table, from its header.
    pub revision: u8,
    /// Fixed feature flags, offset 112.
    pub flags: u32,
    /// Flags bit 20.
    pub hardware_reduced: bool,
    /// IAPC_BOOT_ARCH: bit 0 legacy devices, 1 8042, 2 no VGA, 5 no CMOS clock; from revision 2 on.
    pub boot_arch: Option<u16>,
}

/// The header of the table that the kernel calls `name`; `None` where it is cut off.
pub fn header(name: &str, bytes: &[u8]) -> Option<AcpiTable> {
    let header = bytes.get(..HEADER)?;
    Some(AcpiTable {
        name: name.to_owned(),
        oem_id: field_text(&header[10..16]),
        oem_table_id: field_text(&header[16..24]),
    })
}

/// `None` for another table, and for one that is shorter than the first revision's fields.
pub fn fadt(bytes: &[u8]) -> Option<Fadt> {
    if bytes.get(..4)? != b"FACP" {
        return None;
    }
    let revision = *bytes.get(8)?;
    let flags = le32(bytes, 112)?;
    Some(Fadt {
        revision,
        flags,
        hardware_reduced: flags & 1 << 20 != 0,
        boot_arch: le16(bytes, 109).filter(|_| revision >= 2),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fadt_cut_off_anywhere() {
        let mut table = [0u8; 116];
        table[..4].copy_from_slice(b"FACP");
        table[8] = 3;
        table[109] = 0x24;
        table[114] = 0x10;
        let whole = fadt(&table).unwrap();
        assert!(whole.hardware_reduced);
        assert_eq!(whole.boot_arch, Some(0x24));
        for end in 0..116 {
            assert_eq!(fadt(&table[..end]), None);
        }
    }
}
