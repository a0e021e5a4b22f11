//! What OpenStack Ironic's inspection takes from its agent: an inventory and the PCI list, in the shape that
//! ironic-python-agent posts (its `hardware.py`, `list_hardware_info`, and `inspector.py`,
//! `collect_pci_devices_info`). What was not observed here (disks, memory, networks) is empty; hexadecimal numbers
//! have no `0x`.

use super::ansible::Summary;
use super::json;
use crate::facts::Address;
use crate::format::hex::{hex4, hex6};
use crate::report::Report;
use serde::Serialize;

/// What was not observed.
type Nothing = ();

#[derive(Serialize)]
struct Posted<'a> {
    inventory: Inventory<'a>,
    pci_devices: Vec<Device>,
    xenprobe: Summary<'a>,
    error: Nothing,
}

#[derive(Serialize)]
struct Inventory<'a> {
    interfaces: [Nothing; 0],
    cpu: Cpu<'a>,
    disks: [Nothing; 0],
    memory: Memory,
    system_vendor: SystemVendor<'a>,
    boot: Boot,
}

#[derive(Serialize)]
struct Cpu<'a> {
    model_name: Option<&'a str>,
    architecture: &'static str,
}

#[derive(Serialize, Default)]
struct Memory {
    total: Nothing,
    physical_mb: Nothing,
}

#[derive(Serialize)]
struct SystemVendor<'a> {
    product_name: Option<&'a str>,
    serial_number: Nothing,
    manufacturer: Option<&'a str>,
    firmware: Firmware<'a>,
}

#[derive(Serialize)]
struct Firmware<'a> {
    vendor: Option<&'a str>,
    version: Option<&'a str>,
    build_date: Option<&'a str>,
}

#[derive(Serialize, Default)]
struct Boot {
    pxe_interface: Nothing,
}

#[derive(Serialize)]
struct Device {
    #[serde(serialize_with = "hex4")]
    vendor_id: u16,
    #[serde(serialize_with = "hex4")]
    product_id: u16,
    #[serde(serialize_with = "hex6")]
    class: u32,
    revision: String,
    bus: Address,
    numa_node_id: Nothing,
}

/// What the agent posts.
pub fn render(report: &Report) -> String {
    let facts = &report.facts;
    let functions = facts.pci.iter().flat_map(|pci| &pci.functions);
    let devices = functions.map(|function| Device {
        vendor_id: function.vendor,
        product_id: function.device,
        class: function.class,
        revision: format!("{:02x}", function.revision),
        bus: function.address,
        numa_node_id: (),
    });
    let smbios = facts.smbios.as_ref();
    let cpuid = facts.cpuid.as_ref();
    let inventory = Inventory {
        interfaces: [],
        cpu: Cpu {
            model_name: cpuid.and_then(|cpuid| cpuid.brand.as_deref()),
            architecture: facts.arch,
        },
        disks: [],
        memory: Memory::default(),
        system_vendor: SystemVendor {
            product_name: smbios.and_then(|smbios| smbios.product_name.as_deref()),
            serial_number: (),
            manufacturer: smbios.and_then(|smbios| smbios.system_vendor.as_deref()),
            firmware: Firmware {
                vendor: smbios.and_then(|smbios| smbios.bios_vendor.as_deref()),
                version: smbios.and_then(|smbios| smbios.bios_version.as_deref()),
                build_date: smbios.and_then(|smbios| smbios.bios_date.as_deref()),
            },
        },
        boot: Boot::default(),
    };
    json::pretty(&Posted {
        inventory,
        pci_devices: devices.collect(),
        xenprobe: Summary::of(report),
        error: (),
    })
}
