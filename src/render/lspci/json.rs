//! The list as JSON, in PCI's own terms: what the text shows and, beside it, what the text has no place for.

use super::super::json;
use super::label::{Ids, Labels};
use super::terse::shown_subsystem;
use crate::facts::PciVia;
use crate::format::pci::capability::{self, Capabilities};
use crate::format::pci::header::Header;
use crate::format::pci::Function;
use crate::names::Names;
use serde::Serialize;

/// Raised whenever a field of the list is removed or changes its meaning.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct List<'a> {
    schema: u32,
    via: PciVia,
    functions: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    address: String,
    class: String,
    class_name: Option<&'a str>,
    programming_interface_name: Option<&'a str>,
    vendor: String,
    vendor_name: Option<&'a str>,
    device: String,
    device_name: Option<&'a str>,
    revision: u8,
    subsystem_vendor: Option<String>,
    subsystem_device: Option<String>,
    subsystem_name: Option<String>,
    header_type: Option<u8>,
    header: Option<Header>,
    capabilities: Option<Capabilities>,
    driver: Option<&'a str>,
    modules: &'a [String],
    irq: Option<u32>,
    numa_node: Option<i32>,
    iommu_group: Option<&'a str>,
    physical_slot: Option<&'a str>,
    label: Option<&'a str>,
}

/// An object with the list and the way it was read; `docs/lspci.schema.json` describes it.
pub fn render<'a>(
    via: PciVia,
    functions: impl Iterator<Item = &'a Function>,
    names: &Names,
) -> String {
    let list = List {
        schema: SCHEMA,
        via,
        functions: functions.map(|function| entry(function, names)).collect(),
    };
    json::pretty(&list)
}

fn entry<'a>(function: &'a Function, names: &'a Names) -> Entry<'a> {
    let hex4 = |number: u16| format!("{number:04x}");
    let (vendor, device) = (function.vendor, function.device);
    let subsystem = shown_subsystem(function);
    let labels = Labels::new(names, Ids::Names);
    let kernel = &function.kernel;
    let class = (function.class >> 8) as u16;
    Entry {
        address: function.address.to_string(),
        class: format!("{:06x}", function.class),
        class_name: names
            .subclass(class)
            .or_else(|| names.class((class >> 8) as u8)),
        programming_interface_name: names.programming_interface(function.class),
        vendor: hex4(vendor),
        vendor_name: names.vendor(vendor),
        device: hex4(device),
        device_name: names.device(vendor, device),
        revision: function.revision,
        subsystem_vendor: subsystem.map(|pair| hex4(pair.0)),
        subsystem_device: subsystem.map(|pair| hex4(pair.1)),
        subsystem_name: subsystem.map(|pair| labels.subsystem((vendor, device), pair)),
        header_type: function.header_type(),
        header: Header::of(function),
        capabilities: capability::are_possible(function).then(|| Capabilities::of(function)),
        driver: function.driver.as_deref(),
        modules: &function.modules,
        irq: kernel.irq,
        numa_node: kernel.numa_node,
        iommu_group: kernel.iommu_group.as_deref(),
        physical_slot: kernel.slot.as_deref(),
        label: kernel.label.as_deref(),
    }
}
