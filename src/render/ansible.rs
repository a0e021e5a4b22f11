//! Ansible's local facts: a file `/etc/ansible/facts.d/xenprobe.fact`, which ansible.builtin.setup (`fact_path`) shows
//! as `ansible_local.xenprobe`. The verdict's fields stand at the top, the PCI list beside them.

use super::json;
use crate::facts::Address;
use crate::format::hex::{hex4, hex6};
use crate::report::Report;
use crate::verdict::words::{Class, Confidence, Kind, PvDrivers};
use crate::verdict::Detected;
use serde::Serialize;

/// The object by itself.
pub fn render(report: &Report) -> String {
    json::pretty(&Summary::of(report))
}

/// The verdict and the PCI list, for those who want facts and not how they are known.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    kind: Kind,
    class: Class,
    hypervisor: Option<&'a Detected>,
    pv_drivers: Option<PvDrivers>,
    layers: &'a [&'static str],
    presents: &'a [&'static str],
    confidence: Confidence,
    pci: Vec<Function<'a>>,
    version: &'static str,
}

#[derive(Serialize)]
struct Function<'a> {
    address: Address,
    #[serde(serialize_with = "hex4")]
    vendor: u16,
    #[serde(serialize_with = "hex4")]
    device: u16,
    #[serde(serialize_with = "hex6")]
    class: u32,
    driver: Option<&'a str>,
}

impl Summary<'_> {
    pub(super) fn of(report: &Report) -> Summary<'_> {
        let verdict = &report.verdict;
        let functions = report.facts.pci.iter().flat_map(|pci| &pci.functions);
        let functions = functions.map(|function| Function {
            address: function.address,
            vendor: function.vendor,
            device: function.device,
            class: function.class,
            driver: function.driver.as_deref(),
        });
        Summary {
            kind: verdict.kind,
            class: verdict.class,
            hypervisor: verdict.hypervisor.as_ref(),
            pv_drivers: verdict.pv_drivers,
            layers: &verdict.layers,
            presents: &verdict.presents,
            confidence: verdict.confidence,
            pci: functions.collect(),
            version: report.version,
        }
    }
}
