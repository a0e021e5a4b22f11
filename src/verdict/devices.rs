//! What the PCI list means for the question: an emulated board and which, devices made for virtual machines, physical ones
//! passed through, or nothing at all; each with the functions that it rests on. It explains a verdict and decides none.

use super::hypervisors;
use super::tables;
use super::words::{Class, Kind};
use crate::facts::{Address, Facts, PciFunction};
use serde::Serialize;

/// One thing that the list comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conclusion {
    /// For people.
    pub what: String,
    /// Addresses, as the facts have them.
    pub rests_on: Vec<Address>,
}

/// Empty where PCI could not be read.
pub fn conclude(facts: &Facts, kind: Kind, class: Class) -> Vec<Conclusion> {
    let Some(pci) = &facts.pci else {
        return Vec::new();
    };
    if pci.functions.is_empty() {
        return vec![Conclusion {
            what: "no device at all, emulated or physical".to_owned(),
            rests_on: Vec::new(),
        }];
    }
    let mut all = Vec::new();
    all.extend(board(&pci.functions, kind, class));
    paravirtual(&pci.functions, &mut all);
    let passed_through = pci
        .functions
        .iter()
        .filter(|function| is_passed_through(function, kind, class));
    let rests_on: Vec<Address> = passed_through.map(|function| function.address).collect();
    if !rests_on.is_empty() {
        let what = match class {
            Class::Hvm => "physical, passed through (nothing that is known to be emulated)",
            // A guest without a board has none but those; the machine that they come from may be an emulated one.
            _ => "passed through from the machine under Xen",
        };
        let what = what.to_owned();
        all.push(Conclusion { what, rests_on });
    }
    all
}

fn board(functions: &[PciFunction], kind: Kind, class: Class) -> Option<Conclusion> {
    let host = functions.iter().find(|function| {
        function.address == Address::HOST_BRIDGE && function.class >> 8 == 0x0600
    })?;
    let row = tables::BOARDS
        .iter()
        .find(|row| (row.0, row.1) == (host.vendor, host.device));
    let what = match (row, is_dom0(kind), class) {
        (Some(row), true, _) => format!("a {} board, the one under Xen", row.2),
        (None, true, _) => "the board of the machine under Xen".to_owned(),
        (Some(row), _, Class::Hvm) => format!("an emulated {} board", row.2),
        (Some(row), _, _) => format!("a {} board, which hypervisors emulate", row.2),
        (None, _, Class::BareMetal) => "a board that none is known to emulate".to_owned(),
        (None, _, Class::Hvm) => "a board that xenprobe has no name for".to_owned(),
        (None, _, _) => return None,
    };
    Some(Conclusion {
        what,
        rests_on: vec![host.address],
    })
}

fn paravirtual(functions: &[PciFunction], all: &mut Vec<Conclusion>) {
    for function in functions {
        let Some(name) = paravirtual_name(function) else {
            continue;
        };
        let what = format!("paravirtual: {name}");
        match all.iter_mut().find(|one| one.what == what) {
            Some(one) => one.rests_on.push(function.address),
            None => all.push(Conclusion {
                what,
                rests_on: vec![function.address],
            }),
        }
    }
}

fn paravirtual_name(function: &PciFunction) -> Option<&'static str> {
    let of_rows = hypervisors::ALL.iter().flat_map(|row| row.paravirtual);
    let mut marks = std::iter::once(&tables::VIRTIO).chain(of_rows);
    let mark = marks.find(|mark| mark.is(function.vendor, function.device))?;
    Some(mark.title)
}

/// Outside full emulation a guest has no device but what is passed through. Inside, what is neither a bridge nor a part
/// that somebody is known to emulate.
fn is_passed_through(function: &PciFunction, kind: Kind, class: Class) -> bool {
    if is_dom0(kind) || paravirtual_name(function).is_some() {
        return false;
    }
    match class {
        Class::Pv | Class::Pvh => true,
        Class::Hvm => !matches!(function.class >> 16, 0x05 | 0x06 | 0x08) && !is_emulated(function),
        Class::BareMetal | Class::Unknown => false,
    }
}

fn is_emulated(function: &PciFunction) -> bool {
    let marked = |vendor: u16| {
        tables::VIRTUAL_VENDORS.contains(&vendor)
            || hypervisors::find(|row| row.pci_vendors.contains(&vendor)).is_some()
    };
    let id = u32::from(function.vendor) << 16 | u32::from(function.device);
    marked(function.vendor)
        || function.subsystem_vendor.is_some_and(marked)
        || tables::EMULATED.contains(&id)
}

