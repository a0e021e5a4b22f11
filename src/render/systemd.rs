//! systemd-detect-virt's word (systemd.unit(5), `ConditionVirtualization=`; its own list is `systemd-detect-virt
//! --list`). Its exit status is 0 where the word is another than `none`, which the command line follows.

use crate::report::Report;
use crate::verdict::hypervisor::Hypervisor;
use crate::verdict::words::{Class, Kind};

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
    match (verdict.kind, &verdict.hypervisor) {
        // Dom0 runs the machine and counts as none, by its own definition.
        (Kind::BareMetal | Kind::XenPvDom0 | Kind::XenPvhDom0, _) => NONE,
        (_, Some(found)) => found.row.systemd,
        (_, None) if verdict.class == Class::Unknown => NONE,
        (_, None) => OTHER,
    }
}
