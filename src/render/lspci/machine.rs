//! `-m`, `-mm` and `-vmm`: fields for programs, on one line or one a line.

use super::label::Labels;
use super::terse::shown_subsystem;
use super::Style;
use crate::format::pci::Function;
use std::fmt::Write;

pub fn show(text: &mut String, function: &Function, slot: &str, labels: &Labels, style: Style) {
    match style.verbose {
        true => lines(text, function, slot, labels, style),
        false => line(text, function, slot, labels),
    }
}

fn line(text: &mut String, function: &Function, slot: &str, labels: &Labels) {
    let id = (function.vendor, function.device);
    text.push_str(slot);
    quoted(text, &labels.class(function.class));
    quoted(text, &labels.vendor(function.vendor));
    quoted(text, &labels.device(id));
    if function.revision != 0 {
        let _ = write!(text, " -r{:02x}", function.revision);
    }
    let _ = write!(text, " -p{:02x}", function.class & 0xff);
    match shown_subsystem(function) {
        Some(subsystem) => {
            quoted(text, &labels.subsystem_vendor(subsystem.0));
            quoted(text, &labels.subsystem_device(id, subsystem));
        }
        None => text.push_str(" \"\" \"\""),
    }
    text.push('\n');
}

fn quoted(text: &mut String, value: &str) {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    let _ = write!(text, " \"{value}\"");
}

fn lines(text: &mut String, function: &Function, slot: &str, labels: &Labels, style: Style) {
    let id = (function.vendor, function.device);
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}:\t{value}");
    };
    // The old format calls two different things a device.
    field(if style.machine > 1 { "Slot" } else { "Device" }, slot);
    field("Class", &labels.class(function.class));
    field("Vendor", &labels.vendor(function.vendor));
    field("Device", &labels.device(id));
    if let Some(subsystem) = shown_subsystem(function) {
        field("SVendor", &labels.subsystem_vendor(subsystem.0));
        field("SDevice", &labels.subsystem_device(id, subsystem));
    }
    if let Some(slot) = &function.kernel.slot {
        field("PhySlot", slot);
    }
    if function.revision != 0 {
        field("Rev", &format!("{:02x}", function.revision));
    }
    field("ProgIf", &format!("{:02x}", function.class & 0xff));
    if style.kernel {
        if let Some(driver) = &function.driver {
            field("Driver", driver);
        }
        for module in &function.modules {
            field("Module", module);
        }
    }
    if let Some(node) = function.kernel.numa_node.filter(|node| *node != -1) {
        field("NUMANode", &node.to_string());
    }
    if let Some(group) = &function.kernel.iommu_group {
        field("IOMMUGroup", group);
    }
}
