//! The PCI list as `lspci` prints it (pciutils, lspci.c, `show_terse`).

use super::pci_names;
use crate::facts::{Pci, PciFunction};
use std::fmt::Write;

/// How classes, vendors and devices are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    Names,
    /// `-n`
    Numbers,
    /// `-nn`
    Both,
}

/// One line a function. The domain is shown where any function is outside domain 0, as pciutils does.
pub fn lines(pci: &Pci, ids: Ids) -> Vec<String> {
    let domains = pci
        .functions
        .iter()
        .any(|function| !function.address.starts_with("0000:"));
    pci.functions
        .iter()
        .map(|function| line(function, ids, domains))
        .collect()
}

fn line(function: &PciFunction, ids: Ids, domains: bool) -> String {
    let address = match domains {
        true => &function.address[..],
        false => function
            .address
            .strip_prefix("0000:")
            .unwrap_or(&function.address),
    };
    let class = function.class >> 8;
    let (vendor, device) = (function.vendor, function.device);
    let mut line = match ids {
        Ids::Numbers => format!("{address} {class:04x}: {vendor:04x}:{device:04x}"),
        Ids::Names | Ids::Both => {
            let numbers = ids == Ids::Both;
            let class_name = match pci_names::class(class as u16) {
                Some(name) if numbers => format!("{name} [{class:04x}]"),
                Some(name) => name.to_owned(),
                None => format!("Class [{class:04x}]"),
            };
            let name = match (pci_names::vendor(vendor), pci_names::device(vendor, device)) {
                (Some(v), Some(d)) if numbers => format!("{v} {d} [{vendor:04x}:{device:04x}]"),
                (Some(v), Some(d)) => format!("{v} {d}"),
                (Some(v), None) if numbers => format!("{v} Device [{vendor:04x}:{device:04x}]"),
                (Some(v), None) => format!("{v} Device {device:04x}"),
                (None, _) if numbers => format!("Device [{vendor:04x}:{device:04x}]"),
                (None, _) => format!("Device {vendor:04x}:{device:04x}"),
            };
            format!("{address} {class_name}: {name}")
        }
    };
    if function.revision != 0 {
        let _ = write!(line, " (rev {:02x})", function.revision);
    }
    line
}
