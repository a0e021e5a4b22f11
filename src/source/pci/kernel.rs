//! What Linux knows of a function beyond its configuration space, in its directory in sysfs: the resources that it gave
//! it, the interrupt, and where it sits. What sysfs does not have is `None`.

use crate::format::pci::resource::Resources;
use crate::format::pci::{Address, Kernel};
use crate::machine::{read_text, Machine};

/// What the function's directory holds; `slot` is told elsewhere.
pub fn read(machine: &dyn Machine, directory: &str) -> Kernel {
    let text = |name: &str| {
        let text = read_text(machine, &format!("{directory}/{name}")).ok();
        text.filter(|text| !text.is_empty())
    };
    Kernel {
        resources: text("resource").map(|text| Resources::parse(&text)),
        irq: text("irq").and_then(|text| text.parse().ok()),
        numa_node: text("numa_node").and_then(|text| text.parse().ok()),
        iommu_group: machine.link_name(&format!("{directory}/iommu_group")).ok(),
        label: text("label"),
        slot: None,
    }
}

/// Names of the physical slots, by domain, bus and device.
pub fn slots(machine: &dyn Machine) -> Vec<((u32, u8, u8), String)> {
    const SLOTS: &str = "/sys/bus/pci/slots";
    let names = machine.list(SLOTS).unwrap_or_default();
    let place = |name: &str| {
        let address = read_text(machine, &format!("{SLOTS}/{name}/address")).ok()?;
        let address = Address::parse(&format!("{address}.0"))?;
        Some((address.domain, address.bus, address.device))
    };
    let found = names.into_iter().map(|name| (place(&name), name));
    found
        .filter_map(|(place, name)| Some((place?, name)))
        .collect()
}

/// `0x1f` or `31`.
pub fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
