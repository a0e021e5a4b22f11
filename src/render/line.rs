//! The verdict in one line that machines can read, and in one word.

use crate::report::Report;
use std::fmt::Write;

/// `xenprobe: kind=xen-hvm class=hvm hypervisor=xen/4.17 pv_drivers=available confidence=certain pci=6 ms=2.1`
///
/// A key whose value is not known is left out; values hold no blanks.
pub fn render(report: &Report) -> String {
    let verdict = &report.verdict;
    let mut line = format!(
        "xenprobe: kind={} class={}",
        verdict.kind.name(),
        verdict.class.name()
    );
    if let Some(hypervisor) = &verdict.hypervisor {
        let _ = write!(line, " hypervisor={}", hypervisor.name);
        if let Some(version) = &hypervisor.version {
            let _ = write!(line, "/{version}");
        }
    }
    if let Some(drivers) = verdict.pv_drivers {
        let _ = write!(line, " pv_drivers={}", drivers.name());
    }
    let _ = write!(line, " confidence={}", verdict.confidence.name());
    if let Some(pci) = &report.facts.pci {
        let _ = write!(line, " pci={}", pci.functions.len());
    }
    let _ = writeln!(line, " ms={}", report.ms);
    line
}

/// The kind alone.
pub fn short(report: &Report) -> String {
    format!("{}\n", report.verdict.kind.name())
}
