//! systemd-detect-virt's word (systemd.unit(5), `ConditionVirtualization=`; its own list is `systemd-detect-virt
//! --list`). Its exit status is 0 where the word is another than `none`, which the command line follows.

use crate::report::Report;
use crate::verdict::words::{Class, Kind};

const NONE: &str = "none";

/// Virtual machines that it knows by a name, which is then ours as well.
const KNOWN: &[&str] = &[
    "acrn",
    "amazon",
    "apple",
    "bhyve",
    "google",
    "kvm",
    "microsoft",
    "oracle",
    "parallels",
    "qemu",
    "qnx",
    "sre",
    "vmware",
];

/// One word and a line feed.
pub fn render(report: &Report) -> String {
    format!("{}\n", word(report))
}

/// Whether the word is another than `none`.
pub fn is_virtual(report: &Report) -> bool {
    word(report) != NONE
}

fn word(report: &Report) -> &'static str {
    let verdict = &report.verdict;
    let xen = verdict
        .hypervisor
        .as_ref()
        .is_some_and(|found| found.name == "xen");
    match verdict.kind {
        // Dom0 runs the machine and counts as none, by its own definition.
        Kind::BareMetal | Kind::XenPvDom0 | Kind::XenPvhDom0 => NONE,
        Kind::XenPv | Kind::XenPvh | Kind::XenHvm => "xen",
        Kind::Hypervisor(name) if KNOWN.contains(&name) => name,
        Kind::Unknown if xen => "xen",
        Kind::Unknown if verdict.class == Class::Unknown => NONE,
        Kind::Hypervisor(_) | Kind::Unknown => "vm-other",
    }
}
