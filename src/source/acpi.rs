//! ACPI tables as Linux shows them in /sys/firmware/acpi/tables. The root table itself is not shown there; its ids are
//! those of its tables.

use super::{Part, Problems, Source, Stage};
use crate::error::is_absent;
use crate::facts::Acpi;
use crate::format::acpi::{fadt, header, FADT, HEADER};
use crate::machine::Machine;

/// Who made the ACPI tables.
pub static SOURCE: Source = Source {
    name: "acpi",
    stage: Stage::Verdict,
    parts: &[Part::Files("/sys/firmware/acpi")],
    read: |context, facts, problems| facts.acpi = read(context.machine, problems),
};

const ROOT: &str = "/sys/firmware/acpi/tables";

/// `None` where the kernel shows no table.
fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<Acpi> {
    let names = match machine.list(ROOT) {
        Ok(names) => names,
        Err(error) => {
            problems.note(&SOURCE, ROOT, &error);
            return None;
        }
    };
    let mut acpi = Acpi {
        tables: Vec::new(),
        fadt: None,
    };
    // `data` and `dynamic` are directories; the FACS has no header of the common form.
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
                None => problems.warn(&SOURCE, &path, "shorter than a table's header"),
            },
            Err(error) if is_absent(&error) => {}
            Err(error) => problems.note(&SOURCE, &path, &error),
        }
    }
    (!acpi.tables.is_empty()).then_some(acpi)
}
