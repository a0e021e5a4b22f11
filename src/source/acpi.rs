//! ACPI tables as Linux shows them in /sys/firmware/acpi/tables: the maker's ids in each header (ACPI 6.5, 5.2.6)
//! and a few fields of the FADT (5.2.9). The root table itself is not shown there; its ids are those of its tables.

use super::Problems;
use crate::bytes::{field_text, le16, le32};
use crate::error::is_absent;
use crate::facts::{Acpi, AcpiTable, Fadt};
use crate::machine::Machine;

const ROOT: &str = "/sys/firmware/acpi/tables";
const HEADER: usize = 36;
/// A full FADT of revision 6.
const FADT: usize = 276;

pub fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<Acpi> {
    let names = match machine.list(ROOT) {
        Ok(names) => names,
        Err(error) => {
            problems.note("acpi", ROOT, &error);
            return None;
        }
    };
    let mut acpi = Acpi {
        tables: Vec::new(),
        fadt: None,
    };
    // `data` and `dynamic` are folders; the FACS has no header of the common form.
    let is_table = |name: &String| name != "data" && name != "dynamic" && name != "FACS";
    for name in names.into_iter().filter(is_table) {
        let path = format!("{ROOT}/{name}");
        let limit = if name == "FACP" { FADT } else { HEADER };
        match machine.read(&path, limit) {
            Ok(bytes) => match header(&name, &bytes) {
                Some(table) => {
                    if name == "FACP" {
                        acpi.fadt = fadt(&bytes);
                    }
                    acpi.tables.push(table);
                }
                None => problems.say("acpi", &path, "shorter than a table's header"),
            },
            Err(error) if is_absent(&error) => {}
            Err(error) => problems.note("acpi", &path, &error),
        }
    }
    (!acpi.tables.is_empty()).then_some(acpi)
}

fn header(name: &str, bytes: &[u8]) -> Option<AcpiTable> {
    bytes.get(..HEADER)?;
    Some(AcpiTable {
        name: name.to_owned(),
        oem_id: field_text(&bytes[10..16]),
        oem_table_id: field_text(&bytes[16..24]),
    })
}

/// The fields that a table of the first revision has are enough; later ones are `None` where it ends before them.
fn fadt(bytes: &[u8]) -> Option<Fadt> {
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
