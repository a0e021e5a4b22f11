//! The verdict with its reasons, for a person.

use super::{boot, lspci};
use crate::facts::{Address, PciVia};
use crate::names::Names;
use crate::report::Report;
use crate::terminal::Lines;
use crate::verdict::hypervisor::Hypervisor;
use crate::verdict::words::{Class, Kind, PvDrivers};
use crate::verdict::{devices, Reason};

/// The verdict, how the machine boots, its reasons, what the PCI functions come to, and the functions.
pub fn render(report: &Report) -> String {
    let verdict = &report.verdict;
    let mut text = Lines::new();
    text.line(format_args!("{}", sentence(verdict.kind, verdict.class)));
    text.end();
    let mut row = |name: &str, value: &str| text.line(format_args!("  {name:<12}{value}"));
    row("kind", verdict.kind.name());
    row("class", verdict.class.name());
    if let Some(hypervisor) = &verdict.hypervisor {
        let version = hypervisor.version.as_deref().unwrap_or("");
        row(
            "hypervisor",
            format!("{} {version}", hypervisor.name).trim_end(),
        );
    }
    if let Some(drivers) = verdict.pv_drivers {
        row("PV drivers", drivers.name());
        row("", meaning(drivers));
    }
    for (name, word) in [
        ("VMM", verdict.vmm),
        ("platform", verdict.platform),
        ("container", verdict.container),
        ("confidential", verdict.confidential),
    ] {
        if let Some(word) = word {
            row(name, word);
        }
    }
    if verdict.layers.len() > 1 {
        row("layers", &verdict.layers.join(" > "));
    }
    if !verdict.presents.is_empty() {
        row("presents", &verdict.presents.join(", "));
    }
    row("confidence", verdict.confidence.name());
    if let Some(boot) = &report.boot {
        row("boots from", &boot::summary(boot));
    }
    reasons(&mut text, "Because", &verdict.reasons);
    reasons(&mut text, "Against it", &verdict.conflicts);
    text.end();
    let Some(pci) = &report.facts.pci else {
        text.line(format_args!("PCI could not be read."));
        return text.into_text();
    };
    let via = match pci.via {
        PciVia::Sysfs => "sysfs",
        PciVia::Ports => "ports",
        PciVia::Dump => "a dump",
    };
    if !verdict.devices.is_empty() {
        text.line(format_args!("PCI shows:"));
        for conclusion in &verdict.devices {
            text.line(format_args!("  {}", sum(conclusion)));
        }
        text.end();
    }
    let count = pci.functions.len();
    text.line(format_args!("PCI functions, read through {via}: {count}"));
    for line in lspci::lines(pci, &Names::builtin()) {
        text.line(format_args!("  {line}"));
    }
    text.into_text()
}

/// What a word on the paravirtual drivers means, and what can be done about it.
fn meaning(drivers: PvDrivers) -> &'static str {
    match drivers {
        PvDrivers::Active => "disks or network run through Xen, past the emulated ones",
        PvDrivers::Available => {
            "Xen offers them; no disk and no network card runs through them yet"
        }
        PvDrivers::Absent => "none offered: xen_platform_pci=1 in its xl configuration offers them",
    }
}

/// What the list comes to, and the functions that this rests on.
fn sum(conclusion: &devices::Conclusion) -> String {
    let short = |address: &Address| {
        let text = address.to_string();
        text.strip_prefix("0000:").unwrap_or(&text).to_owned()
    };
    let rests_on: Vec<String> = conclusion.rests_on.iter().map(short).collect();
    match rests_on.is_empty() {
        true => conclusion.what.clone(),
        false => format!("{}: {}", conclusion.what, rests_on.join(", ")),
    }
}

fn reasons(text: &mut Lines, title: &str, list: &[Reason]) {
    if list.is_empty() {
        return;
    }
    text.end();
    text.line(format_args!("{title}:"));
    for reason in list {
        text.line(format_args!("  {}: {}", reason.source, reason.observed));
        text.line(format_args!("    {}", reason.means));
    }
}

fn sentence(kind: Kind, class: Class) -> String {
    let what = match kind {
        Kind::BareMetal => "no virtual machine",
        Kind::XenPvDom0 => "Xen's dom0, paravirtualised",
        Kind::XenPv => "a Xen guest, paravirtualised",
        Kind::XenPvhDom0 => "Xen's dom0, as PVH",
        Kind::XenPvh => "a Xen guest, as PVH",
        Kind::XenHvm => "a Xen guest, fully emulated (HVM)",
        Kind::Hypervisor(row) => return virtual_machine(row),
        Kind::VmOther => "a virtual machine; whose could not be told",
        Kind::Unknown if class == Class::Unknown => {
            return "What this machine is could not be told.".to_owned()
        }
        Kind::Unknown => {
            return format!(
                "This machine is of class {}; its kind could not be told.",
                class.name()
            )
        }
    };
    format!("This machine is {what}.")
}

fn virtual_machine(row: &Hypervisor) -> String {
    let title = row.title;
    match row.detail {
        "" => format!("This machine is a virtual machine of {title}."),
        detail => format!("This machine is a virtual machine of {title} ({detail})."),
    }
}
