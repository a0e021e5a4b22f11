//! Drives that the kernel has drivers for, /sys/block. Their names tell their kind (Linux's
//! Documentation/admin-guide/devices.txt); in early boot the drivers are often not loaded yet.

use super::boot_of;
use crate::facts::boot::{Drive, DriveKind};
use crate::machine::{read_text, Machine};
use crate::source::{Part, Source, Stage};

/// Drives that the kernel found.
pub static SOURCE: Source = Source {
    name: "block",
    stage: Stage::Boot,
    parts: &[Part::Files("/sys/block")],
    read: |context, facts, _| boot_of(facts).drives = read(context.machine),
};

/// A directory a drive.
pub const ROOT: &str = "/sys/block";

/// Starts of names; what is not among them (loop, ram, dm, md, ...) has no hardware of its own.
const KINDS: &[(&str, DriveKind)] = &[
    ("sd", DriveKind::Disk),
    ("hd", DriveKind::Disk),
    ("vd", DriveKind::Disk),
    ("xvd", DriveKind::Disk),
    ("nvme", DriveKind::Disk),
    ("mmcblk", DriveKind::Disk),
    ("sr", DriveKind::Dvd),
    ("fd", DriveKind::Floppy),
];

/// `None` where the kernel shows no such directory.
pub fn read(machine: &dyn Machine) -> Option<Vec<Drive>> {
    let names = machine.list(ROOT).ok()?;
    let drives = names.into_iter().filter_map(|name| {
        let row = KINDS.iter().find(|row| name.starts_with(row.0))?;
        let sectors = read_text(machine, &format!("{ROOT}/{name}/size"));
        Some(Drive {
            kind: row.1,
            sectors: sectors.ok().and_then(|text| text.parse().ok()),
            name,
        })
    });
    Some(drives.collect())
}
