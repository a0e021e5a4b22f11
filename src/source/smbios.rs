//! SMBIOS from the raw table that Linux exports, readable by root only; else the strings that the kernel took from it,
//! /sys/class/dmi/id.

use super::{Part, Problems, Source, Stage};
use crate::facts::{Smbios, SmbiosVia};
use crate::format::smbios::{entry_point_version, parse, serial_maker, uuid_order};
use crate::machine::{read_text, Machine};

/// What the firmware says of itself and the machine.
pub static SOURCE: Source = Source {
    name: "smbios",
    stage: Stage::Verdict,
    parts: &[
        Part::Files("/sys/firmware/dmi"),
        Part::Files("/sys/class/dmi"),
    ],
    read: |context, facts, problems| facts.smbios = read(context.machine, problems),
};

const ENTRY: &str = "/sys/firmware/dmi/tables/smbios_entry_point";
const TABLE: &str = "/sys/firmware/dmi/tables/DMI";
const IDS: &str = "/sys/class/dmi/id";

/// `None` where there is neither.
fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<Smbios> {
    match machine.read(TABLE, 1 << 18) {
        Ok(table) => {
            let entry = machine.read(ENTRY, 32).ok();
            let version = entry.and_then(|entry| entry_point_version(&entry));
            let order = version.as_deref().and_then(uuid_order);
            if let Some(mut smbios) = parse(&table, order) {
                smbios.entry_point_version = version;
                return Some(smbios);
            }
            problems.warn(&SOURCE, TABLE, "no structure of types 0 to 3");
        }
        Err(error) => problems.note(&SOURCE, TABLE, &error),
    }
    from_ids(machine)
}

/// The kernel's own copies; the ones that everybody may read suffice.
fn from_ids(machine: &dyn Machine) -> Option<Smbios> {
    // One look tells most machines without firmware from those that would need eleven.
    machine.list(IDS).ok()?;
    let id = |name: &str| read_text(machine, &format!("{IDS}/{name}")).ok();
    let smbios = Smbios {
        via: SmbiosVia::SysfsId,
        entry_point_version: None,
        bios_vendor: id("bios_vendor"),
        bios_version: id("bios_version"),
        bios_date: id("bios_date"),
        virtual_machine_bit: None,
        system_vendor: id("sys_vendor"),
        product_name: id("product_name"),
        product_version: id("product_version"),
        product_family: id("product_family"),
        serial_maker: id("product_serial").as_deref().and_then(serial_maker),
        product_uuid: id("product_uuid"),
        board_vendor: id("board_vendor"),
        board_name: id("board_name"),
        chassis_vendor: id("chassis_vendor"),
        chassis_asset_tag: id("chassis_asset_tag"),
    };
    let empty = Smbios {
        via: SmbiosVia::SysfsId,
        ..Smbios::default()
    };
    (smbios != empty).then_some(smbios)
}
