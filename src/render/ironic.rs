//! What OpenStack Ironic's inspection takes from its agent: an inventory and the PCI list, in the shape that
//! ironic-python-agent posts (its `hardware.py`, `list_hardware_info`, and `inspector.py`,
//! `collect_pci_devices_info`). What was not observed here (addresses, wwn, ...) is null; hexadecimal numbers have no
//! `0x`.

use super::ansible::Summary;
use super::json;
use crate::facts::Address;
use crate::format::hex::{hex4, hex6};
use crate::report::Report;
use crate::verdict::boot::FirmwareInterface;
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
    interfaces: Vec<Interface<'a>>,
    cpu: Cpu<'a>,
    disks: Vec<Disk<'a>>,
    memory: Memory,
    system_vendor: SystemVendor<'a>,
    boot: Boot<'a>,
}

#[derive(Serialize)]
struct Cpu<'a> {
    model_name: Option<&'a str>,
    count: Option<u32>,
    architecture: &'static str,
}

#[derive(Serialize)]
struct Interface<'a> {
    name: &'a str,
    mac_address: Option<&'a str>,
    ipv4_address: Nothing,
    ipv6_address: Nothing,
    has_carrier: bool,
    driver: Option<&'a str>,
}

#[derive(Serialize)]
struct Disk<'a> {
    name: String,
    model: Option<&'a str>,
    size: Option<u64>,
    rotational: Option<bool>,
    wwn: Nothing,
    serial: Option<&'a str>,
}

#[derive(Serialize, Default)]
struct Memory {
    total: Option<u64>,
    physical_mb: Nothing,
}

#[derive(Serialize)]
struct SystemVendor<'a> {
    product_name: Option<&'a str>,
    serial_number: Option<&'a str>,
    manufacturer: Option<&'a str>,
    firmware: Firmware<'a>,
}

#[derive(Serialize)]
struct Firmware<'a> {
    vendor: Option<&'a str>,
    version: Option<&'a str>,
    build_date: Option<&'a str>,
}

#[derive(Serialize)]
struct Boot<'a> {
    current_boot_mode: Option<&'static str>,
    pxe_interface: Option<&'a str>,
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
    let found = facts.inventory.as_ref();
    let interfaces = found
        .iter()
        .flat_map(|found| found.interfaces.iter().flatten());
    let disks = found.iter().flat_map(|found| found.disks.iter().flatten());
    let command_line = facts
        .boot
        .as_ref()
        .and_then(|boot| boot.command_line.as_ref());
    let interface = report.boot.as_ref().map(|boot| boot.firmware.interface);
    let inventory = Inventory {
        interfaces: interfaces
            .map(|card| Interface {
                name: &card.name,
                mac_address: card.mac.as_deref(),
                ipv4_address: (),
                ipv6_address: (),
                has_carrier: card.carrier == Some(true),
                driver: card.driver.as_deref(),
            })
            .collect(),
        cpu: Cpu {
            model_name: cpuid.and_then(|cpuid| cpuid.brand.as_deref()),
            count: found.and_then(|found| found.processors),
            architecture: facts.arch,
        },
        disks: disks
            .map(|disk| Disk {
                name: ["/dev/", &disk.name].concat(),
                model: disk.model.as_deref(),
                size: disk.size,
                rotational: disk.rotational,
                wwn: (),
                serial: disk.serial.as_deref(),
            })
            .collect(),
        memory: Memory {
            total: found.and_then(|found| found.memory),
            physical_mb: (),
        },
        system_vendor: SystemVendor {
            product_name: smbios.and_then(|smbios| smbios.product_name.as_deref()),
            serial_number: found.and_then(|found| found.serials.system.as_deref()),
            manufacturer: smbios.and_then(|smbios| smbios.system_vendor.as_deref()),
            firmware: Firmware {
                vendor: smbios.and_then(|smbios| smbios.bios_vendor.as_deref()),
                version: smbios.and_then(|smbios| smbios.bios_version.as_deref()),
                build_date: smbios.and_then(|smbios| smbios.bios_date.as_deref()),
            },
        },
        boot: Boot {
            current_boot_mode: match interface {
                Some(FirmwareInterface::Uefi) => Some("uefi"),
                Some(FirmwareInterface::Bios) => Some("bios"),
                _ => None,
            },
            pxe_interface: command_line.and_then(|line| line.bootif.as_deref()),
        },
    };
    json::pretty(&Posted {
        inventory,
        pci_devices: devices.collect(),
        xenprobe: Summary::of(report),
        error: (),
    })
}
