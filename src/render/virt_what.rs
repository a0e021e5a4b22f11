//! virt-what's facts, a line each (virt-what(1)). A machine without any is taken for a physical one.

use crate::report::Report;
use crate::verdict::hypervisor::Hypervisor;
use crate::verdict::words::{Class, Kind};

/// "Some sort of virtualization appears to be present", of which it has no name.
const OTHER: &[&str] = Hypervisor::BLANK.virt_what;

/// No line at all on bare metal.
pub fn render(report: &Report) -> String {
    let verdict = &report.verdict;
    let facts: &[&str] = match (verdict.kind, &verdict.hypervisor) {
        (Kind::XenPvDom0 | Kind::XenPvhDom0, _) => &["xen", "xen-dom0"],
        // It is older than PVH and prints the same for both.
        (Kind::XenPv | Kind::XenPvh, _) => &["xen", "xen-domU"],
        (Kind::XenHvm, _) => &["xen", "xen-hvm"],
        (Kind::BareMetal, _) => &[],
        (_, Some(found)) => found.row.virt_what,
        (_, None) if verdict.class == Class::Unknown => &[],
        (_, None) => OTHER,
    };
    facts.iter().map(|fact| format!("{fact}\n")).collect()
}
