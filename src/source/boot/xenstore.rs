//! Keys of xenstore that a guest may read and that tell of its booting (xen docs/misc/xenstore-paths.pandoc). The
//! toolstack writes them before the domain starts; relative paths are the domain's own.

use super::boot_of;
use crate::bytes::field_text;
use crate::facts::boot::{XenDisk, Xenstore};
use crate::facts::Facts;
use crate::machine::Machine;
use crate::source::{Part, Source, Stage};

/// What the toolstack tells the guest.
pub static SOURCE: Source = Source {
    name: "xenstore",
    stage: Stage::Boot,
    parts: &[Part::Xenstore],
    read: |context, facts, _| {
        if context.access.xenstore {
            boot_of(facts).xenstore = read(context.machine, facts);
        }
    },
};

/// `None` where none of the keys could be read.
fn read(machine: &dyn Machine, facts: &Facts) -> Option<Xenstore> {
    let text = |path: &str| Some(field_text(&machine.xenstore(path).ok()?));
    let devices = facts.xenbus.as_deref().unwrap_or_default();
    let disks = devices.iter().filter_map(|device| {
        let number = device.name.strip_prefix("vbd-")?;
        Some(XenDisk {
            device_type: text(&format!("device/vbd/{number}/device-type"))?,
            name: device.name.clone(),
        })
    });
    let found = Xenstore {
        bios: text("hvmloader/bios"),
        kernel: text("vm").and_then(|vm| text(&format!("{vm}/image/kernel"))),
        disks: disks.collect(),
    };
    (found != Xenstore::default()).then_some(found)
}
