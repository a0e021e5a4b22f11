//! Ansible's local facts: a file `/etc/ansible/facts.d/xenprobe.fact`, which ansible.builtin.setup (`fact_path`) shows
//! as `ansible_local.xenprobe`. The verdict's fields stand at the top, the PCI list beside them.

use crate::json::Json;
use crate::report::Report;

/// The object by itself.
pub fn render(report: &Report) -> String {
    format!("{}\n", summary(report))
}

/// The verdict and the PCI list, for those who want facts and not how they are known.
pub(super) fn summary(report: &Report) -> Json {
    let verdict = &report.verdict;
    let hypervisor = verdict.hypervisor.as_ref().map(|found| {
        Json::object([
            ("name", found.name.into()),
            ("version", found.version.clone().into()),
        ])
    });
    let functions = report.facts.pci.iter().flat_map(|pci| &pci.functions);
    let pci = functions.map(|function| {
        Json::object([
            ("address", function.address.to_string().into()),
            ("vendor", format!("{:04x}", function.vendor).into()),
            ("device", format!("{:04x}", function.device).into()),
            ("class", format!("{:06x}", function.class).into()),
            ("driver", function.driver.clone().into()),
        ])
    });
    Json::object([
        ("kind", verdict.kind.name().into()),
        ("class", verdict.class.name().into()),
        ("hypervisor", hypervisor.into()),
        (
            "pv_drivers",
            verdict.pv_drivers.map(|found| found.name()).into(),
        ),
        ("layers", Json::list(verdict.layers.iter().copied())),
        ("presents", Json::list(verdict.presents.iter().copied())),
        ("confidence", verdict.confidence.name().into()),
        ("pci", Json::list(pci)),
        ("version", report.version.into()),
    ])
}
