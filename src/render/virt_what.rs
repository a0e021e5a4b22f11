//! virt-what's facts, a line each (virt-what(1)). A machine without any is taken for a physical one.

use crate::report::Report;
use crate::verdict::words::{Class, Kind};

/// Facts of the kinds that it calls by other names than we do.
const FACTS: &[(&str, &[&str])] = &[
    ("amazon", &["kvm", "aws"]),
    ("bhyve", &["bhyve"]),
    ("google", &["google_cloud", "kvm"]),
    ("kvm", &["kvm"]),
    ("lkvm", &["lkvm"]),
    ("microsoft", &["hyperv"]),
    ("openbsd-vmm", &["vmm"]),
    ("oracle", &["virtualbox"]),
    ("parallels", &["parallels"]),
    ("qemu", &["qemu"]),
    ("vmware", &["vmware"]),
];

/// "Some sort of virtualization appears to be present", of which it has no name.
const OTHER: &[&str] = &["virt"];

/// No line at all on bare metal.
pub fn render(report: &Report) -> String {
    let verdict = &report.verdict;
    let xen = verdict
        .hypervisor
        .as_ref()
        .is_some_and(|found| found.name == "xen");
    let facts: &[&str] = match verdict.kind {
        Kind::XenPvDom0 | Kind::XenPvhDom0 => &["xen", "xen-dom0"],
        // It is older than PVH and prints the same for both.
        Kind::XenPv | Kind::XenPvh => &["xen", "xen-domU"],
        Kind::XenHvm => &["xen", "xen-hvm"],
        Kind::Hypervisor(name) => {
            let row = FACTS.iter().find(|row| row.0 == name);
            row.map_or(OTHER, |row| row.1)
        }
        Kind::Unknown if xen => &["xen"],
        Kind::Unknown if verdict.class != Class::Unknown => OTHER,
        Kind::BareMetal | Kind::Unknown => &[],
    };
    facts.iter().map(|fact| format!("{fact}\n")).collect()
}
