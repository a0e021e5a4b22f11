//! What OpenStack Ironic's inspection takes from its agent: an inventory and the PCI list, in the shape that
//! ironic-python-agent posts (its `hardware.py`, `list_hardware_info`, and `inspector.py`,
//! `collect_pci_devices_info`). What was not observed here (disks, memory, networks) is empty; hexadecimal numbers
//! have no `0x`.

use super::ansible::summary;
use crate::facts::Smbios;
use crate::json::Json;
use crate::report::Report;

pub fn render(report: &Report) -> String {
    let facts = &report.facts;
    let functions = facts.pci.iter().flat_map(|pci| &pci.functions);
    let devices = functions.map(|function| {
        Json::object([
            ("vendor_id", format!("{:04x}", function.vendor).into()),
            ("product_id", format!("{:04x}", function.device).into()),
            ("class", format!("{:06x}", function.class).into()),
            ("revision", format!("{:02x}", function.revision).into()),
            ("bus", function.address.to_string().into()),
            ("numa_node_id", Json::Null),
        ])
    });
    let none = Smbios::default();
    let smbios = facts.smbios.as_ref().unwrap_or(&none);
    let brand = facts.cpuid.as_ref().and_then(|cpuid| cpuid.brand.clone());
    let nothing = || Json::List(Vec::new());
    let inventory = Json::object([
        ("interfaces", nothing()),
        (
            "cpu",
            Json::object([
                ("model_name", brand.into()),
                ("architecture", facts.arch.into()),
            ]),
        ),
        ("disks", nothing()),
        (
            "memory",
            Json::object([("total", Json::Null), ("physical_mb", Json::Null)]),
        ),
        (
            "system_vendor",
            Json::object([
                ("product_name", smbios.product_name.clone().into()),
                ("serial_number", Json::Null),
                ("manufacturer", smbios.system_vendor.clone().into()),
                (
                    "firmware",
                    Json::object([
                        ("vendor", smbios.bios_vendor.clone().into()),
                        ("version", smbios.bios_version.clone().into()),
                        ("build_date", smbios.bios_date.clone().into()),
                    ]),
                ),
            ]),
        ),
        ("boot", Json::object([("pxe_interface", Json::Null)])),
    ]);
    let posted = Json::object([
        ("inventory", inventory),
        ("pci_devices", Json::list(devices)),
        ("xenprobe", summary(report)),
        ("error", Json::Null),
    ]);
    format!("{posted}\n")
}
