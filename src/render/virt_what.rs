//! virt-what's facts, a line each (virt-what(1)). A machine without any is taken for a physical one.

use super::systemd::by_vmm;
use crate::report::Report;
use crate::verdict::hypervisor::Hypervisor;
use crate::verdict::hypervisors::XEN;
use crate::verdict::words::{Kind, Role};
use crate::verdict::{containers, platforms};

/// "Some sort of virtualization appears to be present", of which it has no name.
const OTHER: &[&str] = Hypervisor::BLANK.virt_what;

/// No line at all on bare metal, unless a cloud rents it.
pub fn render(report: &Report) -> String {
    let verdict = &report.verdict;
    let facts: &[&str] = match (verdict.kind, &verdict.hypervisor) {
        (Kind::BareMetal, _) => &[],
        (_, Some(found)) if found.row == &XEN => match (verdict.role, verdict.kind) {
            (Some(Role::Dom0), _) => &["xen", "xen-dom0"],
            (_, Kind::XenHvm) => &["xen", "xen-hvm"],
            // It is older than PVH and prints the same for it as for PV.
            (_, Kind::XenPv | Kind::XenPvh) => &["xen", "xen-domU"],
            _ => &["xen"],
        },
        (_, Some(found)) => found.row.virt_what,
        (Kind::VmOther, None) => by_vmm(verdict).map_or(OTHER, |row| row.virt_what),
        (_, None) => &[],
    };
    let platform = platforms::ALL.iter();
    let platform = platform.filter(|row| Some(row.name) == verdict.platform);
    let (first, last) = platform
        .map(|row| (row.virt_what_first, row.virt_what_last))
        .next()
        .unwrap_or_default();
    let container = verdict.container.map(containers::by_name);
    let container = container.map_or("", |row| row.virt_what);
    let mut lines = vec![first, container, red_hat(report)];
    lines.extend(facts);
    lines.push(last);
    lines.retain(|line| !line.is_empty());
    lines.iter().map(|line| [line, "\n"].concat()).collect()
}

/// It tells of this maker wherever one of its strings names it.
fn red_hat(report: &Report) -> &'static str {
    let named = report.facts.smbios.as_ref().is_some_and(|smbios| {
        let makers = [
            &smbios.system_vendor,
            &smbios.board_vendor,
            &smbios.chassis_vendor,
        ];
        makers
            .iter()
            .any(|maker| maker.as_deref() == Some("Red Hat"))
    });
    match named {
        true => "redhat",
        false => "",
    }
}
