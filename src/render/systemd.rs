//! systemd-detect-virt's word (systemd.unit(5), `ConditionVirtualization=`; its own list is `systemd-detect-virt
//! --list`). Its exit status is 0 where the word is another than `none`, which the command line follows.

use crate::report::Report;
use crate::verdict::hypervisor::Hypervisor;
use crate::verdict::words::{Kind, Role};
use crate::verdict::{containers, hypervisors, Verdict};

const NONE: &str = "none";

/// A virtual machine that it has no name for.
const OTHER: &str = Hypervisor::BLANK.systemd;

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
    // What is inside comes first.
    let container = verdict.container.map(containers::by_name);
    if let Some(row) = container.filter(|row| !row.systemd.is_empty()) {
        return row.systemd;
    }
    match (verdict.kind, &verdict.hypervisor) {
        // Dom0 runs the machine and counts as none, by its own definition.
        (Kind::BareMetal, _) => NONE,
        _ if verdict.role == Some(Role::Dom0) => NONE,
        (_, Some(found)) => found.row.systemd,
        (Kind::VmOther, None) => by_vmm(verdict).map_or(OTHER, |row| row.systemd),
        (_, None) => NONE,
    }
}

/// A board of QEMU's is QEMU to other tools, whoever executes the code.
pub(super) fn by_vmm(verdict: &Verdict) -> Option<&'static Hypervisor> {
    hypervisors::kinds().find(|row| row.vmm.is_some() && row.vmm == verdict.vmm)
}
