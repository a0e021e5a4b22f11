//! /sys/hypervisor, which Linux fills from Xen's hypercalls (Documentation/ABI/stable/sysfs-hypervisor-xen), and
//! /proc/xen/capabilities, which exists only where xenfs is mounted.

use super::{Part, Problems, Source, Stage};
use crate::facts::{SysHypervisor, XenFeatures};
use crate::machine::{read_text, Machine};

/// What Linux tells of Xen.
pub static SOURCE: Source = Source {
    name: "sys-hypervisor",
    stage: Stage::Verdict,
    parts: &[Part::Files("/sys/hypervisor")],
    read: |context, facts, problems| facts.sys_hypervisor = read(context.machine, problems),
};

/// What xenfs tells, where it is mounted.
pub static XENFS: Source = Source {
    name: "xenfs",
    stage: Stage::Verdict,
    parts: &[Part::Files("/proc/xen")],
    read: |context, facts, _| {
        facts.proc_xen = context.machine.list("/proc/xen").is_ok();
        if facts.proc_xen {
            facts.xenfs_capabilities = read_text(context.machine, "/proc/xen/capabilities").ok();
        }
    },
};

const ROOT: &str = "/sys/hypervisor";

fn read(machine: &dyn Machine, problems: &mut Problems) -> Option<SysHypervisor> {
    // An empty directory is what most kernels have.
    match machine.list(ROOT) {
        Ok(names) if names.is_empty() => return None,
        Ok(_) => {}
        Err(error) => {
            problems.note(&SOURCE, ROOT, &error);
            return None;
        }
    }
    let mut text = |name: &str| {
        let path = format!("{ROOT}/{name}");
        let text = read_text(machine, &path);
        text.inspect_err(|error| problems.note(&SOURCE, &path, error))
    };
    let mut text = |name| text(name).ok();
    let features = |text: String| u32::from_str_radix(&text, 16).ok();
    Some(SysHypervisor {
        kind: text("type"),
        guest_type: text("guest_type"),
        major: text("version/major").and_then(|text| text.parse().ok()),
        minor: text("version/minor").and_then(|text| text.parse().ok()),
        extra: text("version/extra"),
        uuid: text("uuid"),
        capabilities: text("properties/capabilities"),
        features: text("properties/features")
            .and_then(features)
            .map(XenFeatures),
    })
    .filter(|found| *found != SysHypervisor::default())
}
