//! The device tree as Linux shows it in /proc/device-tree, a directory a node and a file a property (Linux
//! Documentation/ABI/testing/sysfs-firmware-ofw). Most machines with an x86 processor have none.

use super::{Part, Problems, Source, Stage};
use crate::facts::DeviceTree;
use crate::machine::{read_text, Machine};

/// Who made the machine, by its device tree.
pub static SOURCE: Source = Source {
    name: "device-tree",
    stage: Stage::Verdict,
    parts: &[Part::Files("/proc/device-tree")],
    read: |context, facts, problems| facts.device_tree = read(context.machine, problems),
};

const ROOT: &str = "/proc/device-tree";

fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<DeviceTree> {
    let nodes = match machine.list(ROOT) {
        Ok(nodes) => nodes,
        Err(error) => {
            problems.note(&SOURCE, ROOT, &error);
            return None;
        }
    };
    let text = |name: &str| read_text(machine, &[ROOT, name].concat()).ok();
    // A list of strings, each ended by a NUL.
    let list = |name: &str| {
        let text = text(name).unwrap_or_default();
        let items = text.split('\0').filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    };
    Some(DeviceTree {
        compatible: list("/compatible"),
        model: text("/model"),
        hypervisor: list("/hypervisor/compatible"),
        fw_cfg: nodes.iter().any(|node| node.contains("fw-cfg")),
    })
}