fn is_dom0(kind: Kind) -> bool {
    matches!(kind, Kind::XenPvDom0 | Kind::XenPvhDom0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Pci, PciVia};

    fn function(
        address: &str,
        vendor: u16,
        device: u16,
        class: u32,
        subsystem: u16,
    ) -> PciFunction {
        PciFunction {
            address: Address::parse(address).unwrap(),
            vendor,
            device,
            class,
            revision: 0,
            header_type: Some(0),
            subsystem_vendor: Some(subsystem),
            subsystem_device: Some(0),
            driver: None,
        }
    }

    fn told(functions: Vec<PciFunction>, kind: Kind, class: Class) -> Vec<String> {
        let facts = Facts {
            pci: Some(Pci {
                via: PciVia::Sysfs,
                functions,
            }),
            ..Facts::default()
        };
        let line = |one: Conclusion| {
            let rests_on: Vec<String> = one.rests_on.iter().map(Address::to_string).collect();
            format!("{}: {}", one.what, rests_on.join(" "))
        };
        conclude(&facts, kind, class)
            .into_iter()
            .map(line)
            .collect()
    }

    #[test]
    fn kvm_with_virtio_and_a_graphics_card() {
        let functions = vec![
            function("0000:00:00.0", 0x8086, 0x29c0, 0x060000, 0x1af4),
            function("0000:00:01.0", 0x1af4, 0x1041, 0x020000, 0x1af4),
            function("0000:00:02.0", 0x8086, 0x10d3, 0x020000, 0x8086),
            function("0000:00:03.0", 0x1af4, 0x1042, 0x010000, 0x1af4),
            function("0000:01:00.0", 0x10de, 0x2204, 0x030000, 0x1458),
        ];
        let expected = [
            "an emulated Q35/ICH9 board: 0000:00:00.0",
            "paravirtual: virtio: 0000:00:01.0 0000:00:03.0",
            "physical, passed through (nothing that is known to be emulated): 0000:01:00.0",
        ];
        let kvm = Kind::Hypervisor(&hypervisors::KVM);
        assert_eq!(told(functions, kvm, Class::Hvm), expected);
    }

    #[test]
    fn xen_pv_with_a_network_card() {
        let card = vec![function("0000:00:00.0", 0x8086, 0x10fb, 0x020000, 0x8086)];
        let expected = ["passed through from the machine under Xen: 0000:00:00.0"];
        assert_eq!(told(card, Kind::XenPv, Class::Pv), expected);
    }

    #[test]
    fn dom0_has_the_board_below() {
        let board = vec![function("0000:00:00.0", 0x8086, 0x3e30, 0x060000, 0x1043)];
        let expected = ["the board of the machine under Xen: 0000:00:00.0"];
        assert_eq!(told(board, Kind::XenPvDom0, Class::Pv), expected);
    }

    /// Boards and parts as their makers' machines have them: nothing of it is a physical device.
    #[test]
    fn machines_of_which_nothing_is_physical() {
        const BRIDGE: u32 = 0x06_0000;
        const NVME: u32 = 0x01_0802;
        const AHCI: u32 = 0x01_0601;
        const DISPLAY: u32 = 0x03_0000;
        const AUDIO: u32 = 0x04_0300;
        const SERIAL: u32 = 0x07_0003;
        const XHCI: u32 = 0x0c_0330;
        type Part = (u16, u16, u32, u16);
        let machines: [(&str, &[Part]); 11] = [
            (
                "bhyve or ACRN",
                &[
                    (0x1275, 0x1275, BRIDGE, 0),
                    (0xfb5d, 0x0a0a, NVME, 0),
                    (0xfb5d, 0x40fb, DISPLAY, 0),
                    (0x8086, 0x1e31, XHCI, 0),
                    (0x8086, 0x27d8, AUDIO, 0),
                    (0x131f, 0x2000, SERIAL, 0),
                ],
            ),
            (
                "bhyve or ACRN",
                &[(0x1022, 0x7432, BRIDGE, 0), (0x9710, 0x9900, SERIAL, 0)],
            ),
            (
                "440FX/PIIX3",
                &[(0x8086, 0x1237, BRIDGE, 0), (0x1d0f, 0x1111, DISPLAY, 0)],
            ),
            (
                "Graviton",
                &[(0x1d0f, 0x0200, BRIDGE, 0), (0x1d0f, 0x8250, SERIAL, 0)],
            ),
            (
                "VMware",
                &[
                    (0x15ad, 0x1976, BRIDGE, 0),
                    (0x15ad, 0x0406, DISPLAY, 0),
                    (0x15ad, 0x07f0, NVME, 0x15ad),
                ],
            ),
            (
                "P965",
                &[
                    (0x8086, 0x29a0, BRIDGE, 0x1ab8),
                    (0x8086, 0x2922, AHCI, 0x1ab8),
                ],
            ),
            (
                "generic PCI Express host bridge",
                &[(0x1b36, 0x0008, BRIDGE, 0), (0x1033, 0x0194, XHCI, 0x1ab8)],
            ),
            (
                "440FX/PIIX3",
                &[(0x8086, 0x1237, BRIDGE, 0), (0x1b73, 0x1400, XHCI, 0)],
            ),
            (
                "Virtualization.framework",
                &[(0x106b, 0x1a05, BRIDGE, 0), (0x106b, 0x1a06, XHCI, 0)],
            ),
            (
                "440FX/PIIX3",
                &[
                    (0x8086, 0x1237, BRIDGE, 0x01de),
                    (0x01de, 0x0000, NVME, 0x01de),
                ],
            ),
            ("rust-vmm", &[(0x8086, 0x0d57, BRIDGE, 0)]),
        ];
        for (board, parts) in machines {
            let functions = parts.iter().enumerate().map(|(number, part)| {
                let address = format!("00:{number:02x}.0");
                function(&address, part.0, part.1, part.2, part.3)
            });
            let kind = Kind::Hypervisor(&hypervisors::KVM);
            let told = told(functions.collect(), kind, Class::Hvm);
            assert_eq!(told, [format!("an emulated {board} board: 0000:00:00.0")]);
        }
    }

    #[test]
    fn board_that_nobody_emulates() {
        let board = vec![function("00:00.0", 0x8086, 0x3e30, 0x060000, 0x1043)];
        let expected = ["a board that none is known to emulate: 0000:00:00.0"];
        assert_eq!(told(board, Kind::BareMetal, Class::BareMetal), expected);
    }

    #[test]
    fn nothing_at_all() {
        let expected = ["no device at all, emulated or physical: "];
        assert_eq!(told(Vec::new(), Kind::XenPv, Class::Pv), expected);
    }
}
